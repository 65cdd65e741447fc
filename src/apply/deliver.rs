//! Writes what containers find: each file whole, for whom it is meant, whatever the umask.

use super::memory;
use crate::secret::{SecretValue, roots::mark};
use jiff::Timestamp;
use std::{
    fs::{self, DirBuilder, File, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

/// Only who delivers gets to the files from the host.
const CLOSED: u32 = 0o700;
/// Whoever the container's process is finds them.
const SHOWN: u32 = 0o755;

/// What the names of folders and files begin with that are still being written: nobody is shown them.
const UNFINISHED: &str = ".new-";

/// A delivery, to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Everything is below it; made and closed where it is not there.
    pub root: PathBuf,
    /// The delivery's own.
    pub folder: PathBuf,
    pub files: Vec<DeliveredFile>,
    /// A process is to be told of what is replaced.
    pub tells: bool,
    /// It must lie in memory: on a disk nothing is written.
    pub in_memory: bool,
}

/// A file of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveredFile {
    /// From the delivery's folder.
    pub path: String,
    pub content: SecretValue,
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
}

/// Writes a delivery: one that is new is there whole or not at all; of one that is there, each file that differs is
/// replaced by another. `at` is what the engine's clock says: whoever began to run before has not seen what is laid now.
///
/// # Errors
/// What the system says.
pub fn write(delivery: &Delivery, at: Timestamp) -> io::Result<()> {
    let above = delivery.folder.parent().unwrap_or(&delivery.root);
    if delivery.in_memory {
        memory::claim(&delivery.root)?;
    }
    make_closed(&delivery.root, above)?;
    if delivery.folder.is_dir() {
        if delivery.tells {
            let mark = File::create(mark(&delivery.folder))?;
            mark.set_permissions(Permissions::from_mode(0o600))?;
            mark.set_modified(at.into())?;
        }
        return delivery.files.iter().try_for_each(|file| put(file, &delivery.folder, above, at));
    }
    let unfinished = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(above)?;
    for file in &delivery.files {
        put(file, unfinished.path(), above, at)?;
    }
    fs::set_permissions(unfinished.path(), Permissions::from_mode(SHOWN))?;
    fs::rename(unfinished.path(), &delivery.folder)?;
    // It has another name now, so there is nothing left to remove.
    let _ = unfinished.keep();
    Ok(())
}

/// Removes a delivery and what stands beside it.
///
/// # Errors
/// What the system says.
pub fn withdraw(folder: &Path) -> io::Result<()> {
    for removed in [fs::remove_dir_all(folder), fs::remove_file(mark(folder))] {
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed?,
        }
    }
    // The folders of the role and of the app go with the last delivery in them; others may be at work beside the app's.
    for above in folder.ancestors().skip(1).take(2) {
        if fs::remove_dir(above).is_err() {
            break;
        }
    }
    Ok(())
}

/// Removes what a process that was killed left half written in the folder of an app. Whoever holds the app's lock may:
/// nobody else writes there.
///
/// # Errors
/// What the system says.
pub fn clear(of_app: &Path) -> io::Result<()> {
    for role in entries(of_app)? {
        for left in entries(&role)?.into_iter().filter(|path| is_unfinished(path)) {
            match fs::symlink_metadata(&left)?.is_dir() {
                true => fs::remove_dir_all(&left)?,
                false => fs::remove_file(&left)?,
            }
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Vec::new()),
        found => found?.map(|entry| Ok(entry?.path())).collect(),
    }
}

fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes()))
}

