//! The seam to where copies lie: whoever makes, lists, verifies or restores them asks a place, whatever it is. All of it blocks:
//! a thread of its own asks.

use super::{
    BackupError, Copy, CopyId, Local,
    record::{self, REMOVED},
    s3::S3,
};
use crate::{
    host::Repository,
    value::{AppName, EnvironmentName, ItemName, RepositoryName},
};
use jiff::Timestamp;
use std::{
    fmt,
    io::{Read, Write},
    path::PathBuf,
    sync::Arc,
};

/// A place of whatever type.
pub type AnyPlace = Arc<dyn Place>;

/// Opens a place of the host file; nobody is asked yet.
#[must_use]
pub fn open(name: &RepositoryName, place: &Repository) -> AnyPlace {
    match place {
        Repository::Local { path } => Arc::new(Local { name: name.clone(), root: PathBuf::from(path.as_str()) }),
        Repository::S3(settings) => Arc::new(S3::new(name.clone(), settings.clone())),
    }
}

/// Whose copies are meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Of {
    pub environment: EnvironmentName,
    pub app: AppName,
    pub item: ItemName,
}

impl Of {
    /// Whose a copy is.
    #[must_use]
    pub fn copy(copy: &Copy) -> Self {
        Self { environment: copy.environment.clone(), app: copy.app.clone(), item: copy.item.clone() }
    }
}

/// The copies of an item, and what could not be read of them.
#[derive(Debug, Default)]
pub struct Found {
    /// Newest first.
    pub copies: Vec<Copy>,
    /// Records that cannot be read.
    pub faults: Vec<BackupError>,
}

/// Where copies lie. What is half-made has no final name there, and no record; a copy is what has one.
pub trait Place: fmt::Debug + Send + Sync {
    /// By what name the host file knows it.
    fn name(&self) -> &RepositoryName;

    /// Where a file of an item is, for people.
    fn path_of(&self, of: &Of, file: &str) -> PathBuf;

    /// All items that have something here, of every environment and app.
    ///
    /// # Errors
    /// The place cannot be read.
    fn items(&self) -> Result<Vec<Of>, BackupError>;

    /// The items of one app that have something here.
    ///
    /// # Errors
    /// The place cannot be read.
    fn items_of(&self, environment: &EnvironmentName, app: &AppName) -> Result<Vec<Of>, BackupError>;

    /// The names of all that lies here of an item, whole or not; none where nothing does.
    ///
    /// # Errors
    /// The place cannot be read.
    fn files(&self, of: &Of) -> Result<Vec<String>, BackupError>;

    /// One copy by its record, as it is now; none where there is none.
    ///
    /// # Errors
    /// The place, or the record, cannot be read.
    fn copy(&self, of: &Of, id: &CopyId) -> Result<Option<Copy>, BackupError>;

    /// The copies of an item by their records.
    ///
    /// # Errors
    /// The place cannot be read.
    fn copies(&self, of: &Of) -> Result<Found, BackupError>;

    /// The newest copy of an item that is one of the wanted; none where there is none. Records that cannot be read are
    /// passed over: somebody else tells of them.
    ///
    /// # Errors
    /// The place cannot be read.
    fn newest(&self, of: &Of, is_wanted: &dyn Fn(&Copy) -> bool) -> Result<Option<Copy>, BackupError>;

    /// What lies in a copy's file, from its beginning.
    ///
    /// # Errors
    /// It is not there; the place cannot be read.
    fn open(&self, copy: &Copy) -> Result<Box<dyn Read + Send>, BackupError>;

    /// Begins a file that has no final name yet, and about so many bytes; none: nobody knows how many.
    ///
    /// # Errors
    /// Something has the name; the place cannot be written.
    fn begin(&self, of: &Of, file: &str, expected: Option<u64>) -> Result<Box<dyn Draft>, BackupError>;

    /// Whether it is on this host: a draft can be read back before it has its name. Where it is not, all that judges it does so
    /// before.
    fn is_near(&self) -> bool;

    /// Writes the record of a copy anew, whole.
    ///
    /// # Errors
    /// The place cannot be written.
    fn rewrite(&self, copy: &Copy) -> Result<(), BackupError>;

