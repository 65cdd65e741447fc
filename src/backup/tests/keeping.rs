//! What may be removed: tables, and laws over random histories.

use crate::{
    backup::{CopyId, Kept, removable},
    desired::backup::Retention,
    value::TimeZoneName,
};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use proptest::prelude::*;
use std::{collections::BTreeSet, time::Duration};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn copy(text: &str) -> Kept {
    Kept { id: CopyId::taken(at(text), 0), taken_at: at(text), verified: true, pinned: false, before_revision: None }
}

fn days(month: i8, days: impl IntoIterator<Item = i8>) -> Vec<Kept> {
    days.into_iter().map(|day| copy(&format!("2026-{month:02}-{day:02}T02:30:00Z"))).collect()
}

fn left(copies: &[Kept], rules: Retention, now: &str) -> Vec<String> {
    let gone = removable(copies, &rules, &TimeZone::UTC, at(now));
    let left = copies.iter().filter(|copy| !gone.contains(&copy.id));
    left.map(|copy| copy.taken_at.strftime("%m-%d").to_string()).collect()
}

#[test]
fn each_rule_keeps_the_newest_of_its_periods() {
    let march = days(3, 1..=31);
    let now = "2026-03-31T03:00:00Z";
    let rules = |last, daily, weekly, monthly| Retention { last, daily, weekly, monthly, ..Retention::default() };
    assert_eq!(left(&march, rules(3, 0, 0, 0), now), ["03-29", "03-30", "03-31"]);
    assert_eq!(left(&march, rules(0, 2, 0, 0), now), ["03-30", "03-31"]);
    // Weeks begin on Monday: 2026-03-29 is a Sunday.
    assert_eq!(left(&march, rules(0, 0, 3, 0), now), ["03-22", "03-29", "03-31"]);
    let months = [days(1, [5, 20]), days(2, [3]), days(3, [1, 31])].concat();
    assert_eq!(left(&months, rules(0, 0, 0, 3), now), ["01-20", "02-03", "03-31"]);
    let within = Retention { within: Duration::from_secs(3 * 86_400), ..Retention::default() };
    assert_eq!(left(&march, within, now), ["03-29", "03-30", "03-31"]);
}

#[test]
fn a_day_is_one_of_the_manifests_time_zone() {
    let copies = [copy("2026-03-10T22:30:00Z"), copy("2026-03-10T23:30:00Z")];
    let rules = Retention { daily: 5, ..Retention::default() };
    let now = at("2026-03-11T12:00:00Z");
    assert_eq!(removable(&copies, &rules, &TimeZone::UTC, now).len(), 1);
    let berlin: TimeZoneName = "Europe/Berlin".parse().unwrap();
    assert_eq!(removable(&copies, &rules, berlin.zone(), now).len(), 0);
}

#[test]
fn thirty_failed_days_remove_nothing_that_was_verified() {
    let mut copies = days(1, 1..=5);
    for mut failed in days(2, 1..=28) {
        failed.verified = false;
        copies.push(failed);
    }
    copies.extend(days(3, [1]));
    let rules = Retention { last: 3, daily: 7, ..Retention::default() };
    let left = left(&copies, rules, "2026-03-01T03:00:00Z");
    for verified in ["01-01", "01-02", "01-03", "01-04", "01-05", "03-01"] {
        assert!(left.contains(&verified.to_owned()), "{verified} of {left:?}");
    }
}

#[test]
fn no_rule_and_a_clock_that_is_behind_remove_nothing() {
    let copies = days(3, 1..=31);
    assert_eq!(left(&copies, Retention::default(), "2026-04-30T00:00:00Z").len(), 31);
    let one = Retention { last: 1, ..Retention::default() };
    assert_eq!(left(&copies, one, "2026-03-31T02:29:59Z").len(), 31);
    assert_eq!(left(&copies, one, "2026-03-31T02:30:00Z").len(), 1);
}

#[test]
fn what_was_there_before_the_two_newest_rollouts_stays_however_many_copies_follow() {
    let mut copies = days(3, 1..=9);
    for (place, revision) in [(0, 4), (1, 5), (2, 6), (3, 6)] {
        copies[place].before_revision = Some(revision);
    }
    let one = Retention { last: 1, ..Retention::default() };
    assert_eq!(left(&copies, one, "2026-03-31T00:00:00Z"), ["03-02", "03-04", "03-09"]);
    copies[3].verified = false;
    assert_eq!(left(&copies, one, "2026-03-31T00:00:00Z"), ["03-02", "03-03", "03-04", "03-09"]);
}

#[test]
fn a_safety_copy_stays_and_counts_for_nothing() {
    let mut copies = days(3, 1..=4);
    copies[0].pinned = true;
    copies[3].pinned = true;
    let one = Retention { last: 1, ..Retention::default() };
    assert_eq!(left(&copies, one, "2026-03-31T00:00:00Z"), ["03-01", "03-03", "03-04"]);
}

