//! Repositories elsewhere: what is asked for is fetched into our own bare mirror, when it moved, and read from there.
//!
//! A fetch runs on a thread of its own, so that no server can hold the tool: whoever waits gives up after a while, and
//! the thread ends by libgit2's own timeouts.

mod contact;
pub mod error;
mod keys;
pub mod known_hosts;
mod mirror;
mod wanted;

pub use error::RemoteError;
pub use keys::read_trusted;

use super::{Commit, Repository, SourceError};
use crate::value::RemoteLocation;
use contact::{Contact, Failure};
use git2::{AutotagOption, Direction, FetchOptions, FetchPrune, Oid, RemoteRedirect};
use keys::Keys;
use mirror::Mirror;
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};
use wanted::Told;
pub use wanted::Wanted;

/// How often whoever waits looks whether there is hope.
const LOOK: Duration = Duration::from_millis(50);

/// What opens a repository elsewhere, and how long it is waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The private half of a deploy key.
    pub ssh_key: Option<PathBuf>,
    /// Pinned keys of ssh hosts.
    pub known_hosts: Option<PathBuf>,
    /// A token for HTTPS.
    pub token_file: Option<PathBuf>,
    pub patience: Patience,
}

/// How long it is waited for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until it has told its references; as long for the lock of the mirror.
    pub answer: Duration,
    /// Between two signs of life afterwards.
    pub silence: Duration,
    /// For all of it.
    pub whole: Duration,
    /// How many bytes are taken in one fetch: whoever may push must not be able to fill the disk.
    pub bytes: usize,
}

impl Default for Patience {
    fn default() -> Self {
        let (answer, silence, whole) = (Duration::from_secs(25), Duration::from_mins(1), Duration::from_mins(20));
        Self { answer, silence, whole, bytes: 1024 * 1024 * 1024 }
    }
}

/// A repository elsewhere, with the state directory that has our copy of it.
#[derive(Clone, Debug)]
pub struct Remote {
    location: RemoteLocation,
    access: Access,
    mirror: Mirror,
}

impl Remote {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(location: RemoteLocation, access: Access, state: &Path) -> Self {
        Self { location, access, mirror: Mirror::of(state) }
    }

    /// Asks for a branch, a tag or a commit (none: the branch of HEAD), fetches it if it moved, and gives what it is now.
    ///
    /// # Errors
    /// Whatever kept the server from telling, or us from believing it; the reference is not there.
    pub fn fetch(&self, reference: Option<&str>) -> Result<(Repository, Commit), SourceError> {
        Repository::refuse_search(reference)?;
        let keys = Keys::read(&self.location, &self.access)?;
        let lock = self.mirror.lock(self.access.patience.answer)?;
        self.converse(keys, lock, reference)?;
        self.last(reference)
    }

    /// What the last fetch brought, without asking anybody.
    ///
    /// # Errors
    /// Nothing was fetched yet, or not this reference; the mirror cannot be read.
    pub fn last(&self, reference: Option<&str>) -> Result<(Repository, Commit), SourceError> {
        let repository = self.reopened()?;
        let commit = repository.commit(reference)?;
        Ok((repository, commit))
    }

    /// The mirror as it is, without asking anybody.
    ///
    /// # Errors
    /// Nothing was fetched yet; the mirror cannot be read.
    pub fn reopened(&self) -> Result<Repository, SourceError> {
        let path = self.mirror.path();
        if !path.exists() {
            return Err(RemoteError::NeverFetched { location: self.location.to_string() }.into());
        }
        let failed = |source: git2::Error| RemoteError::Mirror { doing: "open", mirror: path, source: source.into() };
        let git = self.mirror.look().map_err(failed)?;
        Ok(Repository::of_mirror(git, self.location.as_str(), mirror::references(&self.location)))
    }

    /// The mirror's folder.
    #[must_use]
    pub fn mirror(&self) -> PathBuf {
        self.mirror.path()
    }

    fn converse(&self, keys: Keys, lock: File, reference: Option<&str>) -> Result<(), RemoteError> {
        let contact = Arc::new(Contact::new(self.location.clone(), keys, self.access.patience.bytes));
        let (answer, answers) = mpsc::channel();
        let (mirror, spoken, reference) = (self.mirror.clone(), Arc::clone(&contact), reference.map(str::to_owned));
        let begun = Instant::now();
        let spawned = thread::Builder::new().name("fetch".to_owned()).spawn(move || {
            let outcome = fetch_or_begin_anew(&spoken, &mirror, reference.as_deref());
            // Freed before the answer: whoever hears it may fetch again at once.
            drop(lock);
            let _ = answer.send(outcome);
        });
        let failed = |doing| {
            move |source: std::io::Error| RemoteError::Mirror { doing, mirror: self.mirror(), source: source.into() }
        };
        spawned.map_err(failed("begin a thread to fetch into"))?;
        loop {
            match answers.recv_timeout(LOOK) {
                Ok(outcome) => return outcome,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    if let Some(reason) = contact.hopeless(begun, &self.access.patience) {
                        return Err(reason);
                    }
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(failed("fetch into")(std::io::Error::other("the thread that fetches ended")));
                }
            }
        }
    }
}

