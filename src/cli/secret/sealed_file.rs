//! An encrypted file on disk: read whole, and replaced whole.

use crate::cli::Complaint;
use std::{
    fs::{self, File, Permissions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

/// The most bytes of a value: armoured it stays below what is read of a file in the repository.
pub const LONGEST: usize = 180 * 1024;
/// More is not read.
const LARGEST: u64 = 256 * 1024;
/// It is encrypted: everybody may read it.
const MODE: u32 = 0o644;

/// The content; none where there is no file.
///
/// # Errors
/// It cannot be read, or is too large.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, Complaint> {
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut content));
    match read {
        Ok(_) if content.len() as u64 > LARGEST => {
            Err(Complaint::says(format!("`{}` is larger than {LARGEST} bytes", path.display())))
        }
        Ok(_) => Ok(Some(content)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Complaint::about(format!("cannot read `{}`", path.display()), error)),
    }
}

/// Writes a file beside its place and moves it there, with the mode that the old one has.
///
/// # Errors
/// It cannot be written; the old one is as it was.
pub fn write(path: &Path, sealed: &str) -> Result<(), Complaint> {
    replace(path, sealed).map_err(|error| Complaint::about(format!("cannot write `{}`", path.display()), error))
}

fn replace(path: &Path, sealed: &str) -> io::Result<()> {
    // Through a link to what it leads to.
    let path = match path.canonicalize() {
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        real => real?,
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mode = fs::metadata(&path).map_or(MODE, |metadata| metadata.permissions().mode() & 0o777);
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(sealed.as_bytes())?;
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
