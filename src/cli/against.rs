//! `--dry-run --against REF`: rendered git against rendered git, for a merge request. No engine, no secrets, no record;
//! the host's policy where there is a host file.

use super::{
    Complaint, Verdict,
    converge::Converge,
    head::Rendered,
    named,
    session::{Session, source},
    told::Told,
};
use crate::{
    desired::{ContainerSpec, Desired},
    host::HostFile,
    pass::{
        report::{invalid, obstacles},
        verdict,
    },
    plan::{Obstacle, paper},
    policy::{self, Subject},
    show::{
        AppReport, Compared, EnvironmentReport, ErrorReport, HealthWord, Origin, Status, Summary,
        notes::{self, notes},
        report::FORMAT,
    },
    value::{AppName, EnvironmentName},
    yaml::{Diagnostic, Node},
};
use std::collections::{BTreeMap, BTreeSet};

/// Shows what the head changes beside `reference`, in each environment that was named, or in all of both sides.
///
/// # Errors
/// The source cannot be read, or a reference names nothing.
pub fn run(asked: &Converge, session: &Session, reference: &str) -> Result<Verdict, Complaint> {
    let (repository, head) = session.head()?;
    let (_, base) = session.commit_at(Some(reference)).map_err(source)?;
    let new = if asked.worktree { session.worktree(&repository)? } else { session.manifests(&repository, &head)? };
    let old = session.manifests(&repository, &base)?;
    let named = &session.settings.environments;
    let environments: BTreeSet<EnvironmentName> = if named.is_empty() {
        old.environments().into_iter().chain(new.environments()).collect()
    } else {
        named.iter().cloned().collect()
    };
    let (mut old, mut new) = (old.render(), new.render());
    let mut told = Told::new(session, asked.worktree);
    let known: BTreeSet<EnvironmentName> = old.keys().chain(new.keys()).cloned().collect();
    let apps = old.values().chain(new.values()).flat_map(|rendered| rendered.apps.keys().cloned());
    let in_manifests: Vec<AppName> = apps.collect();
    for environment in environments {
        if !known.contains(&environment) && !asked.allow_empty {
            told.missing(&named::environment(&environment, &known));
            continue;
        }
        let before = old.remove(&environment).unwrap_or_default();
        let after = new.remove(&environment).unwrap_or_default();
        told.problems(&environment, &after.other);
        let apps = compared(session, &environment, before, after, &asked.apps);
        told.report(EnvironmentReport {
            format: FORMAT,
            environment,
            revision: head.revision(),
            status: apps.iter().map(|app| app.status).max().unwrap_or(Status::Synced),
            summary: Summary::of(apps.iter().flat_map(|app| &app.changes)),
            apps,
            origin: Origin {
                source: String::new(),
                compared: Compared::Revision { revision: base.revision(), judged: session.host.is_written() },
            },
        })?;
    }
    told.named(asked, in_manifests);
    told.end(asked.detailed_exitcode)
}

type Apps = BTreeMap<AppName, Result<Desired, Vec<Diagnostic>>>;

fn compared(
    session: &Session,
    environment: &EnvironmentName,
    before: Rendered,
    after: Rendered,
    only: &[AppName],
) -> Vec<AppReport> {
    let engine = session.settings.engine.as_deref().unwrap_or_default();
    let names: BTreeSet<&AppName> = before.apps.keys().chain(after.apps.keys()).collect();
    names
        .into_iter()
        .filter(|app| only.is_empty() || only.contains(app))
        .map(|app| {
            let gone = || Desired::gone(environment.clone(), app.clone());
            // What the other side got wrong cannot be compared: everything is new then.
            let old = side(&before.apps, app).and_then(Result::ok).cloned().unwrap_or_else(gone);
            match side(&after.apps, app) {
                None => report(app, &old, &gone(), engine),
                Some(Ok(new)) => {
                    AppReport { error: denied(session, new, after.trees.get(app)), ..report(app, &old, new, engine) }
                }
                Some(Err(problems)) => invalid(app, problems, None),
            }
        })
        .collect()
}

fn side<'a>(apps: &'a Apps, app: &AppName) -> Option<Result<&'a Desired, &'a Vec<Diagnostic>>> {
    apps.get(app).map(Result::as_ref)
}

/// What the policy of the host file denies. Links on the host's disk cannot be followed from elsewhere.
fn denied(session: &Session, desired: &Desired, tree: Option<&Node>) -> Option<ErrorReport> {
    let host = &session.host;
    if !host.is_written() {
        return None;
    }
    let protected = session.protected_paths(session.settings.engine.as_deref());
    let HostFile { policy, proxy, backup, .. } = &host.settings;
    let judge = |subject: &Subject<'_>, spec: &ContainerSpec| {
        let mut denials = policy::judge(policy, subject, spec);
        denials.extend(policy::routed(policy, proxy, subject));
        denials.extend(policy::stored(backup, subject));
        denials
    };
    let denials = policy::of_app(desired, &protected, judge);
    let found: Vec<Obstacle> =
        denials.iter().map(|(role, denial)| verdict::obstacle(host, tree, desired, role, denial)).collect();
    obstacles(&found)
}

fn report(app: &AppName, old: &Desired, new: &Desired, engine: &str) -> AppReport {
    let changes = paper::changes(old, new);
    AppReport {
        app: app.clone(),
        status: if changes.is_empty() { Status::Synced } else { Status::OutOfSync },
        health: HealthWord::Unknown,
        held: None,
        notes: notes(new, &changes, (engine, None)),
        engine_socket: notes::engine_socket(new, engine),
        changes,
        outcome: None,
        error: None,
        images: BTreeMap::new(),
        routes: Vec::new(),
        copies: crate::show::report::CopiesReport::default(),
        left: Vec::new(),
        suspended: false,
        wakes_at: None,
    }
}
