//! When an app's next run is: a pure function of its schedule, its last run, and the time.

use crate::{
    desired::Backup,
    value::{AppName, EnvironmentName},
};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Whoever looks a moment late has missed nothing.
const PUNCTUAL: Duration = Duration::from_secs(60);
/// A last run so far ahead of the clock was noted by a clock that was wrong.
const ASTRAY: SignedDuration = SignedDuration::from_hours(1);

/// When a run is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Now, for this time of the schedule.
    Now { scheduled: Timestamp },
    /// Then.
    At(Timestamp),
    /// Never: there is no schedule, or it names no further day.
    Never,
}

/// When the next run of an app is due, whose newest run began at `last`; none where nothing is known of one.
///
/// Of several times that were missed the newest is made up for, once, where it is no longer past than the manifest says.
/// The app's own part of the jitter is a function of its name.
#[must_use]
pub fn due(backup: &Backup, of: (&EnvironmentName, &AppName), last: Option<Timestamp>, now: Timestamp) -> Due {
    let Some(schedule) = &backup.schedule else { return Due::Never };
    let delay = delay(backup.jitter, of);
    let next = |after: Timestamp| {
        let after = after.checked_sub(delay).ok()?;
        schedule.next(&backup.timezone, after)?.checked_add(delay).ok()
    };
    let newest = now
        .checked_sub(delay)
        .ok()
        .and_then(|until| schedule.last(&backup.timezone, until))
        .and_then(|scheduled| Some((scheduled, scheduled.checked_add(delay).ok()?)));
    let ahead = |last: &Timestamp| last.duration_since(now) > ASTRAY;
    let last = last.filter(|last| !ahead(last));
    match newest {
        Some((scheduled, at)) if last.is_none_or(|last| last < at) && is_in_time(backup, at, now) => {
            Due::Now { scheduled }
        }
        // A clock that was put back a little does not run again what ran.
        Some(_) | None => next(last.map_or(now, |last| last.max(now))).map_or(Due::Never, Due::At),
    }
}

fn is_in_time(backup: &Backup, at: Timestamp, now: Timestamp) -> bool {
    let longest = backup.catch_up.max(PUNCTUAL);
    SignedDuration::try_from(longest).map_or(true, |longest| now.duration_since(at) <= longest)
}

/// The app's own part of the jitter, from nothing to all of it.
fn delay(jitter: Duration, (environment, app): (&EnvironmentName, &AppName)) -> SignedDuration {
    let digest = Sha256::digest(format!("{environment}/{app}"));
    let number = digest.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let whole = u64::try_from(jitter.as_millis()).unwrap_or(u64::MAX);
    let part = whole.checked_add(1).map_or(number, |range| number % range);
    SignedDuration::from_millis(i64::try_from(part).unwrap_or(0))
}
