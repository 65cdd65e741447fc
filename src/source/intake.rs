//! What is taken in, and what is refused: the same limits for a commit's tree and for files on disk.

use super::{Refusal, SourceError};
use std::collections::BTreeMap;

/// The most bytes of one file.
pub const LARGEST_FILE: u64 = 256 * 1024;
/// The most bytes of all files together.
pub const LARGEST_TREE: u64 = 16 * 1024 * 1024;
/// The most files and folders.
pub const MOST_FILES: usize = 2_000;
/// The most folders one in another. Manifests need two; files for containers, a few more.
const DEEPEST: usize = 16;

/// How the pointer that Git LFS puts in a file's place begins (Git LFS specification, "The Pointer").
pub const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Files on their way in.
pub struct Intake {
    folder: String,
    place: String,
    entries: usize,
    bytes: u64,
    files: BTreeMap<String, String>,
    refused: Vec<(String, Refusal)>,
}

impl Intake {
    /// Begins with nothing, for a folder in a place that errors name.
    pub fn new(folder: &str, place: &str) -> Self {
        Self {
            folder: folder.to_owned(),
            place: place.to_owned(),
            entries: 0,
            bytes: 0,
            files: BTreeMap::new(),
            refused: Vec::new(),
        }
    }

    /// Counts an entry, folders too: a tree of folders alone can be large beyond measure.
    pub fn count(&mut self) -> Result<(), SourceError> {
        self.entries += 1;
        if self.entries > MOST_FILES {
            return Err(SourceError::TooMany { folder: self.folder.clone(), place: self.place.clone() });
        }
        Ok(())
    }

    /// Whether a folder at this path is to be entered; refuses it otherwise.
    pub fn enters(&mut self, path: &str) -> bool {
        let shallow = path.matches('/').count() < DEEPEST;
        if !shallow {
            self.refuse(path, Refusal::TooDeep);
        }
        shallow
    }

    /// Whether a file of this size is to be read; refuses it otherwise.
    pub fn admits(&mut self, path: &str, bytes: u64) -> Result<bool, SourceError> {
        if bytes > LARGEST_FILE {
            self.refuse(path, Refusal::TooLarge { bytes });
            return Ok(false);
        }
        self.bytes += bytes;
        if self.bytes > LARGEST_TREE {
            return Err(SourceError::TooMuch { folder: self.folder.clone(), place: self.place.clone() });
        }
        Ok(true)
    }

    /// Takes a file that was read.
    pub fn take(&mut self, path: &str, content: &[u8]) {
        if content.starts_with(POINTER) {
            return self.refuse(path, Refusal::LargeFileStoragePointer);
        }
        match std::str::from_utf8(content) {
            Ok(text) => {
                self.files.insert(path.to_owned(), text.to_owned());
            }
            Err(_) => self.refuse(path, Refusal::NotText),
        }
    }

    /// Leaves something out, by name.
    pub fn refuse(&mut self, path: &str, refusal: Refusal) {
        self.refused.push((path.to_owned(), refusal));
    }

    /// The files, or all that was refused.
    pub fn finish(self) -> Result<BTreeMap<String, String>, SourceError> {
        let place = self.place.clone();
        match self.divided() {
            (files, refused) if refused.is_empty() => Ok(files),
            (_, refused) => Err(SourceError::Refused { place, files: refused }),
        }
    }

    /// The files, and beside them all that was refused.
    pub fn divided(mut self) -> (BTreeMap<String, String>, Vec<(String, Refusal)>) {
        self.refused.sort();
        (self.files, self.refused)
    }
}

/// The name of an entry as text, where a path may have it.
pub fn plain_name(name: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(name).ok()?;
    let odd = |c: char| c == '/' || c == '\\' || c.is_control();
    (!matches!(name, "" | "." | "..") && !name.contains(odd)).then_some(name)
}
