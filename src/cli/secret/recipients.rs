//! Whom values are encrypted for: those that are named, or the repository's own list.

use crate::{
    cli::Complaint,
    secret::age::{BadRecipient, Recipient},
};
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// The list, from the repository's root: one recipient a line, `#` begins a remark.
pub const LIST: &str = "secrets/recipients.txt";

/// The recipients that were named; none named: those of the repository that `near` lies in.
///
/// # Errors
/// One of them is no recipient; there is none.
pub fn named(named: &[String], near: &Path) -> Result<Vec<Recipient>, Complaint> {
    if !named.is_empty() {
        // What was named is not shown: it may be the secret half.
        let one = |(number, text): (usize, &String)| {
            text.parse().map_err(|bad: BadRecipient| Complaint::says(format!("`--recipient` number {number} is {bad}")))
        };
        return (1..).zip(named).map(one).collect();
    }
    let none = |what: String| {
        Complaint::says(what).with_hint(format!(
            "name one with `--recipient age1…`, or write them into `{LIST}`, one a line: `age-keygen -y` prints a host's"
        ))
    };
    let Some((path, text)) = list(near)? else {
        return Err(none(format!("nobody is named to encrypt for, and there is no `{LIST}` here")));
    };
    match Recipient::parse_lines(&text) {
        Ok(recipients) if recipients.is_empty() => Err(none(format!("there is no recipient in `{}`", path.display()))),
        Ok(recipients) => Ok(recipients),
        Err((line, bad)) => Err(Complaint::says(format!("`{}:{line}` is {bad}", path.display()))),
    }
}

/// The list of the repository around a path: of the first folder upwards that has one, up to the repository's root.
fn list(near: &Path) -> Result<Option<(PathBuf, String)>, Complaint> {
    let near = std::path::absolute(near)?;
    for folder in near.ancestors() {
        let path = folder.join(LIST);
        match fs::read_to_string(&path) {
            Ok(text) => return Ok(Some((path, text))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(Complaint::about(format!("cannot read `{}`", path.display()), error)),
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    Ok(None)
}
