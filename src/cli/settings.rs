//! What holds for this run: a flag wins over its variable, the variable over the host file, that over the default.

use super::{
    Complaint,
    arguments::{Global, Output},
};
use crate::{
    host::HostFile,
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

impl Settings {
    /// Settles what holds. clap has put the variables into `global` already.
    ///
    /// # Errors
    /// There is no place for the state: a user without a home must name one.
    pub fn settle(global: &Global, configured: &HostFile, surroundings: &Surroundings) -> Result<Self, Complaint> {
        // `RECONCILE_ENGINE=` means that nothing was said, as it does for other tools.
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let state_dir = global
            .state_dir
            .clone()
            .filter(|path| !path.as_os_str().is_empty())
            .or_else(|| configured.state_dir.as_ref().map(|path| PathBuf::from(path.as_str())))
            .or_else(|| place::state_dir(surroundings))
            .ok_or_else(|| {
                Complaint::says("there is no place for the state: neither a home nor a state directory is known")
                    .with_hint("name one with `--state-dir`".to_owned())
            })?;
        Ok(Self {
            source: said(&global.source).or_else(|| configured.source.url.clone()).unwrap_or_else(|| ".".to_owned()),
            reference: said(&global.reference).or_else(|| configured.source.branch.clone()),
            folder: configured.source.path.clone(),
            environments: if global.environment.is_empty() {
                configured.environments.clone()
            } else {
                global.environment.clone()
            },
            engine: said(&global.engine).or_else(|| configured.engine.clone()),
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
