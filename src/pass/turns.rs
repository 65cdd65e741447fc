//! Whose turn it is: in one run over an environment an app that depends on others comes after them, and what is gone from
//! the branch goes after those that needed it.

use super::{
    Head, Host, Mode, PassError, Wish,
    app::AppPass,
    gate::{Standing, Waits, gate},
};
use crate::{
    desired::Desired,
    engine::Engine,
    observe::Look,
    record::{Ledger, Outcome, RecordError, target},
    show::report::AppReport,
    value::{AppId, AppName, AppPath, EnvironmentName},
};
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::watch;

/// Who needs whom.
type Needs = BTreeMap<AppName, BTreeSet<AppName>>;

/// The turns of the apps of one run.
pub struct Turns<'a, E> {
    host: &'a Host<E>,
    wish: &'a Wish,
    head: &'a Head,
    /// How apps stand that this run does not run.
    standings: BTreeMap<AppId, Standing>,
    /// Whose passes end before an app's begins.
    before: Needs,
    ends: BTreeMap<AppName, watch::Sender<Option<AppReport>>>,
    on_host: BTreeSet<AppName>,
}

impl<'a, E: Engine> Turns<'a, E> {
    /// The turns of `names`; what they depend on in this environment and is not among them is looked at.
    ///
    /// # Errors
    /// The record cannot be read.
    pub async fn of(
        host: &'a Host<E>,
        wish: &'a Wish,
        head: &'a Head,
        names: &BTreeSet<AppName>,
        look: &Look,
    ) -> Result<Self, PassError> {
        let on_host = look.apps();
        let mut before = ahead(head, &wish.environment);
        if wish.mode == Mode::Apply && on_host.iter().any(|app| !head.apps.contains_key(app)) {
            let needs = in_force(&host.ledger, &wish.environment, &on_host).await?;
            for gone in on_host.iter().filter(|app| !head.apps.contains_key(*app)) {
                before.insert(gone.clone(), needing(&needs, gone));
            }
        }
        let of_branch = |app: &&AppName| names.contains(*app) && head.apps.contains_key(*app);
        let unknown = before.iter().filter(|(app, _)| of_branch(app)).flat_map(|(_, others)| others);
        let unknown: BTreeSet<&AppName> = unknown
            .filter(|other| !names.contains(*other) && !wish.known.contains_key(&AppId::new(&wish.environment, other)))
            .collect();
        let looking = Wish { mode: Mode::DryRun, replace: Vec::new(), hold: None, ..wish.clone() };
        let looked = join_all(unknown.into_iter().map(|app| {
            let (pass, mut look) =
                (AppPass { host, wish: &looking, head, app, refusal: None, waits: None }, look.clone());
            let (_, mut ending) = watch::channel(false);
            async move { pass.run(&mut look, &mut ending).await }
        }))
        .await;
        let looked = looked.iter().map(|report| (AppId::new(&wish.environment, &report.app), Standing::of(report)));
        let standings = wish.known.iter().map(|(app, standing)| (app.clone(), *standing)).chain(looked).collect();
        let ends = names.iter().map(|app| (app.clone(), watch::Sender::new(None))).collect();
        Ok(Self { host, wish, head, standings, before, ends, on_host })
    }

    /// Resolves when it is this app's turn, with what it must still wait for; what was seen before is seen anew.
    ///
    /// # Errors
    /// The engine or the record cannot be read.
    pub async fn come(&self, app: &AppName, look: &mut Look) -> Result<Option<Waits>, PassError> {
        if self.wish.mode == Mode::DryRun {
            return Ok(None);
        }
        let mut changed = false;
        for end in self.before.get(app).into_iter().flatten().filter_map(|other| self.ends.get(other)) {
            // The sender is ours: it does not go away.
            if let Ok(report) = end.subscribe().wait_for(Option::is_some).await {
                changed |= report.as_ref().is_some_and(|report| !report.changes.is_empty());
            }
        }
        if changed {
            *look = look.again(&*self.host.hands.engine, app, self.host.settings.parallel).await?;
        }
        match self.head.apps.get(app) {
            Some(Ok(desired)) => Ok(gate(desired, &self.known_now()).err()),
            Some(Err(_)) => Ok(None),
            None => {
                let removed = |app: &AppName| {
                    let report = self.ends.get(app).and_then(|end| end.borrow().clone());
                    report.is_some_and(|report| report.outcome == Some(Outcome::Succeeded))
                };
                let left = self.on_host.iter().filter(|app| self.head.apps.contains_key(*app) || !removed(app));
                Ok(still_needed(self.host, self.head, &self.wish.environment, app, &left.cloned().collect()).await?)
            }
        }
    }

