//! Cron as people write it, and as clocks are put forward and back.

use super::super::*;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use proptest::prelude::*;

fn zone(name: &str) -> TimeZoneName {
    name.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The next moments of a schedule, as the clock of its zone shows them.
fn next(schedule: &str, zone_name: &str, after: &str, count: usize) -> Vec<String> {
    let (schedule, zone): (Schedule, _) = (schedule.parse().unwrap(), zone(zone_name));
    let moments = std::iter::successors(Some(at(after)), |now| schedule.next(&zone, *now)).skip(1).take(count);
    moments.map(|moment| moment.to_zoned(zone.zone().clone()).strftime("%a %F %H:%M%:z").to_string()).collect()
}

#[test]
fn a_schedule_is_read_as_cron_reads_it() {
    // 2026-01-01 is a Thursday.
    let cases: &[(&str, &[&str])] = &[
        ("* * * * *", &["Thu 2026-01-01 00:01", "Thu 2026-01-01 00:02"]),
        ("30 2 * * *", &["Thu 2026-01-01 02:30", "Fri 2026-01-02 02:30"]),
        ("0 8 * * 1-5", &["Thu 2026-01-01 08:00", "Fri 2026-01-02 08:00", "Mon 2026-01-05 08:00"]),
        (
            "*/20 6 * * *",
            &["Thu 2026-01-01 06:00", "Thu 2026-01-01 06:20", "Thu 2026-01-01 06:40", "Fri 2026-01-02 06:00"],
        ),
        (
            "5-15/5 0 * * *",
            &["Thu 2026-01-01 00:05", "Thu 2026-01-01 00:10", "Thu 2026-01-01 00:15", "Fri 2026-01-02 00:05"],
        ),
        ("0 0 1,15 * *", &["Thu 2026-01-15 00:00", "Sun 2026-02-01 00:00", "Sun 2026-02-15 00:00"]),
        ("0 0 * Feb-mar Sun,WED", &["Sun 2026-02-01 00:00", "Wed 2026-02-04 00:00", "Sun 2026-02-08 00:00"]),
        ("0 0 * * fri-sun", &["Fri 2026-01-02 00:00", "Sat 2026-01-03 00:00", "Sun 2026-01-04 00:00"]),
        ("0 0 * * 0", &["Sun 2026-01-04 00:00", "Sun 2026-01-11 00:00"]),
        ("0 0 * * 7", &["Sun 2026-01-04 00:00", "Sun 2026-01-11 00:00"]),
        // A day of either kind: the thirteenth, and every Friday.
        (
            "0 0 13 * 5",
            &["Fri 2026-01-02 00:00", "Fri 2026-01-09 00:00", "Tue 2026-01-13 00:00", "Fri 2026-01-16 00:00"],
        ),
        ("0 0 31 * *", &["Sat 2026-01-31 00:00", "Tue 2026-03-31 00:00", "Sun 2026-05-31 00:00"]),
        ("0 0 29 2 *", &["Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00"]),
        ("  0   0  1 1  * ", &["Fri 2027-01-01 00:00"]),
        ("@hourly", &["Thu 2026-01-01 01:00", "Thu 2026-01-01 02:00"]),
        ("@daily", &["Fri 2026-01-02 00:00", "Sat 2026-01-03 00:00"]),
        ("@weekly", &["Sun 2026-01-04 00:00"]),
        ("@monthly", &["Sun 2026-02-01 00:00"]),
        ("@yearly", &["Fri 2027-01-01 00:00"]),
    ];
    for (schedule, expected) in cases {
        let expected: Vec<String> = expected.iter().map(|moment| format!("{moment}+00:00")).collect();
        assert_eq!(next(schedule, "UTC", "2026-01-01T00:00:00Z", expected.len()), expected, "{schedule}");
    }
    assert_eq!(next("0 0 29 2 *", "UTC", "2097-01-01T00:00:00Z", 1), ["Fri 2104-02-29 00:00+00:00"]);
}

#[test]
fn a_clock_that_is_put_forward_or_back_shows_each_fixed_time_once() {
    // In Berlin 02:00 to 03:00 is missing on 29 March 2026, and comes twice on 25 October 2026.
    let berlin = |schedule, after, count| next(schedule, "Europe/Berlin", after, count);
    assert_eq!(
        berlin("30 2 * * *", "2026-03-28T00:00:00Z", 3),
        ["Sat 2026-03-28 02:30+01:00", "Sun 2026-03-29 03:00+02:00", "Mon 2026-03-30 02:30+02:00"]
    );
    assert_eq!(
        berlin("30 2 * * *", "2026-10-24T12:00:00Z", 2),
        ["Sun 2026-10-25 02:30+02:00", "Mon 2026-10-26 02:30+01:00"]
    );
    assert_eq!(
        berlin("0 8 * * *", "2026-03-28T12:00:00Z", 2),
        ["Sun 2026-03-29 08:00+02:00", "Mon 2026-03-30 08:00+02:00"]
    );
    // What comes every half hour comes every half hour.
    assert_eq!(
        berlin("*/30 * * * *", "2026-10-25T00:00:00Z", 4),
        [
            "Sun 2026-10-25 02:30+02:00",
            "Sun 2026-10-25 02:00+01:00",
            "Sun 2026-10-25 02:30+01:00",
            "Sun 2026-10-25 03:00+01:00"
        ]
    );
    assert_eq!(
        berlin("*/30 * * * *", "2026-03-29T00:30:00Z", 2),
        ["Sun 2026-03-29 03:00+02:00", "Sun 2026-03-29 03:30+02:00"]
    );
}

#[test]
fn what_is_no_schedule_is_told_with_what_to_write() {
    let said = |text: &str| text.parse::<Schedule>().unwrap_err().to_string();
    let cases = [
        (
            "",
            "an empty text is not a schedule: it has 0 fields and needs five: minute, hour, day of the month, month, day of the week, as in `30 2 * * *`",
        ),
        (
            "0 8 * *",
            "`0 8 * *` is not a schedule: it has 4 fields and needs five: minute, hour, day of the month, month, day of the week, as in `30 2 * * *`",
        ),
        (
            "0 0 8 * * *",
            "`0 0 8 * * *` is not a schedule: it has 6 fields and needs five: minute, hour, day of the month, month, day of the week, as in `30 2 * * *`",
        ),
        ("@reboot", "`@reboot` is not a schedule: the words are `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`"),
        (
            "60 8 * * *",
            "`60 8 * * *` is not a schedule: `60` is no minute: it goes from 0 to 59, a range from the smaller to the larger",
        ),
        (
            "0 17-8 * * *",
            "`0 17-8 * * *` is not a schedule: `17-8` is no hour: it goes from 0 to 23, a range from the smaller to the larger",
        ),
        (
            "0 8 0 * *",
            "`0 8 0 * *` is not a schedule: `0` is no day of the month: it goes from 1 to 31, a range from the smaller to the larger",
        ),
        (
            "mon 8 * * *",
            "`mon 8 * * *` is not a schedule: `mon` is no minute: write `*`, `5`, `1-5`, `*/15` or `0-30/10`, several with commas",
        ),
        (
            "0 8 * * monday",
            "`0 8 * * monday` is not a schedule: `monday` is no day of the week: write `*`, `5`, `1-5`, `*/15` or `0-30/10`, several with commas, or names from `sun` to `sat`",
        ),
        (
            "0 8 L * *",
            "`0 8 L * *` is not a schedule: `L` is no day of the month: write `*`, `5`, `1-5`, `*/15` or `0-30/10`, several with commas",
        ),
        (
            "0 8 * * 1#2",
            "`0 8 * * 1#2` is not a schedule: `1#2` is no day of the week: write `*`, `5`, `1-5`, `*/15` or `0-30/10`, several with commas, or names from `sun` to `sat`",
        ),
        (
            "0/15 8 * * *",
            "`0/15 8 * * *` is not a schedule: `0/15` is no minute: write `*`, `5`, `1-5`, `*/15` or `0-30/10`, several with commas",
        ),
        (
            "*/0 8 * * *",
            "`*/0 8 * * *` is not a schedule: `*/0` is no minute: write `*`, `5`, `1-5`, `*/15` or `0-30/10`, several with commas",
        ),
        (
            "0, 8 * * *",
            "`0, 8 * * *` is not a schedule: nothing is no minute: write `*`, `5`, `1-5`, `*/15` or `0-30/10`, several with commas",
        ),
        ("0 0 30 2 *", "`0 0 30 2 *` is not a schedule: no month it names has such a day"),
        ("0 0 31 2,4,jun *", "`0 0 31 2,4,jun *` is not a schedule: no month it names has such a day"),
    ];
    for (text, expected) in cases {
        assert_eq!(said(text), expected, "{text}");
    }
}

#[test]
fn a_time_zone_is_known_by_its_name() {
    let said =
        |text: &str| text.parse::<TimeZoneName>().map_or_else(|error| error.to_string(), |zone| zone.to_string());
    assert_eq!(said("UTC"), "UTC");
    assert_eq!(said("europe/berlin"), "Europe/Berlin");
    assert_eq!(said("Europe/Berln"), "`Europe/Berln` is not a time zone: did you mean `Europe/Berlin`?");
    assert_eq!(said("+02:00"), "`+02:00` is not a time zone: write its IANA name, as in `Europe/Berlin` or `UTC`");
    assert_eq!(said(""), "an empty text is not a time zone: write its IANA name, as in `Europe/Berlin` or `UTC`");
}

/// One item of a field from `low` to `high`.
fn item(low: u8, high: u8) -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just("*".to_owned()),
        3 => (low..=high).prop_map(|n| n.to_string()),
        2 => (low..=high, low..=high).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        1 => (1..=high.max(2)).prop_map(|n| format!("*/{n}")),
        1 => (low..=high, low..=high, 1..=9_u8).prop_map(|(a, b, n)| format!("{}-{}/{n}", a.min(b), a.max(b))),
    ]
}

