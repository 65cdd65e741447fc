//! A notice in words. What others wrote is made harmless: it cannot leave its line or hide what it says.

use super::news::Tidings;
use crate::show::escape;

/// `production/web on alpha: rolled back to revision 3: … (main@sha1:0123456789ab)`
pub fn line(tidings: &Tidings, host: &str) -> String {
    let subject = tidings.subject();
    let summary = escape::short(&tidings.summary);
    let revision = tidings.revision.as_deref().map(|revision| format!(" ({})", brief(revision))).unwrap_or_default();
    format!("{subject} on {}: {summary}{revision}", escape::short(host))
}

/// Several lines: what happened, how the app is, and what to do about it.
pub fn page(tidings: &Tidings, host: &str) -> String {
    let mut lines = vec![line(tidings, host)];
    if let Some(report) = &tidings.report {
        lines.push(format!("status: {:?}, health: {:?}", report.status, report.health));
    }
    if let Some(error) = tidings.error() {
        let more = error.summary.lines().skip(1).take(20);
        lines.extend(more.map(|line| format!("  {}", escape::short(line))));
        lines.extend(error.service.as_ref().map(|service| format!("service: {service}")));
        lines.extend(error.exit_code.map(|code| format!("exit code: {code}")));
        if error.oom {
            lines.push("out of memory".to_owned());
        }
        lines.extend(error.hint.as_ref().map(|hint| format!("hint: {}", escape::short(hint))));
    }
    lines.join("\n") + "\n"
}

/// `main@sha1:0123456789ab`
fn brief(revision: &str) -> String {
    let revision = escape::short(revision);
    match revision.split_once("@sha1:") {
        Some((reference, commit)) => format!("{reference}@sha1:{}", commit.chars().take(12).collect::<String>()),
        None => revision,
    }
}

/// At most so many characters; what is cut ends with `…`.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}
