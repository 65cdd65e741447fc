//! Does what a step says: one match on `Step`, and every effect on the host.

mod arena;
pub mod back_up;
mod begin;
pub mod begun;
pub mod claimed;
pub mod containers;
pub mod copies;
pub mod copy_first;
pub mod deliver;
pub mod drills;
pub mod errand;
pub mod gateway;
pub mod memory;
pub mod nudges;
pub mod perform;
pub mod porter_image;
pub mod preflight;
pub mod prove;
pub mod pull;
pub mod resumed;
pub mod slots;
mod still;
mod targets;
mod users;
pub mod well;

pub use begun::Begun;
pub use errand::{Errand, errand};
pub use gateway::Gateway;
pub use nudges::Nudges;
pub use perform::{Hands, StepError};
pub use pull::NotPulled;
pub use slots::Slots;