/// Schedules of all kinds; days that come in every month.
fn schedules() -> impl Strategy<Value = Schedule> {
    (item(0, 59), item(0, 23), item(1, 28), item(1, 12), item(0, 7)).prop_map(|(minute, hour, day, month, weekday)| {
        format!("{minute} {hour} {day} {month} {weekday}").parse().unwrap()
    })
}

/// Whether a field holds a number, by reading it once more and otherwise.
fn holds(field: &str, low: i8, high: i8, number: i8) -> bool {
    field.split(',').any(|item| {
        let (range, step) = item.split_once('/').unwrap_or((item, "1"));
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (from.parse().unwrap(), to.parse().unwrap()),
            None if range == "*" => (low, high),
            None => (range.parse().unwrap(), range.parse().unwrap()),
        };
        (from..=to).contains(&number) && (number - from) % step.parse::<i8>().unwrap() == 0
    })
}

fn comes(schedule: &Schedule, moment: Timestamp) -> bool {
    let (text, time) = (schedule.to_string(), moment.to_zoned(TimeZone::UTC));
    let fields: Vec<&str> = text.split(' ').collect();
    let weekday = time.weekday().to_sunday_zero_offset();
    let day = holds(fields[2], 1, 31, time.day());
    let of_week = holds(fields[4], 0, 7, weekday) || (weekday == 0 && holds(fields[4], 0, 7, 7));
    let days = match (fields[2], fields[4]) {
        ("*", _) => of_week,
        (_, "*") => day,
        _ => day || of_week,
    };
    holds(fields[0], 0, 59, time.minute())
        && holds(fields[1], 0, 23, time.hour())
        && holds(fields[3], 1, 12, time.month())
        && days
}

