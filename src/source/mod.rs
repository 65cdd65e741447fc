//! Where manifests come from: the tree at a commit of a git repository.
//!
//! Files are read from the object database, never from a checkout, so a push cannot reach outside the repository. Only
//! `--worktree` and `validate` read the disk, and that for a look only. A repository elsewhere is fetched into a mirror of
//! our own (`remote`). Whether a commit is believed is judged by `trust`. All calls block; the caller wraps them.
//!
//! What is read of a tree is bounded before it is read (research, trust §5), and nothing here walks history: the cost
//! of a pass is that of its tree, however long the branch.

mod create;
pub mod disk;
mod error;
mod intake;
mod pattern;
mod references;
mod remote;
mod repository;
mod single;
mod timeouts;
mod tree;
pub mod trust;
mod worktree;

#[cfg(test)]
mod tests;

pub use create::create;
pub use error::{Refusal, SourceError};
pub use intake::{LARGEST_FILE, LARGEST_TREE, MOST_FILES};
pub use references::Watched;
pub use remote::{Access, Patience, Remote, RemoteError, read_trusted};
pub use repository::{Commit, Repository};
pub use single::{Unread, file_below};
pub use timeouts::limit_waiting;
