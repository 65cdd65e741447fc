//! A manifest: one app in one environment, from the files of a commit to a value that cannot be wrong.
//!
//! `load` takes texts that others read: parse, lay over what is extended, check the shape, deserialise, cross-check.

pub mod app;
pub mod backup;
pub mod connection;
mod crosscheck;
pub mod delivered;
mod extend;
pub mod form;
pub mod health;
pub mod job;
pub mod layout;
pub mod limit;
pub mod load;
pub mod network;
pub mod proxy;
pub mod refused;
pub mod rollout;
mod salvage;
pub mod schema;
pub mod service;
pub mod sync;
pub mod tls;

pub use app::Manifest;
pub use backup::Backup;
pub use connection::{Attachment, DependsOn, ServiceNetworks};
pub use crosscheck::{Surroundings, cross_check, order};
pub use delivered::{Config, ConfigUse, Secret, SecretUse, ServiceConfig, ServiceSecret};
pub use form::{Command, EnvironmentValue, OneOrMany, Text};
pub use health::{Healthcheck, HttpCheck, TcpCheck, TestCommand};
pub use job::Job;
pub use layout::{Placement, environments, placement};
pub use limit::{Gpus, Limit};
pub use load::{App, Loaded, load, other};
pub use network::{Logging, Network, Volume};
pub use proxy::{BasicAuth, Proxy, RateLimit, SecurityHeaders, Timeouts};
pub use rollout::{OrderChoice, Rollout};
pub use schema::{schema, shape};
pub use service::Service;
pub use sync::{Sync, Window, WindowKind};
pub use tls::{Hsts, HstsChoice, Mode, Tls};

#[cfg(test)]
mod tests;
