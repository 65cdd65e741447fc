//! Does what a step says: one match on `Step`, and every effect on the host.

mod begin;
pub mod begun;
pub mod deliver;
pub mod errand;
pub mod gateway;
pub mod memory;
pub mod nudges;
pub mod perform;
pub mod preflight;
pub mod prove;
pub mod pull;
pub mod slots;

pub use begun::Begun;
pub use errand::{Errand, errand};
pub use gateway::Gateway;
pub use nudges::Nudges;
pub use perform::{Hands, StepError};
pub use pull::NotPulled;
pub use slots::Slots;