/// Fetches into the mirror; where that is damaged, into a new one beside it, which takes its place when it is whole.
fn fetch_or_begin_anew(contact: &Contact, mirror: &Mirror, reference: Option<&str>) -> Result<(), RemoteError> {
    let damage = match fetch_into(&mirror.path(), contact, reference) {
        Ok(()) => return Ok(()),
        Err(Failure::Remote(reason)) => return Err(reason),
        Err(Failure::Mirror(reason)) => reason,
    };
    tracing::warn!(mirror = %mirror.path().display(), error = %describe(&damage), "the mirror is damaged and is fetched anew");
    mirror.forget_beside()?;
    match fetch_into(&mirror.beside(), contact, reference) {
        Ok(()) => mirror.replace(),
        Err(Failure::Remote(reason) | Failure::Mirror(reason)) => {
            mirror.forget_beside()?;
            Err(reason)
        }
    }
}

fn describe(error: &RemoteError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

/// One conversation: what is there, and what of it we do not have.
fn fetch_into(path: &Path, contact: &Contact, reference: Option<&str>) -> Result<(), Failure> {
    let ours = |source: git2::Error| {
        Failure::Mirror(RemoteError::Mirror { doing: "open", mirror: path.to_owned(), source: source.into() })
    };
    let explained = |error| contact.explained(error, path);
    contact.begin();
    let repository = mirror::prepare(path).map_err(ours)?;
    let mut remote = repository.remote_anonymous(contact.location.as_str()).map_err(ours)?;
    let mut connection = remote.connect_auth(Direction::Fetch, Some(contact.callbacks()), None).map_err(explained)?;
    let told: Vec<Told> = connection.list().map_err(explained)?.iter().map(told).collect();
    contact.listed();
    let wanted = Wanted::of(reference);
    let location = contact.location.to_string();
    let below = mirror::references(&contact.location);
    // What was a branch here is one: a tag does not take its place when it is deleted.
    let was_branch = |told: &&Told| {
        let branch = wanted.base.map(|base| format!("{below}/heads/{base}"));
        wanted.is_tag_for_want_of_a_branch(told) && branch.is_some_and(|name| repository.find_reference(&name).is_ok())
    };
    let Some(found) = wanted.among(&told).filter(|told| !was_branch(told)) else {
        return Err(Failure::Remote(match wanted.base {
            None => RemoteError::Empty { location },
            Some(base) => RemoteError::NoReference { location, reference: base.to_owned() },
        }));
    };
    let name = local_name(&below, &found.name);
    if !has(&repository, &name, found.id) {
        let mut options = FetchOptions::new();
        options
            .remote_callbacks(contact.callbacks())
            .download_tags(AutotagOption::None)
            .prune(FetchPrune::Off)
            .update_fetchhead(false)
            .follow_redirects(RemoteRedirect::None);
        let refspec = format!("+{}:{name}", found.name);
        connection.remote().fetch(&[refspec], Some(&mut options), Some("fetch")).map_err(explained)?;
    }
    // Read back what was said to be there: a copy that lacks it is damaged.
    let tip = repository.find_object(found.id, None).and_then(|object| object.peel_to_commit()).map_err(ours)?;
    tip.tree().map_err(ours)?;
    repository.reference(&name, found.id, true, "fetch").map_err(ours)?;
    if wanted.base.is_none() {
        repository.reference_symbolic(&format!("{below}/HEAD"), &name, true, "fetch").map_err(ours)?;
    }
    drop(connection);
    if let Err(error) = mirror::tidy(&repository) {
        tracing::warn!(%error, mirror = %path.display(), "the mirror's packs stay as they are");
    }
    Ok(())
}

fn told(head: &git2::RemoteHead<'_>) -> Told {
    Told { name: head.name().to_owned(), id: head.oid(), target: head.symref_target().map(str::to_owned) }
}

/// `refs/heads/main` below a location's own name; a detached HEAD has a name that no branch can have.
fn local_name(below: &str, name: &str) -> String {
    match name.strip_prefix("refs/") {
        Some(rest) => format!("{below}/{rest}"),
        None => format!("{below}/detached"),
    }
}

/// Whether the mirror has that already.
fn has(repository: &git2::Repository, name: &str, id: Oid) -> bool {
    let at_hand = repository.find_reference(name).ok().and_then(|reference| reference.target());
    at_hand == Some(id) && repository.odb().is_ok_and(|objects| objects.exists(id))
}
