//! A disk of a megabyte; it is gone with the test.

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::path::Path;
use tempfile::TempDir;

pub(in crate::backup) struct SmallDisk(TempDir);

impl SmallDisk {
    pub(in crate::backup) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options: Option<&std::ffi::CStr> = Some(c"size=1m,mode=0700");
        mount("small", folder.path(), "tmpfs", MountFlags::empty(), options)
            .unwrap_or_else(|error| panic!("a tmpfs cannot be mounted, and this test needs root: {error}"));
        Self(folder)
    }

    pub(in crate::backup) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = unmount(self.0.path(), UnmountFlags::DETACH);
    }
}
