//! A file on its way into a bucket: an upload in parts, which nobody sees before it is finished.

use super::bucket::{Answer, Bucket};
use crate::backup::{BackupError, Copy, Draft, Fault, limit, record};
use object_store::{MultipartId, multipart::PartId};
use std::{
    io::{self, Read, Write},
    path::PathBuf,
};

/// The fewest bytes of a part, and how many parts an upload has at most. Two of them are in memory.
const PART: usize = 6 * 1024 * 1024;
const PARTS: usize = 10_000;

pub(super) struct Upload {
    bucket: Bucket,
    key: String,
    /// The key of what lies beside it, without a name.
    folder: String,
    upload: MultipartId,
    gathered: Vec<u8>,
    /// The part that is on its way.
    sending: Option<Answer<PartId>>,
    parts: Vec<PartId>,
    /// Not every server takes an upload whose parts differ in size.
    part: usize,
    is_settled: bool,
}

/// The size of parts, so that all of it fits into as many as there may be.
fn part_size(expected: Option<u64>) -> usize {
    let expected = expected.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_default();
    expected.div_ceil(PARTS).max(PART)
}

impl Upload {
    pub(super) fn begin(
        bucket: Bucket,
        key: String,
        folder: String,
        expected: Option<u64>,
    ) -> Result<Self, BackupError> {
        match bucket.head(&key) {
            Ok(_) => {
                let taken = io::Error::from(io::ErrorKind::AlreadyExists);
                return Err(BackupError::file("make", bucket.shown(&key))(taken));
            }
            Err(BackupError::Remote { fault: Fault::Gone, .. }) => {}
            Err(error) => return Err(error),
        }
        let upload = bucket.begin_upload(&key)?;
        let begun = Self {
            bucket,
            key,
            folder,
            upload,
            gathered: Vec::new(),
            sending: None,
            parts: Vec::new(),
            part: part_size(expected),
            is_settled: false,
        };
        begun.bucket.write(&Bucket::mark(&begun.key), begun.upload.clone().into_bytes())?;
        Ok(begun)
    }

    /// Sends what was gathered, once the part before it is there.
    fn send(&mut self) -> Result<(), BackupError> {
        self.sent()?;
        if self.parts.len() >= PARTS {
            let large = io::Error::from(io::ErrorKind::FileTooLarge);
            return Err(BackupError::file("write", self.path())(large));
        }
        let part = std::mem::take(&mut self.gathered);
        self.sending = Some(self.bucket.send(&self.key, &self.upload, self.parts.len(), part)?);
        Ok(())
    }

    fn sent(&mut self) -> Result<(), BackupError> {
        if let Some(sending) = self.sending.take() {
            self.parts.push(sending.wait()?);
        }
        Ok(())
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gathered.capacity() == 0 {
            self.gathered.reserve_exact(self.part);
        }
        let taken = bytes.len().min(self.part.saturating_sub(self.gathered.len()));
        self.gathered.extend(bytes.iter().take(taken));
        if self.gathered.len() >= self.part {
            self.send().map_err(io::Error::other)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Draft for Upload {
    fn finish(&mut self) -> Result<(), BackupError> {
        if !self.gathered.is_empty() {
            self.send()?;
        }
        self.sent()?;
        self.bucket.finish_upload(&self.key, &self.upload, std::mem::take(&mut self.parts))
    }

    fn read_back(&self) -> Result<Box<dyn Read + Send>, BackupError> {
        Ok(Box::new(self.bucket.contents(&self.key)?))
    }

    fn path(&self) -> PathBuf {
        self.bucket.shown(&self.key)
    }

    fn settle(mut self: Box<Self>, copy: &Copy) -> Result<(), BackupError> {
        let record = format!("{}{}", self.folder, record::name(&copy.id));
        let text = record::text(copy, &self.bucket.shown(&record))?;
        // Whatever happens from here on, no record is left of bytes that are not there.
        self.is_settled = true;
        if let Err(error) = self.bucket.write(&record, text) {
            // It may be there although nobody said so.
            self.is_settled = limit::put_away(|| self.bucket.remove(&record)).is_err();
            return Err(error);
        }
        if let Err(error) = self.bucket.remove(&Bucket::mark(&self.key)) {
            tracing::debug!(%error, "the mark of an upload is left; the next run removes it");
        }
        Ok(())
    }
}

impl Drop for Upload {
    /// The error that is told is the one that came first. What cannot be ended now is by the next sweep.
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        drop(self.sending.take());
        let ended = limit::put_away(|| {
            self.bucket.end_upload(&self.key, &self.upload)?;
            self.bucket.remove(&Bucket::mark(&self.key))
        });
        if let Err(error) = ended {
            tracing::debug!(%error, "an upload is left; the next run ends it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_known_to_come_fits_into_parts_of_one_size() {
        assert_eq!((part_size(None), part_size(Some(0)), part_size(Some(58 << 30))), (PART, PART, PART));
        for expected in [59 << 30, 400 << 30, (400 << 30) + 1, 5 << 40] {
            let size = u64::try_from(part_size(Some(expected))).unwrap();
            assert!(expected.div_ceil(size) <= 10_000 && size <= 5 << 30, "{expected}: {size}");
        }
    }
}
