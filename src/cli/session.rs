//! Opens what a command needs, and no more: a reading command makes nothing.

use super::{
    Complaint, arguments::Global, backup::places, engine_address, head::Manifests, settings, settings::Settings,
};
use crate::{
    apply::{Begun, Hands, nudges::Nudges, slots::Slots},
    desired::SpecHash,
    engine::{Engine, EngineError, docker::Docker},
    host::{self, Host},
    pass,
    record::{Ledger, RecordError, StateDir, place},
    registry::Keyring,
    secret::{Overdue, RepositoryFiles, Roots, Secrets},
    source::{Commit, Repository, SourceError, Unread},
    value::{AbsolutePath, AppName, EnvironmentName, Location},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Where the host file is when nobody says so; nothing in the repository stands in for it.
pub const HOST_FILE: &str = "/etc/reconcile/reconcile.yaml";

/// One run of the command.
pub struct Session {
    pub settings: Settings,
    pub host: Host,
    /// The host file, where there is one.
    file: Option<PathBuf>,
    /// The head was read in this run.
    seen: Mutex<bool>,
}

impl Session {
    /// Reads the host file and settles what holds.
    ///
    /// # Errors
    /// The host file cannot be read or is wrong; there is no place for the state.
    pub fn begin(global: &Global) -> Result<Self, Complaint> {
        let usual = || Some(PathBuf::from(HOST_FILE)).filter(|path| path.exists());
        let file = global.config.clone().or_else(usual);
        let host = file.as_deref().map(host_file).transpose()?.unwrap_or_default();
        let settings = Settings::settle(global, &host.settings, &settings::surroundings())?;
        Ok(Self { settings, host, file, seen: Mutex::new(false) })
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, bool> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often a daemon asks the source although nothing was heard.
    pub fn poll(&self) -> std::time::Duration {
        self.host.settings.source.poll.into()
    }

    /// The manifests of a commit; a missing folder is an empty one, which removes nothing by itself.
    ///
    /// # Errors
    /// As those of `source`.
    pub fn manifests(&self, repository: &Repository, commit: &Commit) -> Result<Manifests, Complaint> {
        self.found(repository.files(commit, &self.settings.folder), self.files_of(commit))
    }

    /// The manifests on disk, uncommitted ones too.
    ///
    /// # Errors
    /// As those of `source`.
    pub fn worktree(&self, repository: &Repository) -> Result<Manifests, Complaint> {
        self.found(repository.worktree_files(&self.settings.folder), self.beside(Repository::worktree_file))
    }

    /// The files of a commit that lie beside its manifests.
    pub fn files_of(&self, commit: &Commit) -> RepositoryFiles {
        let commit = commit.clone();
        self.beside(move |repository, path| repository.file(&commit, path))
    }

    /// Files of the repository, which is opened where they are read: libgit2's handles do not move between threads.
    fn beside(
        &self,
        read: impl Fn(&Repository, &str) -> Result<Vec<u8>, Unread> + Clone + Send + Sync + 'static,
    ) -> RepositoryFiles {
        let (remote, location) = (self.remote(), self.settings.location.clone());
        RepositoryFiles::new(move || {
            let repository = match (&remote, &location) {
                (Some(remote), _) => remote.reopened(),
                (None, Location::Local(folder)) => Repository::at(folder),
                (None, Location::Remote(remote)) => Err(SourceError::NotHere { location: remote.to_string() }),
            };
            let (repository, read) = (repository.map_err(|error| error.to_string())?, read.clone());
            Ok(Box::new(move |path| read(&repository, path).map_err(|error| error.to_string())))
        })
    }

    fn found(
        &self,
        files: Result<BTreeMap<String, String>, SourceError>,
        beside: RepositoryFiles,
    ) -> Result<Manifests, Complaint> {
        let files = match files {
            Err(error) if error.is_missing_folder() => BTreeMap::new(),
            Err(error @ SourceError::Git { .. }) => {
                let hint = self.remote().map(|remote| {
                    let mirror = remote.mirror();
                    format!("the mirror may be damaged: remove `{}`, it is a copy and fetched anew", mirror.display())
                });
                return Err(source(error).with_hint(hint));
            }
            found => found.map_err(source)?,
        };
        let Settings { folder, together, .. } = &self.settings;
        let (folder, together) = (folder.clone(), together.clone());
        Ok(Manifests { files, folder, together, partial: false, beside: Some(beside) })
    }

    fn at_head(&self) -> Result<Manifests, Complaint> {
        let (repository, commit) = self.known_head()?;
        self.manifests(&repository, &commit)
    }

    /// The environments of this run: those that were named, or the only one there is.
    ///
    /// # Errors
    /// None or several are there and none was named; the source cannot be read.
    pub fn environments(&self) -> Result<Vec<EnvironmentName>, Complaint> {
        if self.settings.environments.is_empty() {
            self.environments_of(&self.at_head()?)
        } else {
            Ok(self.settings.environments.clone())
        }
    }

    /// As [`Session::environments`], of a tree that was read already.
    ///
    /// # Errors
    /// None or several are there and none was named.
    pub fn environments_of(&self, manifests: &Manifests) -> Result<Vec<EnvironmentName>, Complaint> {
        if !self.settings.environments.is_empty() {
            return Ok(self.settings.environments.clone());
        }
        let found: Vec<_> = manifests.environments().into_iter().collect();
        match found.as_slice() {
            [_] => Ok(found),
            [] => Err(Complaint::says(format!("there is no environment below `{}`", self.settings.folder))
                .with_hint("name it with `--environment`, or begin one with `reconcile init`".to_owned())),
            several => {
                let names: Vec<_> = several.iter().map(|name| format!("`{name}`")).collect();
                Err(Complaint::says(format!("there are several environments: {}", names.join(", "))).with_hint(
                    "name those that live on this host with `--environment`, or in the host file".to_owned(),
                ))
            }
        }
    }

    /// The ledger, for a look.
    ///
    /// # Errors
    /// As those of `record`.
    pub async fn reading(&self) -> Result<Ledger, Complaint> {
        Ok(StateDir::look(&self.settings.state_dir).await.map_err(with_hint)?.ledger())
    }

    /// The ledger to plan with. Where it is damaged nothing is known of it, with a warning: the host can still be
    /// compared with the branch.
    ///
    /// # Errors
    /// As those of `record`, but damage.
    pub async fn planning(&self) -> Result<Ledger, Complaint> {
        match StateDir::look(&self.settings.state_dir).await {
            Err(error @ RecordError::Corrupt { .. }) => {
                let hint = error.hint().unwrap_or_default();
                tracing::warn!(%error, hint, "the plan knows no history and no holds");
                Ok(StateDir::lost(&self.settings.state_dir).await?.ledger())
            }
            looked => Ok(looked.map_err(with_hint)?.ledger()),
        }
    }

    /// The ledger, to write.
    ///
    /// # Errors
    /// As those of `record`.
    pub async fn writing(&self) -> Result<Ledger, Complaint> {
        Ok(StateDir::open(&self.settings.state_dir).await.map_err(with_hint)?.ledger())
    }

    /// The host to work on, with the ledger that is given.
    ///
    /// # Errors
    /// Nobody was named and nobody answers; the engine does not answer.
    pub async fn host(&self, ledger: Ledger) -> Result<pass::Host<Docker>, Complaint> {
        let address = engine_address::Surroundings::of_process(self.settings.engine.clone()).engine()?;
        let engine = Arc::new(Docker::connect(&address).await.map_err(away)?);
        let info = engine.info().await.map_err(away)?;
        let settings = &self.host.settings;
        let parallel = usize::try_from(settings.parallel.get())?;
        let nudges = Nudges::subscribe(&engine).await;
        let (secrets, depot) = (self.secrets(), Arc::new(places::depot(self)));
        Ok(pass::Host {
            hands: Hands {
                gateway: self.gateway(&engine).await?,
                engine,
                info,
                slots: Slots::new(parallel),
                nudges,
                begun: Begun::default(),
                keyring: Arc::new(self.keyring()),
                depot: Arc::clone(&depot),
            },
            ledger,
            settings: pass::Settings {
                installation: settings.installation.to_string(),
                policy: self.host.clone(),
                protected_paths: self.protected_paths(Some(&address)),
                engine: address,
                lock_dir: place::lock_dir(&settings::surroundings()),
                parallel,
                repair: settings.drift == host::Drift::Repair,
                prune: settings.prune,
                max_deletes: usize::try_from(settings.max_deletes)?,
                revisions: usize::try_from(settings.retain.revisions)?,
                images: usize::try_from(settings.retain.images)?,
                depot,
                secrets,
            },
        })
    }

    /// What opens registries: the host file's users, and the logins of whoever runs this.
    fn keyring(&self) -> Keyring {
        Keyring::new(self.host.settings.registries.clone(), settings::login_files())
    }

    /// Where this host's secrets are, and where they are delivered: apart for each ledger and installation, and known
    /// before any engine is.
    pub fn secrets(&self) -> Secrets {
        let places = &self.host.settings.secrets;
        let named = |path: &Option<AbsolutePath>| path.as_ref().map(|path| PathBuf::from(path.as_str()));
        let usual_key = || match self.host.is_written() {
            true => PathBuf::from("/etc/reconcile/host.key"),
            false => self.state_dir().join("host.key"),
        };
        // One folder, however its path is written.
        let written: PathBuf = self.state_dir().components().collect();
        let state = written.canonicalize().unwrap_or(written);
        let apart = SpecHash::of(&(state, self.host.settings.installation.to_string()));
        Secrets {
            directory: named(&places.dir).unwrap_or_else(|| PathBuf::from("/etc/reconcile/secrets")),
            key_file: named(&places.key_file).unwrap_or_else(usual_key),
            identity: named(&places.age_identity),
            roots: Roots {
                secrets: place::runtime_dir(&settings::surroundings())
                    .map_or_else(PathBuf::new, |runtime| runtime.join("secrets").join(apart.short())),
                on_disk: places.on_disk,
                configs: self.state_dir().join("configs").join(apart.short()),
            },
            overdue: Overdue::default(),
        }
    }

    pub(super) fn state_dir(&self) -> PathBuf {
        std::path::absolute(&self.settings.state_dir).unwrap_or_else(|_| self.settings.state_dir.clone())
    }

    /// Paths that no container may see: what is ours, what the host file names as private, and the engine's socket.
    pub fn protected_paths(&self, address: Option<&str>) -> Vec<String> {
        let absolute =
            |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
        let locks = place::lock_dir(&settings::surroundings());
        let secrets = self.secrets();
        let mut paths = vec![absolute(&self.settings.state_dir), absolute(&locks)];
        paths.extend([&secrets.directory, &secrets.key_file].map(|path| absolute(path)));
        paths.extend(self.file.as_deref().map(absolute));
        paths.extend(self.host.settings.private_paths());
        paths.extend(settings::login_files().iter().map(|path| absolute(path)));
        paths.extend(address.and_then(socket_path));
        paths
    }

    /// The apps that the ledger or the head knows in an environment. A head that cannot be read adds none: the ledger
    /// alone must do when the repository is away.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn apps(&self, ledger: &Ledger, environment: &EnvironmentName) -> Result<BTreeSet<AppName>, RecordError> {
        let mut apps: BTreeSet<AppName> = ledger.apps(environment).await?.into_iter().collect();
        match self.at_head() {
            Ok(manifests) => apps.extend(manifests.apps(environment)),
            Err(complaint) => tracing::info!(%complaint, "the repository cannot be read; the ledger alone is asked"),
        }
        Ok(apps)
    }

    /// The one environment an app is in.
    ///
    /// # Errors
    /// It is in none or several.
    pub async fn place(&self, ledger: &Ledger, app: &AppName) -> Result<EnvironmentName, Complaint> {
        only(app, &self.places(ledger, app).await?)
    }

    /// Where an app is, of the environments of this run.
    ///
    /// # Errors
    /// It is in none of them, with the nearest name that is.
    pub async fn places(&self, ledger: &Ledger, app: &AppName) -> Result<Vec<EnvironmentName>, Complaint> {
        let mut found = Vec::new();
        let mut all = BTreeSet::new();
        for environment in self.environments()? {
            let apps = self.apps(ledger, &environment).await?;
            if apps.contains(app) {
                found.push(environment);
            }
            all.extend(apps);
        }
        if found.is_empty() { Err(unknown("app", app.as_str(), &all)) } else { Ok(found) }
    }
}

/// The path of a socket by its address.
pub fn socket_path(address: &str) -> Option<String> {
    let path = address.strip_prefix("unix://").unwrap_or(address);
    path.starts_with('/').then(|| path.to_owned())
}

/// Reads a host file.
///
/// # Errors
/// It is not there, or everything that is wrong with it.
pub fn host_file(path: &Path) -> Result<Host, Complaint> {
    let text = fs::read_to_string(path).map_err(|error| {
        let hint = (error.kind() == ErrorKind::NotFound)
            .then(|| format!("without `--config`, `{HOST_FILE}` is read where it is there"));
        Complaint::about(format!("cannot read the host file `{}`", path.display()), error).with_hint(hint)
    })?;
    host::read(&path.display().to_string(), &text)
        .map_err(|problems| Complaint::of_diagnostics("the host file is wrong", &problems))
}

/// The only environment of several that is meant.
fn only(app: &AppName, places: &[EnvironmentName]) -> Result<EnvironmentName, Complaint> {
    match places {
        [environment] => Ok(environment.clone()),
        _ => Err(Complaint::says(format!("`{app}` is in several environments"))
            .with_hint("name one with `--environment`".to_owned())),
    }
}

/// A name that nobody has, with the nearest that somebody has.
pub fn unknown<'a, T: fmt::Display + 'a>(what: &str, name: &str, all: impl IntoIterator<Item = &'a T>) -> Complaint {
    let hint = nearest(name, all).map(|name| format!("did you mean `{name}`?"));
    Complaint::says(format!("there is no {what} `{name}`")).with_hint(hint)
}

/// Of some names the one that is most like this one.
pub fn nearest<'a, T: fmt::Display + 'a>(name: &str, all: impl IntoIterator<Item = &'a T>) -> Option<String> {
    let likeness = |known: &str| strsim::jaro_winkler(known, name);
    all.into_iter().map(ToString::to_string).max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

/// An engine that does not answer.
fn away(error: EngineError) -> Complaint {
    Complaint::from(error).with_hint("see that it runs, and that this user may use its socket".to_owned())
}

/// A source's error with its hint.
pub fn source(error: SourceError) -> Complaint {
    let hint = error.hint();
    Complaint::from(error).with_hint(hint)
}

fn with_hint(error: RecordError) -> Complaint {
    let hint = error.hint();
    Complaint::from(error).with_hint(hint)
}
