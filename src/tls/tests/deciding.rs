//! What is due.

use super::*;
use crate::tls::{Cost, Due, Refused, due, renewal, standing};
use std::time::Duration;

/// How a certificate of ninety days that began some days ago is decided on.
fn decided(days_ago: i32, attempts: &Attempts, origin: Origin) -> (Due, Timestamp) {
    let begin = today() - days_ago * DAY;
    let (held, wanted) = (held(&["example.com"], begin, begin + 90 * DAY), wanted(&["example.com"], origin));
    let renewed = renewal(wanted.name(), &held.pair().unwrap().facts, attempts.window.as_ref());
    (due(today(), &held, &wanted, attempts), renewed)
}

#[test]
fn a_certificate_is_renewed_when_two_thirds_of_its_life_are_nearly_over() {
    let asked = Attempts { ask_after: Some(today() + DAY), ..Attempts::default() };
    let (held_on, renewed) = decided(10, &asked, Origin::Acme);
    assert_eq!(held_on, Due::Hold { until: today() + DAY });
    let day = renewed.duration_since(today() - 10 * DAY).as_hours() / 24;
    assert!((54..60).contains(&day), "day {day}");
    assert_eq!(decided(10, &asked, Origin::Internal).0, Due::Hold { until: renewed });
    let (now, _) = decided(60, &asked, Origin::Acme);
    assert_eq!(now, Due::Now("the certificate is over at 2026-12-29T12:00:00Z and is to be renewed".to_owned()));
    assert!(matches!(decided(60, &asked, Origin::Internal).0, Due::Now(_)));
    // Names are spread, each always alike.
    let days: BTreeSet<_> = (0..50)
        .map(|at| {
            let held = held(&["a.b"], today(), today() + 90 * DAY);
            renewal(&name(&format!("web-{at}")), &held.pair().unwrap().facts, None).as_second() / 3_600
        })
        .collect();
    assert!(days.len() > 30, "{days:?}");
}

#[test]
fn the_authority_is_asked_when_it_wants_a_certificate_renewed() {
    assert_eq!(decided(10, &Attempts::default(), Origin::Acme).0, Due::Ask);
    assert!(matches!(decided(10, &Attempts::default(), Origin::Internal).0, Due::Hold { .. }));
    let again = Attempts { ask_after: Some(today()), ..Attempts::default() };
    assert_eq!(decided(10, &again, Origin::Acme).0, Due::Ask);
}

#[test]
fn the_window_of_the_authority_counts_for_its_certificate_alone() {
    let held = held(&["example.com"], today(), today() + 90 * DAY);
    let facts = &held.pair().unwrap().facts;
    let at = |fingerprint: &str, start: Timestamp, end: Timestamp| {
        let window = Window { fingerprint: fingerprint.to_owned(), start, end };
        renewal(&name("web"), facts, Some(&window))
    };
    let (start, end) = (today() + DAY, today() + 2 * DAY);
    assert!((start..=end).contains(&at(&facts.fingerprint, start, end)), "early: it was revoked, or will be");
    assert_eq!(at("another", start, end), renewal(&name("web"), facts, None));
    // What reaches into the last third is cut there, where a certificate counts as expiring.
    let reached = at(&facts.fingerprint, today() + 59 * DAY, today() + 61 * DAY);
    assert!((today() + 59 * DAY..=today() + 60 * DAY).contains(&reached), "{reached}");
    // A mistake does not let it run out.
    let mistaken = at(&facts.fingerprint, today() + 400 * DAY, today() + 500 * DAY);
    assert_eq!(mistaken, today() + 81 * DAY);
    // A window that is upside down is its beginning.
    assert_eq!(at(&facts.fingerprint, end, start), end);
}

#[test]
fn what_is_not_good_is_ordered_at_once() {
    let asked = Attempts { ask_after: Some(today() + DAY), ..Attempts::default() };
    let table = [
        (Held::Missing, "there is no certificate yet"),
        (Held::Unusable("why".to_owned()), "the certificate cannot be used: why"),
        (held(&["example.org"], today() - DAY, today() + DAY), "the certificate is not for `example.com`"),
        (held(&["example.com"], today() - DAY, today()), "the certificate is over since 2026-11-29T12:00:00Z"),
    ];
    for origin in [Origin::Acme, Origin::Internal] {
        let wanted = wanted(&["example.com"], origin);
        for (held, reason) in &table {
            assert_eq!(due(today(), held, &wanted, &asked), Due::Now((*reason).to_owned()));
        }
        let Held::Pair(mut pair) = held(&["example.com"], today() - DAY, today() + 89 * DAY) else { panic!() };
        pair.of_this_authority = false;
        let told = due(today(), &Held::Pair(pair), &wanted, &asked);
        assert_eq!(told, Due::Now("the certificate is of another authority".to_owned()));
    }
}

