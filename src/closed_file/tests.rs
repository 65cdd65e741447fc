//! Which files are read, and what is said of the others.

use super::{ClosedFile, ClosedFileError, Kept};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::{
    error::Error,
    fs,
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: &[u8], mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }
}

fn file(path: &Path, kept: Kept) -> ClosedFile<'_> {
    ClosedFile { what: "the key", path, kept, longest: 8 }
}

fn refusal(path: &Path, kept: Kept) -> ClosedFileError {
    file(path, kept).read().unwrap_err()
}

/// What is said, without the folder's name.
fn said(path: &Path, kept: Kept) -> String {
    let error = refusal(path, kept);
    let hint = error.hint().map(|hint| format!(" | {hint}")).unwrap_or_default();
    format!("{error}{hint}").replace(&path.display().to_string(), "FILE")
}

#[test]
fn one_rule_says_who_may_read_and_change_a_file() {
    let folder = Folder::new();
    for mode in [0o600, 0o400, 0o700] {
        let path = folder.file("key", b"value", mode);
        assert_eq!(**file(&path, Kept::Secret).read().unwrap(), *b"value", "{mode:o}");
    }
    for mode in [0o640, 0o440, 0o604, 0o620, 0o602, 0o610, 0o601, 0o777] {
        let path = folder.file("key", b"value", mode);
        let expected = format!("the key `FILE` is open to others (mode {mode:04o}) | `chmod 600 FILE`");
        assert_eq!(said(&path, Kept::Secret), expected);
    }
    for mode in [0o644, 0o444, 0o755] {
        let path = folder.file("key", b"value", mode);
        assert_eq!(**file(&path, Kept::Trusted).read().unwrap(), *b"value", "{mode:o}");
    }
    for mode in [0o664, 0o646, 0o666] {
        let path = folder.file("key", b"value", mode);
        let expected =
            format!("the key `FILE` can be changed by others than its owner (mode {mode:04o}) | `chmod go-w FILE`");
        assert_eq!(said(&path, Kept::Trusted), expected);
    }
}

#[test]
fn a_file_of_somebody_else_is_not_believed() {
    assert!(rustix::process::geteuid().is_root(), "files are given away here: this needs root");
    let folder = Folder::new();
    let path = folder.file("key", b"value", 0o600);
    chown(&path, Some(1234), None).unwrap();
    for kept in [Kept::Secret, Kept::Trusted] {
        assert_eq!(said(&path, kept), "the key `FILE` belongs to user 1234, who could change it | `chown 0 FILE`");
    }
}

#[test]
fn what_is_no_file_keeps_nobody_waiting() {
    let folder = Folder::new();
    let pipe = folder.path("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
    let socket = folder.path("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for path in [pipe, socket, folder.0.path().to_owned(), "/dev/zero".into()] {
        assert_eq!(said(&path, Kept::Secret), "the key `FILE` is no regular file", "{}", path.display());
    }
    assert_eq!(said(&folder.path("absent"), Kept::Secret), "the key `FILE` is not there");
}

#[test]
fn what_is_too_long_is_refused_and_never_cut() {
    let folder = Folder::new();
    let fits = folder.file("fits", &[b'x'; 8], 0o600);
    assert_eq!(file(&fits, Kept::Secret).read().unwrap().len(), 8);
    let long = folder.file("long", &[b'x'; 9], 0o600);
    assert_eq!(said(&long, Kept::Secret), "the key `FILE` is longer than 8 bytes");
}

#[test]
fn a_link_is_followed_where_root_named_the_path_and_not_below_a_folder() {
    let folder = Folder::new();
    let real = folder.file("elsewhere/key", b"value", 0o600);
    fs::create_dir(folder.path("values")).unwrap();
    let (link, behind) = (folder.path("values/link"), folder.path("values/other/key"));
    symlink(&real, &link).unwrap();
    symlink(folder.path("elsewhere"), folder.path("values/other")).unwrap();
    assert_eq!(**file(&link, Kept::Secret).read().unwrap(), *b"value");
    let values = folder.path("values");
    for path in [link, behind] {
        let error = file(&path, Kept::Secret).read_below(&values).unwrap_err();
        assert!(error.to_string().ends_with("is a link, or lies behind one, and none is followed there"), "{error}");
        assert_eq!(error.hint().unwrap(), "put the file itself there");
    }
    let good = folder.file("values/app/key", b"value", 0o600);
    assert_eq!(**file(&good, Kept::Secret).read_below(&values).unwrap(), *b"value");
    // The folder itself is root's to name.
    symlink(&values, folder.path("named")).unwrap();
    let named = folder.path("named/app/key");
    assert_eq!(**file(&named, Kept::Secret).read_below(&folder.path("named")).unwrap(), *b"value");
    let absent = file(&folder.path("values/none/key"), Kept::Secret).read_below(&values).unwrap_err();
    assert!(absent.to_string().ends_with("is not there"), "{absent}");
}

#[test]
fn a_hint_can_be_pasted_and_a_cause_is_told_once() {
    let folder = Folder::new();
    let path = folder.file("my key", b"value", 0o644);
    assert_eq!(refusal(&path, Kept::Secret).hint().unwrap(), format!("`chmod 600 '{}'`", path.display()));
    assert!(refusal(&path, Kept::Secret).source().is_none());
    let text = folder.file("text", b"\xff", 0o600);
    let error = file(&text, Kept::Secret).read_text().unwrap_err();
    assert!(error.to_string().ends_with("is no text"), "{error}");
}
