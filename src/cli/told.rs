//! Tells what a run found and did, and what that means for the exit code.

use super::{Complaint, Verdict, arguments::Output, converge::Converge, named, results, session::Session};
use crate::{
    record::Outcome,
    show::{self, AppReport, EnvironmentReport},
    value::{AppName, EnvironmentName},
    yaml::Diagnostic,
};
use std::{collections::BTreeSet, path::Path};

/// What was told so far.
pub struct Told<'a> {
    session: &'a Session,
    worktree: bool,
    /// Markdown is one comment for all environments, so it waits for the last one.
    waiting: Vec<EnvironmentReport>,
    failed: bool,
    pending: bool,
    seen: BTreeSet<AppName>,
}

impl<'a> Told<'a> {
    /// Nothing yet.
    pub fn new(session: &'a Session, worktree: bool) -> Self {
        Self { session, worktree, waiting: Vec::new(), failed: false, pending: false, seen: BTreeSet::new() }
    }

    /// Tells what is wrong with files that are no app.
    pub fn problems(&mut self, environment: &EnvironmentName, problems: &[Diagnostic]) {
        if !problems.is_empty() {
            self.failed = true;
            let message = format!("files of `{environment}` that are no manifests; nothing is removed meanwhile");
            results::tell(&Complaint::of_diagnostics(&message, problems).to_string());
        }
    }

    /// Tells of one environment: the result on standard output, what failed on standard error too.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn report(&mut self, mut report: EnvironmentReport) -> Result<(), Complaint> {
        let settings = &self.session.settings;
        let source = absolute(&settings.source);
        report.origin.source = if self.worktree { format!("the work tree of {source}") } else { source };
        self.seen.extend(report.apps.iter().map(|app| app.app.clone()));
        self.failed |= report.failed();
        self.pending |= report.pending();
        for app in report.apps.iter().filter(|app| app.failed()) {
            results::tell(&complaint(&report.environment, app, settings.output));
        }
        match settings.output {
            Output::Text => results::print(&show::plan(&report)),
            Output::Json => {
                if let Some(unjudged) = show::unjudged(&report) {
                    results::tell(&format!("{unjudged}\n"));
                }
                results::print(&format!("{}\n", show::json(&report)?))
            }
            Output::Markdown => {
                self.waiting.push(report);
                Ok(())
            }
        }
    }

    /// Tells what was asked for and is not there.
    pub fn missing(&mut self, complaint: &Complaint) {
        self.failed = true;
        results::tell(&complaint.to_string());
    }

    /// Tells why an environment is left as it is.
    pub fn refused(&mut self, complaint: &Complaint) {
        self.failed = true;
        results::tell(&complaint.to_string());
    }

    /// Tells of apps that were named and that neither the manifests nor the host knows.
    pub fn named(&mut self, asked: &Converge, in_manifests: impl IntoIterator<Item = AppName>) {
        self.seen.extend(in_manifests);
        if let Some(complaint) = named::app(asked, &self.seen) {
            self.missing(&complaint);
        }
    }

    /// What all of it means.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn end(self, detailed: bool) -> Result<Verdict, Complaint> {
        if !self.waiting.is_empty() {
            results::print(&show::markdown(&self.waiting))?;
        }
        Ok(match (self.failed, detailed && self.pending) {
            (true, _) => Verdict::Failed,
            (false, true) => Verdict::ChangesPending,
            (false, false) => Verdict::Done,
        })
    }
}

/// A path as it is called everywhere; whatever is none stays as it was said.
fn absolute(source: &str) -> String {
    Path::new(source).canonicalize().map_or_else(|_| source.to_owned(), |path| path.display().to_string())
}

/// What failed, for whoever reads standard error. People read the whole of it in the report already.
fn complaint(environment: &EnvironmentName, app: &AppReport, output: Output) -> String {
    let outcome = app.outcome.map_or("cannot be planned", outcome);
    let name = format!("{environment}/{}", app.app);
    match (&app.error, output) {
        (Some(error), Output::Json | Output::Markdown) => format!("{name} {outcome}: {}", show::error(error)),
        (Some(_), Output::Text) | (None, _) => format!("error: {name} {outcome}\n"),
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        Outcome::RolledBack => "failed and went back",
        Outcome::Held => "is held",
        Outcome::Blocked => "is blocked",
        Outcome::NonConvergent => "does not settle",
    }
}
