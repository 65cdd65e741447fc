//! `validate`: the files on disk, no engine.

use super::{
    Complaint, Verdict,
    arguments::{Global, Output},
    disk::{self, Asked},
    head::{Manifests, Rendered},
    results,
    session::host_file,
};
use crate::{
    desired::Desired,
    host::Host,
    policy,
    value::EnvironmentName,
    yaml::{Diagnostic, Node},
};
use clap::Args;
use serde::Serialize;
use std::{mem, path::PathBuf};

/// Checks the manifests on disk, without an engine.
#[derive(Debug, Args)]
pub struct Validate {
    /// Files or folders below a folder `environments` [default: `environments` here].
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
    /// A path is not there or below no folder of environments; the host file is wrong.
    pub fn run(&self, global: &Global) -> Result<Verdict, Complaint> {
        let host = self.policy.as_deref().map(host_file).transpose()?;
        let paths = if self.paths.is_empty() { vec![PathBuf::from("environments")] } else { self.paths.clone() };
        let mut problems = Vec::new();
        let mut apps = 0;
        for mut tree in disk::trees(&paths)? {
            let manifests = Manifests { files: mem::take(&mut tree.files), folder: "environments".to_owned() };
            for (environment, rendered) in manifests.render() {
                apps += rendered.apps.len();
                let found = of_environment(&environment, &rendered, &tree.asked, host.as_ref());
                problems.extend(found.into_iter().map(|problem| tree.seen_from_here(problem)));
            }
        }
        problems.sort_by(|a: &Diagnostic, b| a.place.cmp(&b.place));
        problems.dedup();
        tell(global.output, &problems, apps)?;
        Ok(if problems.is_empty() { Verdict::Done } else { Verdict::Failed })
    }
}

/// What is wrong with the files that were asked about, and with those that the asked ones extend.
fn of_environment(
    environment: &EnvironmentName,
    rendered: &Rendered,
    asked: &Asked,
    host: Option<&Host>,
) -> Vec<Diagnostic> {
    let named = |problem: &Diagnostic| asked.covers(&problem.place.file);
    let mut problems: Vec<Diagnostic> = rendered.other.iter().filter(|problem| named(problem)).cloned().collect();
    for (app, desired) in &rendered.apps {
        let found = match (desired, host, rendered.trees.get(app)) {
            (Err(wrong), _, _) => wrong.clone(),
            (Ok(desired), Some(host), Some(tree)) => denied(desired, tree, host),
            (Ok(_), _, _) => Vec::new(),
        };
        let whole = asked.covers(&format!("environments/{environment}/{app}.yaml"));
        problems.extend(found.into_iter().filter(|problem| whole || named(problem)));
    }
    problems
}

/// What the policy denies, where the manifest asks for it.
fn denied(desired: &Desired, tree: &Node, host: &Host) -> Vec<Diagnostic> {
    let policy = &host.settings.policy;
    let denials = policy::of_app(desired, &[], |subject, spec| policy::judge(policy, subject, spec));
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
                    anstream::eprintln!("{}", crate::show::escape::plain(line));
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