#[test]
fn a_clock_that_was_put_back_orders_nothing() {
    let wanted = wanted(&["example.com"], Origin::Acme);
    let held = held(&["example.com"], today() + 300 * DAY, today() + 390 * DAY);
    assert_eq!(due(today(), &held, &wanted, &Attempts::default()), Due::Hold { until: today() + 300 * DAY });
    // What failed a year ahead of the clock holds nothing up.
    let mut ahead = Attempts::default();
    ahead.failed(today() + 365 * DAY, Cost::Counted, None, "no".to_owned());
    assert!(matches!(due(today(), &Held::Missing, &wanted, &ahead), Due::Now(_)));
    // A clock that is put right by minutes is the same clock.
    let mut minutes = Attempts::default();
    minutes.failed(today() + SignedDuration::from_mins(5), Cost::Counted, None, "no".to_owned());
    assert!(matches!(due(today(), &Held::Missing, &wanted, &minutes), Due::Wait { .. }));
}

#[test]
fn failures_wait_an_hour_and_then_twice_as_long_each_time_up_to_a_day() {
    let wanted = wanted(&["example.com"], Origin::Acme);
    let mut attempts = Attempts::default();
    let mut waits = Vec::new();
    for _ in 0..7 {
        attempts.failed(today(), Cost::Counted, None, "no".to_owned());
        let Due::Wait { until, why } = due(today(), &Held::Missing, &wanted, &attempts) else { panic!("{attempts:?}") };
        assert_eq!(why, "no");
        waits.push(until.duration_since(today()).as_hours());
        assert!(matches!(due(until, &Held::Missing, &wanted, &attempts), Due::Now(_)));
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 24, 24]);
    attempts.succeeded();
    assert!(matches!(due(today(), &Held::Missing, &wanted, &attempts), Due::Now(_)));
}

#[test]
fn what_no_authority_heard_of_waits_a_minute_and_then_up_to_an_hour() {
    let mut attempts = Attempts::default();
    let mut wait = |cost| {
        attempts.failed(today(), cost, None, String::new());
        attempts.waits(today()).unwrap().duration_since(today()).as_mins()
    };
    let waits: Vec<_> = (0..8).map(|_| wait(Cost::Free)).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!((wait(Cost::Counted), wait(Cost::Free), wait(Cost::Counted)), (60, 1, 120));
}

#[test]
fn the_authority_may_want_to_be_left_alone_for_longer() {
    let hours = |told: Duration| {
        let mut attempts = Attempts::default();
        attempts.failed(today(), Cost::Counted, Some(told), String::new());
        attempts.waits(today()).unwrap().duration_since(today()).as_hours()
    };
    assert_eq!(hours(Duration::from_secs(60)), 1);
    assert_eq!(hours(Duration::from_secs(50 * 3_600)), 50);
    assert_eq!(hours(Duration::MAX), 7 * 24, "a mistake is not waited for");
}

#[test]
fn less_than_a_third_of_its_life_is_trouble() {
    let standing = |days_ago: i32| {
        let begin = today() - days_ago * DAY;
        let wanted = wanted(&["example.com"], Origin::Acme);
        standing(today(), &held(&["example.com"], begin, begin + 90 * DAY), &wanted)
    };
    let until = today() + 30 * DAY;
    assert_eq!((standing(60), standing(60).is_trouble()), (Standing::Good { until }, false));
    assert_eq!(standing(61), Standing::Expiring { until: until - DAY });
    assert!(standing(61).is_trouble());
    let told = "the certificate is over at 2026-12-28T12:00:00Z: less than a third of its life is left";
    assert_eq!(standing(61).to_string(), told);
    assert_eq!(standing(91), Standing::Faulty(Fault::Expired(today() - DAY)));
}

#[test]
fn what_is_wanted_is_judged_again_when_it_is_read() {
    let wanted = wanted(&["a.b"], Origin::Acme);
    let text = serde_json::json!(wanted).to_string();
    assert_eq!(serde_json::from_str::<Wanted>(&text).unwrap(), wanted);
    for (a, b) in [("\"a.b\"", "\"*.a.b\""), ("production.", "../"), ("production.", "_"), ("[\"a.b\"]", "[]")] {
        serde_json::from_str::<Wanted>(&text.replace(a, b)).unwrap_err();
    }
}

#[test]
fn nobody_orders_a_wildcard_by_http_or_a_certificate_for_nothing() {
    let wildcard = Wanted::new(name("web"), names(&["a.b", "*.a.b"]), Origin::Acme).unwrap_err();
    assert_eq!(
        wildcard.to_string(),
        "`*.a.b` of certificate `production.shop.web` stands for many names, and HTTP-01 proves one at a time"
    );
    assert!(wildcard.hint().contains("`internal`"));
    Wanted::new(name("web"), names(&["*.a.b"]), Origin::Internal).unwrap();
    let nameless = Wanted::new(name("web"), names(&[]), Origin::Internal).unwrap_err();
    assert_eq!(nameless, Refused::Nameless { name: name("web") });
}

#[test]
fn a_certificate_that_begins_within_minutes_is_good() {
    let (wanted, until) = (wanted(&["example.com"], Origin::Acme), today() + 90 * DAY);
    let fault = |minutes: i64| {
        let held = held(&["example.com"], today() + SignedDuration::from_mins(minutes), until);
        held.good(today(), &wanted).err()
    };
    assert_eq!((fault(0), fault(10)), (None, None));
    assert!(matches!(fault(11), Some(Fault::NotYet(_))));
}
