//! Where the state and the locks are when nobody says so: pure functions of the environment's values.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

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

impl Surroundings {
    /// Those of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self {
            uid: rustix::process::geteuid().as_raw(),
            home: std::env::var_os("HOME"),
            xdg_state_home: std::env::var_os("XDG_STATE_HOME"),
            xdg_runtime_dir: std::env::var_os("XDG_RUNTIME_DIR"),
        }
    }
}

/// The state directory: `/var/lib/reconcile` for root, `$XDG_STATE_HOME/reconcile` or `~/.local/state/reconcile` for
/// others. None: a user without a home must name one.
#[must_use]
pub fn state_dir(surroundings: &Surroundings) -> Option<PathBuf> {
    if surroundings.uid == 0 {
        return Some(PathBuf::from("/var/lib/reconcile"));
    }
    let xdg = absolute(surroundings.xdg_state_home.as_deref()).map(Path::to_owned);
    let state = xdg.or_else(|| Some(absolute(surroundings.home.as_deref())?.join(".local/state")))?;
    Some(state.join("reconcile"))
}

/// What lasts until the next boot, in memory: `/run/reconcile` for root, `$XDG_RUNTIME_DIR/reconcile` for others. None: a
/// user without a session has no such place.
#[must_use]
pub fn runtime_dir(surroundings: &Surroundings) -> Option<PathBuf> {
    if surroundings.uid == 0 {
        return Some(PathBuf::from("/run/reconcile"));
    }
    Some(absolute(surroundings.xdg_runtime_dir.as_deref())?.join("reconcile"))
}

/// The directory of the locks: the runtime directory, or `/tmp/reconcile-<uid>` where there is none.
#[must_use]
pub fn lock_dir(surroundings: &Surroundings) -> PathBuf {
    runtime_dir(surroundings).unwrap_or_else(|| PathBuf::from(format!("/tmp/reconcile-{}", surroundings.uid)))
}

/// The XDG specification has relative and empty values ignored.
fn absolute(value: Option<&OsStr>) -> Option<&Path> {
    value.map(Path::new).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(home: &str, state: Option<&str>, runtime: Option<&str>) -> Surroundings {
        Surroundings {
            uid: 1000,
            home: Some(home.into()),
            xdg_state_home: state.map(Into::into),
            xdg_runtime_dir: runtime.map(Into::into),
        }
    }

    #[test]
    fn root_has_the_places_of_the_system() {
        let root = Surroundings { uid: 0, ..user("/root", Some("/x"), Some("/y")) };
        assert_eq!(state_dir(&root), Some("/var/lib/reconcile".into()));
        assert_eq!(lock_dir(&root), PathBuf::from("/run/reconcile"));
    }

    #[test]
    fn a_user_has_the_places_of_xdg() {
        let user = user("/home/ada", Some("/home/ada/state"), Some("/run/user/1000"));
        assert_eq!(state_dir(&user), Some("/home/ada/state/reconcile".into()));
        assert_eq!(lock_dir(&user), PathBuf::from("/run/user/1000/reconcile"));
    }

    #[test]
    fn relative_and_empty_values_are_ignored() {
        let user = user("/home/ada", Some("state"), Some(""));
        assert_eq!(state_dir(&user), Some("/home/ada/.local/state/reconcile".into()));
        assert_eq!(lock_dir(&user), PathBuf::from("/tmp/reconcile-1000"));
        assert_eq!(runtime_dir(&user), None, "anybody may have made the one in `/tmp`");
    }

    #[test]
    fn a_user_without_a_home_must_name_a_directory() {
        assert_eq!(state_dir(&Surroundings { uid: 1000, ..Surroundings::default() }), None);
    }
}
