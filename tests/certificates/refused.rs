//! What happens when the authority issues nothing.

use super::{authority::Authority, certificates, proxy::Proxy, wanted};
use jiff::{SignedDuration, Timestamp};
use reconcile::{
    blame::Blame,
    tls::{Due, Fault, Held, TlsError},
};
use std::time::Duration;

const LIFE: Duration = Duration::from_secs(1_000 * 3_600);

#[tokio::test]
async fn a_path_that_does_not_lead_here_is_seen_before_any_order() {
    let (folder, proxy) = (tempfile::tempdir().unwrap(), Proxy::start().await);
    let authority = Authority::start(folder.path(), proxy.address, LIFE);
    let certificates = certificates(folder.path(), &authority.directory(), &authority.root(), proxy.address);
    let (wanted, now) = (wanted(&["shop.example.com"]), Timestamp::now());
    let error = certificates.obtain(&wanted, now).await.unwrap_err();
    let TlsError::Astray(refusal) = &error else { panic!("{error}") };
    assert_eq!(refusal.host, "shop.example.com");
    assert_eq!((error.blame(), authority.orders(), authority.accounts()), (Blame::World, 0, 0));
    // Once it does, nothing is in the way.
    proxy.answer_for(&certificates.thumbprint().unwrap());
    let Due::Wait { until, .. } = certificates.due(now, &wanted) else { panic!() };
    certificates.obtain(&wanted, until).await.unwrap();
}

#[tokio::test]
async fn a_name_that_the_authority_does_not_find_here_is_told_in_its_words() {
    let (folder, proxy) = (tempfile::tempdir().unwrap(), Proxy::start().await);
    let authority = Authority::start(folder.path(), proxy.address, LIFE);
    let certificates = certificates(folder.path(), &authority.directory(), &authority.root(), proxy.address);
    let (wanted, now) = (wanted(&["shop.example.com"]), Timestamp::now());
    proxy.answer_for(&certificates.thumbprint().unwrap());
    // The preflight is answered, the authority is not: a firewall that lets nobody in from outside.
    proxy.fail_after(1);
    let error = certificates.obtain(&wanted, now).await.unwrap_err();
    let TlsError::Unproven { why, .. } = &error else { panic!("{error}") };
    assert!(why.starts_with("`shop.example.com`: API error: ") && why.contains("404"), "{why}");
    assert!(why.contains("urn:ietf:params:acme:error:unauthorized"), "{why}");
    assert!(error.hint().unwrap().contains("firewall"));
    assert_eq!(certificates.look(&wanted), Held::Missing);
    // It is the next order that proves it anew, an hour later.
    let Due::Wait { until, why } = certificates.due(now, &wanted) else { panic!() };
    assert_eq!(until, now + SignedDuration::from_hours(1));
    assert_eq!(why, error.whole());
    for _ in 0..3 {
        let again = certificates.obtain(&wanted, now + SignedDuration::from_mins(59)).await.unwrap_err();
        assert!(matches!(again, TlsError::TooSoon { .. }), "{again}");
    }
    assert_eq!(authority.orders(), 1);
    proxy.fail_after(usize::MAX);
    certificates.obtain(&wanted, until).await.unwrap();
    assert_eq!(certificates.attempts(&wanted).failures, 0);
}

#[tokio::test]
async fn a_name_that_the_authority_refuses_is_told_in_its_words() {
    let (folder, proxy) = (tempfile::tempdir().unwrap(), Proxy::start().await);
    let authority = Authority::start(folder.path(), proxy.address, LIFE);
    let certificates = certificates(folder.path(), &authority.directory(), &authority.root(), proxy.address);
    proxy.answer_for(&certificates.thumbprint().unwrap());
    let error = certificates.obtain(&wanted(&["blocked.example.com"]), Timestamp::now()).await.unwrap_err();
    let told = error.whole();
    assert!(told.contains("rejectedIdentifier") && told.contains("blocked.example.com"), "{told}");
    assert_eq!(error.hint().as_deref(), Some("this authority issues nothing for that name"));
}

#[tokio::test]
async fn an_authority_that_is_away_costs_nothing_but_the_wait_and_what_is_held_stays() {
    let (folder, proxy) = (tempfile::tempdir().unwrap(), Proxy::start().await);
    let mut authority = Authority::start(folder.path(), proxy.address, LIFE);
    let certificates = certificates(folder.path(), &authority.directory(), &authority.root(), proxy.address);
    let (wanted, now) = (wanted(&["shop.example.com"]), Timestamp::now());
    proxy.answer_for(&certificates.thumbprint().unwrap());
    let held = certificates.obtain(&wanted, now).await.unwrap();
    authority.stop();
    let later = now + SignedDuration::from_hours(900);
    let error = certificates.obtain(&wanted, later).await.unwrap_err();
    assert!(matches!(error, TlsError::Authority { .. }), "{error}");
    assert!(error.whole().contains("onnection refused"), "{}", error.whole());
    assert_eq!(certificates.look(&wanted), held);
    // It runs out while the authority is away, and is told so; it is shown all the same.
    let over = now + SignedDuration::from_hours(1_001);
    let fault = held.good(over, &wanted).unwrap_err();
    assert!(matches!(fault, Fault::Expired(_)) && fault.can_be_shown());
}

#[tokio::test]
async fn a_directory_that_nobody_vouches_for_is_not_asked() {
    let (folder, proxy) = (tempfile::tempdir().unwrap(), Proxy::start().await);
    let authority = Authority::start(folder.path(), proxy.address, LIFE);
    let stranger = tempfile::tempdir().unwrap();
    let other = Authority::start(stranger.path(), proxy.address, LIFE);
    let certificates = certificates(folder.path(), &authority.directory(), &other.root(), proxy.address);
    proxy.answer_for(&certificates.thumbprint().unwrap());
    let error = certificates.obtain(&wanted(&["shop.example.com"]), Timestamp::now()).await.unwrap_err();
    assert!(error.whole().contains("certificate"), "{}", error.whole());
    assert_eq!(authority.accounts(), 0);
}

#[tokio::test]
async fn a_clock_that_is_wrong_orders_once_and_waits() {
    let (folder, proxy) = (tempfile::tempdir().unwrap(), Proxy::start().await);
    let authority = Authority::start(folder.path(), proxy.address, LIFE);
    let certificates = certificates(folder.path(), &authority.directory(), &authority.root(), proxy.address);
    let wanted = wanted(&["shop.example.com"]);
    proxy.answer_for(&certificates.thumbprint().unwrap());
    // A year ahead: what is issued is over before it begins.
    let wrong = Timestamp::now() + SignedDuration::from_hours(365 * 24);
    let error = certificates.obtain(&wanted, wrong).await.unwrap_err();
    assert!(matches!(error, TlsError::NotToday { .. }), "{error}");
    assert_eq!(error.hint().as_deref(), Some("is the clock of this machine right?"));
    assert!(matches!(certificates.due(wrong, &wanted), Due::Wait { .. }));
    // The clock is put right: what was issued is good, and nothing is ordered.
    let held = certificates.obtain(&wanted, Timestamp::now()).await.unwrap();
    assert!(held.good(Timestamp::now(), &wanted).is_ok());
    assert_eq!(authority.orders(), 1);
}
