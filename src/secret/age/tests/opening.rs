//! What `age` encrypted is opened, and what was changed since is not.

use super::{pair, read};
use crate::secret::age::{Identities, Recipient, dearmored, kinds, open, seal};
use std::process::Command;

/// The value, or what is said instead.
fn told(file: &[u8], identities: &Identities) -> Result<Vec<u8>, String> {
    open(file, identities).map(|value| value.expose().to_vec()).map_err(|error| error.to_string())
}

/// What Debian's `age` makes of it; `make tools` installs it. Files, as both ends of a pipe may wait for each other.
fn age(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let (file, folder) = (super::File::holding(input, 0o600), tempfile::tempdir().unwrap());
    let out = folder.path().join("out");
    let status = Command::new("age").args(arguments).arg("-o").arg(&out).arg(file.path()).status();
    assert!(status.expect("`age` is needed: make tools").success(), "age {arguments:?}");
    std::fs::read(out).unwrap()
}

#[test]
fn files_of_the_age_command_open_and_ours_open_there() {
    let (identity, recipient) = pair();
    let ours = read(&identity, 0o400).unwrap();
    let large: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    for value in [b"s3cret\n".as_slice(), b"\0\xff", &large] {
        let binary = age(&["-r", &recipient], value);
        let armored = age(&["-a", "-r", &pair().1, "-r", &recipient], value);
        assert!(binary.starts_with(b"age-encryption.org/v1"));
        assert!(told(&binary, &ours) == Ok(value.to_vec()));
        assert!(told(&armored, &ours) == Ok(value.to_vec()));
        let file = super::File::holding(identity.as_bytes(), 0o400);
        let sealed = seal(value, &[pair().1.parse().unwrap(), recipient.parse().unwrap()]).unwrap();
        assert!(age(&["-d", "-i", file.path().to_str().unwrap()], sealed.as_bytes()) == value);
    }
}

#[test]
fn any_changed_or_missing_byte_is_refused() {
    let (identity, recipient) = pair();
    let ours = read(&identity, 0o400).unwrap();
    let armored = seal(b"s3cret", &[recipient.parse().unwrap()]).unwrap();
    let binary = dearmored(armored.as_bytes()).unwrap();
    for at in 0..binary.len() {
        let mut changed = binary.clone();
        changed[at] ^= 1;
        assert!(open(&changed, &ours).is_err(), "byte {at}");
        assert!(open(&binary[..at], &ours).is_err(), "the first {at} bytes");
    }
    for file in [[&binary[..], b"x"].concat(), [armored.as_bytes(), b"x"].concat(), armored.as_bytes()[1..].to_vec()] {
        assert!(open(&file, &ours).is_err());
    }
}

#[test]
fn files_for_others_say_for_whom() {
    let ours = read(&pair().0, 0o400).unwrap();
    let recipient: Recipient = pair().1.parse().unwrap();
    let others = seal(b"x", &[recipient.clone(), recipient]).unwrap();
    assert_eq!(
        told(others.as_bytes(), &ours),
        Err("it is for other recipients: no identity that is here opens it".into())
    );
    assert_eq!(kinds(&dearmored(others.as_bytes()).unwrap()).len(), 2);
    let locked = ::age::Encryptor::with_user_passphrase("horse".to_owned().into());
    let mut file = Vec::new();
    locked.wrap_output(&mut file).unwrap().finish().unwrap();
    assert_eq!(told(&file, &ours), Err("it is locked with a passphrase, and nobody is here to type one".into()));
    for (stanzas, expected) in [
        ("-> ssh-ed25519 AAAA BBBB\nCCCC", "it is for an SSH key, and only X25519 keys (`age1…`) are supported"),
        ("-> mlkem768x25519 A\nB", "it is for a post-quantum key, and only X25519 keys (`age1…`) are supported"),
        (
            "-> piv-p256 A\nB\n-> ssh-rsa A\nB\n-> x-grease\n",
            "it is for a plugin's key (`piv-p256`) and an SSH key, and only X25519 keys (`age1…`) are supported",
        ),
    ] {
        let file = format!("age-encryption.org/v1\n{stanzas}\n--- MAC\n");
        assert_eq!(told(file.as_bytes(), &ours), Err(expected.to_owned()));
    }
}

#[test]
fn an_empty_value_is_none() {
    let (identity, recipient) = pair();
    let sealed = seal(b"", &[recipient.parse().unwrap()]).unwrap();
    let expected = "nothing is in it: it was encrypted from an empty file".to_owned();
    assert_eq!(told(sealed.as_bytes(), &read(&identity, 0o400).unwrap()), Err(expected));
}
