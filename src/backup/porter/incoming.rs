//! What comes from outside: just so many bytes with this digest. An input whose end nobody tells keeps nobody waiting.

use super::PorterError;
use sha2::{Digest, Sha256};
use std::{
    io::{self, Read},
    path::Path,
};

/// Passes on so many bytes and no more.
pub(super) struct Incoming<'a> {
    from: &'a mut dyn Read,
    left: u64,
    digest: Sha256,
    broke_off: bool,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(from: &'a mut dyn Read, bytes: u64) -> Self {
        Self { from, left: bytes, digest: Sha256::new(), broke_off: false }
    }

    /// Reads what is left, and tells whether all of it was what was sent.
    ///
    /// # Errors
    /// Bytes are missing, or others came.
    pub(super) fn end(mut self, sha256: &str, path: &Path) -> Result<(), PorterError> {
        let rest = io::copy(&mut self, &mut io::sink());
        if self.left > 0 {
            return Err(PorterError::Short { path: path.to_owned(), missing: self.left });
        }
        rest.map_err(super::file("write", path))?;
        let found: String = self.digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if found == sha256 {
            Ok(())
        } else {
            Err(PorterError::Damaged { path: path.to_owned(), why: "other bytes came than were sent".to_owned() })
        }
    }

    /// Whether the input ended before all came.
    pub(super) const fn is_short(&self) -> bool {
        self.broke_off
    }
}

impl Read for Incoming<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let most = bytes.len().min(usize::try_from(self.left).unwrap_or(bytes.len()));
        let read = self.from.read(bytes.get_mut(..most).unwrap_or_default())?;
        self.broke_off |= read == 0 && most > 0;
        self.digest.update(bytes.get(..read).unwrap_or_default());
        self.left = self.left.saturating_sub(u64::try_from(read).unwrap_or(self.left));
        Ok(read)
    }
}
