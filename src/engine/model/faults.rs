//! Where a test breaks the world: before and after every call.

use crate::engine::EngineError;
use std::sync::Arc;

/// A call of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The trait's word for it: `create`, `start` …
    pub name: &'static str,
    /// The name or id it is about; empty for lists.
    pub about: String,
    /// It changes something.
    pub effect: bool,
}

/// On which side of the call's effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Nothing has happened yet.
    Before,
    /// It has happened, and the caller does not know yet.
    After,
}

/// What becomes of a call.
#[derive(Debug)]
pub enum Fate {
    /// It goes on.
    Go,
    /// The caller is told this.
    Fail(EngineError),
    /// The caller hears nothing any more: it was killed here. Whoever runs it drops it.
    Hang,
}

/// Decides on every call; also the place to count them.
pub type Faults = Arc<dyn Fn(When, &Call) -> Fate + Send + Sync>;

/// No faults.
#[must_use]
pub fn none() -> Faults {
    Arc::new(|_, _| Fate::Go)
}
