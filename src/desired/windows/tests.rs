//! Windows at points in time, and the law of their ends.

use super::*;
use jiff::ToSpan;
use proptest::prelude::*;

fn window(kind: WindowKind, schedule: &str, duration: &str, zone: &str, manual: bool) -> Window {
    Window {
        kind,
        schedule: schedule.parse().unwrap(),
        duration: duration.parse().unwrap(),
        timezone: zone.parse().unwrap(),
        manual,
    }
}

fn allow(schedule: &str, duration: &str) -> Window {
    window(WindowKind::Allow, schedule, duration, "UTC", true)
}

fn deny(schedule: &str, duration: &str) -> Window {
    window(WindowKind::Deny, schedule, duration, "UTC", true)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// In words: `open until …`, `closed until …, manual`.
fn said(windows: &[Window], now: &str) -> String {
    let end = |until: Option<Timestamp>| until.map_or("for good".to_owned(), |until| format!("until {until}"));
    match opening(windows, at(now)) {
        Opening::Open { until } => format!("open {}", end(until)),
        Opening::Closed { until, manual, by } => {
            format!("closed {} by {}{}", end(until), by.len(), if manual { ", manual" } else { "" })
        }
    }
}

#[test]
fn a_window_opens_and_closes_to_the_second() {
    // 2026-11-20 is a Friday.
    let office = [deny("0 8 * * 1-5", "10h")];
    for (now, expected) in [
        ("2026-11-20T07:59:59.999Z", "open until 2026-11-20T08:00:00Z"),
        ("2026-11-20T08:00:00Z", "closed until 2026-11-20T18:00:00Z by 1, manual"),
        ("2026-11-20T17:59:59.999Z", "closed until 2026-11-20T18:00:00Z by 1, manual"),
        ("2026-11-20T18:00:00Z", "open until 2026-11-23T08:00:00Z"),
        ("2026-11-21T12:00:00Z", "open until 2026-11-23T08:00:00Z"),
    ] {
        assert_eq!(said(&office, now), expected, "{now}");
    }
    assert_eq!(said(&[], "2026-11-20T08:00:00Z"), "open for good");
}

#[test]
fn deny_beats_allow_and_outside_of_every_allow_it_is_closed() {
    let night = [allow("0 22 * * *", "8h"), deny("0 2 * * *", "1h")];
    for (now, expected) in [
        ("2026-11-20T21:00:00Z", "closed until 2026-11-20T22:00:00Z by 1, manual"),
        ("2026-11-20T23:00:00Z", "open until 2026-11-21T02:00:00Z"),
        ("2026-11-21T02:30:00Z", "closed until 2026-11-21T03:00:00Z by 1, manual"),
        ("2026-11-21T03:00:00Z", "open until 2026-11-21T06:00:00Z"),
    ] {
        assert_eq!(said(&night, now), expected, "{now}");
    }
    // One that allows is enough of those that allow.
    let two = [allow("0 1 * * *", "1h"), allow("0 3 * * *", "1h")];
    assert_eq!(said(&two, "2026-11-20T02:00:00Z"), "closed until 2026-11-20T03:00:00Z by 2, manual");
    assert_eq!(said(&two, "2026-11-20T03:10:00Z"), "open until 2026-11-20T04:00:00Z");
}

#[test]
fn a_manual_run_passes_where_each_window_that_closes_says_so() {
    let firm = |window: Window| Window { manual: false, ..window };
    let noon = "2026-11-20T12:00:00Z";
    let by_day = deny("0 8 * * *", "10h");
    assert_eq!(said(&[by_day.clone(), firm(by_day.clone())], noon), "closed until 2026-11-20T18:00:00Z by 2");
    // One that is not active now closes nothing, and is not asked.
    assert_eq!(
        said(&[by_day.clone(), firm(deny("0 2 * * *", "1h"))], noon),
        "closed until 2026-11-20T18:00:00Z by 1, manual"
    );
    // Outside of all that allow each of them closes, also where one that denies does.
    assert_eq!(said(&[firm(allow("0 2 * * *", "1h"))], noon), "closed until 2026-11-21T02:00:00Z by 1");
    assert_eq!(said(&[by_day, firm(allow("0 2 * * *", "1h"))], noon), "closed until 2026-11-21T02:00:00Z by 2");
}

#[test]
fn windows_that_touch_or_overlap_are_one() {
    assert_eq!(said(&[deny("0 * * * *", "1h")], "2026-11-20T12:30:00Z"), "closed for good by 1, manual");
    assert_eq!(said(&[allow("* * * * *", "1m")], "2026-11-20T12:30:30Z"), "open for good");
    assert_eq!(
        said(&[deny("0 8 * * *", "3h"), deny("0 10 * * *", "3h")], "2026-11-20T09:00:00Z"),
        "closed until 2026-11-20T13:00:00Z by 1, manual"
    );
    // A later beginning prolongs an earlier one.
    assert_eq!(
        said(&[deny("0 8,9,10 * * *", "90m")], "2026-11-20T08:30:00Z"),
        "closed until 2026-11-20T11:30:00Z by 1, manual"
    );
    assert_eq!(
        said(&[allow("0 0 29 2 *", "1d")], "2026-11-20T00:00:00Z"),
        "closed until 2028-02-29T00:00:00Z by 1, manual"
    );
}

#[test]
fn a_window_lasts_as_long_as_it_says_when_the_clock_is_changed_meanwhile() {
    let berlin = |schedule: &str, duration: &str| [window(WindowKind::Deny, schedule, duration, "Europe/Berlin", true)];
    // From 22:00 for eight hours is until seven in spring, and until five in autumn.
    let night = berlin("0 22 * * *", "8h");
    assert_eq!(said(&night, "2026-03-28T21:30:00Z"), "closed until 2026-03-29T05:00:00Z by 1, manual");
    assert_eq!(said(&night, "2026-10-24T20:30:00Z"), "closed until 2026-10-25T04:00:00Z by 1, manual");
    // Half past two is not on that clock in spring, and twice in autumn.
    let early = berlin("30 2 * * *", "1h");
    assert_eq!(said(&early, "2026-03-29T00:59:00Z"), "open until 2026-03-29T01:00:00Z");
    assert_eq!(said(&early, "2026-03-29T01:30:00Z"), "closed until 2026-03-29T02:00:00Z by 1, manual");
    assert_eq!(said(&early, "2026-10-25T00:45:00Z"), "closed until 2026-10-25T01:30:00Z by 1, manual");
    assert_eq!(said(&early, "2026-10-25T01:45:00Z"), "open until 2026-10-26T01:30:00Z");
}

fn windows() -> impl Strategy<Value = Vec<Window>> {
    let schedules =
        ["0 8 * * 1-5", "*/30 2 * * *", "30 2 * * *", "0 0 1 * *", "15 */6 * * *", "0 22 * * sun", "45 1-4 25 10 *"];
    let one = (
        prop::bool::ANY,
        prop::sample::select(schedules.to_vec()),
        prop::sample::select(vec!["1m", "45m", "1h", "10h", "1d"]),
        prop::sample::select(vec!["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
        prop::bool::ANY,
    );
    let one = one.prop_map(|(denies, schedule, duration, zone, manual)| {
        window(if denies { WindowKind::Deny } else { WindowKind::Allow }, schedule, duration, zone, manual)
    });
    prop::collection::vec(one, 0..4)
}

/// Whether a window is active, by looking ahead from where a beginning would no longer count.
fn is_active(window: &Window, now: Timestamp) -> bool {
    let length = std::time::Duration::from(window.duration);
    window.schedule.next(&window.timezone, now - length).is_some_and(|begin| begin <= now)
}

fn is_open(windows: &[Window], now: Timestamp) -> bool {
    let of = |kind: WindowKind| windows.iter().filter(move |window| window.kind == kind);
    let denied = of(WindowKind::Deny).any(|window| is_active(window, now));
    let allowed = of(WindowKind::Allow).count() == 0 || of(WindowKind::Allow).any(|window| is_active(window, now));
    !denied && allowed
}

proptest! {
    #[test]
    fn the_answer_holds_until_its_end_and_turns_there(windows in windows(), second in 0..63_072_000_i64) {
        // From 2026 through 2027.
        let now = Timestamp::from_second(1_767_225_600 + second).unwrap();
        let found = opening(&windows, now);
        prop_assert_eq!(found.is_open(), is_open(&windows, now));
        let until = match &found {
            Opening::Open { until } | Opening::Closed { until, .. } => *until,
        };
        let Some(until) = until else { return Ok(()) };
        prop_assert!(until > now);
        prop_assert_eq!(is_open(&windows, until), !found.is_open(), "at {}", until);
        prop_assert_eq!(is_open(&windows, until - 1.second()), found.is_open(), "before {}", until);
        let minutes = (until.as_second() - now.as_second()) / 60;
        for sample in (0..minutes).step_by(usize::try_from(minutes / 40 + 1).unwrap()) {
            let then = now + sample.minutes();
            prop_assert_eq!(is_open(&windows, then), found.is_open(), "at {}", then);
        }
    }
}
