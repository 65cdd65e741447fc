//! What holds for this run: a flag wins over its variable, the variable over the host file, that over the default.

use super::{
    Complaint,
    arguments::{Global, Output},
};
use crate::{
    record::place::{self, Surroundings},
    value::EnvironmentName,
};
use std::path::PathBuf;

/// What every command needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The manifests repository.
    pub source: String,
    /// What to read of it; none: its HEAD.
    pub reference: Option<String>,
    /// The folder of environments in it.
    pub folder: String,
    /// Those that were named; empty: the only one there is.
    pub environments: Vec<EnvironmentName>,
    /// None: look where engines usually are.
    pub engine: Option<String>,
    pub state_dir: PathBuf,
    pub output: Output,
}

/// What the host file says of the same things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configured {
    pub source: Option<String>,
    pub reference: Option<String>,
    pub folder: Option<String>,
    pub environments: Vec<EnvironmentName>,
    pub engine: Option<String>,
    pub state_dir: Option<PathBuf>,
}

impl Settings {
    /// Settles what holds. clap has put the variables into `global` already.
    ///
    /// # Errors
    /// There is no place for the state: a user without a home must name one.
    pub fn settle(global: &Global, configured: Configured, surroundings: &Surroundings) -> Result<Self, Complaint> {
        // `RECONCILE_ENGINE=` means that nothing was said, as it does for other tools.
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let state_dir = global
            .state_dir
            .clone()
            .filter(|path| !path.as_os_str().is_empty())
            .or(configured.state_dir)
            .or_else(|| place::state_dir(surroundings))
            .ok_or_else(|| {
                Complaint::says("there is no place for the state: neither a home nor a state directory is known")
                    .with_hint("name one with `--state-dir`".to_owned())
            })?;
        Ok(Self {
            source: said(&global.source).or(configured.source).unwrap_or_else(|| ".".to_owned()),
            reference: said(&global.reference).or(configured.reference),
            folder: configured.folder.unwrap_or_else(|| "environments".to_owned()),
            environments: if global.environment.is_empty() {
                configured.environments
            } else {
                global.environment.clone()
            },
            engine: said(&global.engine).or(configured.engine),
            state_dir,
            output: global.output,
        })
    }
}

/// Who we are, for the default places.
#[must_use]
pub fn surroundings() -> Surroundings {
    let variable = |name| std::env::var_os(name).filter(|text| !text.is_empty());
    Surroundings {
        uid: rustix::process::geteuid().as_raw(),
        home: variable("HOME"),
        xdg_state_home: variable("XDG_STATE_HOME"),
        xdg_runtime_dir: variable("XDG_RUNTIME_DIR"),
    }
}

/// Who gives an order, for the record: the user behind `sudo`, else the user.
#[must_use]
pub fn user() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()))
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}
