//! What lies between the bytes of a source and those of a file: digests, compression, encryption; and the way back.

use super::{BackupError, Sum};
use crate::{
    desired::backup::Compression,
    secret::age::{Identities, Opening, Recipient, Sealing},
};
use flate2::{read::GzDecoder, write::GzEncoder};
use sha2::{Digest, Sha256};
use std::{
    fmt::Write as _,
    fs::File,
    io::{self, BufReader, Read, Write},
    path::Path,
};

/// Passes bytes on, and knows how many they were and their digest.
pub(super) struct Summing<T> {
    inner: T,
    bytes: u64,
    digest: Sha256,
}

impl<T> Summing<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, bytes: 0, digest: Sha256::new() }
    }

    /// What passed, and what it passed through.
    pub(super) fn end(self) -> (Sum, T) {
        let sha256 = self.digest.finalize().iter().fold(String::new(), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        (Sum { bytes: self.bytes, sha256 }, self.inner)
    }

    fn note(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.note(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Summing<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.note(bytes.get(..read).unwrap_or_default());
        Ok(read)
    }
}

enum Sealer<W: Write> {
    Age(Box<Sealing<W>>),
    Open(W),
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Age(sealing) => sealing.write(bytes),
            Self::Open(inner) => inner.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Age(sealing) => sealing.flush(),
            Self::Open(inner) => inner.flush(),
        }
    }
}

enum Packer<W: Write> {
    Zstd(zstd::stream::write::Encoder<'static, W>),
    Gzip(GzEncoder<W>),
    Plain(W),
}

/// Packs and seals what is written.
pub(super) struct Packing<W: Write>(Packer<Sealer<W>>);

impl<W: Write> Packing<W> {
    pub(super) fn begin(
        path: &Path,
        into: W,
        compression: Compression,
        recipients: &[Recipient],
    ) -> Result<Self, BackupError> {
        let sealing = |source| BackupError::Sealing { path: path.to_owned(), source };
        let sealer = if recipients.is_empty() {
            Sealer::Open(into)
        } else {
            Sealer::Age(Box::new(Sealing::begin(into, recipients).map_err(|error| sealing(error.into()))?))
        };
        Ok(Self(match compression {
            Compression::Zstd => {
                let mut encoder =
                    zstd::stream::write::Encoder::new(sealer, 3).map_err(BackupError::file("compress", path))?;
                // `zstd -t` notices as well what a disk changed.
                encoder.include_checksum(true).map_err(BackupError::file("compress", path))?;
                Packer::Zstd(encoder)
            }
            Compression::Gzip => Packer::Gzip(GzEncoder::new(sealer, flate2::Compression::default())),
            Compression::None => Packer::Plain(sealer),
        }))
    }

    pub(super) fn finish(self) -> io::Result<W> {
        let sealer = match self.0 {
            Packer::Zstd(encoder) => encoder.finish()?,
            Packer::Gzip(encoder) => encoder.finish()?,
            Packer::Plain(sealer) => sealer,
        };
        match sealer {
            Sealer::Age(sealing) => sealing.finish(),
            Sealer::Open(inner) => Ok(inner),
        }
    }
}

impl<W: Write> Write for Packing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Packer::Zstd(encoder) => encoder.write(bytes),
            Packer::Gzip(encoder) => encoder.write(bytes),
            Packer::Plain(sealer) => sealer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Packer::Zstd(encoder) => encoder.flush(),
            Packer::Gzip(encoder) => encoder.flush(),
            Packer::Plain(sealer) => sealer.flush(),
        }
    }
}

/// The content of a file, opened and unpacked.
///
/// # Errors
/// It is sealed, and nobody here opens it.
pub(super) fn unpacked<'a>(
    path: &Path,
    from: impl Read + Send + 'a,
    compression: Compression,
    opened_by: Option<&Identities>,
    is_sealed: bool,
) -> Result<Box<dyn Read + Send + 'a>, BackupError> {
    let opened: Box<dyn Read + Send + 'a> = if is_sealed {
        let sealed = |source| BackupError::Sealed { path: path.to_owned(), source };
        let identities = opened_by.ok_or_else(|| sealed(None))?;
        let opening = Opening::begin(BufReader::new(from), identities);
        Box::new(opening.map_err(|error| sealed(Some(error.into())))?)
    } else {
        Box::new(from)
    };
    Ok(match compression {
        Compression::Zstd => {
            Box::new(zstd::stream::read::Decoder::new(opened).map_err(BackupError::file("read", path))?)
        }
        Compression::Gzip => Box::new(GzDecoder::new(opened)),
        Compression::None => opened,
    })
}

/// Has what is read come from the disk, where the kernel lets go of what it remembers of the file.
pub(super) fn forget(file: &File) {
    // It is only a hint.
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
}
