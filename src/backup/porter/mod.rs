//! What the tool does in a container of its own beside a volume: it takes the data there is, and writes it to its standard
//! output.

mod archive;
mod dump;
mod incoming;
mod putting;
mod sqlite;
mod tree;
mod unpack;

pub use dump::Naming;
pub use tree::Tree;

use std::{
    fs::{self, DirBuilder},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, lchown},
    path::{Path, PathBuf},
    thread,
};

/// What is to be done there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Nothing: the container stays, so that others can be run in it.
    Wait,
    /// A snapshot of a database, by its path in the volume; judged before it is written.
    Sqlite { path: String },
    /// An archive of the volume, without what these patterns mean.
    Archive { exclude: Vec<crate::value::VolumeGlob> },
    /// Clears up what was left of such errands that were killed.
    Settle { path: String },
    /// Takes a database from the standard input, and has it ready beside the one of this path.
    Put { path: String, bytes: u64, sha256: String },
    /// Gives it the name, and keeps the old one.
    Swap { path: String },
    /// Puts back what was there before.
    Back { path: String },
    /// Lets go of what was there before.
    Forget { path: String },
    /// Gives all that is in the volume to a user and a group.
    Own { user: u32, group: u32 },
    /// Tells whether so many bytes more have room.
    Room { bytes: u64 },
    /// Has a dump of Redis ready to be a server's files, in this folder of the volume.
    PutDump { folder: String, naming: Naming, bytes: u64, sha256: String },
    /// The same with files of a folder.
    Files { tree: Tree, step: Step },
}

/// What is done with files of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Unpacks an archive from the standard input beside them.
    Put { bytes: u64, sha256: String },
    /// Clears up.
    Settle,
    /// Gives what was unpacked their place.
    Swap,
    /// Puts them back.
    Back,
    /// Lets go of them.
    Forget,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum PorterError {
    #[error("cannot {doing} `{}`: {source}", path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("cannot {doing} the database `{}`: {source}", path.display())]
    Database { doing: &'static str, path: PathBuf, source: rusqlite::Error },
    #[error("the database `{}` is damaged: {why}", path.display())]
    Damaged { path: PathBuf, why: String },
    #[error("the database `{}` has no tables", path.display())]
    NoTables { path: PathBuf },
    #[error("`{}` has become shorter while it was read: {missing} bytes are missing", path.display())]
    Short { path: PathBuf, missing: u64 },
    #[error("the copy is no archive that this release reads: {why}")]
    Archive { why: String },
    #[error("the volume has room for {free} bytes more, and the copy needs {needed}")]
    NoRoom { free: u64, needed: u64 },
    #[error("nobody takes what is written: {0}")]
    Output(io::Error),
}

impl Errand {
    /// Does it, with the volume at `data` and room for a snapshot at `scratch`, and writes what comes of it.
    ///
    /// # Errors
    /// What is wrong with the data; nobody takes it.
    pub fn run(&self, data: &Path, scratch: &Path, from: &mut dyn Read, to: &mut dyn Write) -> Result<(), PorterError> {
        match self {
            Self::Wait => loop {
                thread::park();
            },
            Self::Sqlite { path } => sqlite::write(&data.join(path), scratch, to),
            Self::Archive { exclude } => archive::write(data, exclude, to),
            Self::Put { path, bytes, sha256 } => putting::put(&data.join(path), *bytes, sha256, from),
            Self::Settle { path } => putting::settle(&data.join(path)),
            Self::Swap { path } => putting::swap(&data.join(path)),
            Self::Back { path } => putting::back(&data.join(path)),
            Self::Forget { path } => putting::forget(&data.join(path)),
            Self::Own { user, group } => own(data, (*user, *group)),
            Self::Room { bytes } => room(data, *bytes),
            Self::PutDump { folder, naming, bytes, sha256 } => {
                let tree = Tree { folder: folder.clone(), only: naming.all() };
                dump::put(&tree.at(data), naming, (*bytes, sha256), from)
            }
            Self::Files { tree, step } => {
                let there = tree.at(data);
                match step {
                    Step::Put { bytes, sha256 } => there.put(*bytes, sha256, from),
                    Step::Settle => there.settle(),
                    Step::Swap => there.swap(),
                    Step::Back => there.back(),
                    Step::Forget => there.forget(),
                }
            }
        }
    }
}

/// Of a volume that is new, nobody but its root may write anything.
fn own(path: &Path, of: (u32, u32)) -> Result<(), PorterError> {
    lchown(path, Some(of.0), Some(of.1)).map_err(file("give away", path))?;
    if !fs::symlink_metadata(path).map_err(file("read", path))?.is_dir() {
        return Ok(());
    }
    let entries = fs::read_dir(path).map_err(file("read", path))?;
    entries.into_iter().try_for_each(|entry| own(&entry.map_err(file("read", path))?.path(), of))
}

/// Whether there is room for what comes beside what is there.
fn room(data: &Path, needed: u64) -> Result<(), PorterError> {
    let told = rustix::fs::statvfs(data).map_err(|error| file("read", data)(error.into()))?;
    let free = told.f_bavail.saturating_mul(told.f_frsize);
    if needed <= free { Ok(()) } else { Err(PorterError::NoRoom { free, needed }) }
}

/// Makes the folders of a path that are not there, each for who has the one above it: a volume may be new.
fn make_folders(path: &Path) -> Result<(), PorterError> {
    if fs::symlink_metadata(path).is_ok() {
        return Ok(());
    }
    let above = path.parent().unwrap_or(Path::new("/"));
    make_folders(above)?;
    let like = fs::metadata(above).map_err(file("read", above))?;
    DirBuilder::new().mode(like.mode() & 0o7777).create(path).map_err(file("make", path))?;
    lchown(path, Some(like.uid()), Some(like.gid())).map_err(file("give away", path))
}

fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PorterError {
    let path = path.to_owned();
    move |source| PorterError::File { doing, path, source }
}
