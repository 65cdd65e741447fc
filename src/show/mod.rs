//! Renders what the other rooms found out: text for people, JSON for programs, markdown for merge requests.
//!
//! Text carries its colours as ANSI sequences of our own and says everything without them too; whoever prints it
//! strips them where the stream cannot show them. What others wrote goes through [`escape`] first.

pub mod account;
mod copies;
pub mod copy_before;
mod difference;
mod drills;
pub mod escape;
mod history;
mod markdown;
pub mod notes;
pub mod progress;
pub mod report;
mod revision;
mod secrets;
mod status;
mod table;
mod text;
mod words;

pub use account::{AppAccount, ContainerAccount, HistoryEntry, RevisionAccount, ServiceAccount, SuspendedReport};
pub use copies::{CopyAccount, copies, markdown_copies};
pub use copy_before::CopyBefore;
pub use difference::difference;
pub use drills::{DrillAccount, drills, markdown_drills};
pub use history::history;
pub use markdown::{history as markdown_history, plan as markdown, status as markdown_status};
pub use report::{
    AppReport, Compared, EnvironmentReport, ErrorReport, HealthWord, HeldReport, Origin, Status, Summary,
};
pub use revision::{markdown as markdown_revision, revision};
pub use secrets::{Keeper, SecretAccount, markdown_secrets, secrets};
pub use status::status;
pub use text::{error, plan, unjudged};

/// One line of JSON.
///
/// # Errors
/// None in practice: the reports are plain data whose maps have text for keys.
pub fn json(report: &impl serde::Serialize) -> serde_json::Result<String> {
    serde_json::to_string(report).map(|text| escape::json(&text))
}

#[cfg(test)]
mod tests;
