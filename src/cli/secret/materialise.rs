//! `secret materialise`: what is in memory only is gone after a boot, and an engine cannot start a container that is
//! shown it.

use crate::{
    apply::{deliver, errand, memory::NotInMemory},
    cli::{Complaint, arguments::Global, results, session::Session, settings},
    desired::{
        Context, Desired, KnownSecrets,
        delivery::Kind,
        resolve::{resolve_again, resolve_stored},
    },
    observed::Role,
    record::{AppLedger, AppLock, Delivered, Entry, Ledger, lock::Attempt, place, target},
    secret::{Gathered, Unsealed},
    value::{AppName, EnvironmentName},
};
use clap::Args;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Delivers the secrets of what is in force again, from the ledger and without an engine: after a boot, before the engine
/// starts the containers that are shown them. Values are those of today.
#[derive(Debug, Args)]
pub struct Materialise {}

impl Materialise {
    /// Delivers for every app of the ledger. What keeps one from its secrets is told, and the others go on.
    ///
    /// # Errors
    /// The ledger cannot be read; an app lacks a secret.
    pub async fn run(&self, global: &Global) -> Result<(), Complaint> {
        let session = Session::begin(global)?;
        let ledger = session.reading().await?;
        let (mut delivered, mut lacking) = (0, 0);
        for (environment, app) in ledger.everyone().await? {
            // A pass that goes on replaces and withdraws what this would write.
            let _lock = lock(&session, &environment, &app).await?;
            match one(&session, &ledger, &environment, &app).await {
                Ok(number) => delivered += number,
                Err(complaint) => {
                    results::tell(&format!("{environment}/{app}: {complaint}"));
                    lacking += 1;
                }
            }
        }
        results::print(&format!("{delivered} delivered.\n"))?;
        match lacking {
            0 => Ok(()),
            number => Err(Complaint::says(format!("{number} of the apps lack secrets"))),
        }
    }
}

/// Takes the lock of what is delivered for an app: no engine is known yet, by which a pass has another beside it.
async fn lock(session: &Session, environment: &EnvironmentName, app: &AppName) -> Result<AppLock, Complaint> {
    let folder = place::lock_dir(&settings::surroundings());
    match AppLock::attempt(&folder, &session.secrets().roots.name(), environment, app)? {
        Attempt::Acquired(lock) => Ok(lock),
        Attempt::Busy(waiting) => {
            let holder = waiting.holder().map(|holder| format!(" (process {holder})")).unwrap_or_default();
            results::tell(&format!("{environment}/{app}: waiting for the pass that is running{holder}\n"));
            Ok(waiting.acquired().await?)
        }
    }
}

/// How many deliveries of an app are there again.
async fn one(
    session: &Session,
    ledger: &Ledger,
    environment: &EnvironmentName,
    app: &AppName,
) -> Result<usize, Complaint> {
    let of_app = ledger.app(environment, app).await?;
    let (mut written, mut missing) = (0, None);
    for entry in standing(&of_app) {
        let manifest = ledger.stored_manifest(environment, app, entry.original()).await?;
        let named = resolve_stored(environment, app, &manifest, &BTreeMap::new())?;
        if named.services.values().all(|service| service.spec.secrets.is_empty()) {
            continue;
        }
        let secrets = session.secrets();
        if secrets.roots.secrets.as_os_str().is_empty() {
            return Err(Complaint::says(NotInMemory::NoPlace.to_string()).with_hint(NotInMemory::NoPlace.hint()));
        }
        // Before the network is up, and by nobody's word but what was accepted.
        let files = session.accepted_files(ledger, environment).await.unwrap_or_default();
        let gathered = secrets.gather((environment, app), &named.secrets, (&files, &Unsealed::default()), false);
        // The folders are named after what was delivered, and hold what is right today.
        for delivered in entry.delivered() {
            let context = Context { secrets: as_recorded(&delivered, &gathered), ..Context::default() };
            let desired = resolve_again(environment, app, &manifest, &context)?;
            written += write(&desired, &gathered, &secrets.roots)?;
        }
        missing = missing.or(gathered.missing.into_iter().next());
    }
    match missing {
        None => Ok(written),
        Some(error) => {
            let hint = error.hint();
            Err(Complaint::from(error).with_hint(hint))
        }
    }
}

/// Whose containers an engine may start: what is in force, and what was begun when the power went.
fn standing(ledger: &AppLedger) -> Vec<&Entry> {
    let begun = ledger.entries.last().filter(|newest| newest.is_unfinished());
    let in_force = target::in_force(ledger).filter(|entry| begun.is_none_or(|begun| begun.number != entry.number));
    in_force.into_iter().chain(begun).collect()
}

fn as_recorded(delivered: &Delivered, gathered: &Gathered) -> KnownSecrets {
    let digests = delivered.digests.iter().filter_map(|(place, digest)| {
        let (service, name) = place.split_once('/')?;
        Some(((service.parse().ok()?, name.parse().ok()?), digest.clone()))
    });
    let host_key = delivered.host_key.clone().or_else(|| gathered.key_id());
    KnownSecrets { host_key, digests: digests.collect() }
}

fn write(desired: &Desired, gathered: &Gathered, roots: &crate::secret::Roots) -> Result<usize, Complaint> {
    let mut written = 0;
    let context = errand::Context { installation: "", desired, revision: None, secrets: gathered, roots };
    for service in desired.services.keys() {
        for delivery in desired.deliveries(&Role::Service(service.clone())) {
            if delivery.kind == Kind::Secrets
                && let Some(delivery) = errand::delivery(&delivery, &BTreeMap::new(), &context)
                // What is there is a running container's: a pass changes it as `on_change` says.
                && !delivery.folder.is_dir()
            {
                let doing = format!("cannot write `{}`", delivery.folder.display());
                deliver::write(&delivery, Timestamp::now()).map_err(|source| Complaint::about(doing, source))?;
                written += 1;
            }
        }
    }
    Ok(written)
}
