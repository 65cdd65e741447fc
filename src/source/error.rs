//! Why manifests could not be read.

use super::{
    intake::{LARGEST_FILE, LARGEST_TREE, MOST_FILES},
    remote::RemoteError,
};
use crate::value::BadLocation;
use std::fmt;

/// A file, or something in a file's place, that is not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    Symlink,
    Submodule,
    LargeFileStoragePointer,
    TooLarge { bytes: u64 },
    NotText,
    NotRegular,
    OddName,
    TooDeep,
    Unreadable { why: String },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symlink => f.write_str("a symbolic link; put the file itself here"),
            Self::Submodule => f.write_str("a submodule; put its files here"),
            Self::LargeFileStoragePointer => f.write_str("a Git LFS pointer; keep manifests out of Git LFS"),
            Self::TooLarge { bytes } => write!(f, "{bytes} bytes long; a file may have {LARGEST_FILE} bytes"),
            Self::NotText => f.write_str("not UTF-8 text; keep other files outside this folder"),
            Self::NotRegular => f.write_str("not a regular file"),
            Self::OddName => f.write_str("named with characters that a manifest's path cannot have"),
            Self::Unreadable { why } => write!(f, "not readable ({why})"),
            Self::TooDeep => f.write_str("in too many folders, one in another"),
        }
    }
}

/// Why a source gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// What was named is no place of a repository.
    #[error(transparent)]
    Location(#[from] BadLocation),
    /// A repository elsewhere, where only one on this machine will do.
    #[error("`{location}` is not on this machine")]
    NotHere { location: String },
    /// A repository elsewhere gave nothing.
    #[error(transparent)]
    Elsewhere(Box<RemoteError>),
    /// Nothing is there, or no repository.
    #[error("`{location}` is not a git repository")]
    NoRepository { location: String, begins_at: Option<String> },
    /// libgit2 opens a repository only for its owner.
    #[error("git repository `{location}` belongs to another user")]
    ForeignOwner { location: String },
    /// A format of references that libgit2 cannot read.
    #[error("git repository `{location}` keeps its references as a reftable, which cannot be read here")]
    Reftable { location: String },
    /// A repository without a first commit, or whose branch is not born yet.
    #[error("`{reference}` of `{location}` has no commit yet")]
    Unborn { location: String, reference: String },
    /// A reference that names no commit.
    #[error("`{reference}` names no commit in `{location}`")]
    NoCommit { location: String, reference: String, shallow: bool },
    /// A reference that could only be found by walking history.
    #[error("`{reference}` would search through history")]
    Search { reference: String },
    /// The commit has no such folder.
    #[error("there is no folder `{folder}` in {place}")]
    NoFolder { folder: String, place: String },
    /// Files that are not read; all of them at once.
    #[error("{} in {place} cannot be read:{}", count(.files), list(.files))]
    Refused { place: String, files: Vec<(String, Refusal)> },
    /// More files than anyone writes.
    #[error("`{folder}` in {place} has more than {MOST_FILES} files and folders")]
    TooMany { folder: String, place: String },
    /// More bytes than anyone writes.
    #[error("the files of `{folder}` in {place} have more than {LARGEST_TREE} bytes in all")]
    TooMuch { folder: String, place: String },
    /// `--worktree` of a repository without one.
    #[error("`{location}` is a bare repository: it has no uncommitted files")]
    Bare { location: String },
    /// Git said something else.
    #[error("cannot {doing}")]
    Git { doing: String, source: git2::Error },
    /// The disk said something else.
    #[error("cannot read `{path}`")]
    Disk { path: String, source: std::io::Error },
}

impl From<RemoteError> for SourceError {
    fn from(error: RemoteError) -> Self {
        Self::Elsewhere(Box::new(error))
    }
}

impl SourceError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Location(error) => Some(error.hint.clone()),
            Self::NotHere { .. } => Some("clone it here and name the clone's path".to_owned()),
            Self::Elsewhere(error) => error.hint(),
            Self::NoRepository { begins_at: Some(path), .. } => {
                Some(format!("it lies inside the repository `{path}`: name that one"))
            }
            Self::NoRepository { begins_at: None, .. } => {
                Some("name the manifests repository with `--source PATH`, or make one with `reconcile init`".to_owned())
            }
            Self::ForeignOwner { location } => {
                Some(format!("if you trust it: git config --global --add safe.directory {location}"))
            }
            Self::Reftable { location } => Some(format!("git -C {location} refs migrate --ref-format=files")),
            Self::Unborn { .. } => Some("commit the manifests first".to_owned()),
            Self::NoCommit { shallow: true, .. } => {
                Some("the clone is shallow: fetch more of it with `git fetch --unshallow`".to_owned())
            }
            Self::NoCommit { shallow: false, .. } => {
                Some("name a branch, a tag or a commit that `git rev-parse` knows".to_owned())
            }
            Self::Search { .. } => Some("name the commit itself".to_owned()),
            Self::NoFolder { folder, .. } => {
                Some(format!("manifests are files `{folder}/<environment>/<app>.yaml`, and committed"))
            }
            Self::Bare { .. } => Some("leave `--worktree` out, or name a clone that has a working tree".to_owned()),
            Self::Refused { .. }
            | Self::TooMany { .. }
            | Self::TooMuch { .. }
            | Self::Git { .. }
            | Self::Disk { .. } => None,
        }
    }

    /// True when the repository answered and the branch or tag is not in it: it was deleted, or is not born yet.
    #[must_use]
    pub fn is_absent_branch(&self) -> bool {
        match self {
            Self::Elsewhere(error) => error.is_absent_branch(),
            other => matches!(other, Self::Unborn { .. } | Self::NoCommit { shallow: false, .. }),
        }
    }

    /// True when nothing is known of the branch, as the repository or the way to it is away; a later try may succeed.
    #[must_use]
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Elsewhere(error) if error.is_away())
    }

    /// True when a repository elsewhere could not be asked, or was and is not believed: what was fetched before may stand
    /// in for a look.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        matches!(self, Self::Elsewhere(_))
    }

    /// True when the folder of manifests is not in the tree: an empty tree, which removes nothing by itself.
    #[must_use]
    pub fn is_missing_folder(&self) -> bool {
        matches!(self, Self::NoFolder { .. })
    }
}

fn count(files: &[(String, Refusal)]) -> String {
    match files.len() {
        1 => "a file".to_owned(),
        more => format!("{more} files"),
    }
}

fn list(files: &[(String, Refusal)]) -> String {
    files.iter().map(|(path, refusal)| format!("\n  `{}` is {refusal}", path.escape_debug())).collect()
}
