//! How the copies of an app's data are, seen where they lie, with what is remembered of runs and drills.

use super::Host;
use crate::{
    apply::drills::can_be,
    backup::{AnyPlace, BackupError, Copy, Failure, Fault, Of, place::named},
    cause::whole,
    desired::Desired,
    observed::{Drill, NewestCopy, Observed},
    value::ItemName,
};
use futures_util::future::join_all;
use std::collections::BTreeMap;
use tokio::task::spawn_blocking;

/// What a place tells of the newest copy of each item.
type Answers = Vec<(ItemName, Result<Option<Copy>, BackupError>)>;

/// Looks for the newest copies to rely on, where somebody asks for them, and for what did not become one. Places are asked
/// side by side: one that is away keeps nobody long from the others.
pub async fn see<E>(host: &Host<E>, desired: &Desired, observed: &mut Observed) {
    let Some(backup) = &desired.backup else { return };
    // A place that is not there has no copies.
    let places = named(&host.settings.depot.places, &backup.repositories).unwrap_or_default();
    let of =
        |item: &ItemName| Of { environment: desired.environment.clone(), app: desired.app.clone(), item: item.clone() };
    let items: Vec<Of> = backup.items.iter().map(|item| of(&item.name)).collect();
    let remembered = host.settings.depot.remembered.clone();
    // A place that is none of the app's any more lacks nothing.
    let lacks = |failure: &Failure| failure.behind.as_ref().is_none_or(|place| backup.repositories.contains(place));
    let failed = |of: &Of| Some((of.item.clone(), remembered.failures.last(of).filter(lacks)?));
    let failed: BTreeMap<ItemName, Failure> = items.iter().filter_map(failed).collect();
    // Of what is drilled no more, no drill will ever go well again.
    let drilled = backup.items.iter().zip(&items).filter(|(item, _)| can_be(&item.data));
    let drill = |of: &Of| {
        let last = remembered.drills.last(of)?;
        Some(Drill { at: last.at, trouble: last.told(&format!(" of `{}`", of.item)) })
    };
    observed.drills = drilled.filter_map(|(_, of)| Some((of.item.clone(), drill(of)?))).collect();
    let is_told = |of: &Of| failed.contains_key(&of.item) || observed.drills.contains_key(&of.item);
    let is_asked = |of: &Of| backup.max_age.is_some() || is_told(of);
    let asked: Vec<Of> = items.into_iter().filter(is_asked).collect();
    let ask = |place: AnyPlace| {
        let asked = asked.clone();
        spawn_blocking(move || {
            asked.into_iter().map(|of| (of.item.clone(), place.newest(&of, &Copy::is_good))).collect()
        })
    };
    let answers: Vec<Answers> =
        join_all(places.into_iter().map(ask)).await.into_iter().map(Result::unwrap_or_default).collect();
    fold(answers, failed, observed);
}

/// What several places told, and what is remembered of runs that made no copy.
fn fold(answers: Vec<Answers>, failed: BTreeMap<ItemName, Failure>, observed: &mut Observed) {
    let mut lasting = Vec::new();
    for (item, answer) in answers.into_iter().flatten() {
        match answer {
            Ok(Some(Copy { id, taken_at, .. })) => {
                let newest = observed.copies.get(&item);
                if newest.is_none_or(|newest| newest.taken_at < taken_at) {
                    observed.copies.insert(item, NewestCopy { id, taken_at });
                }
            }
            Ok(None) => {}
            Err(error) if passes(&error) => {
                observed.unread.entry(item).or_insert_with(|| whole(&error));
            }
            Err(error) => lasting.push((item, error)),
        }
    }
    // What stays wrong until somebody puts it right casts no doubt on what is seen elsewhere.
    for (item, error) in lasting {
        if !observed.copies.contains_key(&item) {
            observed.unread.entry(item).or_insert_with(|| whole(&error));
        }
    }
    for (item, failure) in failed {
        // A rollout may have made one since.
        let is_past =
            failure.behind.is_none() && observed.copies.get(&item).is_some_and(|newest| newest.taken_at > failure.at);
        if !is_past {
            let why = failure.told(&format!(" of `{item}`"));
            observed.uncopied.insert(item, why);
        }
    }
}

/// Whether it may be over soon, by itself.
fn passes(error: &BackupError) -> bool {
    matches!(error, BackupError::Remote { fault: Fault::Away | Fault::Declined, .. })
}

