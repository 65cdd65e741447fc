//! Where the engines' login files are.

use std::{ffi::OsString, path::PathBuf};

/// Who the tool runs as, for the places of login files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    pub uid: u32,
    /// `$HOME`; a system service has none.
    pub home: Option<OsString>,
    /// `$DOCKER_CONFIG`
    pub docker_config: Option<OsString>,
    /// `$XDG_RUNTIME_DIR`
    pub xdg_runtime_dir: Option<OsString>,
}

impl Surroundings {
    /// The login files that may be there, in the order in which they are asked: Docker's, then Podman's.
    #[must_use]
    pub fn login_files(&self) -> Vec<PathBuf> {
        let home = self.home.clone().map(PathBuf::from).or_else(|| (self.uid == 0).then(|| "/root".into()));
        let docker = match &self.docker_config {
            Some(folder) => Some(PathBuf::from(folder)),
            None => home.map(|home| home.join(".docker")),
        };
        let runtime = self.xdg_runtime_dir.as_ref().map(PathBuf::from);
        let podman = runtime.map(|folder| folder.join("containers/auth.json"));
        let system = (self.uid == 0).then(|| PathBuf::from("/run/containers/0/auth.json"));
        docker.map(|folder| folder.join("config.json")).into_iter().chain(podman).chain(system).collect()
    }
}
