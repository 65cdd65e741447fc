//! The ledger's entry of an attempt: whether there is to be one, how it begins, how it ends.

use super::{aim::Aim, app::AppPass};
use crate::{
    desired::{Desired, DesiredService, FailureAction},
    engine::Engine,
    observe::app::tag_prefix,
    observed::{Role, fold},
    plan::Cause,
    record::{
        Close, Delivered, Documents, Entry, Hold, HoldUntil, NewEntry, Outcome, Provenance, RecordError, Target, target,
    },
    value::{SecretName, ServiceName},
};
use std::collections::BTreeMap;

/// True when the app is gone from the tree: its removal is an event, not a revision.
#[must_use]
pub fn is_gone(aim: &Aim) -> bool {
    aim.desired.manifest.is_null()
}

/// True when what is gone for is not what is in force.
#[must_use]
pub fn is_wanted(aim: &Aim) -> bool {
    let in_force = target::in_force(&aim.ledger);
    match aim.target {
        Target::Head => in_force.is_none_or(|entry| entry.key != aim.key) && !is_gone(aim),
        // What failed in between was never in force, and yet going back from it is an entry of its own.
        // One that came to no end is tried again as the same.
        Target::Revision(number) => {
            aim.ledger.entries.last().is_none_or(|entry| entry.original() != number || entry.is_unfinished())
        }
        Target::Nothing | Target::Stay => false,
    }
}

/// Opens an entry where the target is a new one, and tells the number of what is applied.
///
/// # Errors
/// The record cannot be written.
pub async fn open<E: Engine>(pass: &AppPass<'_, E>, aim: &Aim) -> Result<Option<u32>, RecordError> {
    if !is_wanted(aim) {
        let in_force = target::in_force(&aim.ledger);
        // A value that changes while an app is held makes no entry, and yet another folder.
        if let Some((entry, delivered)) = in_force.zip(delivered(aim)).filter(|(it, new)| it.delivered != [new.clone()])
        {
            pass.host.ledger.will_deliver(&aim.desired.environment, &aim.desired.app, entry.number, delivered).await?;
        }
        return Ok(in_force.map(|entry| entry.number));
    }
    let spec = serde_json::to_value(&aim.desired).unwrap_or_default();
    let plan = super::report::plan_document(&aim.plan());
    let documents = Documents { manifest: &aim.desired.manifest, spec: &spec, plan: &plan };
    let (environment, app) = (&aim.desired.environment, &aim.desired.app);
    Ok(Some(pass.host.ledger.open(environment, app, new(pass, aim), documents).await?))
}

/// What the containers of an aim are delivered of their secrets; none where it has none, and where nothing is delivered.
fn delivered(aim: &Aim) -> Option<Delivered> {
    let digests = secrets(&aim.desired);
    let goes = match aim.target {
        Target::Head | Target::Revision(_) => !is_gone(aim) && !digests.is_empty(),
        Target::Nothing | Target::Stay => false,
    };
    goes.then(|| Delivered { host_key: aim.desired.host_key.clone(), digests })
}

/// The pass has come to its end: all containers have what it delivered.
///
/// # Errors
/// The record cannot be written.
pub async fn was_delivered<E: Engine>(
    pass: &AppPass<'_, E>,
    aim: &Aim,
    number: Option<u32>,
) -> Result<(), RecordError> {
    let Some((number, delivered)) = number.zip(delivered(aim)) else { return Ok(()) };
    match aim.ledger.entry(number) {
        Some(entry) if entry.delivered == [delivered.clone()] => Ok(()),
        Some(_) | None => {
            pass.host.ledger.was_delivered(&aim.desired.environment, &aim.desired.app, number, delivered).await
        }
    }
}

/// The digests of all secrets that services have, by `<service>/<secret>`.
#[must_use]
pub fn secrets(desired: &Desired) -> BTreeMap<String, String> {
    let of_service = |(service, it): (&ServiceName, &DesiredService)| {
        let service = service.clone();
        let named = move |(name, digest): (&SecretName, &String)| (format!("{service}/{name}"), digest.clone());
        it.secrets.digests.iter().chain(&it.secrets.routed).map(named).collect::<Vec<_>>()
    };
    desired.services.iter().flat_map(of_service).collect()
}

