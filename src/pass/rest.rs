//! Whether an app is at rest: what a daemon asks before it takes a lock, since nearly always nothing is to be done.

use super::{aim, app::AppPass, attempt, entry, fetch::Fetched, report};
use crate::{engine::Engine, observe::Look, record::Outcome, show::report::AppReport};

impl<E: Engine> AppPass<'_, E> {
    /// The report of an app that is as it should be; none where a pass is due, also where nobody can tell.
    pub async fn at_rest(&self, look: &Look) -> Option<AppReport> {
        let head = match self.head.apps.get(self.app) {
            Some(Ok(desired)) => desired,
            Some(Err(problems)) => return Some(report::invalid(self.app, problems, Some(Outcome::Failed))),
            None => return None,
        };
        let mut aim = aim::take(self.host, self.wish, self.app, (head, &self.head.files), look, &Fetched::default())
            .await
            .ok()?;
        if let Some(report) = attempt::left_alone(&aim, self.wish.by, false) {
            return Some(report);
        }
        if !aim.secrets.missing.is_empty() {
            return None;
        }
        if entry::is_wanted(&aim) || aim.observed.applied.unfinished {
            return None;
        }
        aim.ask_again(self.host, look).await;
        if !aim.plan().steps.is_empty() {
            return None;
        }
        let report = report::planned(&aim);
        let outcome = if report.held.is_some() { Outcome::Held } else { Outcome::Succeeded };
        Some(AppReport { outcome: Some(outcome), ..report })
    }
}
