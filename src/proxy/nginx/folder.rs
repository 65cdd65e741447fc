//! The files of all apps, side by side in one folder.
//!
//! nginx has one server for a host, and ignores every other one. It is in the file of the first app that answers at the
//! host, with what all of them answer there: so what one app has may decide the files of others.

use super::{Settings, inside::Sight, read, render, render::Dialect};
use crate::proxy::{ProxyError, Site, SiteName};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::ErrorKind,
    path::PathBuf,
};

/// What every app has, as its file says.
pub struct Folder<'a> {
    settings: &'a Settings,
    dialect: Dialect,
    sight: Sight,
    sites: BTreeMap<SiteName, Site>,
    texts: BTreeMap<SiteName, String>,
}

/// What becomes of an app's file.
pub struct Change {
    pub name: SiteName,
    pub file: PathBuf,
    pub before: Option<String>,
    /// None removes it.
    pub wanted: Option<String>,
}

impl<'a> Folder<'a> {
    /// Reads it. A file of which nothing can be read any more says that its app has nothing.
    ///
    /// # Errors
    /// The folder, or a file in it, cannot be read.
    pub fn read(settings: &'a Settings, dialect: Dialect, sight: Sight) -> Result<Self, ProxyError> {
        let mut folder = Self { settings, dialect, sight, sites: BTreeMap::new(), texts: BTreeMap::new() };
        let at = |source| ProxyError::Files { doing: format!("read `{}`", settings.directory.display()), source };
        let entries = match fs::read_dir(&settings.directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(folder),
            entries => entries.map_err(at)?,
        };
        for entry in entries {
            let file = entry.map_err(at)?.file_name();
            let Some(name) = file.to_str().and_then(site_name) else { continue };
            let Some(text) = read(&settings.directory.join(&file))? else { continue };
            folder.sites.extend(render::site(&text).map(|site| (name.clone(), site)));
            folder.texts.insert(name, text);
        }
        Ok(folder)
    }

    /// The file of an app.
    pub fn file(settings: &Settings, name: &SiteName) -> PathBuf {
        settings.directory.join(format!("reconcile-{}.{}.conf", name.environment, name.app))
    }

    /// What is in an app's file.
    pub fn text(&self, name: &SiteName) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    /// What an app's file says that the app has.
    pub fn site(&self, name: &SiteName) -> Site {
        self.sites.get(name).cloned().unwrap_or_default()
    }

    /// What an app's file should be, as things are.
    pub fn wanted(&self, name: &SiteName) -> Option<String> {
        let site = self.sites.get(name).filter(|site| !site.routes.is_empty())?;
        Some(render::file(name, site, &self.sight.of_all(&self.sites), self.settings, self.dialect))
    }

    /// What becomes of the files where an app has this: its own first, whether it changes or not.
    pub fn with(mut self, name: &SiteName, site: &Site) -> Vec<Change> {
        let before = self.sites.insert(name.clone(), site.clone()).unwrap_or_default();
        let touched: BTreeSet<&str> = hosts(&before).chain(hosts(site)).collect();
        let shares = |other: &Site| hosts(other).any(|host| touched.contains(host));
        let others = self.sites.iter().filter(|(other, has)| *other != name && shares(has)).map(|(other, _)| other);
        let change = |name: &SiteName| Change {
            name: name.clone(),
            file: Self::file(self.settings, name),
            before: self.texts.get(name).cloned(),
            wanted: self.wanted(name),
        };
        let others = others.map(change).filter(|it| it.before != it.wanted);
        std::iter::once(change(name)).chain(others).collect()
    }
}

fn hosts(site: &Site) -> impl Iterator<Item = &str> {
    site.routes.values().flat_map(|served| served.route.hosts.iter().map(String::as_str))
}

fn site_name(file: &str) -> Option<SiteName> {
    let (environment, app) = file.strip_prefix("reconcile-")?.strip_suffix(".conf")?.split_once('.')?;
    Some(SiteName { environment: environment.parse().ok()?, app: app.parse().ok()? })
}
