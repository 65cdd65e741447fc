//! Renders what the other rooms found out: text for people, JSON for programs, markdown for merge requests.
//!
//! Text carries its colours as ANSI sequences of our own and says everything without them too; whoever prints it
//! strips them where the stream cannot show them. What others wrote goes through [`escape`] first.

pub mod account;
pub mod escape;
mod history;
mod markdown;
pub mod report;
mod status;
mod table;
mod text;
mod words;

pub use account::{AppAccount, ContainerAccount, HistoryEntry, ServiceAccount, SuspendedReport};
pub use history::history;
pub use markdown::{history as markdown_history, plan as markdown, status as markdown_status};
pub use report::{
    AppReport, Compared, EnvironmentReport, ErrorReport, HealthWord, HeldReport, Origin, Status, Summary,
};
pub use status::status;
pub use text::{error, plan};

/// One line of JSON.
///
/// # Errors
/// None in practice: the reports are plain data whose maps have text for keys.
pub fn json(report: &impl serde::Serialize) -> serde_json::Result<String> {
    serde_json::to_string(report)
}

#[cfg(test)]
mod tests;
