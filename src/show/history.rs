//! `history` for people.

use super::{HistoryEntry, escape::short, table::table, text::outcome_word, words};

/// Entries in a table, newest first.
#[must_use]
pub fn history(entries: &[HistoryEntry], width: Option<usize>) -> String {
    if entries.is_empty() {
        return "No revisions.\n".to_owned();
    }
    let rows: Vec<[String; 7]> = entries.iter().map(row).collect();
    table(["REVISION", "AT", "COMMIT", "CAUSE", "BY", "OUTCOME", "SUBJECT"], &rows, width)
}

pub(super) fn row(entry: &HistoryEntry) -> [String; 7] {
    let outcome = entry.outcome.map_or("unfinished", outcome_word);
    let subject = match &entry.reason {
        Some(reason) => format!("{} ({})", short(&entry.subject), short(reason)),
        None => short(&entry.subject),
    };
    [
        entry.number.to_string(),
        format!("{:.0}", entry.at),
        entry.commit.chars().take(10).collect(),
        words::cause(entry.cause).to_owned(),
        short(&entry.by),
        if entry.stable { format!("{outcome}, stable") } else { outcome.to_owned() },
        subject,
    ]
}
