//! Where secrets lie: in memory, or nowhere. Where `/run` is on a disk, a file system in memory is mounted for them.

use rustix::{
    fs::{FlockOperation, flock, statfs},
    mount::{MountFlags, mount},
    process::geteuid,
};
use std::{
    ffi::CStr,
    fs::{DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt,
    path::Path,
};

/// Why secrets are delivered nowhere.
#[derive(Debug, thiserror::Error)]
pub enum NotInMemory {
    #[error("there is no folder in memory for secrets: `$XDG_RUNTIME_DIR` is not set")]
    NoPlace,
    #[error("secrets lie in memory only, and `{folder}` is on a disk")]
    OnDisk { folder: String },
}

impl NotInMemory {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NoPlace => {
                "run it in a session of the user, or as the unit for users: `loginctl enable-linger` gives \
                              `/run/user/<uid>`"
                    .to_owned()
            }
            Self::OnDisk { folder } => format!(
                "`mount -t tmpfs -o mode=0700 tmpfs {folder}`, or, where a disk is good enough for them, \
                 `secrets: {{on_disk: true}}` in the host file"
            ),
        }
    }
}

impl From<NotInMemory> for io::Error {
    fn from(error: NotInMemory) -> Self {
        Self::other(format!("{error}: {}", error.hint()))
    }
}

/// Whether secrets may be delivered below a root, by a look alone: root may mount what is missing.
///
/// # Errors
/// Why they may not.
pub fn foresee(root: &Path) -> Result<(), NotInMemory> {
    let folder = place(root)?;
    let mut there = folder.ancestors().filter(|path| path.is_dir());
    if there.next().is_some_and(is_in_memory) || geteuid().is_root() {
        return Ok(());
    }
    Err(NotInMemory::OnDisk { folder: folder.display().to_string() })
}

/// Sees to it that what is below a root is in memory.
///
/// # Errors
/// It is on a disk, and nothing can be mounted there.
pub fn claim(root: &Path) -> io::Result<()> {
    let folder = place(root)?;
    if is_in_memory(folder) {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if is_in_memory(folder) {
        return Ok(());
    }
    // Two that mount would hide what one of them has delivered.
    let above = File::open(folder.parent().unwrap_or(folder))?;
    flock(&above, FlockOperation::LockExclusive)?;
    if !is_in_memory(folder) {
        tracing::info!(folder = %folder.display(), "the folder of secrets is on a disk: a tmpfs is mounted there");
        // Of a swap nothing is written to a disk either, where the kernel knows the word (6.4).
        if let Err(error) = make(folder, c"mode=0700,noswap").or_else(|_| make(folder, c"mode=0700")) {
            tracing::info!(%error, folder = %folder.display(), "it is not mounted");
            return Err(NotInMemory::OnDisk { folder: folder.display().to_string() }.into());
        }
    }
    Ok(())
}

/// The folder of everybody's roots: one mount for all of them.
fn place(root: &Path) -> Result<&Path, NotInMemory> {
    root.parent().filter(|folder| folder.is_absolute()).ok_or(NotInMemory::NoPlace)
}

fn make(folder: &Path, options: &CStr) -> rustix::io::Result<()> {
    let closed = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("reconcile-secrets", folder, "tmpfs", closed, options)
}

/// Whether a folder is in memory: a tmpfs, or a ramfs (statfs(2)).
#[must_use]
pub fn is_in_memory(folder: &Path) -> bool {
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    let kind = statfs(folder).ok().and_then(|found| u64::try_from(found.f_type).ok());
    kind.is_some_and(|kind| kind == TMPFS || kind == RAMFS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::mount::{UnmountFlags, unmount};
    use std::{os::unix::fs::PermissionsExt, thread};

    #[test]
    fn a_folder_on_a_disk_becomes_one_in_memory_once_whoever_asks() {
        // Beside the sources: `/tmp` may be in memory itself.
        let world = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let folder = world.path().join("run/secrets");
        let roots: Vec<_> = ["one", "two", "three", "four"].map(|name| folder.join(name)).into();
        assert!(!is_in_memory(world.path()), "the test needs a disk");
        thread::scope(|scope| {
            for root in &roots {
                scope.spawn(|| claim(root).unwrap());
            }
        });
        assert!(is_in_memory(&folder));
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o7777, 0o700);
        claim(&roots[0]).unwrap();
        unmount(&folder, UnmountFlags::empty()).unwrap();
        assert!(!is_in_memory(&folder), "it was mounted more than once");
    }

    #[test]
    fn without_a_place_in_memory_nothing_is_foreseen_and_nothing_claimed() {
        let nowhere = Path::new("");
        let error = foresee(nowhere).unwrap_err();
        assert_eq!(error.to_string(), "there is no folder in memory for secrets: `$XDG_RUNTIME_DIR` is not set");
        assert!(error.hint().contains("enable-linger"), "{}", error.hint());
        assert!(claim(nowhere).unwrap_err().to_string().contains("XDG_RUNTIME_DIR"));
        foresee(Path::new("/dev/shm/reconcile/secrets/x")).unwrap();
    }
}
