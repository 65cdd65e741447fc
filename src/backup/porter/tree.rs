//! Other files in the place of those of a folder, which stay beside them until the app is well with the new ones.
//!
//! The folder is a volume's root and cannot have another name, so each thing in it gets one. What was begun is told by the
//! names of the folders that they are moved to and from:
//!
//! - `unpacking`: what is not whole yet;
//! - `new`: what comes, or what is left of it to be moved; thrown away by whatever goes back;
//! - `old`: the folder and this together are what was there before;
//! - `kept`: this is all that was there before; the folder and `new` together are what came.
//!
//! So whoever finds them after a kill knows what is whole.

use super::{PorterError, file, incoming::Incoming, unpack};
use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, Permissions},
    io::{self, ErrorKind, Read},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

/// Where all of that is, in the folder itself: nothing can be moved to another file system. No archive has it.
pub(super) const ROOM: &str = ".reconcile-restore";

/// What is exchanged of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The folder, in the volume.
    pub folder: String,
    /// These names in it alone; empty: all.
    pub only: Vec<String>,
}

/// The same, where it really is.
pub(super) struct There<'a> {
    pub(super) root: PathBuf,
    only: &'a [String],
}

impl Tree {
    pub(super) fn at<'a>(&'a self, data: &Path) -> There<'a> {
        let root = if self.folder == "." { data.to_owned() } else { data.join(&self.folder) };
        There { root, only: &self.only }
    }
}

impl There<'_> {
    fn part(&self, name: &str) -> PathBuf {
        self.root.join(ROOM).join(name)
    }

    fn has(&self, name: &str) -> bool {
        fs::symlink_metadata(self.part(name)).is_ok()
    }

    /// Unpacks what comes, beside what is there.
    pub(super) fn put(&self, bytes: u64, sha256: &str, from: &mut dyn Read) -> Result<(), PorterError> {
        let unpacking = self.room_for_new()?;
        let mut incoming = Incoming::new(from, bytes);
        let unpacked = unpack::unpack(&mut incoming, &unpacking);
        if let (Err(error), false) = (unpacked, incoming.is_short()) {
            return Err(error);
        }
        incoming.end(sha256, &self.root)?;
        self.ready()
    }

    /// An empty folder for what comes; what was there of another try is gone.
    pub(super) fn room_for_new(&self) -> Result<PathBuf, PorterError> {
        super::make_folders(&self.root)?;
        let (room, unpacking) = (self.root.join(ROOM), self.part("unpacking"));
        make(&room)?;
        for part in [&unpacking, &self.part("new")] {
            remove(part)?;
        }
        make(&unpacking)?;
        Ok(unpacking)
    }

    /// What came is whole, and on the disk.
    pub(super) fn ready(&self) -> Result<(), PorterError> {
        let unpacking = self.part("unpacking");
        let opened = File::open(&unpacking).map_err(file("open", &unpacking))?;
        rustix::fs::syncfs(opened).map_err(|error| file("write", &unpacking)(error.into()))?;
        rename(&unpacking, &self.part("new"))?;
        flush(&self.root.join(ROOM))
    }

    /// Gives what came its place, and keeps what was there.
    pub(super) fn swap(&self) -> Result<(), PorterError> {
        let (new, old) = (self.part("new"), self.part("old"));
        fs::metadata(&new).map_err(file("find", &new))?;
        make(&old)?;
        dress(&old, &self.root)?;
        self.moved(&self.root, &old)?;
        rename(&old, &self.part("kept"))?;
        flush(&self.root.join(ROOM))?;
        self.moved(&new, &self.root)?;
        if self.only.is_empty() {
            dress(&self.root, &new)?;
        }
        remove(&new)?;
        flush(&self.root.join(ROOM))
    }

    /// Puts back what was there before, from any state that a swap, or this, can be killed in.
    pub(super) fn back(&self) -> Result<(), PorterError> {
        let (new, old, kept) = (self.part("new"), self.part("old"), self.part("kept"));
        if self.has("kept") {
            // From here on what came is known not to be all there.
            make(&new)?;
            flush(&self.root.join(ROOM))?;
            self.moved(&self.root, &new)?;
            rename(&kept, &old)?;
            flush(&self.root.join(ROOM))?;
        }
        if self.has("old") {
            self.moved(&old, &self.root)?;
            if self.only.is_empty() {
                dress(&self.root, &old)?;
            }
            remove(&old)?;
        }
        remove(&self.root.join(ROOM))?;
        flush(&self.root)
    }

    /// Clears up what a restore that was killed left: what is whole stays, the new where both are.
    pub(super) fn settle(&self) -> Result<(), PorterError> {
        let is_half = self.has("old") || (self.has("kept") && self.has("new"));
        if is_half { self.back() } else { self.forget() }
    }

    /// Lets go of what was there before: first of its name, without which it does not come back.
    pub(super) fn forget(&self) -> Result<(), PorterError> {
        if self.has("kept") {
            rename(&self.part("kept"), &self.part("unpacking"))?;
            flush(&self.root.join(ROOM))?;
        }
        remove(&self.root.join(ROOM))?;
        flush(&self.root)
    }

    /// Moves all that is meant from one folder to another, and has it on the disk.
    fn moved(&self, from: &Path, to: &Path) -> Result<(), PorterError> {
        for name in self.names(from)? {
            let (from, to) = (from.join(&name), to.join(&name));
            if let Err(error) = fs::rename(&from, &to) {
                // Somebody wrote here while a restore was half done. What is moved is what is whole.
                remove(&to)?;
                fs::rename(&from, &to).map_err(|_| file("name", &to)(error))?;
            }
        }
        flush(from)?;
        flush(to)
    }

    fn names(&self, folder: &Path) -> Result<Vec<OsString>, PorterError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).map_err(file("read", folder))? {
            let name = entry.map_err(file("read", folder))?.file_name();
            let is_meant = self.only.is_empty() || self.only.iter().any(|only| name == only.as_str());
            if name != ROOM && is_meant {
                names.push(name);
            }
        }
        Ok(names)
    }
}

