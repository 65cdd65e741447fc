//! What `watch` tells and hears over HTTP: health, readiness, metrics, and the webhooks of forges.
//!
//! Nothing here can change a host. A webhook says "look", and the least of it is believed.

mod answer;
mod board;
mod delivery;
mod hook;
mod intake;
mod listen;
mod metrics;
mod signature;

#[cfg(test)]
mod tests;

pub use board::Board;
pub use hook::{Hook, HookError};
pub use listen::serve;
pub use metrics::Metrics;
