//! Why there is no copy, or none that could be relied on.

use super::CopyId;
use crate::{
    host::secret_file::SecretFileError,
    value::{ItemName, RepositoryName},
};
use std::{error::Error, io, path::PathBuf};

/// What is wrong with a place that is not on this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the key is refused")]
    Refused,
    #[error("there is no such bucket")]
    NoBucket,
    #[error("it is not there")]
    Gone,
    #[error("this host's clock is not its clock")]
    Clock,
    #[error("the bucket is in another region")]
    Elsewhere,
    #[error("an object there has a name that no copy has")]
    Foreign,
    #[error("the endpoint refuses it")]
    Declined,
    #[error("the endpoint does not answer")]
    Away,
}

impl Fault {
    const fn hint(self) -> Option<&'static str> {
        match self {
            Self::Refused => Some(
                "see `access_key_id` and `secret_access_key_file` in the host file, and that the key may list, read, write and \
                 delete there",
            ),
            Self::NoBucket => Some("make the bucket, or name another with `bucket` in the host file"),
            Self::Gone => None,
            Self::Clock => {
                Some("set the clock of this host: a question that is signed at another time counts for nothing")
            }
            Self::Elsewhere => Some("name the region of the bucket with `region` in the host file"),
            Self::Foreign => Some("give copies a `prefix` of their own in the host file"),
            Self::Declined | Self::Away => Some(
                "copies of before are as they were; see `endpoint` in the host file, and that it answers from here",
            ),
        }
    }
}

/// Why a copy was not made, is not right, or cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The disk, or what is on it.
    #[error("cannot {doing} `{}`", path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    /// A place that is not on this host.
    #[error("cannot {doing} `{}`: {fault}", path.display())]
    Remote { doing: &'static str, path: PathBuf, fault: Fault, source: Box<dyn Error + Send + Sync> },
    /// What opens a place is not known.
    #[error("the secret of the key of place `{place}` is not known")]
    Key { place: RepositoryName, source: SecretFileError },
    /// A folder that is somebody else's, or that others may write.
    #[error("`{}` is no folder for copies: {why}", path.display())]
    NotOurs { path: PathBuf, why: String },
    /// The source told that it failed, or was not heard to the end.
    #[error("the source failed: {why}")]
    Source { why: String },
    /// The source is whole, and there is nothing in it.
    #[error("the source is empty")]
    Empty,
    /// What was copied is not what it should be.
    #[error("what was copied is damaged: {why}")]
    Content { why: String },
    /// It is there and right, and looks as if something were missing.
    #[error("the copy `{id}` is suspect: {why}")]
    Suspect { id: CopyId, why: String },
    /// What is in the file is not what was written.
    #[error("`{}` is not what was written: {why}", path.display())]
    Altered { path: PathBuf, why: String },
    /// A record that this release cannot read: it is left alone, and so is all beside it.
    #[error("the record `{}` cannot be read: {why}", path.display())]
    Record { path: PathBuf, why: String },
    /// A copy that is sealed, and nobody here has a key.
    #[error("`{}` is encrypted, and no identity of this host opens it", path.display())]
    Sealed { path: PathBuf, source: Option<Box<dyn Error + Send + Sync>> },
    /// It could not be encrypted.
    #[error("cannot encrypt `{}`", path.display())]
    Sealing { path: PathBuf, source: Box<dyn Error + Send + Sync> },
    /// It took too long.
    #[error("it was not done after {seconds} s")]
    Late { seconds: u64 },
    /// The tool was asked to end.
    #[error("ended by a signal before it was done")]
    Asked,
    /// Somebody, retention say, removed it while it was looked at.
    #[error("the copy `{id}` was removed meanwhile")]
    Removed { id: CopyId },
    /// Nothing went wrong: the rollout that waits for the copy comes first.
    #[error("it is handed on once the rollout is over")]
    AfterRollout,
    /// Something that this release does not do.
    #[error("{what} is not supported yet")]
    NotYet { what: String },
    /// Who is held still for a copy would be as long as it is on its way.
    #[error("users of `{item}` would be held still until all of it is at place `{place}`, which is not on this host")]
    Far { item: ItemName, place: RepositoryName },
    /// Something that only people can do, and how.
    #[error("{what}")]
    ByHand { what: String, command: String },
    /// What is asked for is not there.
    #[error("there is no {what}")]
    Missing { what: String },
    /// A container or the engine.
    #[error("{doing}")]
    Container { doing: String, source: Box<dyn Error + Send + Sync> },
}

impl BackupError {
    /// An error of the disk.
    pub(super) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::unwrapped(error, |source| Self::File { doing, path, source })
    }

    /// What a place told by way of an error of reading or writing; of others what is made of them.
    pub(super) fn unwrapped(error: io::Error, otherwise: impl FnOnce(io::Error) -> Self) -> Self {
        error.downcast::<Self>().unwrap_or_else(otherwise)
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("make room there; copies of before are as they were".to_owned())
            }
            Self::File { source, .. } if source.kind() == io::ErrorKind::FileTooLarge => Some(
                "an upload has 10,000 parts at most: name a place on this host before it, from which it is known how long the \
                 copy is"
                    .to_owned(),
            ),
            Self::File { .. }
            | Self::Missing { .. }
            | Self::Container { .. }
            | Self::Source { .. }
            | Self::Removed { .. }
            | Self::AfterRollout => None,
            Self::Remote { fault, .. } => fault.hint().map(str::to_owned),
            Self::Key { source, .. } => {
                Some(source.hint().unwrap_or_else(|| "write it alone into that file, mode 0600".to_owned()))
            }
            Self::NotOurs { path, .. } => {
                Some(format!("name a folder of its own, closed to others: `chmod 0700 {}`", path.display()))
            }
            Self::Empty => Some("see that the item names what the app writes".to_owned()),
            Self::Content { .. } => Some("copies of before are as they were; look after the source now".to_owned()),
            Self::Suspect { .. } => Some("see whether the app lost data".to_owned()),
            Self::Altered { .. } => {
                Some("restore another copy; `reconcile backup list` tells which are verified".to_owned())
            }
            Self::Record { .. } => Some("a newer release may have written it; nothing there is changed".to_owned()),
            Self::Sealed { .. } => Some("open it where the identity is: `age -d -i KEY FILE`".to_owned()),
            Self::Sealing { .. } => Some("see `encryption.age` of the manifest".to_owned()),
            Self::Late { .. } => Some("`backup.timeout` of the manifest says how long it may take".to_owned()),
            Self::Asked => Some(
                "`reconcile watch` makes up for it when it is back; without it, `reconcile backup run` does".to_owned(),
            ),
            Self::NotYet { .. } => None,
            Self::Far { .. } => Some("name a place on this host before it in `backup.repositories` of the manifest".to_owned()),
            Self::ByHand { command, .. } => Some(format!("by hand: `{command}`")),
        }
    }
}
