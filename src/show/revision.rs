//! `show` for people: the facts of a revision, then its manifest.

use super::{
    RevisionAccount,
    escape::{html, plain, short},
    text::{self, outcome_word},
    words,
};
use std::fmt::Write;

/// The facts, then the merged manifest as YAML.
#[must_use]
pub fn revision(revision: &RevisionAccount) -> String {
    let mut out = facts(revision);
    if let Some(error) = &revision.error {
        out.push_str(&text::error(error));
    }
    out.push('\n');
    for line in manifest(revision).lines() {
        let _ = writeln!(out, "{}", plain(line));
    }
    out
}

/// The same for a comment.
#[must_use]
pub fn markdown(revision: &RevisionAccount) -> String {
    let mut out = String::from("<pre>\n");
    let error = revision.error.as_ref().map(text::error).unwrap_or_default();
    let error = anstream::adapter::strip_str(&error).to_string();
    for line in facts(revision).lines().chain(error.lines()).chain([""]).chain(manifest(revision).lines()) {
        let _ = writeln!(out, "{}", html(line));
    }
    out + "</pre>\n"
}

fn facts(revision: &RevisionAccount) -> String {
    let entry = &revision.entry;
    let outcome = entry.outcome.map_or("unfinished", outcome_word);
    let mut out = String::new();
    let mut fact = |name: &str, value: &str| {
        let _ = writeln!(out, "{:10}{value}", format!("{name}:"));
    };
    fact("revision", &entry.number.to_string());
    fact("commit", &plain(&entry.origin.commit));
    fact("author", &short(&entry.origin.author));
    fact("subject", &short(&entry.origin.subject));
    fact("at", &format!("{:.0}", entry.origin.at));
    fact("cause", words::cause(entry.origin.cause));
    fact("by", &short(&entry.origin.by));
    if let Some(reason) = &entry.origin.reason {
        fact("reason", &short(reason));
    }
    fact("outcome", &if entry.stable { format!("{outcome}, stable") } else { outcome.to_owned() });
    for (reference, id) in &entry.images {
        fact("image", &format!("{} is {}", plain(reference), plain(id)));
    }
    for copy in &entry.copies {
        fact("before", &copy.line());
    }
    out
}

/// YAML, or JSON where YAML cannot say it: both are read by the same parser.
fn manifest(revision: &RevisionAccount) -> String {
    serde_yaml::to_string(&revision.manifest).unwrap_or_else(|_| revision.manifest.to_string())
}