/// A process was told of what was replaced.
///
/// # Errors
/// What the system says.
pub fn told(folder: &Path) -> io::Result<()> {
    match fs::remove_file(mark(folder)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Makes a folder and all that is missing above it; what is below `root` is closed to others.
fn make_closed(root: &Path, folder: &Path) -> io::Result<()> {
    if !root.is_dir() {
        DirBuilder::new().recursive(true).mode(CLOSED).create(root)?;
    }
    let below = folder.strip_prefix(root).unwrap_or(Path::new(""));
    let mut reached = root.to_owned();
    fs::set_permissions(&reached, Permissions::from_mode(CLOSED))?;
    for part in below {
        reached.push(part);
        match DirBuilder::new().mode(CLOSED).create(&reached) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
        fs::set_permissions(&reached, Permissions::from_mode(CLOSED))?;
    }
    Ok(())
}

/// Puts a file into a folder, beside which it is made: nobody in the container ever sees half of it.
fn put(file: &DeliveredFile, folder: &Path, beside: &Path, at: Timestamp) -> io::Result<()> {
    let place = folder.join(&file.path);
    if is_as_it_should(file, &place) {
        return Ok(());
    }
    if let Some(above) = place.parent()
        && above != folder
    {
        let mut reached = folder.to_owned();
        for part in above.strip_prefix(folder).unwrap_or(Path::new("")) {
            reached.push(part);
            DirBuilder::new().recursive(true).mode(SHOWN).create(&reached)?;
            fs::set_permissions(&reached, Permissions::from_mode(SHOWN))?;
        }
    }
    let mut made = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(beside)?;
    made.write_all(file.content.expose())?;
    // Before it is given away: of another's file not every root may change the mode.
    made.as_file().set_permissions(Permissions::from_mode(file.mode))?;
    // A user cannot give files away, and need not: in its containers, its own files are root's.
    if rustix::process::geteuid().is_root() || (file.uid, file.gid) != (0, 0) {
        fchown(made.as_file(), Some(file.uid), Some(file.gid))?;
    }
    made.as_file().set_modified(at.into())?;
    made.as_file().sync_all()?;
    made.persist(&place).map_err(|refused| refused.error)?;
    Ok(())
}

fn is_as_it_should(file: &DeliveredFile, place: &Path) -> bool {
    let Ok(metadata) = fs::symlink_metadata(place) else { return false };
    let owned = !rustix::process::geteuid().is_root() || (metadata.uid(), metadata.gid()) == (file.uid, file.gid);
    metadata.is_file()
        && owned
        && metadata.mode() & 0o7777 == file.mode
        && fs::read(place).is_ok_and(|there| SecretValue::new(there) == file.content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::umask;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn file(path: &str, content: &str, mode: u32) -> DeliveredFile {
        let content = SecretValue::new(content.as_bytes().to_vec());
        DeliveredFile { path: path.to_owned(), content, uid: 0, gid: 0, mode }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn what_a_killed_process_left_half_written_is_cleared_and_nothing_else() {
        let world = tempfile::tempdir().unwrap();
        let app = world.path().join("root/production/web");
        clear(&app).unwrap();
        let folder = app.join("service.db/0123456789abcdef");
        let files = vec![file("password", "one", 0o400)];
        let root = world.path().join("root");
        write(&Delivery { root, folder: folder.clone(), files, tells: false, in_memory: false }, AT).unwrap();
        fs::create_dir_all(app.join("service.db/.new-Ab1/etc")).unwrap();
        fs::write(app.join("service.db/.new-Ab1/etc/password"), "two").unwrap();
        fs::write(app.join("service.db/.new-Cd2"), "two").unwrap();
        File::create(mark(&folder)).unwrap();
        clear(&app).unwrap();
        let mut left: Vec<_> = entries(&app.join("service.db")).unwrap();
        left.sort();
        assert_eq!(left, [folder.clone(), mark(&folder)]);
        assert_eq!(fs::read_to_string(folder.join("password")).unwrap(), "one");
    }

    #[test]
    fn modes_are_right_whatever_the_umask_and_files_are_replaced_by_others() {
        let world = tempfile::tempdir().unwrap();
        let (root, app) = (world.path().join("root"), world.path().join("root/production/web/service.db"));
        for mask in [0o000, 0o077, 0o022] {
            let before = umask(rustix::fs::Mode::from_raw_mode(mask));
            let folder = app.join(format!("{mask:016x}"));
            let files = vec![file("password", "one", 0o400), file("etc/app.ini", "a=1", 0o444)];
            let delivery =
                Delivery { root: root.clone(), folder: folder.clone(), files, tells: false, in_memory: false };
            write(&delivery, AT).unwrap();
            for closed in [&root, &root.join("production"), &app] {
                assert_eq!(mode(closed), 0o700, "umask {mask:o}, {}", closed.display());
            }
            assert_eq!((mode(&folder), mode(&folder.join("etc"))), (0o755, 0o755), "umask {mask:o}");
            assert_eq!((mode(&folder.join("password")), mode(&folder.join("etc/app.ini"))), (0o400, 0o444));

            let inode = |name: &str| fs::metadata(folder.join(name)).unwrap().ino();
            let (password, config) = (inode("password"), inode("etc/app.ini"));
            let files = vec![file("password", "two", 0o400), file("etc/app.ini", "a=1", 0o444)];
            write(&Delivery { files, tells: true, ..delivery }, AT).unwrap();
            umask(before);
            assert_eq!(fs::read_to_string(folder.join("password")).unwrap(), "two");
            assert_ne!(inode("password"), password, "another file in its place");
            assert_eq!(inode("etc/app.ini"), config, "what did not change is left");
            assert!(mark(&folder).exists());
            let laid = |path: &Path| Timestamp::try_from(fs::metadata(path).unwrap().modified().unwrap()).unwrap();
            assert_eq!((laid(&mark(&folder)), laid(&folder.join("password"))), (AT, AT));
            told(&folder).unwrap();
            withdraw(&folder).unwrap();
        }
        assert!(!root.join("production/web").exists(), "nothing of the app is left");
    }
}
