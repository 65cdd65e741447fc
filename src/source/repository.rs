//! A local repository, opened in place, and the commits it names.

use super::{SourceError, location};
use git2::{BranchType, ErrorClass, ErrorCode, ObjectType, RepositoryOpenFlags};
use jiff::Timestamp;
use std::{ffi::OsStr, path::Path};

/// A git repository on this machine, bare or not. Opening it changes nothing in it.
pub struct Repository {
    pub(super) git: git2::Repository,
    location: String,
}

/// A commit, as plans and histories show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// 40 hex digits.
    pub id: String,
    /// What it was asked by: a branch, a tag, `HEAD~1`; the branch's name where nothing was asked for.
    pub reference: String,
    /// The author's name.
    pub author: String,
    /// First line of the message.
    pub subject: String,
    /// When it was committed.
    pub at: Timestamp,
}

impl Commit {
    /// `main@sha1:<40 hex>`: how an environment's revision is written.
    #[must_use]
    pub fn revision(&self) -> String {
        format!("{}@sha1:{}", self.reference, self.id)
    }
}

impl Repository {
    /// Opens the repository at a path or `file://` URL, and none above it.
    ///
    /// # Errors
    /// A remote location, no repository, one of another user (libgit2's check of the owner stays on), one with a
    /// reftable, or what git says otherwise.
    pub fn open(location: &str) -> Result<Self, SourceError> {
        let path = location::local(location)?;
        let location = path.display().to_string();
        match git2::Repository::open_ext(&path, RepositoryOpenFlags::NO_SEARCH, std::iter::empty::<&OsStr>()) {
            Ok(git) => Ok(Self { git, location }),
            Err(_) if has_reftable(&path) => Err(SourceError::Reftable { location }),
            Err(error) if error.code() == ErrorCode::Owner => {
                // Git compares `safe.directory` with the absolute path.
                let location = path.canonicalize().map_or(location, |path| path.display().to_string());
                Err(SourceError::ForeignOwner { location })
            }
            Err(error) if error.code() == ErrorCode::NotFound => {
                let begins_at = git2::Repository::discover(&path)
                    .ok()
                    .and_then(|found| found.workdir().map(|folder| folder.display().to_string()));
                Err(SourceError::NoRepository { location, begins_at })
            }
            Err(source) => Err(SourceError::Git { doing: format!("open git repository `{location}`"), source }),
        }
    }

    /// The path it was opened at.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The commit that a branch, a tag, a commit id or an expression such as `HEAD~1` names; none: that of `HEAD`.
    ///
    /// # Errors
    /// An unborn branch, a name without a commit, or an expression that would search through history.
    pub fn commit(&self, reference: Option<&str>) -> Result<Commit, SourceError> {
        let Some(reference) = reference else { return self.head() };
        if reference.starts_with(':') || reference.contains("^{/") {
            return Err(SourceError::Search { reference: reference.to_owned() });
        }
        // A branch goes before a tag of its name, else whoever may push a tag could stand in for the branch.
        let found = match self.git.find_branch(reference, BranchType::Local) {
            Ok(branch) => branch.get().peel(ObjectType::Commit),
            Err(_) => self.git.revparse_single(reference).and_then(|object| object.peel(ObjectType::Commit)),
        };
        match found.and_then(|object| object.peel_to_commit()) {
            Ok(commit) => describe(&commit, short(reference)),
            Err(_) if reference == "HEAD" || self.head_branch().as_deref() == Some(short(reference)) => self.head(),
            Err(error) if matches!(error.class(), ErrorClass::Odb | ErrorClass::Os) && !self.git.is_shallow() => {
                Err(SourceError::Git { doing: format!("read `{reference}` of `{}`", self.location), source: error })
            }
            Err(_) => Err(SourceError::NoCommit {
                location: self.location.clone(),
                reference: reference.to_owned(),
                shallow: self.git.is_shallow(),
            }),
        }
    }

    fn head(&self) -> Result<Commit, SourceError> {
        let doing = || format!("read HEAD of `{}`", self.location);
        match self.git.head() {
            Ok(head) => {
                let commit = head.peel_to_commit().map_err(|source| SourceError::Git { doing: doing(), source })?;
                describe(&commit, &String::from_utf8_lossy(head.shorthand_bytes()))
            }
            Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
                let reference = self.head_branch().unwrap_or_else(|| "HEAD".to_owned());
                Err(SourceError::Unborn { location: self.location.clone(), reference })
            }
            Err(source) => Err(SourceError::Git { doing: doing(), source }),
        }
    }

    /// The branch that `HEAD` stands for, born or not.
    fn head_branch(&self) -> Option<String> {
        let head = self.git.find_reference("HEAD").ok()?;
        head.symbolic_target_bytes().map(|name| short(&String::from_utf8_lossy(name)).to_owned())
    }
}

fn describe(commit: &git2::Commit<'_>, reference: &str) -> Result<Commit, SourceError> {
    let seconds = commit.time().seconds();
    // A commit may claim a year that no clock shows; it is a label, so the nearest one will do.
    let nearest = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Ok(Commit {
        id: commit.id().to_string(),
        reference: reference.to_owned(),
        author: String::from_utf8_lossy(commit.author().name_bytes()).into_owned(),
        subject: String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default()).into_owned(),
        at: Timestamp::from_second(seconds).unwrap_or(nearest),
    })
}

fn short(reference: &str) -> &str {
    ["refs/heads/", "refs/tags/", "refs/remotes/"]
        .iter()
        .find_map(|prefix| reference.strip_prefix(prefix))
        .unwrap_or(reference)
}

/// The format is told by what lies in the repository's folder, not by the words of libgit2's refusal.
fn has_reftable(path: &Path) -> bool {
    path.join("reftable").is_dir() || path.join(".git/reftable").is_dir()
}
