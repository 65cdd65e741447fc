//! The host's own authority.

use super::*;
use crate::tls::{Due, TlsError, standing};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

/// Every file and folder below one, with its mode.
fn modes(folder: &Path) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let about = fs::symlink_metadata(&path).unwrap();
            if about.is_symlink() {
                continue;
            }
            found.push((path.strip_prefix(folder).unwrap().display().to_string(), about.mode() & 0o7777));
            if about.is_dir() {
                open.push(path);
            }
        }
    }
    found
}

#[tokio::test]
async fn its_certificate_is_what_others_verify_and_nobody_else_reads_the_keys() {
    let (folder, certificates) = certificates();
    let wanted = wanted(&["intra.example.com", "*.intra.example.com"], Origin::Internal);
    assert_eq!((certificates.look(&wanted), certificates.authority()), (Held::Missing, None));
    assert!(!folder.path().join("certs").exists(), "a look leaves no trace");
    // An umask that opens everything, as that of a careless unit.
    let before = rustix::process::umask(rustix::fs::Mode::empty());
    let now = Timestamp::now();
    let held = certificates.obtain(&wanted, now).await.unwrap();
    rustix::process::umask(before);
    let pair = held.good(now, &wanted).unwrap();
    assert_eq!(pair.facts.names, *wanted.names());
    assert!(pair.facts.issuer.contains("CN=reconcile "), "{}", pair.facts.issuer);
    let days = pair.facts.not_after.duration_since(now).as_hours() / 24;
    assert!((89..=90).contains(&days), "{days}");
    let authority = certificates.authority().unwrap();
    let verified = Command::new("openssl")
        .args(["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "a.intra.example.com", "-CAfile"])
        .args([&authority, &pair.chain])
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    for (path, mode) in modes(folder.path()) {
        assert_eq!(mode & 0o077, 0, "{path}: {mode:04o}");
    }
}

#[tokio::test]
async fn a_restart_finds_what_was_made_and_makes_nothing() {
    let (folder, certificates) = certificates();
    let wanted = wanted(&["a.example.com"], Origin::Internal);
    let first = certificates.obtain(&wanted, today()).await.unwrap();
    let again = Certificates::open(folder.path().join("certs"), settings());
    assert_eq!(again.look(&wanted), first);
    assert_eq!(again.obtain(&wanted, today() + 30 * DAY).await.unwrap(), first);
    let mut names: Vec<_> = modes(folder.path()).into_iter().map(|(path, _)| path).collect();
    names.retain(|path| path.ends_with(".pem"));
    assert_eq!(names.len(), 4, "a chain, a certificate and their keys: {names:?}");
}

#[tokio::test]
async fn it_is_renewed_like_any_other_by_the_same_authority_and_the_one_before_is_kept_for_the_proxy() {
    let (_folder, certificates) = certificates();
    let wanted = wanted(&["a.example.com"], Origin::Internal);
    let mut chains = Vec::new();
    let mut now = today();
    for _ in 0..4 {
        let held = certificates.obtain(&wanted, now).await.unwrap();
        assert!(!standing(now, &held, &wanted).is_trouble());
        chains.push(held.pair().unwrap().chain.clone());
        let Due::Hold { until } = certificates.due(now, &wanted) else { panic!() };
        now = until;
    }
    let there: Vec<_> = chains.iter().map(|chain| chain.exists()).collect();
    assert_eq!(there, [false, false, true, true]);
    let authority = fs::read(certificates.authority().unwrap()).unwrap();
    // Ten years later it would be over before the certificate: another takes its place, and what it issued.
    let later = today() + 3_600 * DAY;
    let held = certificates.obtain(&wanted, later).await.unwrap();
    assert!(held.good(later, &wanted).is_ok());
    assert_ne!(fs::read(certificates.authority().unwrap()).unwrap(), authority);
}

#[tokio::test]
async fn other_names_are_another_certificate_and_the_old_one_is_shown_until_then() {
    let (_folder, certificates) = certificates();
    let one = wanted(&["a.example.com"], Origin::Internal);
    let two = wanted(&["a.example.com", "b.example.com"], Origin::Internal);
    let first = certificates.obtain(&one, today()).await.unwrap();
    assert_eq!(certificates.look(&two), first);
    let fault = first.good(today(), &two).unwrap_err();
    assert!(fault.can_be_shown() && matches!(certificates.due(today(), &two), Due::Now(_)));
    let second = certificates.obtain(&two, today()).await.unwrap();
    assert!(second.good(today(), &two).is_ok());
    // Fewer names need no other.
    assert_eq!(certificates.obtain(&one, today()).await.unwrap(), second);
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_shown_until_the_wanted_one_has_issued() {
    let (folder, certificates) = certificates();
    let internal = wanted(&["a.example.com"], Origin::Internal);
    let public = wanted(&["a.example.com"], Origin::Acme);
    let held = certificates.obtain(&internal, today()).await.unwrap();
    let seen = certificates.look(&public);
    assert_eq!(seen.good(today(), &public).unwrap_err(), Fault::OtherAuthority);
    assert_eq!(seen.pair().map(|pair| &pair.chain), held.pair().map(|pair| &pair.chain));
    assert!(matches!(certificates.due(today(), &public), Due::Now(_)));
    // Whoever removes the authority, whose key got out, has everything issued anew.
    fs::remove_dir_all(folder.path().join("certs/_authority")).unwrap();
    assert_eq!(certificates.look(&internal).good(today(), &internal).unwrap_err(), Fault::OtherAuthority);
    let anew = certificates.obtain(&internal, today()).await.unwrap();
    assert!(anew.good(today(), &internal).is_ok());
}

#[tokio::test]
async fn what_a_kill_left_is_no_certificate_and_is_cleared() {
    let (folder, certificates) = certificates();
    let home = folder.path().join("certs/production.shop.web");
    let wanted = wanted(&["a.example.com"], Origin::Internal);
    fs::create_dir_all(home.join(".new-abc")).unwrap();
    fs::write(home.join(".new-abc/key.pem"), "half").unwrap();
    std::os::unix::fs::symlink("internal-gone", home.join(".new-current")).unwrap();
    assert_eq!(certificates.look(&wanted), Held::Missing);
    certificates.obtain(&wanted, today()).await.unwrap();
    let mut left: Vec<_> = fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left.len(), 3, "{left:?}");
    // A folder that is gone below its link is told, and made anew.
    let target = home.join(fs::read_link(home.join("current")).unwrap());
    fs::remove_dir_all(target).unwrap();
    assert!(matches!(certificates.look(&wanted), Held::Unusable(_)));
    let held = certificates.obtain(&wanted, today()).await.unwrap();
    assert!(held.good(today(), &wanted).is_ok());
}

#[tokio::test]
async fn a_damaged_authority_is_told_with_what_to_do_and_not_replaced() {
    let (folder, certificates) = certificates();
    let wanted = wanted(&["a.example.com"], Origin::Internal);
    certificates.obtain(&wanted, today()).await.unwrap();
    let authority = certificates.authority().unwrap();
    fs::write(authority.with_file_name("key.pem"), "").unwrap();
    let other = Wanted::new(name("other"), names(&["b.example.com"]), Origin::Internal).unwrap();
    let error = certificates.obtain(&other, today()).await.unwrap_err();
    assert!(matches!(error, TlsError::Damaged { .. }), "{error}");
    let place = folder.path().join("certs/_authority");
    assert_eq!(error.hint(), Some(format!("remove `{}`: it is made anew", place.display())));
    assert!(matches!(certificates.due(today(), &other), Due::Wait { .. }), "it is not tried again at once");
}

#[test]
fn a_chain_and_its_key_are_never_of_two_certificates() {
    let (_folder, certificates) = certificates();
    let wanted = wanted(&["a.example.com"], Origin::Internal);
    let over = AtomicBool::new(false);
    let renewing = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let looks = std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut looks = 0;
            while !over.load(Ordering::Relaxed) || looks < 50 {
                // A look that was overtaken twice may find nothing; it never finds what does not fit.
                if let Held::Unusable(why) = certificates.look(&wanted) {
                    assert!(why.ends_with("is not there"), "{why}");
                }
                looks += 1;
            }
            looks
        });
        let mut now = today();
        for _ in 0..30 {
            now += 60 * DAY;
            renewing.block_on(certificates.obtain(&wanted, now)).unwrap();
        }
        over.store(true, Ordering::Relaxed);
        looking.join().unwrap()
    });
    assert!(looks >= 50);
}

