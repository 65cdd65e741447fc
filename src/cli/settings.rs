//! What holds for this run: a flag wins over its variable, the variable over the host file, that over the default.

use super::{
    Complaint,
    arguments::{Global, Output},
};
use crate::{
    host::HostFile,
    record::place::{self, Surroundings},
    registry,
    value::{EnvironmentName, Location},
};
use std::{collections::BTreeSet, path::PathBuf};

/// What every command needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The manifests repository, as it was said.
    pub source: String,
    /// The same, understood.
    pub location: Location,
    /// What to read of it; none: its HEAD.
    pub reference: Option<String>,
    /// The folder of environments in it.
    pub folder: String,
    /// Those that were named; empty: the only one there is.
    pub environments: Vec<EnvironmentName>,
    /// Those that live on this host, by its file and by what was named; empty: all that the manifests have.
    pub together: BTreeSet<EnvironmentName>,
    /// None: look where engines usually are.
    pub engine: Option<String>,
    pub state_dir: PathBuf,
    pub output: Output,
}

impl Settings {
    /// Settles what holds. clap has put the variables into `global` already.
    ///
    /// # Errors
    /// There is no place for the state: a user without a home must name one; the source is no place of a repository.
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
        let source = said(&global.source).or_else(|| configured.source.url.clone()).unwrap_or_else(|| ".".to_owned());
        let location = source.parse::<Location>().map_err(|bad| {
            let hint = bad.hint.clone();
            Complaint::from(bad).with_hint(hint)
        })?;
        Ok(Self {
            source,
            location,
            reference: said(&global.reference).or_else(|| configured.source.branch.clone()),
            folder: configured.source.path.clone(),
            environments: if global.environment.is_empty() {
                configured.environments.clone()
            } else {
                global.environment.clone()
            },
            together: if configured.environments.is_empty() {
                BTreeSet::new()
            } else {
                configured.environments.iter().chain(&global.environment).cloned().collect()
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

/// The files in which the engines keep the logins of whoever runs this.
#[must_use]
pub fn login_files() -> Vec<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|text| !text.is_empty());
    let surroundings = registry::Surroundings {
        uid: rustix::process::geteuid().as_raw(),
        home: variable("HOME"),
        docker_config: variable("DOCKER_CONFIG"),
        xdg_runtime_dir: variable("XDG_RUNTIME_DIR"),
    };
    surroundings.login_files()
}

/// Who gives an order, for the record: the user behind `sudo`, else the user.
#[must_use]
pub fn user() -> String {
    let uid = rustix::process::getuid().as_raw();
    ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()))
        .or_else(|| name_of(uid, &std::fs::read_to_string("/etc/passwd").ok()?))
        .unwrap_or_else(|| format!("uid {uid}"))
}

/// The name of a user in the lines of `/etc/passwd`.
fn name_of(uid: u32, users: &str) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::{Settings, Surroundings};
    use crate::{
        cli::arguments::{Request, parse},
        host,
    };

    fn settle(line: &str, host_file: &str) -> Settings {
        let words = std::iter::once("reconcile").chain(line.split_whitespace()).map(Into::into);
        let Ok(Request::Run(arguments)) = parse(words) else { panic!("{line}") };
        let host = host::read("host.yaml", host_file).unwrap();
        let root = Surroundings { uid: 0, ..Surroundings::default() };
        Settings::settle(&arguments.global, &host.settings, &root).unwrap()
    }

    #[test]
    fn a_flag_wins_over_the_host_file_and_that_over_the_default() {
        let file =
            "source: {url: /srv/m.git, branch: live, path: hosts}\nenvironments: [staging]\nstate_dir: /srv/state\n";
        let by_file = settle("", file);
        assert_eq!((by_file.source.as_str(), by_file.reference.as_deref()), ("/srv/m.git", Some("live")));
        assert_eq!((by_file.folder.as_str(), by_file.environments[0].as_str()), ("hosts", "staging"));
        assert_eq!(by_file.state_dir.to_str(), Some("/srv/state"));
        let by_flag = settle("--source /m --ref HEAD~1 --environment production --state-dir /s", file);
        assert_eq!((by_flag.source.as_str(), by_flag.reference.as_deref()), ("/m", Some("HEAD~1")));
        assert_eq!((by_flag.environments.len(), by_flag.environments[0].as_str()), (1, "production"));
        assert_eq!(by_flag.state_dir.to_str(), Some("/s"));
        let default = settle("", "");
        assert_eq!((default.source.as_str(), default.folder.as_str()), (".", "environments"));
        assert_eq!(default.state_dir.to_str(), Some("/var/lib/reconcile"));
    }

    #[test]
    fn a_users_name_is_found_by_its_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(super::name_of(1000, users).as_deref(), Some("ann"));
        assert_eq!(super::name_of(7, users), None);
    }
}
