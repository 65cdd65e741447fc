//! A place that is a folder of this host: `<environment>/<app>/<item>/<id>.<ending>`, and beside each copy its record,
//! `<id>.json`. Nothing else is needed to list, verify or restore what is there.

mod draft;

use super::{
    BackupError, Copy, CopyId, Draft, Found, Of, Place, folder,
    packing::forget,
    record::{self, LONGEST, PARTIAL, REMOVED},
};
use crate::value::{AppName, EnvironmentName, RepositoryName};
use std::{
    ffi::OsStr,
    fs,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

/// A folder with copies.
#[derive(Clone, Debug)]
pub struct Local {
    /// By what name the host file knows it.
    pub name: RepositoryName,
    /// The folder.
    pub root: PathBuf,
}

impl Local {
    /// The folder of an item's copies.
    #[must_use]
    pub fn folder(&self, of: &Of) -> PathBuf {
        self.root.join(of.environment.as_str()).join(of.app.as_str()).join(of.item.as_str())
    }

    fn record(&self, copy: &Copy) -> PathBuf {
        self.path_of(&Of::copy(copy), &record::name(&copy.id))
    }
}

impl Place for Local {
    fn name(&self) -> &RepositoryName {
        &self.name
    }

    fn path_of(&self, of: &Of, file: &str) -> PathBuf {
        self.folder(of).join(file)
    }

    fn items(&self) -> Result<Vec<Of>, BackupError> {
        let mut items = Vec::new();
        let folders = |path: &Path| -> Result<Vec<(String, PathBuf)>, BackupError> {
            let named = |path: PathBuf| Some((path.file_name()?.to_str()?.to_owned(), path));
            Ok(paths(path)?.into_iter().filter(|path| path.is_dir()).filter_map(named).collect())
        };
        for (environment, path) in folders(&self.root)? {
            for (app, path) in folders(&path)? {
                for (item, _) in folders(&path)? {
                    // What is not named as ours is somebody else's.
                    if let (Ok(environment), Ok(app), Ok(item)) = (environment.parse(), app.parse(), item.parse()) {
                        items.push(Of { environment, app, item });
                    }
                }
            }
        }
        items.sort();
        Ok(items)
    }

    fn items_of(&self, environment: &EnvironmentName, app: &AppName) -> Result<Vec<Of>, BackupError> {
        let all = paths(&self.root.join(environment.as_str()).join(app.as_str()))?;
        let item = |path: &PathBuf| path.file_name()?.to_str()?.parse().ok();
        let items = all.iter().filter(|path| path.is_dir()).filter_map(item);
        Ok(items.map(|item| Of { environment: environment.clone(), app: app.clone(), item }).collect())
    }

    fn files(&self, of: &Of) -> Result<Vec<String>, BackupError> {
        let name = |path: PathBuf| Some(path.file_name()?.to_str()?.to_owned());
        Ok(paths(&self.folder(of))?.into_iter().filter_map(name).collect())
    }

    fn copy(&self, of: &Of, id: &CopyId) -> Result<Option<Copy>, BackupError> {
        match read(&self.path_of(of, &record::name(id)), of) {
            Err(BackupError::File { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    fn copies(&self, of: &Of) -> Result<Found, BackupError> {
        let mut found = Found::default();
        for path in paths(&self.folder(of))?.into_iter().filter(|path| path.extension() == Some(OsStr::new("json"))) {
            match read(&path, of) {
                Ok(copy) => found.copies.push(copy),
                Err(error) => found.faults.push(error),
            }
        }
        found.copies.sort_by(|a, b| (b.taken_at, &b.id).cmp(&(a.taken_at, &a.id)));
        Ok(found)
    }

    fn newest(&self, of: &Of, is_wanted: &dyn Fn(&Copy) -> bool) -> Result<Option<Copy>, BackupError> {
        let mut records: Vec<_> =
            paths(&self.folder(of))?.into_iter().filter(|path| path.extension() == Some(OsStr::new("json"))).collect();
        // Copies are named by when they were taken.
        records.sort();
        let read = |path: &PathBuf| read(path, of).ok().filter(is_wanted);
        Ok(records.iter().rev().find_map(read))
    }

    fn open(&self, copy: &Copy) -> Result<Box<dyn Read + Send>, BackupError> {
        let path = self.path(copy);
        let opened = fs::File::open(&path).map_err(BackupError::file("open", &path))?;
        forget(&opened);
        Ok(Box::new(opened))
    }

    fn begin(&self, of: &Of, file: &str, _: Option<u64>) -> Result<Box<dyn Draft>, BackupError> {
        let folder = self.folder(of);
        for part in [&self.root, &folder] {
            folder::make(part)?;
        }
        Ok(Box::new(draft::LocalDraft::begin(folder.join(file))?))
    }

    fn is_near(&self) -> bool {
        true
    }

    fn rewrite(&self, copy: &Copy) -> Result<(), BackupError> {
        let path = self.record(copy);
        folder::put(&path, &record::text(copy, &path)?)
    }

    fn remove(&self, copy: &Copy) -> Result<(), BackupError> {
        let (file, record) = (self.path(copy), self.record(copy));
        let removed = folder::beside(&record, REMOVED);
        match folder::replace(&record, &removed) {
            Err(BackupError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {}
            replaced => replaced?,
        }
        folder::remove(&file)?;
        folder::remove(&removed)?;
        file.parent().map_or(Ok(()), folder::flush)
    }

    /// A copy that was whole and had its final name gets its record; all else that is partial goes.
    fn sweep(&self, of: &Of) -> Result<(), BackupError> {
        let folder = self.folder(of);
        let all = paths(&folder)?;
        let ends = |path: &PathBuf, ending: &str| path.extension() == Some(OsStr::new(ending));
        let partial_record =
            |path: &&PathBuf| ends(path, PARTIAL) && path.with_extension("").extension() == Some(OsStr::new("json"));
        for path in all.iter().filter(partial_record) {
            let (to, copy) = (path.with_extension(""), read(path, of));
            let is_whole = copy.is_ok_and(|copy| folder.join(&copy.file).is_file());
            if is_whole && !to.exists() {
                folder::name(path, &to)?;
            }
        }
        for path in all.iter().filter(|path| ends(path, PARTIAL)) {
            folder::remove(path)?;
        }
        for path in all.iter().filter(|path| ends(path, REMOVED)) {
            if let Ok(copy) = read(path, of) {
                // Somebody may have written it anew while it was removed.
                folder::remove(&path.with_extension(""))?;
                folder::remove(&folder.join(&copy.file))?;
                folder::remove(path)?;
            }
        }
        Ok(())
    }
}

fn read(path: &Path, of: &Of) -> Result<Copy, BackupError> {
    let metadata = fs::symlink_metadata(path).map_err(BackupError::file("read", path))?;
    if !metadata.is_file() || metadata.len() > LONGEST {
        return Err(BackupError::Record { path: path.to_owned(), why: "it is no file of a record's size".to_owned() });
    }
    let text = fs::read(path).map_err(BackupError::file("read", path))?;
    record::parse(&text, path, of)
}

/// What is in a folder; nothing where it is not there.
fn paths(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(BackupError::file("read", folder))?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(BackupError::file("read", folder))?.path());
    }
    paths.sort();
    Ok(paths)
}