/// Forgets what became of runs of items that the app has no longer.
pub fn forget_others<E>(host: &Host<E>, desired: &Desired) {
    let items = desired.backup.iter().flat_map(|backup| &backup.items).map(|item| &item.name).collect();
    if let Err(error) = host.settings.depot.remembered.forget_others(&desired.environment, &desired.app, &items) {
        tracing::debug!(%error, app = %desired.app, "what is remembered of items that are gone stays");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desired::resolve::resolve_stored,
        observed::{Abilities, Applied},
        pass::copies_told::{health, report},
        show::report::{CopyReport, HealthWord},
    };
    use jiff::Timestamp;
    use serde_json::json;

    fn desired() -> Desired {
        let item = json!({"name": "out", "type": "exec", "service": "app", "command": ["true"]});
        let manifest = json!({"services": {"app": {"image": "bb:1"}}, "backup": {"items": [item], "max_age": "2h"}});
        resolve_stored(&"test".parse().unwrap(), &"web".parse().unwrap(), &manifest, &BTreeMap::new()).unwrap()
    }

    fn observed() -> Observed {
        let applied = Applied { known_since: Some(at("2026-03-01T00:00:00Z")), ..Applied::default() };
        Observed { applied, ..Observed::nothing(at("2026-03-10T04:00:00Z"), Abilities { adjusts: true }) }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn copy(taken_at: &str) -> Copy {
        let id = crate::backup::CopyId::taken(at(taken_at), 0);
        let record = json!({
            "format": 1, "id": id, "environment": "test", "app": "web", "item": "out", "type": "exec",
            "taken_at": taken_at, "file": "x.out", "content": {"bytes": 1, "sha256": ""}, "stored": {"bytes": 1, "sha256": ""},
            "compression": "none", "verified": {"at": taken_at, "level": "content"}, "taken_by": "reconcile",
        });
        serde_json::from_value(record).unwrap()
    }

    fn told(answers: Vec<Result<Option<Copy>, BackupError>>, failed: Option<&str>) -> (CopyReport, HealthWord) {
        let (desired, mut observed) = (desired(), observed());
        let item: ItemName = "out".parse().unwrap();
        let failed = failed.map(|time| (item.clone(), Failure::of(&BackupError::Empty, at(time))));
        let answers = answers.into_iter().map(|answer| vec![(item.clone(), answer)]).collect();
        fold(answers, failed.into_iter().collect(), &mut observed);
        let mut told = report(&desired, &observed, HealthWord::Healthy);
        let health = health(&told, HealthWord::Healthy);
        (told.items.remove(0), health)
    }

    fn away() -> Result<Option<Copy>, BackupError> {
        let path = "s3://copies/test/web/out".into();
        Err(BackupError::Remote { doing: "list", path, fault: Fault::Away, source: "refused".into() })
    }

    #[test]
    fn a_place_that_does_not_answer_makes_no_copy_old() {
        // Another place has one that is young enough.
        let (young, health) = told(vec![away(), Ok(Some(copy("2026-03-10T03:00:00Z")))], None);
        assert_eq!((young.overdue, young.trouble, health), (false, None, HealthWord::Healthy));
        // There may be a younger one where nobody can look.
        for answers in [vec![away()], vec![Ok(Some(copy("2026-03-09T03:00:00Z"))), away()]] {
            let (unknown, health) = told(answers, None);
            let trouble = unknown.trouble.unwrap();
            assert!(
                trouble.contains("nobody can tell") && trouble.contains("the endpoint does not answer"),
                "{trouble}"
            );
            assert_eq!((unknown.overdue, health), (false, HealthWord::Healthy));
        }
        // All have answered.
        for answers in [vec![Ok(None)], vec![Ok(Some(copy("2026-03-09T03:00:00Z"))), Ok(None)]] {
            let (old, health) = told(answers, None);
            assert!(old.trouble.unwrap().contains("is overdue"));
            assert_eq!((old.overdue, health), (true, HealthWord::Degraded));
        }
    }

    #[test]
    fn a_run_that_made_no_copy_is_told_until_somebody_made_one() {
        let answers = || vec![Ok(Some(copy("2026-03-10T03:00:00Z")))];
        assert_eq!(told(answers(), Some("2026-03-10T02:30:00Z")).0.trouble, None);
        let trouble = told(answers(), Some("2026-03-10T03:30:00Z")).0.trouble.unwrap();
        assert!(trouble.contains("made no copy, at 2026-03-10T03:30:00Z"), "{trouble}");
    }

    #[test]
    fn an_app_whose_copy_was_not_restored_in_a_drill_is_degraded_until_one_is() {
        let (desired, mut observed) = (desired(), observed());
        fold(
            vec![vec![("out".parse().unwrap(), Ok(Some(copy("2026-03-10T03:00:00Z"))))]],
            BTreeMap::new(),
            &mut observed,
        );
        let mut told = |trouble: Option<&str>| {
            let drill = Drill { at: at("2026-03-10T03:30:00Z"), trouble: trouble.map(str::to_owned) };
            observed.drills.insert("out".parse().unwrap(), drill);
            let mut told = report(&desired, &observed, HealthWord::Healthy);
            let health = health(&told, HealthWord::Healthy);
            (told.items.remove(0), health)
        };
        let (failed, health) = told(Some("the server never came"));
        assert_eq!((failed.drill_failed, failed.overdue, health), (true, false, HealthWord::Degraded));
        let trouble = failed.trouble.unwrap();
        assert_eq!(trouble, "the server never came");
        let (well, health) = told(None);
        assert_eq!((well.drill_failed, well.trouble, health), (false, None, HealthWord::Healthy));
        assert_eq!(well.drilled_at, Some(at("2026-03-10T03:30:00Z")));
    }
}
