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
    policy,
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

/// One problem as JSON.
#[derive(Debug, Serialize)]
struct Problem<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    message: &'a str,
    hint: Option<&'a str>,
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
        let (trees, mut problems) = disk::trees(&paths, &folders)?;
        let together: BTreeSet<_> = configured.into_iter().flat_map(|file| file.environments).collect();
        let mut apps = 0;
        for mut tree in trees {
            let manifests = tree.manifests(together.clone());
            let mut found: Vec<Diagnostic> =
                manifests.other().into_iter().filter(|problem| tree.asked.covers(&problem.place.file)).collect();
            for (environment, rendered) in manifests.render() {
                let asked = |app: &&AppName| tree.asked.covers(&tree.file_of(environment.as_str(), app.as_str()));
                apps += rendered.apps.keys().filter(asked).count();
                found.extend(of_environment(&environment, &rendered, &tree, host.as_ref()));
            }
            problems.extend(found.into_iter().map(|problem| tree.seen_from_here(problem)));
        }
        problems.sort_by(|a: &Diagnostic, b| (&a.place, &a.message).cmp(&(&b.place, &b.message)));
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
) -> Vec<Diagnostic> {
    let named = |problem: &Diagnostic| tree.asked.covers(&problem.place.file);
    let mut problems = Vec::new();
    for (app, desired) in &rendered.apps {
        let found = match (desired, host, rendered.trees.get(app)) {
            (Err(wrong), _, _) => wrong.clone(),
            (Ok(desired), Some(host), Some(tree)) => denied(desired, tree, host),
            (Ok(_), _, _) => Vec::new(),
        };
        let whole = tree.asked.covers(&tree.file_of(environment.as_str(), app.as_str()));
        problems.extend(found.into_iter().filter(|problem| whole || named(problem)));
    }
    problems
}

/// What the policy denies, where the manifest asks for it.
fn denied(desired: &Desired, tree: &Node, host: &Host) -> Vec<Diagnostic> {
    let policy = &host.settings.policy;
    let mut protected = host.settings.private_paths();
    protected.extend(host.settings.engine.as_deref().and_then(socket_path));
    let denials = policy::of_app(desired, &protected, |subject, spec| policy::judge(policy, subject, spec));
    denials
        .into_iter()
        .map(|(_, denial)| {
            let path: Vec<&str> = denial.field.split('.').collect();
            let problem = Diagnostic::new(tree.place_of(&path), denial.to_string());
            match denial.remedy(host) {
                Some(remedy) => problem.with_hint(remedy),
                None => problem,
            }
        })
        .collect()
}

fn tell(output: Output, problems: &[Diagnostic], apps: usize) -> Result<(), Complaint> {
    match output {
        Output::Json => {
            let problems: Vec<Problem<'_>> = problems
                .iter()
                .map(|problem| Problem {
                    file: &problem.place.file,
                    line: problem.place.line,
                    column: problem.place.column,
                    message: &problem.message,
                    hint: problem.hint.as_deref(),
                })
                .collect();
            results::print(&format!("{}\n", crate::show::json(&problems)?))
        }
        Output::Text | Output::Markdown => {
            for problem in problems {
                for line in problem.block().lines() {
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
