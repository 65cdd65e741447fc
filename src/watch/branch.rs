//! What the branch says, as the command line reads it.

use crate::{pass::Head, value::EnvironmentName};
use std::{collections::BTreeMap, future::Future, path::PathBuf, sync::Arc};

/// Where a branch is, and what it says of each environment of this host.
#[derive(Clone, Debug)]
pub struct Tip {
    /// 40 hex digits; none where the branch is gone and only what was accepted before is known.
    pub commit: Option<String>,
    pub environments: BTreeMap<EnvironmentName, Result<Arc<Head>, Halt>>,
}

impl Tip {
    /// True when some environment does not follow it.
    #[must_use]
    pub fn halts(&self) -> bool {
        self.environments.values().any(Result::is_err)
    }
}

/// Why an environment stays where it is although the branch has moved: a person is asked.
#[derive(Clone, Debug)]
pub struct Halt {
    pub reason: String,
    pub hint: Option<String>,
    /// Where it stays, for a daemon that has not seen it yet: what the commit says that was accepted last.
    pub stays: Option<Arc<Head>>,
}

/// Why nobody knows where the branch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    pub reason: String,
    pub hint: Option<String>,
}

/// A branch that is followed.
pub trait Branch: Send + Sync + 'static {
    /// Asks where it is; none where that is still `known`.
    fn ask(&self, known: Option<&str>) -> impl Future<Output = Result<Option<Tip>, Away>> + Send;

    /// The folders in which a push changes something, with all below them or not; none where it lies elsewhere.
    fn folders(&self) -> impl Future<Output = Vec<(PathBuf, bool)>> + Send;
}
