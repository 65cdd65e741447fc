//! The host file: what root of this machine settles, and nothing in the repository can change.
//!
//! All of it is optional. What it says of policy is judged by `policy`.

mod acme;
pub mod backup;
mod file;
mod policy;
pub mod proxy;
mod registry;
pub mod secret_file;
mod source;
pub mod voice;

pub use acme::Acme;
pub use backup::{Backup, Repository, S3};
pub use file::{Drift, HostFile, Retain, SecretPlaces};
pub use policy::Policy;
pub use proxy::{Driver, DriverName, Proxy, Runs};
pub use registry::{Registries, RegistryUser};
pub use source::{Source, Ssh, Verify, VerifyMode};
pub use voice::{Event, Target, Webhook};

use crate::yaml::{self, Diagnostic, Node, Place, Required, diagnostic::quoted};
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use std::sync::{Arc, LazyLock};

#[cfg(test)]
mod tests;

/// The host file with its places.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// What it says, defaults filled in.
    pub settings: HostFile,
    /// Its name and tree; none where there is no file.
    origin: Option<(Arc<str>, Option<Node>)>,
}

impl Host {
    /// True where there is a file, an empty one too.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.origin.is_some()
    }

    /// Where a setting stands (`["policy", "publish"]`), or its nearest parent; none where there is no file.
    #[must_use]
    pub fn place_of(&self, path: &[&str]) -> Option<Place> {
        let (file, tree) = self.origin.as_ref()?;
        let start = || Place { file: Arc::clone(file), line: 1, column: 1 };
        Some(tree.as_ref().map_or_else(start, |tree| tree.place_of(path).clone()))
    }
}

/// Reads the text of a host file; `file` is its name in errors.
///
/// # Errors
/// Everything that is wrong with it, keys of rooms that are not built yet included.
pub fn read(file: &str, text: &str) -> Result<Host, Vec<Diagnostic>> {
    let name: Arc<str> = file.into();
    if text.lines().all(|line| line.trim_start().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Host { settings: HostFile::default(), origin: Some((name, None)) });
    }
    let tree = yaml::parse(file, text)?;
    let value = yaml::check(&tree, shape(), Required::Yes)?;
    let of_places = backup::cross_check(&tree);
    if !of_places.is_empty() {
        return Err(of_places);
    }
    let settings =
        HostFile::deserialize(value).map_err(|error| vec![Diagnostic::new(&tree.place, error.to_string())])?;
    let problems = cross_check(&settings, &tree);
    if problems.is_empty() { Ok(Host { settings, origin: Some((name, Some(tree))) }) } else { Err(problems) }
}

/// What the shape cannot say.
fn cross_check(settings: &HostFile, tree: &Node) -> Vec<Diagnostic> {
    let problem =
        |path: &[&str], message: String, hint: &str| Diagnostic::new(tree.place_of(path), message).with_hint(hint);
    let engine = settings.engine.as_deref().filter(|engine| !engine.starts_with("unix:///")).map(|engine| {
        let message = format!("{} is no socket on this machine", quoted(engine));
        problem(&["engine"], message, "write `unix://` and a path, as in `unix:///var/run/docker.sock`")
    });
    let nowhere = settings.webhook.secret_file.is_some() && settings.listen.is_none();
    let webhook = nowhere.then(|| {
        let message = "a webhook without a place to come to".to_owned();
        problem(&["webhook", "secret_file"], message, "write `listen`, as in `127.0.0.1:9180`")
    });
    let notices = settings.notify.iter().enumerate().flat_map(|(index, target)| {
        let index = index.to_string();
        let told = |fault: voice::Fault| problem(&["notify", &index, fault.kind, fault.key], fault.message, fault.hint);
        target.faults().into_iter().map(told).collect::<Vec<_>>()
    });
    let proxy = settings.proxy.cross_check(tree);
    settings.source.cross_check(tree).into_iter().chain(proxy).chain(engine).chain(webhook).chain(notices).collect()
}

/// The shape of the file: what the types take, and not more.
#[must_use]
pub fn shape() -> &'static serde_json::Value {
    static SHAPE: LazyLock<serde_json::Value> =
        LazyLock::new(|| SchemaSettings::draft07().into_generator().into_root_schema_for::<HostFile>().to_value());
    &SHAPE
}

/// The JSON Schema (draft-07) that editors read.
#[must_use]
pub fn schema() -> serde_json::Value {
    shape().clone()
}
