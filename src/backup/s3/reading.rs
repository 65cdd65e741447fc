//! A large object, read a piece at a time while the next is on its way: each piece is a question of its own, so that one that
//! breaks off is asked for again, and a slow way has no end.

use super::bucket::{Answer, Bucket};
use crate::backup::BackupError;
use hyper::body::Bytes;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore};
use std::io::{self, Read};

/// Bytes of one piece.
const PIECE: u64 = 2 * 1024 * 1024;

pub(super) struct Reading {
    bucket: Bucket,
    key: String,
    meta: ObjectMeta,
    /// What was not asked for yet.
    from: u64,
    piece: Bytes,
    /// What of the piece was read.
    read: usize,
    next: Option<Answer<Bytes>>,
}

impl Reading {
    pub(super) fn begin(bucket: Bucket, key: String, meta: ObjectMeta) -> Self {
        Self { bucket, key, meta, from: 0, piece: Bytes::new(), read: 0, next: None }
    }

    /// Asks for the next piece; none is left after the end.
    fn ask(&mut self) -> Result<Option<Answer<Bytes>>, BackupError> {
        if self.from >= self.meta.size {
            return Ok(None);
        }
        let range = self.from..self.meta.size.min(self.from + PIECE);
        let expected = range.end - range.start;
        let options = GetOptions {
            // What is put in its place meanwhile is another object.
            if_match: self.meta.e_tag.clone(),
            range: Some(GetRange::Bounded(range.clone())),
            ..GetOptions::default()
        };
        self.from = range.end;
        let asked = self.bucket.ask("read", &self.key, move |store, path| async move {
            let bytes = store.get_opts(&path, options).await?.bytes().await?;
            if u64::try_from(bytes.len()) == Ok(expected) {
                Ok(bytes)
            } else {
                let source = format!("{} bytes of {expected} came", bytes.len());
                Err(object_store::Error::Generic { store: "S3", source: source.into() })
            }
        });
        asked.map(Some)
    }

    fn fill(&mut self) -> Result<(), BackupError> {
        let next = match self.next.take() {
            None => self.ask()?,
            next => next,
        };
        // What was read is let go of before more is there.
        self.piece = Bytes::new();
        self.read = 0;
        if let Some(next) = next {
            self.piece = next.wait()?;
            self.next = self.ask()?;
        }
        Ok(())
    }
}

impl Read for Reading {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.read >= self.piece.len() {
            self.fill().map_err(io::Error::other)?;
        }
        let mut left = self.piece.get(self.read..).unwrap_or_default();
        let read = left.read(into)?;
        self.read += read;
        Ok(read)
    }
}
