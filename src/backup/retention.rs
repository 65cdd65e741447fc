//! Which copies of an item may be removed: a pure function of what is there, the rules, and the time.

use super::{Copy, CopyId};
use crate::desired::backup::Retention;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::collections::BTreeSet;

/// A copy as far as its keeping depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub id: CopyId,
    /// When it was taken, by its own record and never by the file's date.
    pub taken_at: Timestamp,
    /// It was verified, and nothing is suspect about it.
    pub verified: bool,
    /// Somebody's safety copy: no rule removes it, and none counts it.
    pub pinned: bool,
    /// The revision before whose rollout it was taken.
    pub before_revision: Option<u32>,
}

/// What was there before the newest rollouts, so many, stays: before the one in force, and before the one that a rollback
/// went back from.
const ROLLOUTS: usize = 2;

impl From<&Copy> for Kept {
    fn from(copy: &Copy) -> Self {
        Self {
            id: copy.id.clone(),
            taken_at: copy.taken_at,
            verified: copy.is_good(),
            pinned: copy.pinned,
            before_revision: copy.before_revision,
        }
    }
}

/// The copies that may go. Rules count verified copies alone. Nothing goes where no rule keeps anything, where nothing is
/// verified, or where the clock is behind the newest copy; a copy that is not verified goes when it is older than every
/// verified one that stays.
#[must_use]
pub fn removable(copies: &[Kept], rules: &Retention, zone: &TimeZone, now: Timestamp) -> BTreeSet<CopyId> {
    let mut verified: Vec<&Kept> = copies.iter().filter(|copy| copy.verified && !copy.pinned).collect();
    verified.sort_by(|a, b| (b.taken_at, &b.id).cmp(&(a.taken_at, &a.id)));
    let is_behind = copies.iter().any(|copy| copy.taken_at > now);
    if keeps_nothing(rules) || is_behind {
        return BTreeSet::new();
    }
    let keepers = keepers(&verified, rules, zone, now);
    let Some(oldest) = keepers.iter().map(|copy| copy.taken_at).min() else { return BTreeSet::new() };
    let kept: BTreeSet<&CopyId> = keepers.into_iter().map(|copy| &copy.id).collect();
    let may_go = |copy: &&Kept| match (copy.pinned, copy.verified) {
        (true, _) => false,
        (false, true) => !kept.contains(&copy.id),
        (false, false) => copy.taken_at < oldest,
    };
    copies.iter().filter(may_go).map(|copy| copy.id.clone()).collect()
}

fn keeps_nothing(rules: &Retention) -> bool {
    let Retention { last, daily, weekly, monthly, within, min_verified: _ } = rules;
    [last, daily, weekly, monthly].into_iter().all(|count| *count == 0) && within.is_zero()
}

/// Verified copies, newest first, that some rule keeps.
fn keepers<'a>(verified: &[&'a Kept], rules: &Retention, zone: &TimeZone, now: Timestamp) -> Vec<&'a Kept> {
    let day = |copy: &Kept| copy.taken_at.to_zoned(zone.clone()).date();
    let newest_of = |count: u32, period: &dyn Fn(Date) -> (i16, i8, i8)| {
        let mut seen = BTreeSet::new();
        let mut of = Vec::new();
        for copy in verified {
            if seen.len() >= size(count) {
                break;
            }
            if seen.insert(period(day(copy))) {
                of.push(*copy);
            }
        }
        of
    };
    let last = verified.iter().take(size(rules.last.max(rules.min_verified).max(1))).copied();
    let daily = newest_of(rules.daily, &|date| (date.year(), date.month(), date.day()));
    let weekly = newest_of(rules.weekly, &|date| (date.iso_week_date().year(), 0, date.iso_week_date().week()));
    let monthly = newest_of(rules.monthly, &|date| (date.year(), date.month(), 0));
    let within = verified.iter().filter(|copy| is_within(copy, rules, now)).copied();
    let before = before_rollouts(verified);
    last.chain(daily).chain(weekly).chain(monthly).chain(within).chain(before).collect()
}

/// The newest that was taken before each of the newest rollouts, by time: numbers begin anew where the history is lost.
fn before_rollouts<'a>(verified: &[&'a Kept]) -> Vec<&'a Kept> {
    let mut rollouts = BTreeSet::new();
    let mut is_first = |copy: &&&Kept| copy.before_revision.is_some_and(|number| rollouts.insert(number));
    verified.iter().filter(|copy| is_first(copy)).take(ROLLOUTS).copied().collect()
}

fn is_within(copy: &Kept, rules: &Retention, now: Timestamp) -> bool {
    let age = now.duration_since(copy.taken_at);
    // A span longer than any calendar keeps everything.
    !rules.within.is_zero() && jiff::SignedDuration::try_from(rules.within).map_or(true, |within| age <= within)
}

fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
