//! What is worth telling of an app. Pure: what was told last, and how the app is now.

use crate::{
    blame::Blame,
    host::Event,
    plan::Cause,
    record::Outcome,
    show::report::{AppReport, HealthWord, Status},
};

/// What people know of an app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is wrong with it, or nothing was said yet.
    #[default]
    Well,
    /// Something is wrong, and was told.
    Troubled(Trouble),
}

/// What is wrong with an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    kind: Kind,
    /// What was said of it, without figures: those change from try to try.
    words: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Failed,
    RolledBack,
    Blocked,
    Degraded,
}

/// An event, and what happened in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub event: Event,
    pub summary: String,
}

/// What is to be told after a pass, and what people know then.
///
/// The same trouble is told once, however often it is met again, and its end once. An app that is on its way, or of
/// which nothing is known, changes nothing.
#[must_use]
pub fn between(before: &Standing, after: &AppReport) -> (Standing, Option<Told>) {
    let trouble = Trouble::of(after);
    match (before, trouble) {
        (Standing::Well, None) => (Standing::Well, deployed(after)),
        (Standing::Troubled(_), None) if !is_well(after) => (before.clone(), None),
        (Standing::Troubled(known), None) => {
            let summary = format!("well again, after it was {}", known.kind.word());
            (Standing::Well, Some(Told { event: Event::Recovered, summary }))
        }
        (Standing::Well, Some(trouble)) => tell(trouble, after),
        (Standing::Troubled(known), Some(trouble)) => {
            let is_known = match after.outcome {
                // It was tried, so it is another revision: one that failed is not tried again by itself.
                Some(Outcome::RolledBack) => false,
                // It is held where it was put: nothing was tried.
                Some(Outcome::Held) => true,
                Some(Outcome::Succeeded | Outcome::Failed | Outcome::Blocked | Outcome::NonConvergent) | None => {
                    *known == trouble
                }
            };
            if is_known { (before.clone(), None) } else { tell(trouble, after) }
        }
    }
}

fn tell(trouble: Trouble, after: &AppReport) -> (Standing, Option<Told>) {
    let told = Told { event: trouble.kind.event(), summary: trouble.summary(after) };
    // An app that a daemon finds held was told of by the one before it.
    let told = (after.outcome != Some(Outcome::Held)).then_some(told);
    (Standing::Troubled(trouble), told)
}

/// A new revision came into force.
fn deployed(after: &AppReport) -> Option<Told> {
    let is_new = |cause| match cause {
        Cause::Commit | Cause::Image | Cause::Secret | Cause::Rollback | Cause::Manual => true,
        Cause::Drift => false,
    };
    let count = after.changes.iter().filter(|change| is_new(change.cause)).count();
    let changes = if count == 1 { "1 change".to_owned() } else { format!("{count} changes") };
    (after.outcome == Some(Outcome::Succeeded) && count > 0)
        .then(|| Told { event: Event::Deployed, summary: format!("deployed with {changes}") })
}

fn is_well(report: &AppReport) -> bool {
    let healthy = match report.health {
        HealthWord::Completed | HealthWord::Healthy => true,
        // Nobody looks after one that is suspended.
        HealthWord::Suspended
        | HealthWord::Progressing
        | HealthWord::Missing
        | HealthWord::Degraded
        | HealthWord::Unknown => false,
    };
    healthy && report.status != Status::Unknown
}

impl Kind {
    const fn event(self) -> Event {
        match self {
            Self::Failed => Event::Failed,
            Self::RolledBack => Event::RolledBack,
            Self::Blocked => Event::Blocked,
            Self::Degraded => Event::Degraded,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::RolledBack => "rolled back",
            Self::Blocked => "blocked",
            Self::Degraded => "degraded",
        }
    }
}

impl Trouble {
    fn of(report: &AppReport) -> Option<Self> {
        let kind = match report.outcome {
            Some(Outcome::Failed | Outcome::NonConvergent) => Kind::Failed,
            Some(Outcome::RolledBack) => Kind::RolledBack,
            Some(Outcome::Blocked) => Kind::Blocked,
            Some(Outcome::Held) => {
                // Somebody who holds an app by hand knows it.
                let held = report.held.as_ref().filter(|held| held.by == "reconcile")?;
                if held.revision.is_some() { Kind::RolledBack } else { Kind::Failed }
            }
            Some(Outcome::Succeeded) | None => match (&report.error, report.health) {
                (Some(error), _) => match error.blame {
                    Blame::Revision => Kind::Failed,
                    Blame::World => Kind::Blocked,
                },
                (None, HealthWord::Degraded) => Kind::Degraded,
                (
                    None,
                    HealthWord::Completed
                    | HealthWord::Healthy
                    | HealthWord::Suspended
                    | HealthWord::Progressing
                    | HealthWord::Missing
                    | HealthWord::Unknown,
                ) => return None,
            },
        };
        let error = report.error.as_ref();
        let service = error.and_then(|error| error.service.as_ref()).map(ToString::to_string).unwrap_or_default();
        let summary = error.map(|error| error.summary.as_str()).unwrap_or_default();
        let copies = report.copies.trouble().filter(|_| kind == Kind::Degraded).unwrap_or_default();
        // How old they are is another thing each time; whose they are is not.
        let copies = copies.split(": ").next().unwrap_or_default();
        let words = format!("{service} {summary}{copies}").chars().filter(|c| !c.is_ascii_digit()).collect();
        Some(Self { kind, words })
    }

    fn summary(&self, report: &AppReport) -> String {
        let why = report.error.as_ref().and_then(|error| error.summary.lines().next());
        let copies = report.copies.trouble().filter(|_| self.kind == Kind::Degraded);
        let why = why.map(str::to_owned).or(copies);
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        let held = report.held.as_ref().and_then(|held| held.revision);
        match (self.kind, held) {
            (Kind::RolledBack, Some(number)) => format!("rolled back to revision {number}{why}"),
            (Kind::Failed | Kind::RolledBack | Kind::Blocked | Kind::Degraded, _) => {
                format!("{}{why}", self.kind.word())
            }
        }
    }
}