    /// The app's pass is over.
    pub fn end(&self, report: AppReport) -> AppReport {
        if let Some(end) = self.ends.get(&report.app) {
            end.send_replace(Some(report.clone()));
        }
        report
    }

    /// Notes in a plan who would wait for whom.
    pub fn foretell(&self, reports: &mut [AppReport]) {
        let known = self.known_now();
        for report in reports.iter_mut().filter(|report| !report.changes.is_empty()) {
            let Some(Ok(desired)) = self.head.apps.get(&report.app) else { continue };
            if let Err(waits) = gate(desired, &known) {
                report.notes.push(format!("{}: it is changed when they are in sync and well", waits.told()));
            }
        }
    }

    fn known_now(&self) -> BTreeMap<AppId, Standing> {
        let ended = self.ends.iter().filter_map(|(app, end)| {
            let standing = Standing::of(end.borrow().as_ref()?);
            Some((AppId::new(&self.wish.environment, app), standing))
        });
        self.standings.iter().map(|(app, standing)| (app.clone(), *standing)).chain(ended).collect()
    }
}

/// Who comes before whom among the apps of the branch. Circles are refused with the manifests; should there be one all
/// the same, nobody waits in it for ever.
fn ahead(head: &Head, environment: &EnvironmentName) -> Needs {
    let here = |desired: &Desired| -> BTreeSet<AppName> {
        let others = desired.sync.depends_on.iter().filter(|other| other.environment == *environment);
        others.map(|other| other.app.clone()).collect()
    };
    let needs: Needs =
        head.apps.iter().filter_map(|(app, read)| Some((app.clone(), here(read.as_ref().ok()?)))).collect();
    let acyclic = |app: &AppName, others: &BTreeSet<AppName>| {
        others.iter().filter(|other| !reaches(&needs, other, app)).cloned().collect()
    };
    needs.iter().map(|(app, others)| (app.clone(), acyclic(app, others))).collect()
}

/// What the revisions in force of these apps depend on, by the ledger.
async fn in_force(
    ledger: &Ledger,
    environment: &EnvironmentName,
    apps: &BTreeSet<AppName>,
) -> Result<Needs, RecordError> {
    let mut needs = Needs::new();
    for app in apps {
        let history = ledger.app(environment, app).await?;
        let Some(entry) = target::in_force(&history) else { continue };
        let manifest = ledger.stored_manifest(environment, app, entry.original()).await?;
        let named = manifest.pointer("/sync/depends_on").and_then(serde_json::Value::as_array).into_iter().flatten();
        let paths = named.filter_map(|other| other.as_str()?.parse::<AppPath>().ok());
        let ids = paths.map(|path| path.seen_from(environment)).filter(|other| other.environment == *environment);
        needs.insert(app.clone(), ids.map(|other| other.app).collect());
    }
    Ok(needs)
}

/// Those that need an app and that it does not need itself.
fn needing(needs: &Needs, app: &AppName) -> BTreeSet<AppName> {
    let needing = needs.iter().filter(|(other, theirs)| *other != app && theirs.contains(app));
    needing.filter(|(other, _)| !reaches(needs, app, other)).map(|(other, _)| other.clone()).collect()
}

/// Whether one app needs another, itself or by way of others.
fn reaches(needs: &Needs, from: &AppName, to: &AppName) -> bool {
    let (mut seen, mut waiting) = (BTreeSet::new(), vec![from]);
    while let Some(app) = waiting.pop() {
        if app == to {
            return true;
        }
        if seen.insert(app) {
            waiting.extend(needs.get(app).into_iter().flatten());
        }
    }
    false
}

/// What keeps an app that is gone from the branch on the host: those of `on_host` whose revision in force depends on it.
///
/// # Errors
/// The record cannot be read.
pub async fn still_needed<E>(
    host: &Host<E>,
    head: &Head,
    environment: &EnvironmentName,
    app: &AppName,
    on_host: &BTreeSet<AppName>,
) -> Result<Option<Waits>, RecordError> {
    let needs = in_force(&host.ledger, environment, on_host).await?;
    let on: Vec<_> = needing(&needs, app)
        .into_iter()
        .map(|other| {
            let why = if head.apps.contains_key(&other) {
                "needs it in the revision in force"
            } else {
                "needs it and is still here"
            };
            (AppPath { environment: None, app: other }, why.to_owned())
        })
        .collect();
    Ok((!on.is_empty()).then_some(Waits { on }))
}
