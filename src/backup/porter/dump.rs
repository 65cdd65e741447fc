//! A dump of Redis made ready to be the files of a server that is stopped: the dump itself, and the log that it would read
//! instead.

use super::{PorterError, file, incoming::Incoming, tree::There};
use crate::backup::judge;
use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

/// How a server's files are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    pub dump: String,
    /// The log, where it keeps one.
    pub log: Option<String>,
    /// The folder of the log's parts; none of a server that has it in one file.
    pub parts: Option<String>,
}

impl Naming {
    /// What of the server's folder is exchanged.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        let log = self.parts.as_ref().or(self.log.as_ref());
        std::iter::once(&self.dump).chain(log).cloned().collect()
    }
}

/// Passes on what is read to a judge as well.
struct Judged<'a> {
    from: Incoming<'a>,
    judge: Box<dyn judge::Judge>,
}

impl Read for Judged<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(bytes)?;
        self.judge.take(bytes.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// Has the files ready beside those that are there, for the same user.
pub(super) fn put(
    there: &There<'_>,
    naming: &Naming,
    (bytes, sha256): (u64, &str),
    from: &mut dyn Read,
) -> Result<(), PorterError> {
    let unpacking = there.room_for_new()?;
    let owner = Owner::of(&there.root, &naming.dump)?;
    let path = unpacking.join(&naming.dump);
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let mut to = opened.map_err(file("make", &path))?;
    let mut judged = Judged { from: Incoming::new(from, bytes), judge: judge::judge("redis") };
    io::copy(&mut judged, &mut to).map_err(file("write", &path))?;
    judged.from.end(sha256, &path)?;
    judged.judge.end().map_err(|why| PorterError::Damaged { path: path.clone(), why })?;
    drop(to);
    owner.gets(&path, false)?;
    match (&naming.log, &naming.parts) {
        (Some(name), Some(folder)) => {
            let folder = unpacking.join(folder);
            DirBuilder::new().mode(0o700).create(&folder).map_err(file("make", &folder))?;
            let base = format!("{name}.1.base.rdb");
            copied(&path, &folder.join(&base), &owner)?;
            let list = folder.join(format!("{name}.manifest"));
            let mut to = File::create_new(&list).map_err(file("make", &list))?;
            to.write_all(format!("file {base} seq 1 type b\n").as_bytes()).map_err(file("write", &list))?;
            owner.gets(&list, false)?;
            owner.gets(&folder, true)?;
        }
        // A log of one file may begin with a dump.
        (Some(name), None) => copied(&path, &unpacking.join(name), &owner)?,
        (None, _) => {}
    }
    there.ready()
}

fn copied(from: &Path, to: &PathBuf, owner: &Owner) -> Result<(), PorterError> {
    fs::copy(from, to).map_err(file("write", to))?;
    owner.gets(to, false)
}

/// Who the server's files are for.
struct Owner {
    user: (u32, u32),
    mode: u32,
}

impl Owner {
    /// Whose the dump is; where there is none, whose the folder is.
    fn of(folder: &Path, dump: &str) -> Result<Self, PorterError> {
        let (of, mode) = match fs::metadata(folder.join(dump)) {
            Ok(there) => (there.clone(), there.mode() & 0o7777),
            Err(_) => (fs::metadata(folder).map_err(file("read", folder))?, 0o600),
        };
        Ok(Self { user: (of.uid(), of.gid()), mode })
    }

    fn gets(&self, path: &Path, is_folder: bool) -> Result<(), PorterError> {
        // Who may read a folder's files may enter it.
        let mode = if is_folder { self.mode | ((self.mode & 0o444) >> 2) } else { self.mode };
        chown(path, Some(self.user.0), Some(self.user.1)).map_err(file("give away", path))?;
        fs::set_permissions(path, Permissions::from_mode(mode)).map_err(file("give away", path))
    }
}

#[cfg(test)]
mod tests {
    use super::{Naming, put};
    use crate::backup::porter::Tree;
    use sha2::{Digest, Sha256};
    use std::{
        fs,
        os::unix::fs::{MetadataExt, chown},
        process::Command,
    };

    /// A dump without a key and without a checksum.
    const EMPTY: &[u8] = b"REDIS0009\xff\0\0\0\0\0\0\0\0";

    fn digest(bytes: &[u8]) -> String {
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn naming(log: Option<&str>, parts: Option<&str>) -> Naming {
        Naming { dump: "dump.rdb".to_owned(), log: log.map(str::to_owned), parts: parts.map(str::to_owned) }
    }

    #[test]
    fn a_server_finds_a_log_that_its_own_tools_call_whole_in_one_file_or_in_parts() {
        for (parts, checked) in [(None, "aof"), (Some("parts"), "parts/aof.manifest")] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("dump.rdb"), "old").unwrap();
            chown(folder.path().join("dump.rdb"), Some(70), Some(71)).unwrap();
            fs::write(folder.path().join("redis.conf"), "of somebody else").unwrap();
            let naming = naming(Some("aof"), parts);
            let tree = Tree { folder: ".".to_owned(), only: naming.all() };
            let there = tree.at(folder.path());
            put(&there, &naming, (EMPTY.len() as u64, &digest(EMPTY)), &mut &EMPTY[..]).unwrap();
            there.swap().unwrap();
            there.forget().unwrap();
            assert_eq!(fs::read(folder.path().join("dump.rdb")).unwrap(), EMPTY);
            let file = fs::metadata(folder.path().join(checked)).unwrap();
            assert_eq!((file.uid(), file.gid()), (70, 71));
            assert!(folder.path().join("redis.conf").exists());
            let output = Command::new("redis-check-aof").arg(folder.path().join(checked)).output().unwrap();
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && told.contains("valid"), "{told}");
        }
    }

    #[test]
    fn what_is_no_whole_dump_is_never_in_place() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("dump.rdb"), "old").unwrap();
        let naming = naming(None, None);
        let tree = Tree { folder: ".".to_owned(), only: naming.all() };
        let there = tree.at(folder.path());
        let cut = &EMPTY[..10];
        put(&there, &naming, (10, &digest(cut)), &mut &cut[..]).unwrap_err();
        put(&there, &naming, (EMPTY.len() as u64, &digest(EMPTY)), &mut &cut[..]).unwrap_err();
        there.swap().unwrap_err();
        there.settle().unwrap();
        assert_eq!(fs::read(folder.path().join("dump.rdb")).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
