//! Plans as a comment on a merge request: a summary line, a table, and details that fold.

use super::{
    AppAccount, EnvironmentReport, HistoryEntry,
    escape::{cell, html, plain},
    report::{AppReport, Compared, ErrorReport},
    text, words,
};
use std::fmt::Write;

/// Bytes; a comment on GitHub may have 65,536 characters, one on GitLab more.
const LONGEST: usize = 60_000;
/// Bytes kept free for what says that something was left out.
const RESERVE: usize = 400;

/// All environments in one comment, cut where it would be too long for one.
#[must_use]
pub fn plan(reports: &[EnvironmentReport]) -> String {
    let mut comment = Comment::default();
    for report in reports {
        environment(&mut comment, report);
    }
    comment.finish()
}

fn environment(comment: &mut Comment, report: &EnvironmentReport) {
    let summary = if words::in_sync(report) {
        "in sync".to_owned()
    } else if report.applied() {
        format!("applied of {}", words::to_do(&report.summary))
    } else {
        words::to_do(&report.summary)
    };
    let failed = report.apps.iter().filter(|app| app.failed()).count();
    let failed = if failed == 0 { String::new() } else { format!(", **{failed} failed**") };
    comment.push(&format!("### {}: {summary}{failed}\n\n", report.environment));
    comment.push(&format!("<sub>{}</sub>\n\n", cell(&text::heading(report))));
    if let Some(unjudged) = text::unjudged(report) {
        comment.push(&format!("<sub>{}</sub>\n\n", cell(unjudged)));
    }
    let rows: Vec<String> = report.apps.iter().flat_map(rows).collect();
    if !rows.is_empty() {
        comment.push("| | App | Resource | Action | Cause | Interruption |\n|---|---|---|---|---|---|\n");
        for row in rows {
            comment.push(&row);
        }
        comment.push("\n");
    }
    for app in &report.apps {
        comment.push(&details(app, &report.origin.compared));
    }
}

fn rows(app: &AppReport) -> Vec<String> {
    app.changes
        .iter()
        .map(|change| {
            let order = change.order.map(|order| format!(", {}", words::order(order))).unwrap_or_default();
            format!(
                "| <code>{}</code> | {} | {} | {}{order} | {} | {} |\n",
                words::mark(change),
                cell(app.app.as_str()),
                cell(&change.resource.to_string()),
                words::action(change.action),
                words::cause(change.cause),
                words::interruption(change.interruption),
            )
        })
        .collect()
}

/// What does not fit a table: fields, notes, errors. One `<pre>`, in which no markdown is read.
fn details(app: &AppReport, compared: &Compared) -> String {
    let mut lines = String::new();
    if let Some(held) = &app.held {
        let _ = writeln!(lines, "{}", html(&words::held(held)));
    }
    for change in &app.changes {
        if !change.fields.is_empty() {
            let _ = writeln!(lines, "{} {}", words::mark(change), html(&change.resource.to_string()));
        }
        for field in &change.fields {
            let _ = writeln!(lines, "    {}", escaped(&text::field_line(field)));
        }
    }
    for note in &app.notes {
        let _ = writeln!(lines, "note: {}", html(note));
    }
    if let Some(error) = &app.error {
        failure(&mut lines, error);
    }
    if lines.is_empty() {
        return String::new();
    }
    let open = if app.failed() { " open" } else { "" };
    let title = format!("{}: {}", cell(app.app.as_str()), words::state(app, compared));
    format!("<details{open}><summary>{title}</summary>\n\n<pre>\n{lines}</pre>\n</details>\n\n")
}

fn failure(lines: &mut String, error: &ErrorReport) {
    let text = anstream::adapter::strip_str(&text::error(error)).to_string();
    for line in text.lines() {
        let _ = writeln!(lines, "{}", escaped(line));
    }
}

/// For text that was made harmless and short before: only HTML is left to disarm.
fn escaped(text: &str) -> String {
    plain(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `status` as a table; below it what went wrong, with its last words.
#[must_use]
pub fn status(apps: &[AppAccount]) -> String {
    let mut comment = Comment::default();
    comment.push("| Environment | App | Status | Health | Revision | Held |\n|---|---|---|---|---|---|\n");
    for app in apps {
        comment.push(&format!(
            "| {} | {} | {:?} | {:?} | {} | {} |\n",
            cell(app.environment.as_str()),
            cell(app.app.as_str()),
            app.status,
            app.health,
            app.revision.map_or("-".to_owned(), |number| number.to_string()),
            app.held.as_ref().map_or(String::new(), |held| cell(&words::held(held))),
        ));
    }
    for app in apps {
        if let Some(error) = &app.error {
            let mut lines = String::new();
            failure(&mut lines, error);
            let title = format!("{}/{}", cell(app.environment.as_str()), cell(app.app.as_str()));
            comment.push(&format!("\n<details open><summary>{title}</summary>\n\n<pre>\n{lines}</pre>\n</details>\n"));
        }
    }
    comment.finish()
}

/// `history` as a table.
#[must_use]
pub fn history(entries: &[HistoryEntry]) -> String {
    let mut comment = Comment::default();
    comment.push("| Revision | At | Commit | Cause | By | Outcome | Subject |\n|---|---|---|---|---|---|---|\n");
    for entry in entries {
        comment.push(&format!("| {} |\n", super::history::row(entry).map(|text| cell(&text)).join(" | ")));
    }
    for copy in super::history::copies(entries) {
        comment.push(&format!("\n{copy}\n"));
    }
    comment.finish()
}

/// A comment that stops growing in time: a block that does not fit is left out whole, and counted.
#[derive(Default)]
struct Comment {
    text: String,
    left_out: usize,
}

impl Comment {
    fn push(&mut self, block: &str) {
        // After the first gap only the next heading would make sense, and it would claim to be whole.
        if self.left_out > 0 || self.text.len() + block.len() > LONGEST - RESERVE {
            self.left_out += usize::from(!block.trim().is_empty());
        } else {
            self.text.push_str(block);
        }
    }

    fn finish(mut self) -> String {
        if self.left_out > 0 {
            let _ = write!(
                self.text,
                "\n**{} more parts do not fit a comment**: `reconcile --dry-run` shows all of it.\n",
                self.left_out
            );
        }
        self.text
    }
}