#[tokio::test]
async fn what_nobody_wants_is_removed_once_it_is_over() {
    let (folder, certificates) = certificates();
    let wanted = wanted(&["a.example.com"], Origin::Internal);
    certificates.obtain(&wanted, today()).await.unwrap();
    let place = folder.path().join("certs/production.shop.web");
    let nobody = BTreeSet::new();
    let tidy = |app: &str, days: i32, wanted: &BTreeSet<CertificateName>| {
        let app = (&"production".parse().unwrap(), &app.parse().unwrap());
        certificates.tidy(today() + days * DAY, app, wanted).unwrap();
    };
    tidy("shop", 0, &nobody);
    assert!(place.exists(), "a route that comes back finds it");
    tidy("shop", 91, &BTreeSet::from([wanted.name().clone()]));
    assert!(place.exists(), "it is wanted");
    tidy("sho", 91, &nobody);
    assert!(place.exists(), "it is another app's");
    tidy("shop", 91, &nobody);
    assert!(!place.exists() && certificates.authority().is_some());
}

#[test]
fn the_accounts_key_is_made_once_before_anybody_hears_of_it_and_closed() {
    let (folder, certificates) = certificates();
    assert_eq!(certificates.known_thumbprint().unwrap(), None);
    let thumbprint = certificates.thumbprint().unwrap();
    assert_eq!(thumbprint.len(), 43, "{thumbprint}");
    assert_eq!(certificates.known_thumbprint().unwrap().as_ref(), Some(&thumbprint));
    let again = Certificates::open(folder.path().join("certs"), settings());
    assert_eq!(again.thumbprint().unwrap(), thumbprint);
    let other = Settings { directory: "https://other.example.com/".to_owned(), ..settings() };
    assert_ne!(Certificates::open(folder.path().join("certs"), other).thumbprint().unwrap(), thumbprint);
    for (path, mode) in modes(folder.path()) {
        assert_eq!(mode & 0o077, 0, "{path}: {mode:04o}");
    }
    for entry in fs::read_dir(folder.path().join("certs/_accounts")).unwrap() {
        fs::write(entry.unwrap().path().join("key.pem"), "no key").unwrap();
    }
    let error = certificates.thumbprint().unwrap_err();
    assert!(error.to_string().ends_with("it is no key (PKCS #8, PEM)"), "{error}");
}
