//! One line that nobody else can read.

use crate::host::secret_file::{SecretFileError, read};
use secrecy::ExposeSecret;
use std::{error::Error, fs, os::unix::fs::PermissionsExt};

/// The secret, or what is said instead.
fn said(content: &[u8], mode: u32) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    let path = path.display().to_string();
    let told = read(&path.parse().unwrap()).map(|secret| secret.expose_secret().to_owned());
    told.map_err(|error| match (&error, error.hint()) {
        (SecretFileError::File(_), Some(hint)) => format!("{error} | {hint}").replace(&path, "FILE"),
        (_, _) => error.to_string().replace(&path, "FILE"),
    })
}

#[test]
fn a_secret_is_one_line() {
    for content in ["s3cret", "s3cret\n", "s3cret\r\n"] {
        assert_eq!(said(content.as_bytes(), 0o600), Ok("s3cret".to_owned()), "{content:?}");
    }
    assert_eq!(said(b" two words ", 0o400), Ok(" two words ".to_owned()));
    for content in ["", "\n", "  \n"] {
        assert_eq!(said(content.as_bytes(), 0o600), Err("the secret file `FILE` is empty".to_owned()), "{content:?}");
    }
    for content in ["a\nb\n", "a\0b", "a\n\n", "a\tb"] {
        let expected = "the secret file `FILE` holds more than one line of text";
        assert_eq!(said(content.as_bytes(), 0o600), Err(expected.to_owned()), "{content:?}");
    }
    assert_eq!(said(b"\xff\xfe", 0o600), Err("the secret file `FILE` is no text".to_owned()));
}

#[test]
fn what_others_can_read_or_change_is_no_secret() {
    for mode in [0o600, 0o400] {
        assert_eq!(said(b"s3cret", mode), Ok("s3cret".to_owned()), "{mode:o}");
    }
    for mode in [0o640, 0o440, 0o604, 0o644, 0o602, 0o660, 0o620, 0o777] {
        let expected = format!("the secret file `FILE` is open to others (mode {mode:04o}) | `chmod 600 FILE`");
        assert_eq!(said(b"s3cret", mode), Err(expected));
    }
}

#[test]
fn a_file_that_is_not_there_is_named_and_so_is_why() {
    let error = read(&"/nonexistent/secret".parse().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the secret file `/nonexistent/secret` is not there");
    assert!(error.source().is_none());
}
