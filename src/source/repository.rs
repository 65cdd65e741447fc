//! A repository on this machine, opened in place or our mirror of one elsewhere, and the commits it names.

use super::{SourceError, remote::Wanted};
use crate::value::Location;
use git2::{BranchType, ErrorClass, ErrorCode, ObjectType, RepositoryOpenFlags};
use jiff::Timestamp;
use std::{ffi::OsStr, path::Path};

/// A git repository on this machine, bare or not. Opening it changes nothing in it.
pub struct Repository {
    pub(super) git: git2::Repository,
    location: String,
    /// In a mirror, where the references of its location lie.
    mirrored: Option<String>,
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
        match location.parse()? {
            Location::Local(path) => Self::at(&path),
            Location::Remote(remote) => Err(SourceError::NotHere { location: remote.to_string() }),
        }
    }

    /// As [`Repository::open`], of a path.
    ///
    /// # Errors
    /// As there.
    pub fn at(path: &Path) -> Result<Self, SourceError> {
        let location = path.display().to_string();
        match git2::Repository::open_ext(path, RepositoryOpenFlags::NO_SEARCH, std::iter::empty::<&OsStr>()) {
            Ok(git) => Ok(Self { git, location, mirrored: None }),
            Err(_) if has_reftable(path) => Err(SourceError::Reftable { location }),
            Err(error) if error.code() == ErrorCode::Owner => {
                // Git compares `safe.directory` with the absolute path.
                let location = path.canonicalize().map_or(location, |path| path.display().to_string());
                Err(SourceError::ForeignOwner { location })
            }
            Err(error) if error.code() == ErrorCode::NotFound => {
                let begins_at = git2::Repository::discover(path)
                    .ok()
                    .and_then(|found| found.workdir().map(|folder| folder.display().to_string()));
                Err(SourceError::NoRepository { location, begins_at })
            }
            Err(source) => Err(SourceError::Git { doing: format!("open git repository `{location}`"), source }),
        }
    }

    pub(super) fn of_mirror(git: git2::Repository, location: &str, references: String) -> Self {
        Self { git, location: location.to_owned(), mirrored: Some(references) }
    }

    /// The path it was opened at, or the URL of the repository that it mirrors.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The commit that a branch, a tag, a commit id or an expression such as `HEAD~1` names; none: that of `HEAD`.
    ///
    /// # Errors
    /// An unborn branch, a name without a commit, or an expression that would search through history.
    pub fn commit(&self, reference: Option<&str>) -> Result<Commit, SourceError> {
        Self::refuse_search(reference)?;
        if let Some(below) = &self.mirrored {
            return self.commit_of_mirror(below, reference);
        }
        let Some(reference) = reference else { return self.head() };
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

    /// Whether digits are those that a commit's id begins with, and no other commit's.
    ///
    /// # Errors
    /// Git cannot tell.
    pub fn is_named_by(&self, commit: &Commit, digits: &str) -> Result<bool, SourceError> {
        match self.git.find_commit_by_prefix(digits) {
            Ok(found) => Ok(found.id().to_string() == commit.id),
            Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::Ambiguous) => Ok(false),
            Err(source) => Err(SourceError::Git { doing: format!("look for commit `{digits}`"), source }),
        }
    }

    /// Refuses an expression that could only be answered by walking history.
    pub(super) fn refuse_search(reference: Option<&str>) -> Result<(), SourceError> {
        match reference.filter(|reference| reference.starts_with(':') || reference.contains("^{/")) {
            Some(reference) => Err(SourceError::Search { reference: reference.to_owned() }),
            None => Ok(()),
        }
    }

    /// Only what lies below the location's own name is its: the mirror may have references of other ones.
    fn commit_of_mirror(&self, below: &str, reference: Option<&str>) -> Result<Commit, SourceError> {
        let wanted = Wanted::of(reference);
        let shown = reference.unwrap_or("HEAD");
        let failed =
            |source| SourceError::Git { doing: format!("read `{shown}` in the mirror of `{}`", self.location), source };
        let mut names: Vec<_> =
            wanted.names().iter().filter_map(|name| Some(format!("{below}/{}", name.strip_prefix("refs/")?))).collect();
        if wanted.base.is_none() {
            names.push(format!("{below}/HEAD"));
        }
        let found = names.iter().find_map(|name| self.git.find_reference(name).ok());
        let (base, name) = match (found, wanted.base) {
            (Some(found), _) => {
                let found = found.resolve().map_err(failed)?;
                let id = found.target().ok_or_else(|| failed(git2::Error::from_str("it stands for nothing")))?;
                (id.to_string(), String::from_utf8_lossy(found.name_bytes()).into_owned())
            }
            (None, Some(id)) if wanted.may_be_id() => (id.to_owned(), id.to_owned()),
            (None, _) => {
                let (location, reference) = (self.location.clone(), shown.to_owned());
                return Err(SourceError::NoCommit { location, reference, shallow: false });
            }
        };
        let object = self.git.revparse_single(&format!("{base}{}", wanted.suffix));
        let commit = object.and_then(|object| object.peel_to_commit()).map_err(|_| SourceError::NoCommit {
            location: self.location.clone(),
            reference: shown.to_owned(),
            shallow: false,
        })?;
        let branch = name.strip_prefix(below).map_or(name.as_str(), |rest| short_in_mirror(rest));
        let is_plain = wanted.suffix.is_empty();
        describe(&commit, if is_plain { branch } else { shown })
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

/// The name of a branch or tag by what follows the location's name in a mirror.
fn short_in_mirror(rest: &str) -> &str {
    match rest {
        "/detached" => "HEAD",
        _ => ["/heads/", "/tags/"].iter().find_map(|prefix| rest.strip_prefix(prefix)).unwrap_or(rest),
    }
}

/// The format is told by what lies in the repository's folder, not by the words of libgit2's refusal.
fn has_reftable(path: &Path) -> bool {
    path.join("reftable").is_dir() || path.join(".git/reftable").is_dir()
}
