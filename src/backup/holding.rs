//! That containers of an app may be held still for a copy, noted on the host's disk before the first of them is: whoever comes
//! after a kill lets them go on, whatever the manifests say by then.

use super::{BackupError, folder};
use crate::value::{AppName, EnvironmentName};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where the note of an app is. Whoever reads or writes it has the app's lock.
#[derive(Clone, Debug)]
pub struct Holding {
    path: PathBuf,
}

impl Holding {
    /// That of an app, in the folder of what was begun on data.
    #[must_use]
    pub fn of(begun: &Path, environment: &EnvironmentName, app: &AppName) -> Self {
        Self { path: begun.join(environment.as_str()).join(format!("{app}.held")) }
    }

    /// The apps of which some may be.
    #[must_use]
    pub fn noted(begun: &Path) -> Vec<(EnvironmentName, AppName)> {
        let named = |path: PathBuf| Some((path.file_name()?.to_str()?.to_owned(), path));
        let below = |folder: &Path| {
            fs::read_dir(folder).into_iter().flatten().flatten().filter_map(move |entry| named(entry.path()))
        };
        let apps = below(begun).filter_map(|(name, folder)| Some((name.parse::<EnvironmentName>().ok()?, folder)));
        let held = apps.flat_map(|(environment, folder)| {
            below(&folder).filter_map(move |(file, _)| {
                Some((environment.clone(), file.strip_suffix(".held")?.parse::<AppName>().ok()?))
            })
        });
        held.collect()
    }

    /// Whether some may be. A disk that does not tell is asked again when they are let go.
    #[must_use]
    pub fn is_noted(&self) -> bool {
        self.path.try_exists().unwrap_or(true)
    }

    /// Notes it: it is on the disk when this is done.
    ///
    /// # Errors
    /// The disk.
    pub fn begin(&self) -> Result<(), BackupError> {
        if self.path.exists() {
            return Ok(());
        }
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        folder::make(folder)?;
        folder::write(&self.path, b"")?;
        folder::flush(folder)
    }

    /// Nobody is held any more.
    ///
    /// # Errors
    /// The disk.
    pub fn end(&self) -> Result<(), BackupError> {
        folder::remove(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_found_without_a_manifest_until_it_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let of: (EnvironmentName, AppName) = ("production".parse().unwrap(), "web".parse().unwrap());
        let holding = Holding::of(folder.path(), &of.0, &of.1);
        assert_eq!((holding.is_noted(), Holding::noted(folder.path())), (false, Vec::new()));
        holding.begin().unwrap();
        holding.begin().unwrap();
        fs::write(folder.path().join("production/other.json"), "{}").unwrap();
        assert_eq!((holding.is_noted(), Holding::noted(folder.path())), (true, vec![of]));
        holding.end().unwrap();
        holding.end().unwrap();
        assert_eq!((holding.is_noted(), Holding::noted(folder.path())), (false, Vec::new()));
    }
}
