//! Who is at fault when something fails, because that decides what happens next.

use serde::{Deserialize, Serialize};

/// What a failure says about the revision that was being applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blame {
    /// The revision is at fault (invalid, a job failed, never healthy): it is condemned and not tried again by itself.
    Revision,
    /// The world is at fault (engine or registry away, disk full, a taken port): the app is retried, the revision stays good.
    World,
}