fn new<E>(pass: &AppPass<'_, E>, aim: &Aim) -> NewEntry {
    let commit = &pass.head.commit;
    let origin = Provenance {
        commit: commit.id.clone(),
        author: commit.author.clone(),
        subject: commit.subject.clone(),
        at: aim.observed.now,
        cause: cause(aim),
        by: commit.author.clone(),
        reason: None,
    };
    let Target::Revision(number) = aim.target else {
        return NewEntry {
            restores: None,
            key: aim.key.clone(),
            digests: digests(aim),
            delivered: delivered(aim),
            origin,
        };
    };
    let hold = aim.ledger.hold.as_ref();
    // It brings back what its original brought, so it tells that commit.
    let original = aim.ledger.entry(number).map_or_else(|| origin.clone(), |original| original.origin.clone());
    let origin = Provenance {
        at: origin.at,
        cause: Cause::Rollback,
        by: hold.map_or_else(|| "reconcile".to_owned(), |hold| hold.by.clone()),
        reason: hold.map(|hold| hold.reason.clone()),
        ..original
    };
    let digests = aim.ledger.entry(number).map(|original| original.digests.clone()).unwrap_or_default();
    NewEntry { restores: Some(number), key: aim.key.clone(), digests, delivered: delivered(aim), origin }
}

/// By which digests registries have the images of the key.
fn digests(aim: &Aim) -> BTreeMap<String, String> {
    let images = aim.key.images.iter().filter_map(|(reference, id)| {
        let image = aim.observed.images.get(reference).filter(|image| image.id == *id)?;
        Some((reference.clone(), image.digest.clone()?))
    });
    images.collect()
}

/// A new revision is a commit's unless only what its images mean has changed, or a secret.
fn cause(aim: &Aim) -> Cause {
    match target::in_force(&aim.ledger) {
        Some(entry) if entry.key.manifest != aim.key.manifest => Cause::Commit,
        Some(entry) if entry.key.images == aim.key.images => Cause::Secret,
        Some(_) => Cause::Image,
        None => Cause::Commit,
    }
}

/// Which names keep which images: those of kept revisions, and of the one that is being applied.
///
/// # Errors
/// The record cannot be read.
pub async fn kept_images<E: Engine>(
    pass: &AppPass<'_, E>,
    aim: &Aim,
    number: Option<u32>,
) -> Result<BTreeMap<String, String>, RecordError> {
    if is_gone(aim) {
        return Ok(BTreeMap::new());
    }
    let desired = &aim.desired;
    let kept = pass.host.ledger.kept_images(&desired.environment, &desired.app, pass.host.settings.images).await?;
    let prefix = tag_prefix(desired);
    let tag = |service: &ServiceName, number: u32| format!("{prefix}{service}:{number}");
    let mut tags: BTreeMap<String, String> = kept
        .iter()
        .flat_map(|(number, services)| services.iter().map(|(service, id)| (tag(service, *number), id.clone())))
        .collect();
    if let (Some(number), Target::Head) = (number, aim.target) {
        tags.extend(desired.services.keys().filter_map(|service| {
            let id = fold::image_id(&aim.observed, desired, &Role::Service(service.clone()))?;
            Some((tag(service, number), id))
        }));
    }
    Ok(tags)
}

/// True when what was stable last is what failed, but for the values of secrets: it would be given today's, and fail too.
#[must_use]
pub fn is_futile_to_go_back(aim: &Aim) -> bool {
    target::newest_stable(&aim.ledger).is_some_and(|stable| stable.key.differs_in_secrets_alone(&aim.head_key))
}

/// The hold that keeps a condemned head from being tried again.
#[must_use]
pub fn hold_after(aim: &Aim, number: Option<u32>, action: FailureAction, reason: &str) -> Option<Hold> {
    if aim.target != Target::Head {
        return None;
    }
    let revision = match action {
        FailureAction::Rollback => target::newest_stable(&aim.ledger).map(Entry::original),
        FailureAction::Halt => number,
    };
    Some(Hold {
        revision,
        by: "reconcile".to_owned(),
        reason: reason.to_owned(),
        until: HoldUntil::Revision { key: aim.head_key.clone() },
        at: aim.observed.now,
    })
}

/// Records how the attempt at an entry ended, where there is one.
///
/// # Errors
/// The record cannot be written.
pub async fn close<E: Engine>(
    pass: &AppPass<'_, E>,
    aim: &Aim,
    number: Option<u32>,
    outcome: Outcome,
    hold: Option<Hold>,
    error: &impl serde::Serialize,
) -> Result<(), RecordError> {
    let Some(number) = number.filter(|_| is_wanted(aim)) else { return Ok(()) };
    let close = Close {
        outcome,
        stable: outcome == Outcome::Succeeded,
        condemned: outcome == Outcome::Failed,
        hold,
        detail: serde_json::json!({"outcome": outcome, "error": error, "changes": aim.plan().changes}),
    };
    pass.host.ledger.close(&aim.desired.environment, &aim.desired.app, number, close).await
}
