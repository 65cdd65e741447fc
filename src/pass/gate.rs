//! The gate before an app that depends on others: it is changed only when they are where the branch wants them, and well.

use crate::{
    blame::Blame,
    desired::Desired,
    show::report::{AppReport, ErrorReport, HealthWord, Status},
    value::{AppId, AppPath},
};
use std::{collections::BTreeMap, fmt};

/// How an app stands, as far as those that depend on it care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub status: Status,
    pub health: HealthWord,
    /// Somebody suspended it: nobody sees to it that it stays as it is.
    pub suspended: bool,
}

impl Standing {
    /// As a pass, or a look, found it.
    #[must_use]
    pub const fn of(report: &AppReport) -> Self {
        // An app whose copies are old does its work for those that depend on it.
        let health = if report.copies.degrade { HealthWord::Healthy } else { report.health };
        Self { status: report.status, health, suspended: report.suspended }
    }

    /// True when it is what the branch says now and does its work. All its services at `scale: 0` is what the branch
    /// says too.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        let well = match self.health {
            HealthWord::Completed | HealthWord::Healthy | HealthWord::Suspended => true,
            HealthWord::Progressing | HealthWord::Missing | HealthWord::Degraded | HealthWord::Unknown => false,
        };
        let synced = match self.status {
            Status::Synced => true,
            Status::OutOfSync | Status::Unknown => false,
        };
        synced && well && !self.suspended
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.suspended, self.status) {
            (true, _) => f.write_str("suspended"),
            (false, Status::Synced) => write!(f, "{:?}", self.health),
            (false, Status::OutOfSync) => write!(f, "OutOfSync and {:?}", self.health),
            (false, Status::Unknown) => f.write_str("in a state that nobody knows"),
        }
    }
}

/// What keeps an app waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// Who is waited for, as the app names it, and why.
    pub on: Vec<(AppPath, String)>,
}

impl Waits {
    /// Told as an error: the world's, so that it is tried again and nothing is condemned.
    #[must_use]
    pub fn error(&self) -> ErrorReport {
        let hint = "it goes on when they are in sync and well; see `reconcile status`";
        ErrorReport::new(Blame::World, self.told(), Some(hint.to_owned()))
    }

    /// In words: "waits for `database`, which is Degraded".
    #[must_use]
    pub fn told(&self) -> String {
        let on: Vec<String> = self.on.iter().map(|(app, why)| format!("`{app}`, which {why}")).collect();
        format!("waits for {}", on.join(", and for "))
    }
}

/// Whether everything that an app depends on is ready. Of what is not in `standings` nothing is known, which is not ready.
///
/// # Errors
/// Who is not.
pub fn gate(app: &Desired, standings: &BTreeMap<AppId, Standing>) -> Result<(), Waits> {
    let why = |other: &AppId| match standings.get(other) {
        Some(standing) if standing.is_ready() => None,
        Some(standing) => Some(format!("is {standing}")),
        None => Some("nobody has looked at in this run".to_owned()),
    };
    let on: Vec<_> =
        app.sync.depends_on.iter().filter_map(|other| Some((other.seen_from(&app.environment), why(other)?))).collect();
    if on.is_empty() { Ok(()) } else { Err(Waits { on }) }
}
