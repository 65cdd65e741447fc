//! `validate`: the files on disk, no engine.

use super::{
    Complaint, Verdict,
    arguments::{Global, Output},
    disk::{self, Tree},
    head::Rendered,
    results,
    session::{HOST_FILE, host_file, socket_path},
};
use crate::{
    desired::Desired,
    host::{Host, HostFile, Source},
    policy::{self, Denial},
    value::{AppName, EnvironmentName},
    yaml::{Diagnostic, Node},
};
use clap::Args;
use serde::Serialize;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Checks the manifests on disk, without an engine.
#[derive(Debug, Args)]
pub struct Validate {
    /// Files, folders of them, or a repository [default: the host file's `source.path` or `environments` here, or here].
    pub paths: Vec<PathBuf>,
    /// Also judges them by the policy of this host file.
    #[arg(long, value_name = "HOSTFILE")]
    pub policy: Option<PathBuf>,
}

/// One problem, with what is known of it where the policy denies it.
#[derive(Clone, Debug, PartialEq)]
struct Problem {
    told: Diagnostic,
    denied: Option<Denied>,
}

impl From<Diagnostic> for Problem {
    fn from(told: Diagnostic) -> Self {
        Self { told, denied: None }
    }
}

/// What the policy denies, and to whom.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Denied {
    environment: EnvironmentName,
    app: AppName,
    /// `service/web`, `job/migrate`
    subject: String,
    #[serde(flatten)]
    denial: Denial,
}

/// One problem as JSON.
#[derive(Debug, Serialize)]
struct Line<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    message: &'a str,
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    denied: Option<&'a Denied>,
}

impl Validate {
    /// Checks, and tells everything that is wrong.
    ///
    /// # Errors
    /// The host file is wrong; there are more files than anyone writes.
    pub fn run(&self, global: &Global) -> Result<Verdict, Complaint> {
        let host = self.policy.as_deref().map(host_file).transpose()?;
        let configured = configured(global, host.as_ref())?;
        let folders = folders(configured.as_ref());
        let paths = if self.paths.is_empty() { vec![usual(&folders)] } else { self.paths.clone() };
        let (trees, unread) = disk::trees(&paths, &folders)?;
        let mut problems: Vec<Problem> = unread.into_iter().map(Problem::from).collect();
        let together: BTreeSet<_> = configured.into_iter().flat_map(|file| file.environments).collect();
        let mut apps = 0;
        for mut tree in trees {
            let manifests = tree.manifests(together.clone());
            let other = manifests.other().into_iter().filter(|problem| tree.asked.covers(&problem.place.file));
            let mut found: Vec<Problem> = other.map(Problem::from).collect();
            for (environment, rendered) in manifests.render() {
                let asked = |app: &&AppName| tree.asked.covers(&tree.file_of(environment.as_str(), app.as_str()));
                apps += rendered.apps.keys().filter(asked).count();
                found.extend(of_environment(&environment, &rendered, &tree, host.as_ref()));
            }
            let seen_from_here = |problem: Problem| Problem { told: tree.seen_from_here(problem.told), ..problem };
            problems.extend(found.into_iter().map(seen_from_here));
        }
        problems.sort_by(|Problem { told: a, .. }, Problem { told: b, .. }| {
            (&a.place, &a.message).cmp(&(&b.place, &b.message))
        });
        problems.dedup();
        tell(global.output, &problems, apps)?;
        Ok(if problems.is_empty() { Verdict::Done } else { Verdict::Failed })
    }
}

/// What a host file says of where manifests are and which live together: the one that was named, or the usual one.
fn configured(global: &Global, policy: Option<&Host>) -> Result<Option<HostFile>, Complaint> {
    Ok(match (&global.config, policy) {
        (Some(path), _) => Some(host_file(path)?.settings),
        (None, Some(host)) => Some(host.settings.clone()),
        // It is not what was asked about: wrong or hidden, it says nothing here.
        (None, None) => host_file(Path::new(HOST_FILE)).ok().map(|host| host.settings),
    })
}

/// The names that the folder of environments may have: the host file's, and the usual one.
fn folders(configured: Option<&HostFile>) -> Vec<String> {
    configured.map(|file| file.source.path.clone()).into_iter().chain([Source::default().path]).collect()
}

/// Where to look when no path was named.
fn usual(folders: &[String]) -> PathBuf {
    let here = folders.iter().map(PathBuf::from).find(|folder| folder.is_dir());
    here.unwrap_or_else(|| PathBuf::from("."))
}

/// What is wrong with the files that were asked about, and with those that the asked ones extend.
fn of_environment(
    environment: &EnvironmentName,
    rendered: &Rendered,
    tree: &Tree,
    host: Option<&Host>,
) -> Vec<Problem> {
    let named = |problem: &Problem| tree.asked.covers(&problem.told.place.file);
    let mut problems = Vec::new();
    for (app, desired) in &rendered.apps {
        let found = match (desired, host, rendered.trees.get(app)) {
            (Err(wrong), _, _) => wrong.iter().cloned().map(Problem::from).collect(),
            (Ok(desired), Some(host), Some(tree)) => denied(desired, tree, host),
            (Ok(_), _, _) => Vec::new(),
        };
        let whole = tree.asked.covers(&tree.file_of(environment.as_str(), app.as_str()));
        problems.extend(found.into_iter().filter(|problem| whole || named(problem)));
    }
    problems
}

/// What the policy denies, where the manifest asks for it.
fn denied(desired: &Desired, tree: &Node, host: &Host) -> Vec<Problem> {
    let HostFile { policy, proxy, backup, .. } = &host.settings;
    let mut protected = host.settings.private_paths();
    protected.extend(host.settings.engine.as_deref().and_then(socket_path));
    let denials = policy::of_app(desired, &protected, |subject, spec| {
        let mut denials = policy::judge(policy, subject, spec);
        denials.extend(policy::routed(policy, proxy, subject));
        denials.extend(policy::stored(backup, subject));
        denials
    });
    denials
        .into_iter()
        .map(|(role, denial)| {
            let path: Vec<&str> = denial.field.split('.').collect();
            let told = Diagnostic::new(tree.place_of(&path), denial.to_string());
            let told = Diagnostic { hint: denial.remedy(host), ..told };
            let (environment, app) = (desired.environment.clone(), desired.app.clone());
            Problem { told, denied: Some(Denied { environment, app, subject: role.to_string(), denial }) }
        })
        .collect()
}

fn tell(output: Output, problems: &[Problem], apps: usize) -> Result<(), Complaint> {
    match output {
        Output::Json => {
            let problems: Vec<Line<'_>> = problems
                .iter()
                .map(|Problem { told, denied }| Line {
                    file: &told.place.file,
                    line: told.place.line,
                    column: told.place.column,
                    message: &told.message,
                    hint: told.hint.as_deref(),
                    denied: denied.as_ref(),
                })
                .collect();
            results::print(&format!("{}\n", crate::show::json(&problems)?))
        }
        Output::Text | Output::Markdown => {
            for problem in problems {
                for line in problem.told.block().lines() {
                    results::tell(&format!("{}\n", crate::show::escape::plain(line)));
                }
            }
            match problems.len() {
                0 => results::print(&format!("{apps} valid {}.\n", if apps == 1 { "app" } else { "apps" })),
                1 => results::print("1 problem.\n"),
                more => results::print(&format!("{more} problems.\n")),
            }
        }
    }
}