/// Makes a folder that only we can read; one that is there is fine.
fn make(path: &Path) -> Result<(), PorterError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(file("make", path)),
    }
}

/// Gives a folder the owner and the mode of another.
fn dress(folder: &Path, like: &Path) -> Result<(), PorterError> {
    let like = fs::metadata(like).map_err(file("read", like))?;
    chown(folder, Some(like.uid()), Some(like.gid())).map_err(file("give away", folder))?;
    fs::set_permissions(folder, Permissions::from_mode(like.mode() & 0o7777)).map_err(file("give away", folder))
}

fn rename(from: &Path, to: &Path) -> Result<(), PorterError> {
    fs::rename(from, to).map_err(file("name", to))
}

/// Removes whatever it is; nothing is fine.
fn remove(path: &Path) -> Result<(), PorterError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(file("remove", path)),
    }
}

fn flush(folder: &Path) -> Result<(), PorterError> {
    let flushed: io::Result<()> = File::open(folder).and_then(|folder| folder.sync_all());
    flushed.map_err(file("write", folder))
}

#[cfg(test)]
mod tests {
    use super::{ROOM, Tree, rename};
    use sha2::{Digest, Sha256};
    use std::{
        collections::BTreeMap,
        fs,
        os::unix::fs::{MetadataExt, PermissionsExt, chown},
        path::{Path, PathBuf},
        process::Command,
    };

