//! Where the state and the locks are when nobody says so: pure functions of the environment's values.

use std::{ffi::OsString, path::PathBuf};

/// Who we are, as far as default places depend on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Effective user id.
    pub uid: u32,
    /// `$HOME`
    pub home: Option<OsString>,
    /// `$XDG_STATE_HOME`
    pub xdg_state_home: Option<OsString>,
    /// `$XDG_RUNTIME_DIR`
    pub xdg_runtime_dir: Option<OsString>,
}

/// The state directory: `/var/lib/reconcile` for root, `$XDG_STATE_HOME/reconcile` or `~/.local/state/reconcile` for
/// others. None: a user without a home must name one.
#[must_use]
pub fn state_dir(surroundings: &Surroundings) -> Option<PathBuf> {
    todo!("{surroundings:?}")
}

/// The directory of the locks: `/run/reconcile` for root, `$XDG_RUNTIME_DIR/reconcile` or `/tmp/reconcile-<uid>` for
/// others.
#[must_use]
pub fn lock_dir(surroundings: &Surroundings) -> PathBuf {
    todo!("{surroundings:?}")
}
