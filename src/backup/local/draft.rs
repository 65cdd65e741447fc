//! A file of a folder on its way to its final name.

use super::PARTIAL;
use crate::backup::{
    BackupError, Copy, Draft,
    folder::{self, beside},
    packing::forget,
    record,
};
use std::{
    fs::File,
    io::{self, Read, Write},
    path::PathBuf,
};

/// A partial file, and the name that it gets.
pub(super) struct LocalDraft {
    to: PathBuf,
    partial: PathBuf,
    file: File,
    is_settled: bool,
}

impl LocalDraft {
    pub(super) fn begin(to: PathBuf) -> Result<Self, BackupError> {
        let partial = beside(&to, PARTIAL);
        let file = folder::new_file(&partial)?;
        Ok(Self { to, partial, file, is_settled: false })
    }
}

impl Write for LocalDraft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Draft for LocalDraft {
    fn finish(&mut self) -> Result<(), BackupError> {
        self.file.sync_all().map_err(BackupError::file("write", &self.partial))
    }

    fn read_back(&self) -> Result<Box<dyn Read + Send>, BackupError> {
        let opened = File::open(&self.partial).map_err(BackupError::file("open", &self.partial))?;
        forget(&opened);
        Ok(Box::new(opened))
    }

    fn path(&self) -> PathBuf {
        self.partial.clone()
    }

    /// The record is on the disk before: who is killed between the two names is finished by the next sweep.
    fn settle(mut self: Box<Self>, copy: &Copy) -> Result<(), BackupError> {
        let record = self.to.with_file_name(record::name(&copy.id));
        let partial_record = beside(&record, PARTIAL);
        folder::write(&partial_record, &record::text(copy, &record)?)?;
        folder::name(&self.partial, &self.to)?;
        self.is_settled = true;
        folder::name(&partial_record, &record)?;
        self.to.parent().map_or(Ok(()), folder::flush)
    }
}

impl Drop for LocalDraft {
    fn drop(&mut self) {
        if !self.is_settled {
            // The error that is told is the one that came first.
            let _ = folder::remove(&self.partial);
        }
    }
}
