//! Files that somebody else puts there.

use super::*;
use crate::tls::{Due, covers, standing};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

fn put(folder: &Path, file: &str, content: &str) -> PathBuf {
    let path = folder.join(file);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// What is wrong with files, and what to do about it.
fn judged(certificate: &Path, key: &Path, hosts: &[&str]) -> String {
    let (_folder, certificates) = certificates();
    let wanted = wanted(hosts, Origin::Files { certificate: certificate.to_owned(), key: key.to_owned() });
    let fault = certificates.look(&wanted).good(today(), &wanted).map(|_| ());
    match fault {
        Ok(()) => "good".to_owned(),
        Err(fault) => {
            let text = fault.hint(&wanted).map_or(fault.to_string(), |hint| format!("{fault}\n{hint}"));
            text.replace(certificate.parent().unwrap().to_str().unwrap(), "")
        }
    }
}

#[test]
fn a_pair_is_good_when_the_key_is_its_own_and_every_name_is_in_it_and_it_is_today() {
    let folder = tempfile::tempdir().unwrap();
    let put = |file: &str, content: &str| put(folder.path(), file, content);
    let (chain, key) = self_signed(&["example.com", "*.example.com"], today() - DAY, today() + 89 * DAY);
    let (old, old_key) = self_signed(&["example.com"], today() - 90 * DAY, today() - HOUR);
    let (young, young_key) = self_signed(&["example.com"], today() + HOUR, today() + DAY);
    let (pem, other) = (put("c.pem", &chain), KeyPair::generate().unwrap().serialize_pem());
    let key = put("k.pem", &key.serialize_pem());
    let table = [
        (&pem, &key, &["example.com", "www.example.com", "*.example.com"][..], "good"),
        (
            &pem,
            &key,
            &["a.b.example.com", "example.org", "www.example.com"],
            "the certificate is not for `a.b.example.com`, `example.org`\nput one into `/c.pem` that names \
             `a.b.example.com`, `example.org` too",
        ),
        (
            &pem,
            &put("other.pem", &other),
            &["example.com"],
            "the certificate cannot be used: `/c.pem`: the private key is of another certificate than the first one of \
             the chain\nput the certificate with its chain into `/c.pem` and its key into `/other.pem`",
        ),
        (
            &put("old.pem", &old),
            &put("old-key.pem", &old_key.serialize_pem()),
            &["example.com"],
            "the certificate is over since 2026-11-29T11:00:00Z\nput the certificate with its chain into `/old.pem` and \
             its key into `/old-key.pem`",
        ),
        (
            &put("young.pem", &young),
            &put("young-key.pem", &young_key.serialize_pem()),
            &["example.com"],
            "the certificate is not good before 2026-11-29T13:00:00Z\nis the clock of this machine right?",
        ),
        (
            &folder.path().join("gone.pem"),
            &key,
            &["example.com"],
            "the certificate cannot be used: `/gone.pem` is not there\nput the certificate with its chain into \
             `/gone.pem` and its key into `/k.pem`",
        ),
        (
            &put("text.pem", "no certificate"),
            &key,
            &["example.com"],
            "the certificate cannot be used: `/text.pem`: there is no certificate in it, PEM is expected\nput the \
             certificate with its chain into `/text.pem` and its key into `/k.pem`",
        ),
        (
            &pem,
            &put("empty.pem", ""),
            &["example.com"],
            "the certificate cannot be used: `/c.pem`: there is no private key with it, PEM without a passphrase is \
             expected\nput the certificate with its chain into `/c.pem` and its key into `/empty.pem`",
        ),
        (
            &put("broken.pem", &chain.replace("MII", "MIJ")),
            &key,
            &["example.com"],
            "the certificate cannot be used: `/broken.pem`: its certificate cannot be read\nput the certificate with its \
             chain into `/broken.pem` and its key into `/k.pem`",
        ),
    ];
    for (certificate, key, hosts, expected) in table {
        assert_eq!(judged(certificate, key, hosts), expected);
    }
    let lax = put("lax.pem", &fs::read_to_string(&key).unwrap());
    fs::set_permissions(&lax, fs::Permissions::from_mode(0o644)).unwrap();
    let told = judged(&pem, &lax, &["example.com"]);
    assert!(told.contains("`/lax.pem` is open to others (mode 0644)"), "{told}");
    let told = judged(folder.path(), &key, &["example.com"]);
    assert!(told.contains("it is no regular file"), "{told}");
}

/// Keys as `openssl` and Debian's tools write them.
#[test]
fn keys_of_every_usual_kind_and_form_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |file: &str| folder.path().join(file).display().to_string();
    let openssl = |arguments: &str| {
        let arguments: Vec<_> = arguments.split(' ').map(|word| word.replace("@", &at(""))).collect();
        let output = std::process::Command::new("openssl").args(&arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    openssl("genrsa -traditional -out @pkcs1.pem 2048");
    openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out @pkcs8.pem");
    openssl("ecparam -name prime256v1 -genkey -noout -out @sec1.pem");
    openssl("ecparam -name secp384r1 -genkey -out @parameters.pem");
    openssl("genpkey -algorithm ed25519 -out @ed25519.pem");
    for kind in ["pkcs1", "pkcs8", "sec1", "parameters", "ed25519"] {
        openssl(&format!(
            "req -x509 -key @{kind}.pem -subj /CN=x -addext subjectAltName=DNS:Example.com -days 30 -out @{kind}.crt"
        ));
        let read = |file: String| fs::read(folder.path().join(file)).unwrap();
        let facts = Facts::read(&read(format!("{kind}.crt")), &read(format!("{kind}.pem")));
        assert_eq!(facts.map(|facts| facts.names), Ok(names(&["example.com"])), "{kind}");
    }
    openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -aes256 -pass pass:x -out @closed.pem");
    let read = |file: &str| fs::read(folder.path().join(file)).unwrap();
    let told = Facts::read(&read("pkcs8.crt"), &read("closed.pem")).unwrap_err().to_string();
    assert_eq!(told, "there is no private key with it, PEM without a passphrase is expected");
}

#[test]
fn nobody_is_asked_for_what_somebody_else_puts_there() {
    let (_folder, certificates) = certificates();
    let files = Origin::Files { certificate: "/nowhere/c.pem".into(), key: "/nowhere/k.pem".into() };
    let wanted = wanted(&["example.com"], files);
    assert_eq!(certificates.due(today(), &wanted), Due::Given);
    let standing = standing(today(), &certificates.look(&wanted), &wanted);
    assert!(standing.is_trouble(), "{standing}");
    assert_eq!(standing.to_string(), "the certificate cannot be used: `/nowhere/c.pem` is not there");
}

#[test]
fn a_star_stands_for_one_label() {
    for (own, host, expected) in [
        ("example.com", "example.com", true),
        ("example.com", "www.example.com", false),
        ("*.example.com", "www.example.com", true),
        ("*.example.com", "*.example.com", true),
        ("*.example.com", "example.com", false),
        ("*.example.com", "a.b.example.com", false),
        ("*.example.com", "*.b.example.com", false),
        ("*.example.com", ".example.com", false),
        ("www.example.com", "*.example.com", false),
        ("*.com", "*.example.com", false),
    ] {
        assert_eq!(covers(own, host), expected, "{own} {host}");
    }
}