fn rules() -> impl Strategy<Value = Retention> {
    (0u32..4, 0u32..9, 0u32..5, 0u32..4, prop_oneof![Just(0u64), 0u64..1_000_000], 0u32..4).prop_map(
        |(last, daily, weekly, monthly, within, min_verified)| Retention {
            last,
            daily,
            weekly,
            monthly,
            within: Duration::from_secs(within),
            min_verified,
        },
    )
}

fn histories() -> impl Strategy<Value = Vec<Kept>> {
    let one = (0i64..20_000_000, any::<bool>(), prop::bool::weighted(0.1), prop::option::weighted(0.2, 1u32..9));
    prop::collection::vec(one, 0..60).prop_map(|copies| {
        let numbered = copies.into_iter().zip(0..);
        let copy = |((second, verified, pinned, before_revision), number): ((i64, bool, bool, Option<u32>), u32)| {
            let taken_at = at("2026-01-01T00:00:00Z") + second.seconds();
            Kept { id: CopyId::taken(taken_at, number), taken_at, verified, pinned, before_revision }
        };
        numbered.map(copy).collect()
    })
}

proptest! {
    #[test]
    fn the_newest_verified_copies_are_never_removed(
        copies in histories(), rules in rules(), now in 0i64..30_000_000, back in any::<bool>(),
    ) {
        let mut clock = at("2026-01-01T00:00:00Z") + now.seconds();
        let newest = copies.iter().map(|copy| copy.taken_at).max();
        if let (false, Some(newest)) = (back, newest) {
            clock = clock.max(newest);
        }
        let gone = removable(&copies, &rules, &TimeZone::UTC, clock);
        let mut verified: Vec<&Kept> = copies.iter().filter(|copy| copy.verified && !copy.pinned).collect();
        verified.sort_by_key(|copy| std::cmp::Reverse((copy.taken_at, copy.id.clone())));
        for copy in verified.iter().take(rules.min_verified.max(1).max(rules.last) as usize) {
            prop_assert!(!gone.contains(&copy.id), "{copy:?}");
        }
        for copy in copies.iter().filter(|copy| copy.pinned) {
            prop_assert!(!gone.contains(&copy.id), "{copy:?}");
        }
        if verified.is_empty() || newest.is_some_and(|newest| newest > clock) {
            prop_assert_eq!(&gone, &BTreeSet::new());
        }
        // What is not verified changes nothing of what is kept of the verified ones.
        let alone: Vec<Kept> = copies.iter().filter(|copy| copy.verified).cloned().collect();
        if newest.is_none_or(|newest| newest <= clock) {
            let gone_alone = removable(&alone, &rules, &TimeZone::UTC, clock);
            let verified_gone: BTreeSet<_> =
                copies.iter().filter(|copy| copy.verified && gone.contains(&copy.id)).map(|copy| copy.id.clone()).collect();
            prop_assert_eq!(gone_alone, verified_gone);
        }
    }

    #[test]
    fn removing_again_removes_nothing_more(copies in histories(), rules in rules()) {
        let now = at("2027-01-01T00:00:00Z");
        let gone = removable(&copies, &rules, &TimeZone::UTC, now);
        let left: Vec<Kept> = copies.into_iter().filter(|copy| !gone.contains(&copy.id)).collect();
        prop_assert_eq!(removable(&left, &rules, &TimeZone::UTC, now), BTreeSet::new());
    }

    #[test]
    fn whatever_happens_day_by_day_something_verified_is_left(
        days in prop::collection::vec((0u8..4, -2i64..40), 1..80), rules in rules(),
    ) {
        let (mut copies, mut now, mut ever) = (Vec::<Kept>::new(), at("2026-01-01T00:00:00Z"), false);
        for (number, (event, hours)) in days.into_iter().enumerate() {
            now += hours.hours();
            let id = CopyId::taken(now, u32::try_from(number).unwrap());
            match event {
                0 => copies.push(Kept { id, taken_at: now, verified: false, pinned: false, before_revision: None }),
                // A bit flips in the oldest.
                1 => { if let (true, Some(first)) = (copies.iter().filter(|copy| copy.verified).count() > 1, copies.first_mut()) { first.verified = false } }
                _ => {
                    copies.push(Kept { id, taken_at: now, verified: true, pinned: false, before_revision: None });
                    ever = true;
                    let gone = removable(&copies, &rules, &TimeZone::UTC, now);
                    copies.retain(|copy| !gone.contains(&copy.id));
                }
            }
            prop_assert!(!ever || copies.iter().any(|copy| copy.verified));
        }
    }
}
