//! Secrets.

pub mod age;
pub mod sops;
pub mod value;

pub use value::SecretValue;
