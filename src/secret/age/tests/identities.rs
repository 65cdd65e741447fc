//! Which files of identities are read.

use super::{File, pair, read};
use crate::secret::age::{BadRecipient, Identities, Recipient};

#[test]
fn a_file_of_age_keygen_is_read() {
    let ((one, first), (two, second)) = (pair(), pair());
    let text = format!("# created: 2026-11-28T12:00:00Z\n# public key: {first}\n{one}\n\n{two}\r\n");
    for mode in [0o400, 0o600] {
        let recipients: Vec<String> = read(&text, mode).unwrap().recipients().map(|one| one.to_string()).collect();
        assert_eq!(recipients, [first.clone(), second.clone()]);
    }
}

#[test]
fn one_that_others_can_read_or_write_is_refused() {
    let (identity, _) = pair();
    for mode in [0o440, 0o404, 0o640, 0o620, 0o602, 0o644, 0o777] {
        let error = read(&identity, mode).unwrap_err();
        assert!(error.to_string().ends_with(&format!("is open to others (mode {mode:04o})")), "{error}");
        assert!(error.hint().starts_with("`chmod 600 /"), "{}", error.hint());
    }
}

#[test]
fn what_is_no_x25519_identity_is_named_with_its_line_and_not_shown() {
    let (identity, recipient) = pair();
    for (line, expected) in [
        ("AGE-SECRET-KEY-PQ-1QQQ", "a post-quantum identity, which is not supported"),
        ("AGE-PLUGIN-YUBIKEY-1QQQ", "an identity of an age plugin: no plugin is run here"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "an SSH key, which is not supported as an identity"),
        (
            "-----BEGIN AGE ENCRYPTED FILE-----",
            "an identity file locked with a passphrase, and nobody is here to type one",
        ),
        ("age-encryption.org/v1", "an identity file locked with a passphrase, and nobody is here to type one"),
        (&recipient, "a recipient (`age1…`), the public half: the identity is the other one"),
        (&identity[..70], "an identity that is damaged or cut off"),
        ("hunter2", "no age identity"),
    ] {
        let error = read(&format!("# mine\n{identity}\n{line}\n"), 0o400).unwrap_err().to_string();
        assert!(error.ends_with(&format!("/file:3` is {expected}")), "{error}");
        assert!(!error.contains(&line[line.len() - 6..]) || line.contains("age1") || line.contains("v1"), "{error}");
    }
}

#[test]
fn a_file_without_an_identity_says_so() {
    let none = read("# nothing\n\n", 0o400).unwrap_err().to_string();
    assert!(none.starts_with("there is no identity in `/"), "{none}");
    let folder = tempfile::tempdir().unwrap();
    let absent = Identities::read(&folder.path().join("absent")).unwrap_err();
    assert!(absent.to_string().ends_with("absent` is not there"), "{absent}");
    assert!(absent.hint().starts_with("make one: `age-keygen -o /"), "{}", absent.hint());
    let kind = Identities::read(folder.path()).unwrap_err().to_string();
    assert!(kind.ends_with("is no regular file"), "{kind}");
    let long = File::holding(&[b'#'; 70_000], 0o400);
    let long = Identities::read(&long.path()).unwrap_err().to_string();
    assert!(long.ends_with("is longer than 65536 bytes"), "{long}");
}

#[test]
fn nothing_of_an_identity_is_printed() {
    let (identity, _) = pair();
    assert_eq!(format!("{:?}", read(&identity, 0o400).unwrap()), "Identities(1)");
}

#[test]
fn recipients_are_read_line_by_line() {
    let ((identity, one), (_, two)) = (pair(), pair());
    let read = Recipient::parse_lines(&format!("# the host\n{one}\n\n  {two}  \n")).unwrap();
    assert_eq!(read.iter().map(Recipient::to_string).collect::<Vec<_>>(), [one, two]);
    for (line, bad) in [
        (identity.as_str(), BadRecipient::Identity),
        ("AGE-PLUGIN-X-1Q", BadRecipient::Identity),
        ("ssh-ed25519 AAAA me", BadRecipient::Ssh),
        ("age1pq1qqq", BadRecipient::PostQuantum),
        ("age1yubikey1qqq", BadRecipient::Plugin),
        ("age1qqq", BadRecipient::Unknown),
        ("me@example.com", BadRecipient::Unknown),
    ] {
        assert_eq!(Recipient::parse_lines(&format!("#\n{line}\n")), Err((2, bad)), "{line}");
    }
}
