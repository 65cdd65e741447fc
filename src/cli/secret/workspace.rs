//! A place for a value in clear text while somebody edits it: in memory, closed to others, and wiped afterwards.

use crate::{apply::memory::is_in_memory, cli::Complaint};
use secrecy::zeroize::Zeroizing;
use std::{
    ffi::OsStr,
    fs::{self, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A folder of one edit. What is left in it is wiped when it goes, what the editor put beside the file too.
pub struct Workspace {
    folder: TempDir,
    file: PathBuf,
}

impl Workspace {
    /// A folder for a file of this name, which nobody else may enter.
    ///
    /// # Errors
    /// No file system in memory can be written to.
    pub fn new(name: &OsStr, value: &[u8]) -> Result<Self, Complaint> {
        let folder = private_folder().ok_or_else(|| {
            Complaint::says(
                "there is no place in memory for the value in clear text: no `/dev/shm`, no runtime directory",
            )
            .with_hint("pipe it instead: `… | reconcile secret encrypt --out FILE -`".to_owned())
        })?;
        let file = folder.path().join(name);
        let workspace = Self { folder, file };
        let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&workspace.file);
        written
            .and_then(|mut file| file.write_all(value))
            .map_err(|error| Complaint::about(format!("cannot write `{}`", workspace.file.display()), error))?;
        Ok(workspace)
    }

    /// The file that is edited.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What stands in it now.
    ///
    /// # Errors
    /// It cannot be read: the editor may have removed it.
    pub fn value(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut value = Zeroizing::new(Vec::new());
        let mut file = fs::File::open(&self.file)?;
        value.reserve_exact(usize::try_from(file.metadata()?.len()).unwrap_or(0) + 1);
        file.read_to_end(&mut value)?;
        Ok(value)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // What cannot be wiped is in memory all the same, and is removed with the folder.
        let _ = wipe_folder(self.folder.path());
    }
}

fn private_folder() -> Option<TempDir> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let places = runtime.into_iter().chain(["/dev/shm", "/run"].map(PathBuf::from));
    let closed = fs::Permissions::from_mode(0o700);
    let folder =
        |place| tempfile::Builder::new().prefix("reconcile-").permissions(closed.clone()).tempdir_in(place).ok();
    places.filter(|place| is_in_memory(place)).find_map(folder)
}

fn wipe_folder(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            wipe_folder(&entry.path())?;
        } else if kind.is_file() {
            wipe(&entry.path())?;
        }
    }
    Ok(())
}

fn wipe(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len();
    file.rewind()?;
    io::copy(&mut io::repeat(0).take(length), &mut file)?;
    file.sync_all()
}