proptest! {
    #[test]
    fn schedules_are_read_as_they_are_written(schedule in schedules()) {
        prop_assert_eq!(&schedule.to_string().parse::<Schedule>().unwrap(), &schedule);
    }

    #[test]
    fn the_minutes_of_a_day_are_those_that_the_fields_name(schedule in schedules(), day in 0..3_000_i64) {
        let begin = Timestamp::from_second(1_750_000_020 + day * 86_400).unwrap();
        let utc = TimeZoneName::default();
        let minutes = (0..600).map(|minute| begin + minute.minutes());
        for moment in minutes.step_by(7) {
            let (before, after) = (moment - 1.second(), moment + 59.seconds());
            prop_assert_eq!(schedule.next(&utc, before) == Some(moment), comes(&schedule, moment), "{} {}", schedule, moment);
            prop_assert_eq!(schedule.last(&utc, after) == Some(moment), comes(&schedule, moment), "{} {}", schedule, moment);
        }
    }

    #[test]
    fn looking_back_finds_what_looking_ahead_found(
        schedule in schedules(),
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns"]),
        second in 1_735_689_600..1_893_456_000_i64,
    ) {
        let (zone, now) = (self::zone(zone), Timestamp::from_second(second).unwrap());
        let Some(next) = schedule.next(&zone, now) else { return Ok(()) };
        prop_assert!(next > now);
        prop_assert_eq!(schedule.last(&zone, next), Some(next));
        let last = schedule.last(&zone, now);
        prop_assert!(last.is_none_or(|last| last <= now));
        prop_assert_eq!(schedule.last(&zone, next - 1.second()), last);
    }
}
