//! What an app's pass goes for: the target the ledger chooses, resolved to what is desired.

use super::{
    Host, Mode, Wish, converge::Course, copies, entry, fetch::Fetched, owed, report, said, sealing::Sealing, way_back,
};
use crate::{
    blame::Blame,
    desired::{Desired, resolve},
    engine::{Engine, EngineError},
    observe::{Look, delivered, front, readiness, variables},
    observed::{Applied, Front, Image, Observed},
    plan::{Plan, cast::Cast},
    policy::closed,
    record::{AppLedger, Entry, RecordError, RevisionKey, Target, target},
    secret::{Gathered, RepositoryFiles},
    show::copy_before::CopyBefore,
    value::AppName,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What an app's pass goes for, and how things stand.
pub struct Aim {
    pub target: Target,
    /// What the branch resolves to here.
    pub head_key: RevisionKey,
    /// What is gone for resolves to.
    pub key: RevisionKey,
    pub course: Course,
    pub desired: Desired,
    pub observed: Observed,
    pub ledger: AppLedger,
    /// The address of the engine.
    pub engine: String,
    /// The values of its secrets: they reach the effects that need them, and nothing else.
    pub secrets: Arc<Gathered>,
    /// Copies of the data as the revision left it that is gone back to.
    pub left: Vec<CopyBefore>,
}

/// Why there is nothing to go for.
#[derive(Debug, thiserror::Error)]
pub enum AimError {
    #[error("cannot use the record")]
    Record(#[from] RecordError),
    /// The engine does not tell whether an image is here.
    #[error("cannot look at the engine")]
    Engine(#[from] EngineError),
    /// A stored revision cannot be resolved any more.
    #[error("revision {number} cannot be resolved under this release")]
    Stored { number: u32, source: resolve::StoredError },
    /// A manifest that was read before cannot be read again.
    #[error("cannot resolve the manifest with its secrets")]
    Sealing(#[from] resolve::StoredError),
}

impl Aim {
    /// The plan as things stand.
    #[must_use]
    pub fn plan(&self) -> Plan {
        self.plan_of(&self.observed)
    }

    /// Asks the probes of what was ready before whether it still is.
    pub async fn ask_again<E: Engine>(&mut self, host: &Host<E>, look: &Look) {
        let (engine, info) = (&*host.hands.engine, &host.hands.info);
        readiness::ask_again(engine, info.runs_healthchecks, &self.desired, &mut self.observed, &look.containers).await;
        ask_routes(host, &self.desired, &mut self.observed).await;
    }

    /// The plan as things stand in another observation.
    #[must_use]
    pub fn plan_of(&self, observed: &Observed) -> Plan {
        self.course.plan(&self.desired, observed)
    }
}

/// Takes aim for one app. `fetched` tells what registries were asked for in this pass already.
///
/// # Errors
/// The record cannot be read, a stored revision cannot be resolved, or the engine does not tell of an image.
pub async fn take<E: Engine>(
    host: &Host<E>,
    wish: &Wish,
    app: &AppName,
    (head, files): (&Desired, &RepositoryFiles),
    look: &Look,
    fetched: &Fetched,
) -> Result<Aim, AimError> {
    let environment = &wish.environment;
    let version = host.hands.engine_version();
    let (mut ledger, mut applied) =
        tokio::try_join!(host.ledger.app(environment, app), host.ledger.applied(environment, app, &version))?;
    if let Some(hold) = &wish.hold {
        ledger.hold = Some(hold.clone());
    }
    let may_write = wish.mode == Mode::Apply;
    let unsealed = &fetched.unsealed;
    let sealing = Sealing { secrets: &host.settings.secrets, files, unsealed, may_write, ledger: &ledger };
    let (head, head_secrets) = sealing.seal(head).await?;
    let head = &said::say(head, host);
    let digest = resolve::manifest_digest(head);
    applied.pulled = fetched.done.clone();
    applied.pulls.extend(fetched.stale.keys().map(|reference| (reference.clone(), look.now)));
    if ledger.entries.iter().any(|entry| entry.key.manifest == digest) {
        applied.pulled.extend(head.services.values().map(|service| service.spec.image.clone()));
    }
    applied.replace = asked_for(wish, app, look);
    applied.known_since = ledger.entries.first().map(|entry| entry.origin.at);
    applied.unfinished = ledger.entries.last().is_some_and(Entry::is_unfinished);
    let observed = see(host, look, head, applied.clone(), &head_secrets).await;
    let head_key = key(digest, head, &observed);
    let target = target(&head_key, &ledger);
    let (desired, course, secrets) = match target {
        Target::Head => (head.clone(), Course::Desired, head_secrets),
        Target::Nothing | Target::Stay => (head.clone(), Course::Halt, head_secrets),
        Target::Revision(number) => {
            let stored = host.ledger.stored_manifest(environment, app, number).await?;
            let stored = resolve::resolve_stored(environment, app, &stored, &BTreeMap::new())
                .map_err(|source| AimError::Stored { number, source })?;
            let (mut desired, secrets) = sealing.seal(&stored).await?;
            if let Some(entry) = ledger.entry(number) {
                pin(&mut desired, entry);
            }
            (said::say(desired, host), Course::Desired, secrets)
        }
    };
    let rollback = matches!(target, Target::Revision(_));
    let desired = allow(desired, host, head);
    let mut observed = see(host, look, &desired, Applied { rollback, ..applied }, &secrets).await;
    see_pinned(&*host.hands.engine, &desired, &mut observed).await?;
    observed.front = see_front(host, look, (&desired, &secrets), &observed).await;
    copies::see(host, &desired, &mut observed).await;
    if may_write {
        copies::forget_others(host, &desired);
    }
    let key = match target {
        Target::Revision(number) => ledger.entry(number).map_or_else(|| head_key.clone(), |entry| entry.key.clone()),
        Target::Head | Target::Nothing | Target::Stay => head_key.clone(),
    };
    let engine = host.settings.engine.clone();
    let left = Vec::new();
    let mut aim = Aim { target, head_key, key, course, desired, observed, ledger, engine, secrets, left };
    aim.observed.applied.owed = owed::see(host, &aim).await;
    aim.left = way_back::see(host, &aim).await;
    Ok(aim)
}

/// What was observed of an app, the files that were delivered for it included.
#[must_use]
pub async fn see<E>(
    host: &Host<E>,
    look: &Look,
    desired: &Desired,
    applied: Applied,
    secrets: &Arc<Gathered>,
) -> Observed {
    let mut observed = look.app(desired, applied);
    delivered::look(&mut observed, look, desired, &host.settings.secrets.roots, secrets).await;
    variables::look(&mut observed, look, desired, secrets);
    observed
}

/// What the host's proxy does for an app; none where the tool drives none.
pub async fn see_front<E>(
    host: &Host<E>,
    look: &Look,
    (desired, secrets): (&Desired, &Gathered),
    observed: &Observed,
) -> Option<Front> {
    let gateway = host.hands.gateway.as_ref()?;
    let seen = front::look(&*gateway.driver, &gateway.certificates, desired, observed, (look, secrets)).await;
    Some(
        seen.unwrap_or_else(|error| Front {
            away: Some(report::chain(Blame::World, &error).summary),
            ..Front::default()
        }),
    )
}

/// Asks for each route as a client would.
pub async fn ask_routes<E>(host: &Host<E>, desired: &Desired, observed: &mut Observed) {
    if let (Some(gateway), Some(front)) = (&host.hands.gateway, &mut observed.front) {
        front::ask_again(&*gateway.driver, &gateway.certificates, desired, front).await;
    }
}

/// Going back means the images of then, whatever their tags mean today.
fn pin(desired: &mut Desired, entry: &Entry) {
    for service in desired.services.values_mut() {
        let reference = &service.spec.image;
        service.pinned_image = entry.key.images.get(reference).cloned();
        let by_digest = entry.digests.get(reference).or_else(|| Some(reference).filter(|name| name.contains('@')));
        service.pinned_source = by_digest.cloned();
    }
}

/// Looks for pinned images that a list does not tell of: an image from which another took its name has none.
async fn see_pinned<E: Engine>(engine: &E, desired: &Desired, observed: &mut Observed) -> Result<(), EngineError> {
    for service in desired.services.values() {
        let Some(id) = service.pinned_image.as_ref().filter(|id| !observed.images.contains_key(*id)) else { continue };
        if Cast::of(service, desired, observed).has_image(observed) {
            continue;
        }
        if let Some(view) = engine.image(id).await? {
            let digest = view.digest_for(&service.spec.image);
            let image = Image { id: view.id, volumes: view.volumes, has_healthcheck: view.has_healthcheck, digest };
            observed.images.insert(id.clone(), image);
        }
    }
    Ok(())
}

/// The containers that somebody asked to have replaced.
fn asked_for(wish: &Wish, app: &AppName, look: &Look) -> BTreeSet<String> {
    use crate::desired::label;
    let asked = |labels: &BTreeMap<String, String>| {
        labels.get(label::APP).map(String::as_str) == Some(app.as_str())
            && wish.replace.iter().any(|(name, service)| {
                name == app
                    && service
                        .as_ref()
                        .is_none_or(|service| labels.get(label::SERVICE).map(String::as_str) == Some(service.as_str()))
            })
    };
    look.containers.values().filter(|detail| asked(&detail.labels)).map(|detail| detail.id.clone()).collect()
}

/// Repairs and removals happen only where the host file and the manifest both allow them. What the branch allows today
/// counts, also while an earlier revision is in force. What the host closed stays closed whatever they say.
fn allow<E>(mut desired: Desired, host: &Host<E>, head: &Desired) -> Desired {
    desired.sync = head.sync.clone();
    // So does what it says of copies: data is one, whichever revision writes it.
    desired.backup = head.backup.clone();
    desired.sync.self_heal &= host.settings.repair;
    desired.sync.prune &= host.settings.prune;
    let closed: Vec<_> = closed::services(&host.settings.policy.settings.policy, &desired).cloned().collect();
    for name in closed {
        if let Some(service) = desired.services.get_mut(&name) {
            service.closed = true;
        }
    }
    desired
}

/// What makes the revision: the manifest, and what its images are here.
#[must_use]
pub fn key(manifest: String, desired: &Desired, observed: &Observed) -> RevisionKey {
    let images = desired.services.values().filter_map(|service| {
        let id = Cast::of(service, desired, observed).image_id?;
        Some((service.spec.image.clone(), id.to_owned()))
    });
    RevisionKey { manifest, images: images.collect(), secrets: entry::secrets(desired) }
}
