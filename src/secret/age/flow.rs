//! Streams of any length, in age's binary form: what is too large to be a value.

use super::{AgeError, Identities, Recipient};
use age::{
    DecryptError, Decryptor, EncryptError, Encryptor,
    stream::{StreamReader, StreamWriter},
};
use std::io::{self, BufRead, Read, Write};

/// Encrypts what is written. Without [`Sealing::finish`] it is a file that nobody can open.
pub struct Sealing<W: Write>(StreamWriter<W>);

impl<W: Write> Sealing<W> {
    /// Begins a file for these.
    ///
    /// # Errors
    /// There is no recipient; the head of the file cannot be written.
    pub fn begin(into: W, recipients: &[Recipient]) -> Result<Self, EncryptError> {
        let encryptor = Encryptor::with_recipients(recipients.iter().map(Recipient::key))?;
        Ok(Self(encryptor.wrap_output(into)?))
    }

    /// Ends the file and gives back what it was written to.
    ///
    /// # Errors
    /// The end cannot be written.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Decrypts what is read. What was changed or cut off is an error where it is read.
pub struct Opening<R: Read>(StreamReader<R>);

impl<R: BufRead> Opening<R> {
    /// Begins to read a file.
    ///
    /// # Errors
    /// It is for others, or no age file.
    pub fn begin(from: R, identities: &Identities) -> Result<Self, AgeError> {
        let damaged = |source| match source {
            DecryptError::NoMatchingKeys => AgeError::NotForUs,
            source => AgeError::Damaged { source },
        };
        let decryptor = Decryptor::new_buffered(from).map_err(damaged)?;
        Ok(Self(decryptor.decrypt(identities.each()).map_err(damaged)?))
    }
}

impl<R: Read> Read for Opening<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}
