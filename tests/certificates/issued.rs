//! What the authority issues.

use super::{authority::Authority, certificates, openssl, proxy::Proxy, wanted};
use jiff::{SignedDuration, Timestamp};
use reconcile::tls::{Due, renewal, standing};
use std::{collections::BTreeSet, fs, os::unix::fs::MetadataExt, time::Duration};

const LIFE: Duration = Duration::from_secs(1_000 * 3_600);

#[tokio::test]
async fn one_certificate_is_issued_for_two_names_and_a_restart_orders_nothing() {
    let (folder, proxy) = (tempfile::tempdir().unwrap(), Proxy::start().await);
    let authority = Authority::start(folder.path(), proxy.address, LIFE);
    let open = || certificates(folder.path(), &authority.directory(), &authority.root(), proxy.address);
    let (certificates, wanted, now) = (open(), wanted(&["shop.example.com", "www.shop.example.com"]), Timestamp::now());
    // The proxy can answer before anybody hears of the account.
    proxy.answer_for(&certificates.thumbprint().unwrap());
    assert_eq!(authority.accounts(), 0);
    let held = certificates.obtain(&wanted, now).await.unwrap();
    let pair = held.good(Timestamp::now(), &wanted).unwrap();
    assert_eq!(&pair.facts.names, wanted.names());
    assert!(pair.facts.issuer.contains("Pebble Intermediate"), "{}", pair.facts.issuer);
    // Each once before the order, and once or more by the authority.
    let (asked, seen): (_, BTreeSet<_>) = (proxy.asked().len(), proxy.asked().into_iter().collect());
    assert!(&seen == wanted.names() && asked >= 4, "{:?}", proxy.asked());
    // As others read it: the names, and a chain of two whose key is its own.
    let (chain, key) = (pair.chain.to_str().unwrap(), pair.key.to_str().unwrap());
    let text = openssl(&["x509", "-in", chain, "-noout", "-ext", "subjectAltName"]);
    assert!(text.contains("DNS:shop.example.com") && text.contains("DNS:www.shop.example.com"), "{text}");
    assert_eq!(fs::read_to_string(chain).unwrap().matches("BEGIN CERTIFICATE").count(), 2);
    let public = |arguments: &[&str]| openssl(arguments);
    assert_eq!(public(&["x509", "-in", chain, "-noout", "-pubkey"]), public(&["pkey", "-in", key, "-pubout"]));
    assert_eq!(fs::metadata(key).unwrap().mode() & 0o7777, 0o600);
    // A restart finds all of it.
    let again = open();
    assert_eq!(again.obtain(&wanted, now).await.unwrap(), held);
    assert_eq!(again.thumbprint().unwrap(), certificates.thumbprint().unwrap());
    assert_eq!((authority.orders(), authority.accounts()), (1, 1));
}

#[tokio::test]
async fn it_is_renewed_in_time_by_the_account_that_was_there_and_the_old_one_stays_until_then() {
    let (folder, proxy) = (tempfile::tempdir().unwrap(), Proxy::start().await);
    let authority = Authority::start(folder.path(), proxy.address, LIFE);
    let open = || certificates(folder.path(), &authority.directory(), &authority.root(), proxy.address);
    let (wanted, now) = (wanted(&["shop.example.com"]), Timestamp::now());
    proxy.answer_for(&open().thumbprint().unwrap());
    let first = open().obtain(&wanted, now).await.unwrap();
    // This authority says nothing of renewals, and is asked tomorrow again.
    assert_eq!(open().due(now, &wanted), Due::Ask);
    open().ask(&wanted, now).await.unwrap();
    assert_eq!(open().due(now, &wanted), Due::Hold { until: now + SignedDuration::from_hours(24) });
    let until = renewal(wanted.name(), &first.pair().unwrap().facts, None);
    let hours = until.duration_since(now).as_hours();
    assert!((600..=660).contains(&hours), "a certificate of a thousand hours is renewed after {hours}");
    assert_eq!(open().obtain(&wanted, until - SignedDuration::from_secs(1)).await.unwrap(), first);
    let second = open().obtain(&wanted, until).await.unwrap();
    let (first, second) = (first.pair().unwrap(), second.pair().unwrap());
    assert_ne!((&first.facts.fingerprint, &first.chain), (&second.facts.fingerprint, &second.chain));
    assert!(first.chain.exists(), "a proxy reads it until it is told");
    assert_ne!(fs::read(&first.key).unwrap(), fs::read(&second.key).unwrap());
    assert_eq!((authority.orders(), authority.accounts()), (2, 1));
    assert!(!standing(until, &open().look(&wanted), &wanted).is_trouble());
}

#[tokio::test]
async fn an_authority_that_forgot_the_account_is_given_it_again() {
    let (folder, proxy) = (tempfile::tempdir().unwrap(), Proxy::start().await);
    let mut authority = Authority::start(folder.path(), proxy.address, LIFE);
    let (certificates, wanted, now) = (
        certificates(folder.path(), &authority.directory(), &authority.root(), proxy.address),
        wanted(&["shop.example.com"]),
        Timestamp::now(),
    );
    let thumbprint = certificates.thumbprint().unwrap();
    proxy.answer_for(&thumbprint);
    certificates.obtain(&wanted, now).await.unwrap();
    authority.start_anew();
    let later = now + SignedDuration::from_hours(900);
    let error = certificates.obtain(&wanted, later).await.unwrap_err();
    assert!(error.whole().contains("accountDoesNotExist"), "{}", error.whole());
    let Due::Wait { until, .. } = certificates.due(later, &wanted) else { panic!() };
    certificates.obtain(&wanted, until).await.unwrap();
    assert_eq!((certificates.thumbprint().unwrap(), authority.accounts()), (thumbprint, 1));
}
