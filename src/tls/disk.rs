//! Files that only we can read, whole on the disk or not there at all.
//!
//! What belongs together lies in a folder of its own, whose name says what it is; `current` leads to the one that holds.
//! A folder is never changed: who reads from one finds a chain and its key, never those of two certificates.

use super::TlsError;
use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};

const FOLDER: u32 = 0o700;
const FILE: u32 = 0o600;
/// No chain and no key is longer.
const LONGEST: u64 = 1024 * 1024;
const CURRENT: &str = "current";
/// What a kill left unfinished.
const UNFINISHED: &str = ".new-";

/// The folder of everything.
#[derive(Clone, Debug)]
pub struct Disk {
    root: PathBuf,
}

impl Disk {
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// A place in it.
    pub fn path(&self, place: &str) -> PathBuf {
        self.root.join(place)
    }

    /// The folder that holds at a place, and its name; none where there is none.
    pub fn current(&self, place: &str) -> Option<(PathBuf, String)> {
        let home = self.path(place);
        let name = fs::read_link(home.join(CURRENT)).ok()?.to_str()?.to_owned();
        Some((home.join(&name), name))
    }

    /// Nobody else makes something here until this is let go.
    pub fn lock(&self) -> Result<File, TlsError> {
        make_folder(&self.root).map_err(TlsError::disk("make", &self.root))?;
        let lock = || {
            let folder = File::open(&self.root)?;
            folder.lock()?;
            Ok(folder)
        };
        lock().map_err(TlsError::disk("lock", &self.root))
    }

    /// Puts files into a new folder of a place, makes it the one that holds, and removes all but it and the one before:
    /// a proxy reads that until it was told of the new one.
    pub fn keep(&self, place: &str, name: &str, files: &[(&str, &[u8])]) -> Result<PathBuf, TlsError> {
        let home = self.path(place);
        let keep = || {
            make_folder(&self.root)?;
            make_folder(&home)?;
            let before = fs::read_link(home.join(CURRENT)).ok();
            clear(&home, |entry| entry.starts_with(UNFINISHED))?;
            if !home.join(name).is_dir() {
                let unfinished = tempfile::Builder::new()
                    .prefix(UNFINISHED)
                    .permissions(Permissions::from_mode(FOLDER))
                    .tempdir_in(&home)?;
                for (file, content) in files {
                    fill(&unfinished.path().join(file), content)?;
                }
                flush(unfinished.path())?;
                fs::rename(unfinished.path(), home.join(name))?;
                // It has another name now, so there is nothing left to remove.
                let _ = unfinished.keep();
                flush(&home)?;
            }
            let link = home.join(format!("{UNFINISHED}{CURRENT}"));
            symlink(name, &link)?;
            fs::rename(&link, home.join(CURRENT))?;
            flush(&home)?;
            let kept =
                |entry: &str| entry == name || before.as_deref().is_some_and(|before| before == Path::new(entry));
            clear(&home, |entry| !kept(entry) && home.join(entry).is_dir() && entry != CURRENT)
        };
        keep().map_err(TlsError::disk("write", &home))?;
        Ok(home.join(name))
    }

    /// Puts a file in place of another.
    pub fn write(&self, place: &str, file: &str, content: &[u8]) -> Result<(), TlsError> {
        let home = self.path(place);
        let write = || {
            make_folder(&self.root)?;
            make_folder(&home)?;
            let mut written = tempfile::Builder::new()
                .prefix(UNFINISHED)
                .permissions(Permissions::from_mode(FILE))
                .tempfile_in(&home)?;
            written.write_all(content)?;
            written.as_file().sync_all()?;
            written.persist(home.join(file)).map_err(|refused| refused.error)?;
            flush(&home)
        };
        write().map_err(TlsError::disk("write", home.join(file)))
    }

    /// The places of certificates: what begins with `_` is something else.
    pub fn places(&self) -> Result<Vec<String>, TlsError> {
        let names = || {
            let entries = match fs::read_dir(&self.root) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries?,
            };
            let names = entries.map(|entry| Ok(entry?.file_name().to_str().map(str::to_owned)));
            let names = names.collect::<io::Result<Vec<_>>>()?;
            Ok(names.into_iter().flatten().filter(|name| !name.starts_with('_')).collect())
        };
        names().map_err(TlsError::disk("read", &self.root))
    }

    /// Removes all of a place.
    pub fn remove(&self, place: &str) -> Result<(), TlsError> {
        let home = self.path(place);
        match fs::remove_dir_all(&home) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(TlsError::disk("remove", &home)),
        }
    }
}

/// A file; none where there is none. One that is no regular file, or longer than any chain, is an error.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let about = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        about => about?,
    };
    if !about.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
    }
    let mut content = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LONGEST {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "it is too long to be a chain or a key"));
    }
    Ok(Some(content))
}

/// Makes a folder and what is missing above it; it is closed whatever the umask.
fn make_folder(path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        DirBuilder::new().recursive(true).mode(FOLDER).create(path)?;
    }
    fs::set_permissions(path, Permissions::from_mode(FOLDER))
}

fn fill(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE).open(path)?;
    file.set_permissions(Permissions::from_mode(FILE))?;
    file.write_all(content)?;
    file.sync_all()
}

fn flush(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Removes what lies in a folder under such names.
fn clear(folder: &Path, gone: impl Fn(&str) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().to_str().is_some_and(&gone) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
