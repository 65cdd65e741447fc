//! Secrets: what one is, where its value comes from, and how a change of it is told without it.
//!
//! A value is read for one pass, reaches the effect that writes files or makes a container, and is wiped. Everything
//! else (plans, labels, the ledger) has its keyed digest.

pub mod age;
pub mod digest;
pub mod error;
pub mod gather;
pub mod host_dir;
pub mod key_file;
pub mod mask;
pub mod overdue;
pub mod repository;
pub mod roots;
pub mod sealed;
pub mod sops;
pub mod template;
pub mod unsealing;
pub mod value;

pub use digest::{Fingerprint, HostKey};
pub use error::SecretError;
pub use gather::{Gathered, Secrets};
pub use overdue::Overdue;
pub use repository::RepositoryFiles;
pub use roots::Roots;
pub use unsealing::Unsealed;
pub use value::SecretValue;

#[cfg(test)]
mod tests;
