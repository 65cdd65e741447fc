//! Whether a copy is what was written, and can be read back.

use super::{
    BackupError, Copy, Judge, Level, Place, Verified,
    limit::Limited,
    packing::{Summing, unpacked},
};
use crate::secret::age::Identities;
use jiff::Timestamp;
use std::{
    io::{self, Read, Write},
    path::Path,
};

/// Bytes that are read at once.
const BUFFER: usize = 128 * 1024;

/// Reads a copy's file to its end and compares it with what its record tells, content too where it can be opened.
///
/// # Errors
/// It is not there, or not what was written.
pub(super) fn file(place: &dyn Place, copy: &Copy, opened_by: Option<&Identities>) -> Result<(), BackupError> {
    read_back(place, copy, opened_by, &mut io::sink())
}

/// As [`file()`], and the content is written on, every byte before the verdict is known.
///
/// # Errors
/// As [`file()`]; what it is written to fails.
pub(super) fn read_back(
    place: &dyn Place,
    copy: &Copy,
    opened_by: Option<&Identities>,
    into: &mut dyn Write,
) -> Result<(), BackupError> {
    compare(place.open(copy)?, &place.path(copy), copy, opened_by, into)
}

/// Compares what is read, to its end, with what a copy tells; its content is written on.
///
/// # Errors
/// It is not what was written; what it is written to fails.
pub(super) fn compare(
    from: Box<dyn Read + Send>,
    path: &Path,
    copy: &Copy,
    opened_by: Option<&Identities>,
    into: &mut dyn Write,
) -> Result<(), BackupError> {
    let altered = |why: String| BackupError::Altered { path: path.to_owned(), why };
    let mut stored = Summing::new(Limited(from));
    let is_sealed = !copy.sealed_for.is_empty();
    if !is_sealed || opened_by.is_some() {
        let mut content = Summing::new(unpacked(path, &mut stored, copy.compression, opened_by, is_sealed)?);
        pour(&mut content, into, &altered)?;
        let (content, _) = content.end();
        if content != copy.content {
            return Err(altered(format!("its content has {} bytes and another digest", content.bytes)));
        }
    }
    // What stands behind the end of what was packed is of the file too.
    pour(&mut stored, &mut io::sink(), &altered)?;
    let (stored, _) = stored.end();
    if stored == copy.stored {
        Ok(())
    } else {
        Err(altered(format!("it has {} bytes of {}, or another digest", stored.bytes, copy.stored.bytes)))
    }
}

fn pour(from: &mut dyn Read, into: &mut dyn Write, altered: &dyn Fn(String) -> BackupError) -> Result<(), BackupError> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(|error| BackupError::unwrapped(error, |error| altered(error.to_string())))?,
        };
        let bytes = buffer.get(..read).unwrap_or_default();
        into.write_all(bytes)
            .map_err(|error| BackupError::unwrapped(error, |error| BackupError::Source { why: error.to_string() }))?;
    }
}

/// Hands what is written to a judge.
struct Asking(Box<dyn Judge>);

impl Write for Asking {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.take(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Verifies a copy that lies in a place, and writes down what was found: one that is not right counts no longer. Of one that
/// could not be looked at, because the place does not answer, nothing is written down.
///
/// # Errors
/// It is not right; it was removed meanwhile; the place does not answer; its record cannot be written.
pub fn verify(
    place: &dyn Place,
    copy: &Copy,
    opened_by: Option<&Identities>,
    judge: Box<dyn Judge>,
) -> Result<Copy, BackupError> {
    let mut asking = Asking(judge);
    let is_open = copy.sealed_for.is_empty() || opened_by.is_some();
    let found = read_back(place, copy, opened_by, &mut asking)
        .and_then(|()| if is_open { asking.0.end().map_err(|why| BackupError::Content { why }) } else { Ok(()) });
    if let Err(error @ (BackupError::Remote { .. } | BackupError::Key { .. } | BackupError::Asked)) = found {
        return Err(error);
    }
    // What is still what was judged when it was taken has not become less certain; dumps of one PostgreSQL database are judged by
    // their server alone, which is not asked here.
    let judged = if is_open && copy.kind != "postgres" { Level::Content } else { Level::Checksum };
    let level = copy.verified.as_ref().map_or(judged, |before| before.level.max(judged));
    let verified = found.is_ok().then(|| Verified { at: Timestamp::now(), level });
    let noted = place.note(copy, &|noted| noted.verified.clone_from(&verified))?;
    found.map(|()| noted)
}
