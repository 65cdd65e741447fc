//! Where deliveries lie on this host: pure functions of their names.

use crate::{
    desired::{DeliveryName, delivery::Kind},
    value::{AppName, EnvironmentName},
};
use std::path::{Path, PathBuf};

/// The folders below which everything is delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roots {
    /// In memory: gone with the next boot. Empty where this user has no such place.
    pub secrets: PathBuf,
    /// The host's word that secrets may lie on a disk.
    pub on_disk: bool,
    /// On the disk.
    pub configs: PathBuf,
}

impl Roots {
    /// The root of a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> &Path {
        match kind {
            Kind::Secrets => &self.secrets,
            Kind::Configs => &self.configs,
        }
    }

    /// What tells these folders from those of another ledger or installation: who delivers into them holds a lock of
    /// that name, also where no engine is known.
    #[must_use]
    pub fn name(&self) -> String {
        format!("deliveries {}", self.secrets.display())
    }

    /// The folder of an app.
    #[must_use]
    pub fn of_app(&self, kind: Kind, environment: &EnvironmentName, app: &AppName) -> PathBuf {
        self.of(kind).join(environment.as_str()).join(app.as_str())
    }

    /// The folder of a delivery.
    #[must_use]
    pub fn folder(&self, environment: &EnvironmentName, app: &AppName, delivery: &DeliveryName) -> PathBuf {
        self.of_app(delivery.kind, environment, app).join(delivery.role_folder()).join(delivery.generation())
    }

    /// The delivery of an app that a path on this host is in; none where it is in none.
    #[must_use]
    pub fn delivery(&self, environment: &EnvironmentName, app: &AppName, path: &str) -> Option<DeliveryName> {
        [(Kind::Secrets, "secrets"), (Kind::Configs, "configs")].into_iter().find_map(|(kind, word)| {
            let rest = Path::new(path).strip_prefix(self.of_app(kind, environment, app)).ok()?;
            let mut parts = rest.iter().map(|part| part.to_string_lossy());
            format!("{word}/{}/{}", parts.next()?, parts.next()?).parse().ok()
        })
    }
}

/// What says that a process is to be told: beside the folder, so that no container sees it.
#[must_use]
pub fn mark(folder: &Path) -> PathBuf {
    folder.with_extension("signal")
}
