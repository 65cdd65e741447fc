//! What an authority says beside issuing: that it is asked too much, when it wants a certificate renewed, and nonsense.

use super::{
    certificates,
    proxy::Proxy,
    stand_in::{Answer, StandIn, authorization},
    wanted,
};
use jiff::{SignedDuration, Timestamp};
use reconcile::tls::{Certificates, Due, Held, TlsError, Window};
use serde_json::json;
use tempfile::TempDir;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// An authority that does as it is told, and certificates that may be ordered there.
async fn house() -> (TempDir, StandIn, Certificates) {
    let (folder, proxy) = (tempfile::tempdir().unwrap(), Proxy::start().await);
    let authority = StandIn::start(folder.path()).await;
    let certificates = certificates(folder.path(), &authority.directory(), authority.root(), proxy.address);
    proxy.answer_for(&certificates.thumbprint().unwrap());
    (folder, authority, certificates)
}

#[tokio::test]
async fn an_authority_that_is_asked_too_much_is_left_alone_as_long_as_it_says() {
    let (_folder, authority, certificates) = house().await;
    let (wanted, now) = (wanted(&["shop.example.com"]), Timestamp::now());
    let told = "too many certificates already issued for \"example.com\": see https://ca.example.com/limits";
    authority.answer(move |path, _| {
        (path == "/orders").then(|| Answer::problem(429, "rateLimited", told).with("retry-after", "18000"))
    });
    let error = certificates.obtain(&wanted, now).await.unwrap_err();
    assert!(error.whole().contains(told), "{}", error.whole());
    assert!(error.hint().unwrap().contains("staging"));
    let Due::Wait { until, why } = certificates.due(now, &wanted) else { panic!() };
    assert_eq!((until, why), (now + 5 * HOUR, error.whole()));
    let again = certificates.obtain(&wanted, now + 4 * HOUR).await.unwrap_err();
    assert!(matches!(again, TlsError::TooSoon { .. }), "{again}");
    assert_eq!(authority.asked("/orders").len(), 1);
    authority.answer(|_, _| None);
    let held = certificates.obtain(&wanted, until).await.unwrap();
    assert!(held.good(until, &wanted).is_ok());
}

#[tokio::test]
async fn an_authority_that_is_down_says_so_and_for_how_long() {
    let (_folder, authority, certificates) = house().await;
    let (wanted, now) = (wanted(&["shop.example.com"]), Timestamp::now());
    authority.answer(|path, _| {
        let body = "<html>\n<b>down for maintenance</b>\n</html>".to_owned();
        (path == "/directory").then(|| Answer { status: 503, headers: vec![("retry-after", "7200".to_owned())], body })
    });
    let error = certificates.obtain(&wanted, now).await.unwrap_err();
    assert!(error.whole().contains("it answered 503: <html> <b>down for maintenance</b> </html>"), "{}", error.whole());
    let Due::Wait { until, .. } = certificates.due(now, &wanted) else { panic!() };
    assert_eq!(until, now + 2 * HOUR);
}

#[tokio::test]
async fn an_authorization_that_was_revoked_is_told_by_name() {
    let (_folder, authority, certificates) = house().await;
    let wanted = wanted(&["shop.example.com"]);
    authority.answer(|path, _| (path == "/authorization").then(|| Answer::json(200, &authorization("revoked"))));
    let error = certificates.obtain(&wanted, Timestamp::now()).await.unwrap_err();
    let TlsError::Unproven { why, .. } = &error else { panic!("{error}") };
    assert_eq!(why, "`shop.example.com`: what was shown is revoked");
    assert_eq!(authority.asked("/finalize").len(), 0);
}

#[tokio::test]
async fn what_was_not_ordered_takes_no_ones_place() {
    let (_folder, authority, certificates) = house().await;
    let (wanted, now) = (wanted(&["shop.example.com"]), Timestamp::now());
    let held = certificates.obtain(&wanted, now).await.unwrap();
    *authority.instead.lock().unwrap() = Some("evil.example.com".to_owned());
    let later = now + 60 * 24 * HOUR;
    let error = certificates.obtain(&wanted, later).await.unwrap_err();
    assert!(error.to_string().ends_with("it is not for `shop.example.com`"), "{error}");
    assert_eq!(certificates.look(&wanted), held);
    authority.answer(|path, _| {
        (path == "/certificate").then(|| Answer { status: 200, headers: Vec::new(), body: "no certificate".to_owned() })
    });
    let error = certificates.obtain(&wanted, later + 2 * HOUR).await.unwrap_err();
    assert!(matches!(error, TlsError::NotAsOrdered { .. }), "{error}");
    assert_eq!(certificates.look(&wanted), held);
}

