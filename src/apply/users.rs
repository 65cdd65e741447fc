//! Lays the users of routes for the proxy, and takes away what no route asks for any more.

use crate::{
    proxy::{SiteName, users},
    secret::SecretValue,
};
use rustix::process::geteuid;
use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

/// Who reads a file of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Only the tool, which tells the proxy.
    Tool,
    /// The proxy's workers at each request, who are another user, of this group where that is known.
    Workers(Option<String>),
}

/// Writes users to a file, whole or not at all.
///
/// # Errors
/// What the system says.
pub fn lay(file: &Path, content: &SecretValue, reader: &Reader) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    if *reader == Reader::Tool {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    // 0600 until it is whole.
    let mut beside = tempfile::Builder::new().prefix(".reconcile-").suffix(".new").tempfile_in(folder)?;
    beside.write_all(content.expose())?;
    let_read(beside.as_file(), reader)?;
    beside.as_file().sync_all()?;
    beside.persist(file)?;
    Ok(())
}

/// Workers are let in by their group. Where nobody can say which it is, or it is not of this system, everybody on the host
/// may read the hashes: workers that may not read them answer 500 to everybody.
fn let_read(file: &File, reader: &Reader) -> io::Result<()> {
    let mode = match reader {
        Reader::Tool => 0o600,
        Reader::Workers(group) => match group.as_ref().filter(|_| geteuid().is_root()).map(|name| number(name)) {
            Some(Some(group)) => {
                fchown(file, None, Some(group))?;
                0o640
            }
            Some(None) | None => 0o644,
        },
    };
    file.set_permissions(Permissions::from_mode(mode))
}

/// The number of a group of this system, as its own file has it.
fn number(name: &str) -> Option<u32> {
    numbered(&fs::read_to_string("/etc/group").ok()?, name)
}

/// The number of a group: `www-data:x:33:`.
fn numbered(groups: &str, name: &str) -> Option<u32> {
    let mut lines = groups.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines.find(|line| line.first() == Some(&name))?.get(2)?.parse().ok()
}

/// Takes away the files of an app's users but those that are asked for.
///
/// # Errors
/// What the system says.
pub fn sweep(folder: &Path, site: &SiteName, asked_for: &BTreeSet<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read?,
    };
    for entry in entries {
        let entry = entry?;
        let is_theirs = entry.file_name().to_str().is_some_and(|name| users::is_of(site, name));
        if is_theirs && !asked_for.contains(&entry.path()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_users_is_for_who_reads_it_and_goes_when_nobody_asks_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let site = SiteName { environment: "test".parse().unwrap(), app: "app".parse().unwrap() };
        let other = SiteName { app: "other".parse().unwrap(), ..site.clone() };
        let place = |site, digest| users::file(folder.path(), site, &"web".parse().unwrap(), digest);
        let mode = |file: &Path| fs::metadata(file).unwrap().permissions().mode() & 0o7777;
        let (old, new, theirs) = (place(&site, "aa"), place(&site, "bb"), place(&other, "aa"));
        for file in [&old, &new, &theirs] {
            lay(file, &SecretValue::new(b"ada:hash\n".to_vec()), &Reader::Tool).unwrap();
            assert_eq!(mode(file), 0o600);
        }
        for (group, of_root) in [(None, 0o644), (Some("nobody-knows"), 0o644), (Some("root"), 0o640)] {
            let reader = Reader::Workers(group.map(str::to_owned));
            lay(&new, &SecretValue::new(b"bob:hash\n".to_vec()), &reader).unwrap();
            assert_eq!(mode(&new), if geteuid().is_root() { of_root } else { 0o644 }, "{group:?}");
        }
        assert_eq!(fs::read(&new).unwrap(), b"bob:hash\n");
        assert_eq!(users::digest(&new), Some("bb"));
        sweep(folder.path(), &site, &[new.clone()].into()).unwrap();
        assert!(!old.exists() && new.exists() && theirs.exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing half written");
    }

    #[test]
    fn a_group_is_found_by_its_whole_name() {
        let groups = "root:x:0:\nwww-data-old:x:5:\nwww-data:x:33:ada\n";
        assert_eq!(numbered(groups, "www-data"), Some(33));
        assert_eq!(numbered(groups, "www"), None);
    }
}
