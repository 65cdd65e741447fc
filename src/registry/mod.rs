//! Who opens which registry: the users that the host file names, then the logins that `docker login` and `podman login`
//! left on this host. Credential helpers are told by name and never run.

pub mod credentials;
pub mod keyring;
pub mod login;
pub mod place;

pub use credentials::Credentials;
pub use keyring::{Found, Keyring, KeyringError};
pub use place::Surroundings;

#[cfg(test)]
mod tests;
