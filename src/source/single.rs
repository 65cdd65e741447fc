//! One file by its path: what a manifest names beside itself.

use super::{Commit, Refusal, Repository, disk::unreadable, intake::LARGEST_FILE, intake::POINTER};
use git2::{FileMode, Oid};
use std::{
    fs::{self, File},
    io::{ErrorKind, Read},
    path::Path,
};

/// Why a file that was named is not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    #[error("it is not there")]
    Absent,
    #[error("it is {0}")]
    Refused(Refusal),
    #[error("git cannot read it: {}", .0.message())]
    Git(git2::Error),
}

impl Repository {
    /// The bytes of a file of a commit's tree, by its path from the root.
    ///
    /// # Errors
    /// It is not there, is no regular file, is too large, or git cannot read it.
    pub fn file(&self, commit: &Commit, path: &str) -> Result<Vec<u8>, Unread> {
        let id = Oid::from_str(&commit.id).map_err(Unread::Git)?;
        let tree = self.git.find_commit(id).and_then(|commit| commit.tree()).map_err(Unread::Git)?;
        let entry = match tree.get_path(Path::new(path)) {
            Err(error) if error.code() == git2::ErrorCode::NotFound => return Err(Unread::Absent),
            entry => entry.map_err(Unread::Git)?,
        };
        let mode = entry.filemode();
        if mode == i32::from(FileMode::Link) {
            return Err(Unread::Refused(Refusal::Symlink));
        } else if mode == i32::from(FileMode::Commit) {
            return Err(Unread::Refused(Refusal::Submodule));
        } else if mode != i32::from(FileMode::Blob) && mode != i32::from(FileMode::BlobExecutable) {
            return Err(Unread::Refused(Refusal::NotRegular));
        }
        let objects = self.git.odb().map_err(Unread::Git)?;
        let (bytes, _) = objects.read_header(entry.id()).map_err(Unread::Git)?;
        if bytes as u64 > LARGEST_FILE {
            return Err(Unread::Refused(Refusal::TooLarge { bytes: bytes as u64 }));
        }
        let blob = self.git.find_blob(entry.id()).map_err(Unread::Git)?;
        whole(blob.content().to_vec())
    }

    /// The bytes of a file of the working tree.
    ///
    /// # Errors
    /// As those of [`Repository::file`]; there is no working tree.
    pub fn worktree_file(&self, path: &str) -> Result<Vec<u8>, Unread> {
        let root = self.git.workdir().ok_or(Unread::Absent)?;
        file_below(root, path)
    }
}

/// The bytes of a file on disk below a root that no link leads out of.
///
/// # Errors
/// It is not there, is no regular file, is too large, or cannot be read.
pub fn file_below(root: &Path, path: &str) -> Result<Vec<u8>, Unread> {
    let told = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Unread::Absent,
        _ => Unread::Refused(unreadable(&error)),
    };
    let mut reached = root.to_owned();
    for part in Path::new(path) {
        reached.push(part);
        if fs::symlink_metadata(&reached).map_err(told)?.is_symlink() {
            return Err(Unread::Refused(Refusal::Symlink));
        }
    }
    let metadata = fs::metadata(&reached).map_err(told)?;
    if !metadata.is_file() {
        return Err(Unread::Refused(Refusal::NotRegular));
    }
    if metadata.len() > LARGEST_FILE {
        return Err(Unread::Refused(Refusal::TooLarge { bytes: metadata.len() }));
    }
    let mut content = Vec::new();
    File::open(&reached).and_then(|file| file.take(LARGEST_FILE).read_to_end(&mut content)).map_err(told)?;
    whole(content)
}

/// A file that stands for itself.
fn whole(content: Vec<u8>) -> Result<Vec<u8>, Unread> {
    if content.starts_with(POINTER) { Err(Unread::Refused(Refusal::LargeFileStoragePointer)) } else { Ok(content) }
}
