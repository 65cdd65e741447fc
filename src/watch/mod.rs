//! Stays: notices what changes, in git and on the host, and runs each app's pass when it is its turn.
//!
//! A push, an event of the engine, a timer, a person's wish: each only says "look". What is to be done follows from
//! what is seen, so nothing that is lost, doubled or late does harm.
//!
//! ```text
//! files, webhook, timer → follow → keeper (one for each environment) → turn (one for each app) → pass
//!                    engine's events ↗
//!                            follow → copyist (one for each environment) → copying (one for each app)
//!                            follow → driller (one for each environment)
//! ```

pub mod branch;
pub mod copying;
pub mod copyist;
pub mod daemon;
pub mod driller;
pub mod ears;
pub mod files;
pub mod follow;
pub mod keeper;
pub mod nudge;
pub mod pace;
mod pause;
pub mod seat;
pub mod service;
pub mod standings;
pub mod told;
mod told_copies;
pub mod turn;

pub use branch::{Away, Branch, Halt, Tip};
pub use daemon::Daemon;