#[tokio::test]
async fn an_order_is_noted_before_the_authority_hears_of_it_so_that_a_kill_does_not_repeat_it() {
    let (_folder, authority, certificates) = house().await;
    let (wanted, now) = (wanted(&["shop.example.com"]), Timestamp::now());
    let (killed, order) = (certificates.clone(), wanted.clone());
    let (heard, mut noted) = tokio::sync::mpsc::unbounded_channel();
    authority.answer(move |path, _| {
        (path == "/orders").then(|| {
            heard.send(killed.attempts(&order)).unwrap();
            Answer::problem(500, "serverInternal", "x")
        })
    });
    certificates.obtain(&wanted, now).await.unwrap_err();
    let noted = noted.recv().await.unwrap();
    assert_eq!((noted.failures, noted.not_before), (1, Some(now + HOUR)));
    assert_eq!(noted.why.as_deref(), Some("the order was begun, and nothing tells how it ended"));
    // As it ended otherwise, that is one failure and not two.
    assert_eq!(certificates.attempts(&wanted).failures, 1);
}

#[tokio::test]
async fn the_authority_says_when_it_wants_a_certificate_renewed_and_hears_which_one_is() {
    let (_folder, authority, certificates) = house().await;
    let (wanted, now) = (wanted(&["shop.example.com"]), Timestamp::now());
    let held = certificates.obtain(&wanted, now).await.unwrap();
    let fingerprint = held.pair().unwrap().facts.fingerprint.clone();
    assert_eq!(certificates.due(now, &wanted), Due::Ask);
    authority.answer(|path, _| {
        path.starts_with("/renewal/").then(|| {
            let window = json!({"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"});
            Answer::json(200, &json!({"suggestedWindow": window})).with("retry-after", "21600")
        })
    });
    certificates.ask(&wanted, now).await.unwrap();
    let attempts = certificates.attempts(&wanted);
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let window = Window { fingerprint, start: at("2020-01-01T00:00:00Z"), end: at("2020-01-02T00:00:00Z") };
    assert_eq!(attempts.window, Some(window));
    // A window in the past is now: it was, or is about to be, revoked.
    assert!(matches!(certificates.due(now, &wanted), Due::Now(_)));
    let Held::Pair(renewed) = certificates.obtain(&wanted, now).await.unwrap() else { panic!() };
    assert_ne!(Some(&renewed), held.pair());
    let orders = authority.asked("/orders");
    assert_eq!((orders.len(), orders[0].get("replaces")), (2, None));
    let replaced = orders[1]["replaces"].as_str().unwrap();
    assert_eq!(authority.asked(&format!("/renewal/{replaced}")).len(), 1);
    assert_eq!(certificates.attempts(&wanted).window, None, "the window was of the one before");
}

#[tokio::test]
async fn an_authority_that_has_forgotten_what_is_replaced_issues_all_the_same() {
    let (_folder, authority, certificates) = house().await;
    let (wanted, now) = (wanted(&["shop.example.com"]), Timestamp::now());
    certificates.obtain(&wanted, now).await.unwrap();
    authority.answer(|path, payload| {
        if path.starts_with("/renewal/") {
            let window = json!({"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"});
            return Some(Answer::json(200, &json!({"suggestedWindow": window})).with("retry-after", "21600"));
        }
        let replaces = path == "/orders" && payload.get("replaces").is_some();
        replaces.then(|| Answer::problem(409, "alreadyReplaced", "it was replaced"))
    });
    certificates.ask(&wanted, now).await.unwrap();
    certificates.obtain(&wanted, now).await.unwrap();
    assert_eq!(authority.asked("/orders").len(), 3);
}

#[tokio::test]
async fn a_window_that_cannot_be_had_changes_nothing_and_is_asked_for_later() {
    let (_folder, authority, certificates) = house().await;
    let (wanted, now) = (wanted(&["shop.example.com"]), Timestamp::now());
    certificates.obtain(&wanted, now).await.unwrap();
    authority.answer(|path, _| path.starts_with("/renewal/").then(|| Answer::problem(500, "serverInternal", "sorry")));
    certificates.ask(&wanted, now).await.unwrap_err();
    let Due::Hold { until } = certificates.due(now, &wanted) else { panic!() };
    assert_eq!(until, now + 6 * HOUR);
    assert_eq!(certificates.attempts(&wanted).failures, 0);
}

#[tokio::test]
async fn the_address_that_the_authority_writes_to_is_told_once_and_again_when_it_changes() {
    let (folder, authority, certificates) = house().await;
    let (wanted, now) = (wanted(&["shop.example.com"]), Timestamp::now());
    certificates.obtain(&wanted, now).await.unwrap();
    certificates.ask(&wanted, now).await.unwrap_err();
    let told =
        || authority.asked("/account").into_iter().filter_map(|said| said.get("contact").cloned()).collect::<Vec<_>>();
    assert_eq!(told(), [json!(["mailto:ops@example.com"])]);
    let settings = reconcile::tls::Settings {
        directory: authority.directory(),
        email: None,
        ca_file: Some(authority.root().to_owned()),
        preflight: None,
    };
    let changed = Certificates::open(folder.path().join("certs"), settings);
    changed.ask(&wanted, now).await.unwrap_err();
    assert_eq!(told().last(), Some(&json!([])));
}
