//! Files of the host that others must not read or change: keys, passwords, and lists of who is believed. One reader for
//! all of them, so that one rule says which file is fit.
//!
//! Whoever asks is never kept waiting by a pipe that nobody writes to, never given half of a file, and never a file that
//! somebody else than root or ourselves could change.

mod error;

pub use error::{ClosedFileError, Unfit};

use rustix::{
    fs::{Mode, OFlags, open, openat},
    process::geteuid,
};
use secrecy::zeroize::Zeroizing;
use std::{
    fs::{File, Metadata},
    io::{self, Read},
    os::{fd::OwnedFd, unix::fs::MetadataExt},
    path::Path,
};

#[cfg(test)]
mod tests;

/// From whom a file is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Its owner alone reads and changes it: a key, a password.
    Secret,
    /// Its owner alone changes it, and everybody may read it: it says who is believed.
    Trusted,
}

impl Kept {
    /// Mode bits that a file of this kind has none of.
    const fn closed(self) -> u32 {
        match self {
            Self::Secret => 0o077,
            Self::Trusted => 0o022,
        }
    }
}

/// A file to be read.
#[derive(Clone, Copy, Debug)]
pub struct ClosedFile<'a> {
    /// What it is, as its errors begin: `the age identity`.
    pub what: &'a str,
    pub path: &'a Path,
    pub kept: Kept,
    /// In bytes; one that is longer is refused, and never cut.
    pub longest: u64,
}

impl ClosedFile<'_> {
    /// All that stands in it. Links are followed: root named the path, and where it leads is judged.
    ///
    /// # Errors
    /// It is not there, cannot be read, is no regular file, too long, or others could read or change it.
    pub fn read(&self) -> Result<Zeroizing<Vec<u8>>, ClosedFileError> {
        self.judged(open(self.path, FLAGS, Mode::empty()).map_err(Into::into))
    }

    /// The same, where no part of its path below `folder` may be a link: those are named by others than who named the
    /// folder.
    ///
    /// # Errors
    /// As [`ClosedFile::read`]; a part of the path is a link.
    pub fn read_below(&self, folder: &Path) -> Result<Zeroizing<Vec<u8>>, ClosedFileError> {
        self.judged(open_below(folder, self.path))
    }

    /// The same as text.
    ///
    /// # Errors
    /// As [`ClosedFile::read`]; it is no text.
    pub fn read_text(&self) -> Result<Zeroizing<String>, ClosedFileError> {
        let mut bytes = self.read()?;
        let text = String::from_utf8(std::mem::take(&mut *bytes));
        text.map(Zeroizing::new).map_err(|error| {
            drop(Zeroizing::new(error.into_bytes()));
            self.unfit(Unfit::NotText)
        })
    }

    fn judged(&self, opened: io::Result<OwnedFd>) -> Result<Zeroizing<Vec<u8>>, ClosedFileError> {
        let file = File::from(opened.map_err(|error| self.unfit(error.into()))?);
        let metadata = file.metadata().map_err(|error| self.unfit(error.into()))?;
        judge(&metadata, self.kept, self.longest).map_err(|unfit| self.unfit(unfit))?;
        // Room for all of it at once: a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1));
        file.take(metadata.len() + 1).read_to_end(&mut bytes).map_err(|error| self.unfit(error.into()))?;
        if bytes.len() as u64 > metadata.len() {
            return Err(self.unfit(Unfit::Growing));
        }
        Ok(bytes)
    }

    fn unfit(&self, unfit: Unfit) -> ClosedFileError {
        ClosedFileError { what: self.what.to_owned(), path: self.path.to_owned(), unfit }
    }
}

/// Without waiting: nobody may ever write into a pipe.
const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// Opens each folder from the one before, so that none can become a link between a look and the next.
fn open_below(folder: &Path, path: &Path) -> io::Result<OwnedFd> {
    const ON_THE_WAY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
    let below = path.strip_prefix(folder).map_err(io::Error::other)?;
    let name = below.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut reached = open(folder, ON_THE_WAY, Mode::empty())?;
    for part in below.parent().unwrap_or(Path::new("")) {
        // A link to a folder is no folder (`ENOTDIR`) to who does not follow it.
        reached = openat(&reached, part, ON_THE_WAY.union(OFlags::NOFOLLOW), Mode::empty()).map_err(|error| {
            match rustix::fs::statat(&reached, part, rustix::fs::AtFlags::SYMLINK_NOFOLLOW) {
                Ok(there) if rustix::fs::FileType::from_raw_mode(there.st_mode).is_symlink() => rustix::io::Errno::LOOP,
                Ok(_) | Err(_) => error,
            }
        })?;
    }
    Ok(openat(&reached, name, FLAGS.union(OFlags::NOFOLLOW), Mode::empty())?)
}

/// The one rule.
fn judge(metadata: &Metadata, kept: Kept, longest: u64) -> Result<(), Unfit> {
    if !metadata.is_file() {
        return Err(Unfit::NotRegular);
    }
    let (owner, ourselves) = (metadata.uid(), geteuid());
    if owner != 0 && owner != ourselves.as_raw() {
        return Err(Unfit::Foreign { owner, ourselves: ourselves.as_raw() });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & kept.closed() != 0 {
        return Err(match kept {
            Kept::Secret => Unfit::Open { mode },
            Kept::Trusted => Unfit::Changeable { mode },
        });
    }
    if metadata.len() > longest {
        return Err(Unfit::TooLong { most: longest });
    }
    Ok(())
}
