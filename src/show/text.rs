//! A plan, and what became of it, for people.

use super::{
    escape::{plain, short},
    report::{AppReport, Compared, EnvironmentReport, ErrorReport, HealthWord, Origin, Status},
    words,
};
use crate::{
    blame::Blame,
    plan::{Action, Change, FieldChange, Interruption, delivery::HOST_KEY},
    record::Outcome,
};
use anstyle::{AnsiColor, Style};
use std::fmt::Write;

const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

fn colour(colour: AnsiColor) -> Style {
    colour.on_default()
}

/// One environment: where it was looked, what changes and why, and how many changes there are.
#[must_use]
pub fn plan(report: &EnvironmentReport) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", heading(report));
    if let Some(unjudged) = unjudged(report) {
        let _ = writeln!(out, "{unjudged}");
    }
    for app in &report.apps {
        if !is_quiet(app, &report.origin.compared) {
            out.push('\n');
            app_block(&mut out, app, &report.origin.compared);
        }
    }
    let _ = writeln!(out, "\n{BOLD}{}{BOLD:#}", last_line(report));
    out
}

/// `docker 20.10.24 at unix:///… on host1: production from /srv/manifests@main@sha1:…`
pub(super) fn heading(report: &EnvironmentReport) -> String {
    let Origin { source, compared } = &report.origin;
    let theirs = match compared {
        Compared::Host { engine, host } => format!("{} on {}", plain(engine), plain(host)),
        Compared::Revision { revision, judged: _ } => format!("rendered {}", plain(revision)),
    };
    format!("{theirs}: {} from {}@{}", report.environment, plain(source), plain(&report.revision))
}

/// What nobody looked at, so that nobody takes silence for consent.
#[must_use]
pub fn unjudged(report: &EnvironmentReport) -> Option<&'static str> {
    match &report.origin.compared {
        Compared::Revision { judged: false, .. } => {
            Some("note: no host policy was judged: name the host's file with `--config FILE` to see its denials")
        }
        Compared::Revision { judged: true, .. } | Compared::Host { .. } => None,
    }
}

fn is_quiet(app: &AppReport, compared: &Compared) -> bool {
    let well = match compared {
        Compared::Host { .. } => app.health <= HealthWord::Healthy,
        // Nobody asked the host how it is.
        Compared::Revision { .. } => true,
    };
    app.status == Status::Synced
        && app.changes.is_empty()
        && app.error.is_none()
        && app.held.is_none()
        && app.notes.is_empty()
        && well
}

fn app_block(out: &mut String, app: &AppReport, compared: &Compared) {
    let _ = writeln!(out, "{BOLD}{}{BOLD:#}: {}", app.app, words::state(app, compared));
    if let Some(held) = &app.held {
        let _ = writeln!(out, "  {}", words::held(held));
    }
    for change in &app.changes {
        change_block(out, change);
    }
    for note in &app.notes {
        let _ = writeln!(out, "  note: {}", plain(note));
    }
    if let Some(error) = &app.error {
        error_block(out, error, "  ");
    }
}

fn change_block(out: &mut String, change: &Change) {
    let style = match change.action {
        Action::Create | Action::Run => colour(AnsiColor::Green),
        Action::Replace | Action::Update | Action::Repair => colour(AnsiColor::Yellow),
        Action::Delete => colour(AnsiColor::Red),
    };
    let mut said = vec![format!("{}, cause: {}", words::action(change.action), words::cause(change.cause))];
    said.extend(change.order.map(|order| words::order(order).to_owned()));
    if change.order.is_some() || change.interruption != Interruption::None {
        said.push(format!("interruption: {}", words::interruption(change.interruption)));
    }
    let resource = plain(&change.resource.to_string());
    let _ =
        writeln!(out, "  {style}{:>3}{style:#} {resource}  {FAINT}({}){FAINT:#}", words::mark(change), said.join(", "));
    for field in &change.fields {
        let _ = writeln!(out, "        {}", field_line(field));
    }
}

/// `services.web.image: app:1 → app:2`; of a secret, that it changed.
pub(super) fn field_line(field: &FieldChange) -> String {
    if field.path == HOST_KEY {
        return "the host key was renewed, so all secrets count as changed".to_owned();
    }
    if let Some(secret) = field.path.strip_prefix(HOST_KEY).and_then(|path| path.strip_prefix('.')) {
        return format!("secret {} changed", plain(secret));
    }
    let value = |value: &Option<String>| value.as_deref().map_or("(none)".to_owned(), quoted);
    format!("{}: {} → {}", plain(&field.path), value(&field.before), value(&field.after))
}

/// Empty and padded values are quoted, so that they can be seen.
fn quoted(value: &str) -> String {
    if value.is_empty() || value.trim() != value { format!("\"{}\"", short(value)) } else { short(value) }
}

/// What went wrong, once: summary, last words, hint.
#[must_use]
pub fn error(error: &ErrorReport) -> String {
    let mut out = String::new();
    error_block(&mut out, error, "");
    out
}

fn error_block(out: &mut String, error: &ErrorReport, indent: &str) {
    let red = colour(AnsiColor::Red).bold();
    let service = error.service.as_ref().map(|service| format!("service `{service}`: ")).unwrap_or_default();
    // Several problems of one file are several lines, each harmless for itself.
    let summary: Vec<String> = error.summary.lines().map(plain).collect();
    let _ = writeln!(out, "{indent}{red}error:{red:#} {service}{}", summary.join(&format!("\n{indent}  ")));
    let mut facts = vec![match error.blame {
        Blame::Revision => "the revision is at fault".to_owned(),
        Blame::World => "the revision is not at fault".to_owned(),
    }];
    facts.extend(error.exit_code.map(|code| format!("exit code {code}")));
    if error.oom {
        facts.push("killed for want of memory".to_owned());
    }
    let _ = writeln!(out, "{indent}  {}", facts.join(", "));
    if !error.log.is_empty() {
        let _ = writeln!(out, "{indent}  its last words:");
        for line in &error.log {
            let _ = writeln!(out, "{indent}  {FAINT}│{FAINT:#} {}", plain(line));
        }
    }
    for hint in error.hint.iter().flat_map(|hints| hints.lines()) {
        let _ = writeln!(out, "{indent}hint: {}", plain(hint));
    }
}

pub(super) fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        Outcome::RolledBack => "rolled back",
        Outcome::Held => "held",
        Outcome::Blocked => "blocked",
        Outcome::NonConvergent => "not convergent",
    }
}

fn last_line(report: &EnvironmentReport) -> String {
    if words::in_sync(report) {
        return "In sync.".to_owned();
    }
    if !report.applied() {
        return format!("Plan: {}.", words::to_do(&report.summary));
    }
    let succeeded = report.apps.iter().filter(|app| !app.failed());
    let done = super::Summary::of(succeeded.flat_map(|app| &app.changes));
    let mut line = format!("Applied: {}.", words::done(&done));
    for outcome in [Outcome::RolledBack, Outcome::Failed, Outcome::Blocked, Outcome::NonConvergent, Outcome::Held] {
        let apps: Vec<&str> =
            report.apps.iter().filter(|app| app.outcome == Some(outcome)).map(|app| app.app.as_str()).collect();
        if !apps.is_empty() {
            let word = outcome_word(outcome);
            let _ = write!(line, " {}{}: {}.", word[..1].to_uppercase(), &word[1..], apps.join(", "));
        }
    }
    line
}
