//! When runs are due: missed ones, clocks that jump, apps of one hour.

use crate::{
    backup::{Due, due},
    desired::{Backup, resolve},
    value::{AppName, EnvironmentName},
};
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn section(text: &str) -> Backup {
    let manifest = format!(
        "services: {{web: {{image: a:1}}}}\nvolumes: {{data: {{}}}}\n\
         backup: {{items: [{{name: files, type: volume, volume: data}}], {text}}}\n"
    );
    let files = [("environments/production/web.yaml".to_owned(), manifest)].into();
    let mut loaded = crate::manifest::load(&files, &"production".parse().unwrap(), "environments");
    let app = loaded.apps.remove("web").unwrap().unwrap();
    resolve(&app, &resolve::Context::default()).backup.unwrap()
}

fn asked(backup: &Backup, app: &str, last: Option<Timestamp>, now: Timestamp) -> Due {
    let (environment, app): (EnvironmentName, AppName) = ("production".parse().unwrap(), app.parse().unwrap());
    due(backup, (&environment, &app), last, now)
}

fn now_for(scheduled: &str) -> Due {
    Due::Now { scheduled: at(scheduled) }
}

#[test]
fn a_missed_time_is_made_up_for_once_while_it_is_young() {
    let backup = section("schedule: \"30 2 * * *\", catch_up: 12h");
    let yesterday = Some(at("2026-03-09T02:30:00Z"));
    let ask = |last, now: &str| asked(&backup, "web", last, at(now));
    assert_eq!(ask(yesterday, "2026-03-10T02:29:59Z"), Due::At(at("2026-03-10T02:30:00Z")));
    assert_eq!(ask(yesterday, "2026-03-10T02:30:00Z"), now_for("2026-03-10T02:30:00Z"));
    assert_eq!(ask(yesterday, "2026-03-10T14:30:00Z"), now_for("2026-03-10T02:30:00Z"));
    assert_eq!(ask(yesterday, "2026-03-10T14:30:01Z"), Due::At(at("2026-03-11T02:30:00Z")));
    // A week off: the newest alone.
    assert_eq!(ask(Some(at("2026-03-01T02:30:00Z")), "2026-03-10T03:00:00Z"), now_for("2026-03-10T02:30:00Z"));
    assert_eq!(ask(Some(at("2026-03-10T03:00:01Z")), "2026-03-10T03:10:00Z"), Due::At(at("2026-03-11T02:30:00Z")));
    // Nothing is known of a run: the last time counts as missed.
    assert_eq!(ask(None, "2026-03-10T12:00:00Z"), now_for("2026-03-10T02:30:00Z"));
    let never = section("schedule: \"30 2 * * *\", catch_up: 0s");
    assert_eq!(asked(&never, "web", yesterday, at("2026-03-10T02:30:20Z")), now_for("2026-03-10T02:30:00Z"));
    assert_eq!(asked(&never, "web", yesterday, at("2026-03-10T02:32:00Z")), Due::At(at("2026-03-11T02:30:00Z")));
    assert_eq!(asked(&section("timeout: 1m"), "web", None, at("2026-03-10T02:32:00Z")), Due::Never);
}

#[test]
fn a_clock_that_is_put_back_runs_nothing_again() {
    let backup = section("schedule: \"30 2 * * *\"");
    let ran = Some(at("2026-03-10T02:30:00.2Z"));
    for now in ["2026-03-10T02:29:59Z", "2026-03-10T02:30:00Z", "2026-03-10T01:45:00Z"] {
        assert_eq!(asked(&backup, "web", ran, at(now)), Due::At(at("2026-03-11T02:30:00Z")), "{now}");
    }
    // A run that a wrong clock noted far ahead keeps nobody from the next.
    let astray = Some(at("2031-01-01T02:30:00Z"));
    assert_eq!(asked(&backup, "web", astray, at("2026-03-10T03:00:00Z")), now_for("2026-03-10T02:30:00Z"));
}

#[test]
fn jitter_is_an_apps_own_and_always_the_same() {
    let backup = section("schedule: \"30 2 * * *\", jitter: 30m");
    let next = |app: &str| match asked(&backup, app, Some(at("2026-03-09T12:00:00Z")), at("2026-03-10T00:00:00Z")) {
        Due::At(next) => next,
        other => panic!("{other:?}"),
    };
    let apps = ["web", "api", "db", "mail", "wiki"].map(next);
    assert_eq!(apps, ["web", "api", "db", "mail", "wiki"].map(next));
    assert!(apps.iter().collect::<BTreeSet<_>>().len() > 3, "{apps:?}");
    for next in apps {
        let delay = next.duration_since(at("2026-03-10T02:30:00Z"));
        assert!((SignedDuration::ZERO..=SignedDuration::from_mins(30)).contains(&delay), "{next}");
    }
}

/// The runs of a daemon that looks every so many minutes.
fn runs(backup: &Backup, from: Timestamp, days: i64, every: i64) -> Vec<Timestamp> {
    let (mut now, mut last, mut runs) = (from, Some(from), Vec::new());
    while now < from + (days * 24).hours() {
        if let Due::Now { scheduled } = asked(backup, "web", last, now) {
            runs.push(scheduled);
            last = Some(now);
        }
        now += every.minutes();
    }
    runs
}

#[test]
fn a_clock_that_changes_for_the_summer_runs_each_day_once() {
    let backup = section("schedule: \"30 2 * * *\", timezone: Europe/Berlin, jitter: 10m");
    for from in ["2026-03-27T12:00:00Z", "2026-10-23T12:00:00Z"] {
        let runs = runs(&backup, at(from), 4, 7);
        assert_eq!(runs.len(), 4, "{runs:?}");
    }
}

proptest! {
    #[test]
    fn whoever_looks_often_enough_runs_each_time_once(
        start in 0i64..31_000_000, minute in 0u8..60, hour in 0u8..24, every in 1i64..59, jitter in 0u32..50, zone in 0usize..3,
    ) {
        let zone = ["UTC", "Europe/Berlin", "America/St_Johns"][zone];
        let backup = section(&format!("schedule: \"{minute} {hour} * * *\", timezone: {zone}, jitter: {jitter}m"));
        let from = at("2026-01-01T00:00:00Z") + start.seconds();
        let runs = runs(&backup, from, 6, every);
        let distinct: BTreeSet<_> = runs.iter().collect();
        prop_assert_eq!(distinct.len(), runs.len());
        prop_assert!((5..=7).contains(&runs.len()), "{:?}", runs);
    }

    #[test]
    fn after_a_run_the_next_is_later(start in 0i64..31_000_000, off in 0i64..200_000, jitter in 0u32..600) {
        let backup = section(&format!("schedule: \"15 4 * * *\", timezone: Europe/Berlin, jitter: {jitter}m"));
        let now = at("2026-01-01T00:00:00Z") + start.seconds();
        let before = now - off.seconds();
        match asked(&backup, "web", Some(before), now) {
            Due::Now { .. } => match asked(&backup, "web", Some(now), now) {
                Due::At(next) => prop_assert!(next > now),
                other => prop_assert!(false, "{:?}", other),
            },
            Due::At(next) => prop_assert!(next > now),
            Due::Never => prop_assert!(false),
        }
    }
}