    fn digest(bytes: &[u8]) -> String {
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn all() -> Tree {
        Tree { folder: ".".to_owned(), only: Vec::new() }
    }

    /// What is below a folder, by path: content, owner, mode.
    fn there(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32, u32)> {
        let mut found = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            let metadata = fs::symlink_metadata(&next).unwrap();
            let content = if metadata.is_file() { fs::read(&next).unwrap() } else { Vec::new() };
            let path = next.strip_prefix(folder).unwrap().to_owned();
            found.insert(path, (content, metadata.uid(), metadata.mode() & 0o7777));
            if metadata.is_dir() {
                folders.extend(fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()));
            }
        }
        found
    }

    fn folder(names: &[&str], word: &str, mode: u32) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, word).unwrap();
            chown(&path, Some(1000), Some(1001)).unwrap();
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        folder
    }

    fn archived(folder: &Path) -> Vec<u8> {
        let mut archive = Vec::new();
        super::super::archive::write(folder, &[], &mut archive).unwrap();
        archive
    }

    fn put(into: &Path, archive: &[u8]) {
        all().at(into).put(archive.len() as u64, &digest(archive), &mut &archive[..]).unwrap();
    }

    #[test]
    fn what_was_archived_is_in_place_with_owners_modes_and_times() {
        let from = tempfile::tempdir().unwrap();
        let deep = "d".repeat(90) + "/" + &"e".repeat(90);
        let line = format!(
            "mkdir -p '{deep}' empty && printf hello > '{deep}/file' && : > nothing && printf 'a\\0b' > 'ünï' && \
             ln -s ../'{deep}'/file link && ln nothing twin && mkfifo pipe && chmod 4751 nothing && \
             head -c 100000 /dev/zero > zeros && touch -d '1969-12-31T23:00:00.5Z' zeros && chown 3000000:70 zeros && \
             ln -s \"$(printf 'l%.0s' $(seq 150))\" long && chmod 0555 empty && touch -d 2001-02-03 empty && chmod 1770 ."
        );
        let run = |line: &str, at: &Path| {
            let output = Command::new("sh").args(["-euc", line]).current_dir(at).output().unwrap();
            assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        run(&line, from.path());
        let into = folder(&["old/file", "zeros"], "old", 0o700);
        let archive = archived(from.path());
        put(into.path(), &archive);
        all().at(into.path()).swap().unwrap();
        all().at(into.path()).forget().unwrap();
        let told = "find . -mindepth 1 -printf '%P %y %m %U:%G %T@ %n %l\\n' | sort; stat -c %a:%u .";
        assert_eq!(run(told, into.path()), run(told, from.path()));
        run(&format!("diff -r --no-dereference -x pipe . '{}'", from.path().display()), into.path());
    }

    #[test]
    fn what_is_cut_off_or_changed_on_the_way_is_never_in_place() {
        let into = folder(&["a", "b/c"], "old", 0o755);
        let before = there(into.path());
        let from = folder(&["a", "d"], "new", 0o700);
        let archive = archived(from.path());
        let (tree, size) = (all(), archive.len() as u64);
        let tree = tree.at(into.path());
        tree.put(size, &digest(&archive), &mut &archive[..1000]).unwrap_err();
        tree.put(size, &digest(b"other"), &mut &archive[..]).unwrap_err();
        let noise = vec![7; 8192];
        tree.put(8192, &digest(&noise), &mut &noise[..]).unwrap_err();
        tree.swap().unwrap_err();
        tree.settle().unwrap();
        assert_eq!(there(into.path()), before);
    }

    #[test]
    fn a_path_that_leads_out_is_refused() {
        let into = folder(&[], "", 0o755);
        for (line, why) in [
            ("mkdir a && touch a/b && tar -cf x.tar --transform 's,a/b,../b,' ./a", "leads out"),
            (
                "ln -s / out && tar -cf x.tar ./out && mkdir o && rm out && mv o out && touch out/b && tar -rf x.tar ./out/b",
                "is in no folder",
            ),
        ] {
            let from = tempfile::tempdir().unwrap();
            let done = Command::new("sh").args(["-euc", line]).current_dir(from.path()).status().unwrap();
            assert!(done.success());
            let archive = fs::read(from.path().join("x.tar")).unwrap();
            let tree = all();
            let refused = tree.at(into.path()).put(archive.len() as u64, &digest(&archive), &mut &archive[..]);
            let told = refused.unwrap_err().to_string();
            assert!(told.contains(why), "{told}");
        }
    }

    /// Stops after so many renames: makes a folder read-only for the rest of a swap is not possible for root, so the moves are
    /// made by hand as the swap makes them.
    fn moves(into: &Path) -> Vec<Box<dyn Fn()>> {
        let at = |path: &str| into.join(path);
        let mv = |from: &str, to: &str| -> Box<dyn Fn()> {
            let (from, to) = (at(from), at(to));
            Box::new(move || rename(&from, &to).unwrap())
        };
        let room = |part: &str| format!("{ROOM}/{part}");
        let make = |path: String| -> Box<dyn Fn()> {
            let path = into.join(path);
            let root = into.to_owned();
            Box::new(move || {
                super::make(&path).unwrap();
                super::dress(&path, &root).unwrap();
            })
        };
        let drop_new: Box<dyn Fn()> = {
            let path = at(&room("new"));
            Box::new(move || fs::remove_dir(&path).unwrap())
        };
        let dress: Box<dyn Fn()> = {
            let (root, new) = (into.to_owned(), at(&room("new")));
            Box::new(move || super::dress(&root, &new).unwrap())
        };
        vec![
            make(room("old")),
            mv("a", &room("old/a")),
            mv("b", &room("old/b")),
            mv(&room("old"), &room("kept")),
            mv(&room("new/a"), "a"),
            mv(&room("new/d"), "d"),
            dress,
            drop_new,
            // And back again.
            make(room("new")),
            mv("a", &room("new/a")),
            mv("d", &room("new/d")),
            mv(&room("kept"), &room("old")),
            mv(&room("old/b"), "b"),
            mv(&room("old/a"), "a"),
        ]
    }

    #[test]
    fn after_a_kill_in_any_state_the_old_or_the_new_is_whole() {
        let from = folder(&["a", "d"], "new", 0o700);
        let archive = archived(from.path());
        let (old, new) = (there(folder(&["a", "b/c"], "old", 0o755).path()), there(from.path()));
        let count = moves(Path::new("/")).len();
        for killed_after in 0..=count {
            for settles in [false, true] {
                let into = folder(&["a", "b/c"], "old", 0o755);
                put(into.path(), &archive);
                for step in moves(into.path()).iter().take(killed_after) {
                    step();
                }
                let tree = all();
                let tree = tree.at(into.path());
                if settles { tree.settle() } else { tree.back() }.unwrap();
                // Only when all of it was in place, and nobody had begun to go back.
                let expected = if settles && killed_after == 8 { &new } else { &old };
                assert_eq!(&there(into.path()), expected, "killed after {killed_after}, settles: {settles}");
                tree.settle().unwrap();
                assert_eq!(&there(into.path()), expected);
            }
        }
    }

    #[test]
    fn what_was_let_go_does_not_come_back() {
        let into = folder(&["a", "b/c"], "old", 0o755);
        let from = folder(&["a", "d"], "new", 0o700);
        put(into.path(), &archived(from.path()));
        let tree = all();
        let tree = tree.at(into.path());
        tree.swap().unwrap();
        assert_eq!(fs::read(into.path().join("a")).unwrap(), b"new");
        tree.forget().unwrap();
        tree.back().unwrap();
        assert_eq!(there(into.path()), there(from.path()));
    }

    #[test]
    fn an_archive_has_nothing_of_a_restore_in_it() {
        let into = folder(&["a", "b/c"], "old", 0o755);
        let before = archived(into.path());
        put(into.path(), &archived(folder(&["x"], "new", 0o700).path()));
        let files = |archive: &[u8]| archive.windows(ROOM.len()).filter(|bytes| *bytes == ROOM.as_bytes()).count();
        let now = archived(into.path());
        assert_eq!((files(&before), files(&now), now.len()), (0, 0, before.len()));
    }
}
