//! `history` for people.

use super::{HistoryEntry, escape::short, table::table, text::outcome_word, words};
use std::fmt::Write;

/// Entries in a table, newest first.
#[must_use]
pub fn history(entries: &[HistoryEntry], width: Option<usize>) -> String {
    if entries.is_empty() {
        return "No revisions.\n".to_owned();
    }
    let rows: Vec<[String; 7]> = entries.iter().map(row).collect();
    let mut out = table(["REVISION", "AT", "COMMIT", "CAUSE", "BY", "OUTCOME", "SUBJECT"], &rows, width);
    let lines: Vec<String> = copies(entries).collect();
    if !lines.is_empty() {
        let _ = write!(out, "\n{}\n", lines.join("\n"));
    }
    out
}

/// The copies that can be put back, a line each.
pub(super) fn copies(entries: &[HistoryEntry]) -> impl Iterator<Item = String> {
    entries.iter().flat_map(|entry| entry.copies.iter().map(super::CopyBefore::line))
}

pub(super) fn row(entry: &HistoryEntry) -> [String; 7] {
    let outcome = entry.outcome.map_or("unfinished", outcome_word);
    let subject = match &entry.origin.reason {
        Some(reason) => format!("{} ({})", short(&entry.origin.subject), short(reason)),
        None => short(&entry.origin.subject),
    };
    [
        entry.number.to_string(),
        format!("{:.0}", entry.origin.at),
        entry.origin.commit.chars().take(10).collect(),
        words::cause(entry.origin.cause).to_owned(),
        short(&entry.origin.by),
        if entry.stable { format!("{outcome}, stable") } else { outcome.to_owned() },
        subject,
    ]
}
