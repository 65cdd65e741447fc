//! The command without a name: converge once, or show the plan.

use super::{
    Complaint, Verdict,
    accept::Occasion,
    against,
    agree::agreed,
    ask,
    head::Rendered,
    interruption, named,
    neighbours::{self, Neighbours},
    session::Session,
    told::Told,
};
use crate::{
    pass::{self, Asker, Mode, Wish, environment},
    source::Commit,
    value::{AppName, EnvironmentName, ServiceName},
};
use clap::Args;
use std::{collections::BTreeMap, path::PathBuf, str::FromStr};

/// Converges once, or shows the plan.
#[derive(Debug, Args)]
#[command(next_help_heading = "Converging, without a command")]
pub struct Converge {
    /// Shows what would be done and does nothing: pulls nothing, writes nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Compares the manifests of REF with those of the head instead of the host: no engine, no secrets. The host's
    /// policy is judged where there is a host file.
    #[arg(long, value_name = "REF", requires = "dry_run", conflicts_with = "replace")]
    pub against: Option<String>,
    /// Reads the files of the work tree, uncommitted ones too.
    #[arg(long, requires = "dry_run")]
    pub worktree: bool,
    /// Exits with 2 when changes are pending.
    #[arg(long, requires = "dry_run")]
    pub detailed_exitcode: bool,
    /// Only this app; may be given more than once.
    #[arg(long = "app", value_name = "NAME")]
    pub apps: Vec<AppName>,
    /// Makes this app's containers, or one service's, anew; may be given more than once.
    #[arg(long, value_name = "APP[/SERVICE]")]
    pub replace: Vec<Replacement>,
    /// Does not ask.
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,
    /// Goes on although the environment is empty or missing, and removes what it had.
    #[arg(long)]
    pub allow_empty: bool,
    /// How many containers may be removed in this run [default: the host file's, or 10].
    #[arg(long, value_name = "N")]
    pub max_deletes: Option<usize>,
    /// Writes the plan to a file.
    #[arg(long, value_name = "PLANFILE", hide = true)]
    pub out: Option<PathBuf>,
    /// Says more about each change.
    #[arg(long, hide = true)]
    pub explain: bool,
}

/// What is to be made anew.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Replacement {
    pub app: AppName,
    /// None: all of the app's services.
    pub service: Option<ServiceName>,
}

impl FromStr for Replacement {
    type Err = crate::value::name::BadName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            None => Ok(Self { app: text.parse()?, service: None }),
            Some((app, service)) => Ok(Self { app: app.parse()?, service: Some(service.parse()?) }),
        }
    }
}

impl Converge {
    /// Converges the environments of this run, or shows their plans.
    ///
    /// # Errors
    /// The source, the record or the engine cannot be read at all. What goes wrong with an app is told in its report.
    pub async fn run(&self, session: &Session) -> Result<Verdict, Complaint> {
        if self.out.is_some() {
            return Err(Complaint::not_yet("--out"));
        }
        if self.explain {
            return Err(Complaint::not_yet("--explain"));
        }
        if let Some(reference) = &self.against {
            return against::run(self, session, reference);
        }
        let mut ending = interruption::listen()?;
        let (repository, commit) = session.head()?;
        let manifests =
            if self.worktree { session.worktree(&repository)? } else { session.manifests(&repository, &commit)? };
        let tree = manifests.render();
        let environments = neighbours::in_order(session.environments_of(&manifests)?, &tree);
        let mut rendered = tree.clone();
        rendered.retain(|environment, _| environments.contains(environment));
        if let Some(complaint) = named::service(self, &rendered) {
            return Err(complaint);
        }
        let in_manifests: Vec<AppName> = rendered.values().flat_map(|rendered| rendered.apps.keys().cloned()).collect();
        let ledger = if self.dry_run { session.planning().await? } else { session.writing().await? };
        let host = session.host(ledger).await?;
        let mut told = Told::new(session, self.worktree);
        let mut neighbours = Neighbours::default();
        for environment in environments {
            if *ending.borrow() {
                return Err(Complaint::says(format!("stopped before environment `{environment}`")));
            }
            let is_known = rendered.contains_key(&environment)
                || self.allow_empty
                || !host.ledger.apps(&environment).await?.is_empty();
            let rendered = rendered.remove(&environment).unwrap_or_default();
            told.problems(&environment, &rendered.other);
            let head = head(&commit, rendered);
            let mut wish = self.wish(environment);
            wish.known = neighbours.of(&host, &tree, &commit, &wish.environment, &ending).await?;
            let asks = !self.dry_run && !self.yes && ask::somebody_is_there();
            if asks {
                wish.mode = Mode::DryRun;
            }
            let judged = match (self.worktree, wish.mode) {
                (true, _) => Ok(()),
                (false, Mode::DryRun) => session.trusts(&host.ledger, &wish.environment, &commit, Occasion::Once).await,
                (false, Mode::Apply) => session.accept(&host.ledger, &wish.environment, &commit, Occasion::Once).await,
            };
            if let Err(error) = judged {
                told.refused(&error.complaint(&wish.environment));
                // What would be done may be seen all the same.
                if !self.dry_run {
                    continue;
                }
            }
            let mut report = environment::run(&host, &wish, &head, &ending).await?;
            if report.apps.is_empty() && !is_known {
                // To be in sync with a mistyped name would be no comfort.
                told.missing(&named::environment(&wish.environment, &manifests.environments()));
                continue;
            }
            if asks {
                neighbours.learn(&report);
                if !agreed(&host, &wish, &head, report, &mut told, &mut ending).await? {
                    continue;
                }
                wish.mode = Mode::Apply;
                if let Err(error) = session.accept(&host.ledger, &wish.environment, &commit, Occasion::Once).await {
                    told.refused(&error.complaint(&wish.environment));
                    continue;
                }
                report = environment::run(&host, &wish, &head, &ending).await?;
            }
            neighbours.learn(&report);
            told.report(report)?;
        }
        told.named(self, in_manifests);
        told.end(self.detailed_exitcode)
    }

    fn wish(&self, environment: EnvironmentName) -> Wish {
        Wish {
            environment,
            mode: if self.dry_run { Mode::DryRun } else { Mode::Apply },
            apps: self.apps.iter().cloned().collect(),
            replace: self.replace.iter().map(|asked| (asked.app.clone(), asked.service.clone())).collect(),
            allow_empty: self.allow_empty,
            hold: None,
            max_deletes: self.max_deletes,
            by: Asker::Person,
            known: BTreeMap::new(),
        }
    }
}

/// What a commit says of an environment, for a pass.
pub fn head(commit: &Commit, rendered: Rendered) -> pass::Head {
    let Rendered { apps, trees, other, files } = rendered;
    pass::Head { commit: described(commit), apps, trees, other, files }
}

/// A commit as a pass records it.
fn described(commit: &Commit) -> pass::Commit {
    pass::Commit {
        id: commit.id.clone(),
        revision: commit.revision(),
        author: commit.author.clone(),
        subject: commit.subject.clone(),
    }
}
