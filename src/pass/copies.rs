//! How the copies of an app's data are: seen where they lie, and told in its report.

use super::Host;
use crate::{
    backup::{AnyPlace, BackupError, Copy, Failure, Fault, Of, place::named, run::Account},
    cause::whole,
    desired::Desired,
    engine::Engine,
    observed::{NewestCopy, Observed, copies::ages},
    show::report::{CopiesReport, CopyReport, HealthWord},
    value::ItemName,
};
use futures_util::future::join_all;
use jiff::{SignedDuration, SignedDurationRound, Timestamp, Unit};
use std::collections::BTreeMap;
use tokio::task::spawn_blocking;

/// What a place tells of the newest copy of each item.
type Answers = Vec<(ItemName, Result<Option<Copy>, BackupError>)>;

/// Looks for the newest copies to rely on, where somebody asks for them, and for what did not become one. Places are asked
/// side by side: one that is away keeps nobody long from the others.
pub async fn see<E>(host: &Host<E>, desired: &Desired, observed: &mut Observed) {
    let Some(backup) = &desired.backup else { return };
    // A place that is not there has no copies.
    let places = named(&host.settings.places, &backup.repositories).unwrap_or_default();
    let of =
        |item: &ItemName| Of { environment: desired.environment.clone(), app: desired.app.clone(), item: item.clone() };
    let items: Vec<Of> = backup.items.iter().map(|item| of(&item.name)).collect();
    let failures = host.settings.failures.clone();
    // A place that is none of the app's any more lacks nothing.
    let lacks = |failure: &Failure| failure.behind.as_ref().is_none_or(|place| backup.repositories.contains(place));
    let failed = |of: &Of| Some((of.item.clone(), failures.last(of).filter(lacks)?));
    let failed: BTreeMap<ItemName, Failure> = items.iter().filter_map(failed).collect();
    let is_asked = |of: &Of| backup.max_age.is_some() || failed.contains_key(&of.item);
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
    if let Err(error) = host.settings.failures.forget_others(&desired.environment, &desired.app, &items) {
        tracing::debug!(%error, app = %desired.app, "what is remembered of items that are gone stays");
    }
}

/// What is told of them. `health` is the app's without them.
#[must_use]
pub fn report(desired: &Desired, observed: &Observed, health: HealthWord) -> CopiesReport {
    let items: Vec<CopyReport> = ages(desired, observed)
        .map(|age| {
            let overdue = age.is_overdue(observed.now);
            let told =
                |taken_at: Timestamp| format!("its newest verified copy was taken {}", ago(observed.now, taken_at));
            let newest = age.newest.map_or_else(|| "it has no verified copy".to_owned(), |copy| told(copy.taken_at));
            let doubt = age.doubt(observed.now).map(|why| {
                format!(
                    "nobody can tell whether the backup of `{}` is overdue, for not all its copies can be seen: {why}",
                    age.item
                )
            });
            let (item, most) = (age.item, short(SignedDuration::try_from(age.max_age).unwrap_or_default()));
            CopyReport {
                item: item.clone(),
                newest: age.newest.map(|copy| copy.id.clone()),
                taken_at: age.newest.map(|copy| copy.taken_at),
                age_seconds: age.newest.map(|copy| observed.now.duration_since(copy.taken_at).as_secs().max(0)),
                overdue,
                trouble: {
                    let late =
                        overdue.then(|| format!("backup of `{item}` is overdue: {newest}, and `max_age` is {most}"));
                    let all: Vec<String> =
                        late.or(doubt).into_iter().chain(observed.uncopied.get(item).cloned()).collect();
                    (!all.is_empty()).then(|| all.join("; "))
                },
            }
        })
        .collect();
    let items = if items.is_empty() { uncopied(observed) } else { items };
    let well = match health {
        HealthWord::Completed | HealthWord::Healthy => true,
        HealthWord::Suspended
        | HealthWord::Progressing
        | HealthWord::Missing
        | HealthWord::Degraded
        | HealthWord::Unknown => false,
    };
    CopiesReport { degrade: well && items.iter().any(|copy| copy.overdue), items }
}

/// What is told where nobody looks at ages: items whose last run made no copy.
fn uncopied(observed: &Observed) -> Vec<CopyReport> {
    let told = |(item, why): (&ItemName, &String)| {
        let newest = observed.copies.get(item);
        CopyReport {
            item: item.clone(),
            newest: newest.map(|copy| copy.id.clone()),
            taken_at: newest.map(|copy| copy.taken_at),
            age_seconds: newest.map(|copy| observed.now.duration_since(copy.taken_at).as_secs().max(0)),
            overdue: false,
            trouble: Some(why.clone()),
        }
    };
    observed.uncopied.iter().map(told).collect()
}

/// Remembers what became of a run, for `backup list` and `status`. What cannot be remembered is told in the log alone.
pub async fn remember<E: Engine>(host: &Host<E>, of: Vec<Of>, ran: &Result<Account, BackupError>) {
    let now = host.hands.engine.now();
    let became = |of: &Of| match ran {
        Err(error) => Some(Failure::of(error, now)),
        Ok(account) => match account.items.iter().find(|made| made.item == of.item) {
            Some(made) => Failure::of_made(made, now),
            // Nothing was begun: a hook failed before.
            None => account.hooks.first().map(|error| Failure::of(error, now)),
        },
    };
    let notes: Vec<(Of, Option<Failure>)> = of
        .into_iter()
        .map(|of| {
            let failure = became(&of);
            (of, failure)
        })
        .collect();
    let failures = host.settings.failures.clone();
    let noted = move || notes.iter().try_for_each(|(of, failure)| failures.note(of, failure.as_ref()));
    match spawn_blocking(noted).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "what became of copies is not remembered"),
        Err(error) => tracing::warn!(%error, "what became of copies is not remembered"),
    }
}

/// The health of an app whose copies are so.
#[must_use]
pub fn health(copies: &CopiesReport, without: HealthWord) -> HealthWord {
    if copies.degrade { HealthWord::Degraded } else { without }
}

fn ago(now: Timestamp, then: Timestamp) -> String {
    format!("{} ago", short(now.duration_since(then)))
}

/// For people: whole minutes, hours or days.
fn short(duration: SignedDuration) -> String {
    let unit = match duration.as_secs() {
        ..=599 => Unit::Second,
        _ => Unit::Minute,
    };
    let rounded = duration.round(SignedDurationRound::new().smallest(unit)).unwrap_or(duration);
    format!("{rounded:#}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        backup::Fault,
        desired::resolve::resolve_stored,
        observed::{Abilities, Applied},
    };
    use serde_json::json;

    fn desired() -> Desired {
        let item = json!({"name": "out", "type": "exec", "service": "app", "command": ["true"]});
        let manifest = json!({"services": {"app": {"image": "bb:1"}}, "backup": {"items": [item], "max_age": "2h"}});
        resolve_stored(&"test".parse().unwrap(), &"web".parse().unwrap(), &manifest, &BTreeMap::new()).unwrap()
    }

    fn observed() -> Observed {
        let now = at("2026-03-10T04:00:00Z");
        Observed {
            now,
            abilities: Abilities { adjusts: true },
            containers: BTreeMap::new(),
            foreign_names: std::collections::BTreeSet::new(),
            images: BTreeMap::new(),
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            front: None,
            copies: BTreeMap::new(),
            unread: BTreeMap::new(),
            uncopied: BTreeMap::new(),
            applied: Applied { known_since: Some(at("2026-03-01T00:00:00Z")), ..Applied::default() },
        }
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
}
