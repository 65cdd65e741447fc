//! `reconcile` brings a Docker or Podman host to what a git repository of manifests says.
//!
//! Data walks one way through the house:
//!
//! ```text
//! commit → source → manifest → desired ┐
//!                   observe → observed ┴→ plan → apply → record     (show: text, json, markdown of all of it)
//! ```
//!
//! `manifest`, `desired`, `observed`, `plan` and `record::target` are pure: no clock, no disk, no engine.
//! Effects live in `apply` and behind the seams `source`, `engine`, `probe` and `record`.
//! `tests/layers.rs` reads the imports and keeps it so.

pub mod apply;
pub mod backup;
pub mod blame;
pub mod cause;
pub mod cli;
pub mod closed_file;
pub mod desired;
pub mod engine;
pub mod host;
pub mod http1;
pub mod manifest;
pub mod notice;
pub mod observe;
pub mod observed;
pub mod pass;
pub mod plan;
pub mod policy;
pub mod probe;
pub mod proxy;
pub mod record;
pub mod registry;
pub mod secret;
pub mod server;
pub mod show;
pub mod source;
pub mod tls;
pub mod value;
pub mod watch;
pub mod yaml;