    /// Removes a copy with its record. From the first moment on it counts as none. What of it is not there is fine.
    ///
    /// # Errors
    /// The place cannot be written; the next sweep goes on.
    fn remove(&self, copy: &Copy) -> Result<(), BackupError>;

    /// Notes something about a copy, and changes nothing else of what its record tells by now. One that somebody removes
    /// meanwhile stays removed, whoever is first: it is marked as such before anything of it goes, and until all of it is gone.
    ///
    /// # Errors
    /// It was removed; the place cannot be written.
    fn note(&self, copy: &Copy, note: &dyn Fn(&mut Copy)) -> Result<Copy, BackupError> {
        let of = Of::copy(copy);
        let removed = || BackupError::Removed { id: copy.id.clone() };
        // A record whose file was lost otherwise is noted all the same.
        let had_file = self.files(&of)?.contains(&copy.file);
        let mut noted = self.copy(&of, &copy.id)?.ok_or_else(removed)?;
        note(&mut noted);
        self.rewrite(&noted)?;
        let files = self.files(&of)?;
        let mark = format!("{}.{REMOVED}", record::name(&copy.id));
        if files.contains(&mark) || (had_file && !files.contains(&copy.file)) {
            self.remove(&noted)?;
            return Err(removed());
        }
        Ok(noted)
    }

    /// Puts away what a run that was killed left behind; whoever calls has the app's lock.
    ///
    /// # Errors
    /// The place cannot be written.
    fn sweep(&self, of: &Of) -> Result<(), BackupError>;

    /// The copies that were taken before rollouts of an app and can be relied on, oldest first, whatever its manifest says by
    /// now. Records that cannot be read are passed over: somebody else tells of them.
    ///
    /// # Errors
    /// The place cannot be read.
    fn before_rollouts(&self, environment: &EnvironmentName, app: &AppName) -> Result<Vec<Copy>, BackupError> {
        let mut found = Vec::new();
        for of in self.items_of(environment, app)? {
            let copies = self.copies(&of)?.copies.into_iter();
            found.extend(copies.filter(|copy| copy.is_good() && copy.before_revision.is_some()));
        }
        found.sort_by(|a, b| (a.taken_at, &a.item, &a.id).cmp(&(b.taken_at, &b.item, &b.id)));
        Ok(found)
    }

    /// Where a copy's file is, for people.
    fn path(&self, copy: &Copy) -> PathBuf {
        self.path_of(&Of::copy(copy), &copy.file)
    }
}

/// A file on its way. Who lets go of it before it is settled gives it up: nothing of it stays.
pub trait Draft: Write + Send {
    /// What was written is all of it: it is there to stay, and can be read back.
    ///
    /// # Errors
    /// The place cannot be written.
    fn finish(&mut self) -> Result<(), BackupError>;

    /// Reads it from its beginning, from where it lies and not from what is remembered of it.
    ///
    /// # Errors
    /// The place cannot be read.
    fn read_back(&self) -> Result<Box<dyn Read + Send>, BackupError>;

    /// Where it is, for people.
    fn path(&self) -> PathBuf;

    /// Gives it its final name, and then its record.
    ///
    /// # Errors
    /// The place cannot be written.
    fn settle(self: Box<Self>, copy: &Copy) -> Result<(), BackupError>;
}

/// The first name of this second that no copy has.
pub(super) fn free_id(place: &dyn Place, of: &Of, taken_at: Timestamp) -> Result<CopyId, BackupError> {
    let taken = place.files(of)?;
    let is_taken = |id: &CopyId| taken.iter().any(|file| file.starts_with(&format!("{id}.")));
    (0..10_000)
        .map(|again| CopyId::taken(taken_at, again))
        .find(|id| !is_taken(id))
        .ok_or_else(|| BackupError::Missing { what: format!("name free in `{}`", place.path_of(of, "").display()) })
}

/// Those of some places that are meant, in the order of their names.
///
/// # Errors
/// There is none of a name.
pub fn named(places: &[AnyPlace], names: &[RepositoryName]) -> Result<Vec<AnyPlace>, BackupError> {
    let place = |name: &RepositoryName| {
        let found = places.iter().find(|place| place.name() == name).cloned();
        found.ok_or_else(|| BackupError::Missing { what: format!("place `{name}` for copies on this host") })
    };
    names.iter().map(place).collect()
}
