//! How the copies of an app's data are, told in its report.

use crate::{
    desired::Desired,
    observed::{
        Observed,
        copies::{Age, ages},
    },
    show::report::{CopiesReport, CopyReport, HealthWord},
    value::ItemName,
};
use jiff::{SignedDuration, SignedDurationRound, Timestamp, Unit};
use std::collections::BTreeMap;

/// What is told of them: of each item that somebody looks at the age of, whose last run made no copy, or that was drilled.
/// `health` is the app's without them.
#[must_use]
pub fn report(desired: &Desired, observed: &Observed, health: HealthWord) -> CopiesReport {
    let ages: BTreeMap<&ItemName, Age<'_>> = ages(desired, observed).map(|age| (age.item, age)).collect();
    let items = desired.backup.iter().flat_map(|backup| &backup.items);
    let items: Vec<CopyReport> = items.filter_map(|item| of_item(&item.name, ages.get(&item.name), observed)).collect();
    let well = match health {
        HealthWord::Completed | HealthWord::Healthy => true,
        HealthWord::Suspended
        | HealthWord::Progressing
        | HealthWord::Missing
        | HealthWord::Degraded
        | HealthWord::Unknown => false,
    };
    CopiesReport { degrade: well && items.iter().any(|copy| copy.overdue || copy.drill_failed), items }
}

/// The health of an app whose copies are so.
#[must_use]
pub fn health(copies: &CopiesReport, without: HealthWord) -> HealthWord {
    if copies.degrade { HealthWord::Degraded } else { without }
}

/// None: there is nothing to tell.
fn of_item(item: &ItemName, age: Option<&Age<'_>>, observed: &Observed) -> Option<CopyReport> {
    let (uncopied, drill) = (observed.uncopied.get(item), observed.drills.get(item));
    if age.is_none() && uncopied.is_none() && drill.is_none() {
        return None;
    }
    let newest = observed.copies.get(item);
    let failed = drill.and_then(|drill| drill.trouble.clone());
    let drill_failed = failed.is_some();
    let troubles = [age.and_then(|age| late(age, observed.now)), uncopied.cloned(), failed];
    let troubles: Vec<String> = troubles.into_iter().flatten().collect();
    Some(CopyReport {
        item: item.clone(),
        newest: newest.map(|copy| copy.id.clone()),
        taken_at: newest.map(|copy| copy.taken_at),
        age_seconds: newest.map(|copy| observed.now.duration_since(copy.taken_at).as_secs().max(0)),
        overdue: age.is_some_and(|age| age.is_overdue(observed.now)),
        drilled_at: drill.map(|drill| drill.at),
        drill_failed,
        trouble: (!troubles.is_empty()).then(|| troubles.join("; ")),
    })
}

/// What is wrong with its age.
fn late(age: &Age<'_>, now: Timestamp) -> Option<String> {
    let item = age.item;
    if age.is_overdue(now) {
        let newest = age.newest.map_or_else(
            || "it has no verified copy".to_owned(),
            |copy| format!("its newest verified copy was taken {} ago", short(now.duration_since(copy.taken_at))),
        );
        let most = short(SignedDuration::try_from(age.max_age).unwrap_or_default());
        return Some(format!("backup of `{item}` is overdue: {newest}, and `max_age` is {most}"));
    }
    age.doubt(now).map(|why| {
        format!("nobody can tell whether the backup of `{item}` is overdue, for not all its copies can be seen: {why}")
    })
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
