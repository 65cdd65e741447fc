//! The host key's file: 32 bytes in hex, root's alone, made when a secret is first used.

use super::{HostKey, SecretError, digest::KEY_LENGTH};
use crate::closed_file::{ClosedFile, ClosedFileError, Kept, Unfit};
use secrecy::zeroize::Zeroizing;
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

/// 64 digits and the end of the line, and room for what an editor leaves.
const LONGEST: u64 = 128;

/// The key in a file; none where there is no file.
///
/// # Errors
/// It cannot be read, is open to others, or holds something else.
pub fn read(path: &Path) -> Result<Option<HostKey>, SecretError> {
    let file = ClosedFile { what: "the host key", path, kept: Kept::Secret, longest: LONGEST };
    let text = match file.read_text() {
        Err(ClosedFileError { unfit: Unfit::Missing, .. }) => return Ok(None),
        // It may be known.
        Err(error @ ClosedFileError { unfit: Unfit::Open { .. }, .. }) => {
            return Err(bad(
                path,
                format!("it {}, so it may be known: `chmod 600 {}`, or", error.unfit, path.display()),
            ));
        }
        read => read?,
    };
    let key = parse(text.trim()).ok_or_else(|| bad(path, "it should be 64 hex digits".to_owned()))?;
    Ok(Some(key))
}

fn bad(path: &Path, why: String) -> SecretError {
    SecretError::BadKey { path: path.to_owned(), why }
}

/// The key in a file, which is made where there is none.
///
/// # Errors
/// As [`read`]; it cannot be made.
pub fn read_or_make(path: &Path) -> Result<HostKey, SecretError> {
    if let Some(key) = read(path)? {
        return Ok(key);
    }
    make(path).map_err(|source| SecretError::Key { path: path.to_owned(), source })?;
    // Another process may have been first: its key is the one.
    read(path)?.ok_or_else(|| bad(path, "it is gone again".to_owned()))
}

/// A key that lasts as long as this process, for those who write nothing.
///
/// # Errors
/// The system gives no random bytes.
pub fn passing() -> Result<HostKey, SecretError> {
    let path = Path::new(RANDOM);
    random().map(HostKey::new).map_err(|source| SecretError::Key { path: path.to_owned(), source })
}

const RANDOM: &str = "/dev/urandom";

fn random() -> io::Result<[u8; KEY_LENGTH]> {
    let mut bytes = [0; KEY_LENGTH];
    File::open(RANDOM)?.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn make(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let bytes = Zeroizing::new(random()?);
    let text = Zeroizing::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let mut file = tempfile::Builder::new().prefix(".host-key").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o400))?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(refused) if refused.error.kind() != io::ErrorKind::AlreadyExists => return Err(refused.error),
        Ok(_) | Err(_) => {}
    }
    File::open(folder)?.sync_all()
}

fn parse(text: &str) -> Option<HostKey> {
    let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
    if text.len() != KEY_LENGTH * 2 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(HostKey::new(*bytes))
}
