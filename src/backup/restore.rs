//! A copy's way back into the app. Nothing of what is there is lost: a safety copy is taken first, the old bytes stay beside the
//! new ones until the app is well, and come back where it is not. Whoever calls has the app's lock.

use super::{
    AnyPlace, BackupError, Copy, Journal, Sources, Targets, User,
    driver::{Giving, Stops, Taking, giving, owned, redis, whole},
    flow::{Handing, IN_HAND, Piece},
    journal::Begun,
    run::{Account, Run},
    verifying,
};
use crate::{
    desired::backup::{Backup, Compression, Data, Item},
    secret::age::Identities,
    value::{AppName, EnvironmentName, ServiceName},
};
use futures_util::future::BoxFuture;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};
use tokio::{sync::mpsc, task::spawn_blocking};

/// Whether the app is well, when it has had its time.
pub trait Health: Send + Sync {
    /// Waits until it is known of all these containers, which were just started.
    fn are_well<'a>(&'a self, started: &'a [User]) -> BoxFuture<'a, Result<(), String>>;
}

/// What is restored.
pub struct Restore<'a, S, H> {
    pub backup: &'a Backup,
    pub environment: &'a EnvironmentName,
    pub app: &'a AppName,
    pub item: &'a Item,
    /// The copy, and where it is.
    pub copy: &'a Copy,
    pub from: &'a AnyPlace,
    /// What opens it, where it is sealed.
    pub identities: Option<Arc<Identities>>,
    /// Where the safety copy goes: into the first.
    pub repositories: &'a [AnyPlace],
    /// Nothing that is there is worth one.
    pub without_safety: bool,
    /// The services that may ask the item's server for something, where it is of one.
    pub dependants: &'a BTreeSet<ServiceName>,
    /// The labels of the app's own volumes, by name: one that is not there yet is made.
    pub volumes: &'a BTreeMap<String, BTreeMap<String, String>>,
    /// The user that the item's service runs as, where a number says it: of what a volume that is new holds.
    pub owner: Option<(u32, u32)>,
    /// Where it is noted what was begun.
    pub journal: &'a Journal,
    pub sources: &'a S,
    pub health: &'a H,
}

/// How it ended.
#[derive(Debug)]
pub struct Restored {
    /// What was there before, as a copy that no rule removes.
    pub safety: Option<Copy>,
    /// Nothing of the app ran that uses it.
    pub unused: bool,
    /// Why the old bytes are in place again; none where the copy is.
    pub put_back: Option<String>,
}

impl<S: Sources + Targets, H: Health> Restore<'_, S, H> {
    /// How it would be done.
    ///
    /// # Errors
    /// This release does not do it; the copy is of something else.
    pub async fn way(&self) -> Result<Giving, BackupError> {
        let kind = self.item.data.word();
        if self.copy.kind != kind {
            let what = format!("copy of `{kind}`: `{}` is one of `{}`", self.copy.id, self.copy.kind);
            return Err(BackupError::Missing { what });
        }
        if let Data::Redis { service, password } = &self.item.data {
            let told = hears(self.sources, &redis::asking(service, password.as_ref())).await?;
            let files = redis::Files::told(&told).map_err(|why| BackupError::Source { why })?;
            let place = self.sources.place(service, &files.folder).await?.ok_or_else(|| {
                let folder = &files.folder;
                let why =
                    format!("service `{service}` keeps its data in `{folder}`, which is in no volume of its container");
                BackupError::Source { why }
            })?;
            return Ok(redis::giving(service, (&place.0, &place.1), &files, self.copy));
        }
        giving(&self.item.data, self.copy)
            .ok_or_else(|| by_hand(&self.item.data, &self.from.path(self.copy), self.copy))
    }

    /// Reads the copy to its end: what is not right is not restored.
    ///
    /// # Errors
    /// It is not what was written; it is sealed, and nobody here opens it.
    pub async fn verify(&self) -> Result<(), BackupError> {
        verified(self.from, self.copy, self.identities.clone()).await
    }

    /// Restores it.
    ///
    /// # Errors
    /// What went wrong before anything was changed, or after all was put back; `put_back` tells of an app that was not well.
    pub async fn run(&self) -> Result<Restored, BackupError> {
        let way = self.way().await?;
        self.verify().await?;
        self.journal.settle(self.sources).await?;
        self.sources.sweep().await?;
        let is_new = self.make_room(&way).await?;
        let users = match &way.stops {
            Stops::Users { volume } => self.sources.users(volume).await?,
            Stops::Dependants { .. } | Stops::Server { .. } => self.sources.running(self.dependants).await?,
        };
        let mut stopped = Vec::new();
        let safety = match self.stop(&users, &mut stopped).await {
            Ok(()) => self.prepare(&way, is_new, &mut stopped).await,
            Err(error) => Err(error),
        };
        // Servers are stopped last, and those who ask them start after them.
        stopped.reverse();
        let safety = match safety {
            Ok(safety) => safety,
            Err(error) => {
                // Nothing has another name yet. What is ready beside it goes with the next pass, if not now.
                if self.does(&way.settle).await.is_ok() {
                    self.journal.end()?;
                }
                self.start(&stopped).await?;
                return Err(error);
            }
        };
        let swapped = self.does(&way.swap).await;
        let well = match swapped {
            Ok(()) => match self.start(&stopped).await {
                Ok(()) => self.health.are_well(&stopped).await,
                Err(error) => Err(error.to_string()),
            },
            Err(error) => Err(error.to_string()),
        };
        let Err(why) = well else {
            self.does(&way.forget).await?;
            self.journal.end()?;
            return Ok(Restored { safety, unused: stopped.is_empty(), put_back: None });
        };
        for user in stopped.iter().rev() {
            self.sources.stop(user).await?;
        }
        self.does(&way.back).await?;
        self.journal.end()?;
        self.start(&stopped).await?;
        Ok(Restored { safety, unused: stopped.is_empty(), put_back: Some(why) })
    }

    /// Sees that the copy has somewhere to go, before anything is stopped; tells whether nothing was there.
    async fn make_room(&self, way: &Giving) -> Result<bool, BackupError> {
        let is_there = match &way.stops {
            Stops::Dependants { .. } | Stops::Server { .. } => true,
            Stops::Users { volume } => {
                let is_there = self.sources.has_volume(volume).await?;
                if let (false, Some(labels)) = (is_there, self.volumes.get(volume)) {
                    self.sources.make_volume(volume, labels).await?;
                    if let Some((user, group)) = self.owner {
                        self.does(&owned(volume, user, group)).await?;
                    }
                }
                is_there
            }
        };
        if let Some(room) = &way.room {
            self.does(room).await?;
        }
        Ok(!is_there)
    }

    async fn stop(&self, users: &[User], stopped: &mut Vec<User>) -> Result<(), BackupError> {
        for user in users {
            // Whether it stopped or not, it is started again.
            stopped.push(user.clone());
            self.sources.stop(user).await?;
        }
        Ok(())
    }

    /// All of them, also where one does not start.
    async fn start(&self, users: &[User]) -> Result<(), BackupError> {
        let mut first = Ok(());
        for user in users {
            let started = self.sources.start(user).await;
            first = first.and(started);
        }
        first
    }

    /// The safety copy, and the new bytes ready beside the old ones.
    async fn prepare(&self, way: &Giving, is_new: bool, stopped: &mut Vec<User>) -> Result<Option<Copy>, BackupError> {
        self.does(&way.settle).await?;
        let safety = if self.without_safety || is_new { None } else { Some(self.safety().await?) };
        self.journal.begin(&Begun::new(self.item.name.clone(), self.copy.id.clone(), way.settle.clone()))?;
        feed(self.sources, &way.put, self.from, self.copy, self.identities.clone()).await?;
        if let Stops::Server { volume, .. } = &way.stops {
            let users = self.sources.users(volume).await?;
            self.stop(&users, stopped).await?;
        }
        Ok(safety)
    }

    async fn safety(&self) -> Result<Copy, BackupError> {
        // No hooks: the app is stopped.
        let items = vec![Item { name: self.item.name.clone(), data: whole(&self.item.data) }];
        let backup = Backup { before: Vec::new(), after: Vec::new(), items, ..self.backup.clone() };
        let run = Run {
            backup: &backup,
            environment: self.environment,
            app: self.app,
            // The others take it over with the next run: nobody waits for a far one while the app is stopped.
            repositories: self.repositories.get(..1).unwrap_or_default(),
            sources: self.sources,
            only: std::slice::from_ref(&self.item.name),
            pinned: true,
            before_revision: None,
            clock: &jiff::Timestamp::now,
            ending: None,
        };
        let Account { items, .. } = run.run().await?;
        let made = items.into_iter().next().map(|made| made.outcome);
        made.unwrap_or_else(|| Err(BackupError::Missing { what: "item to take a safety copy of".to_owned() }))
    }

    /// Runs an errand to its end.
    async fn does(&self, errand: &Taking) -> Result<(), BackupError> {
        told(self.sources.give(errand, None).await?.await)
    }
}

/// Reads a copy to its end.
pub(super) async fn verified(
    from: &AnyPlace,
    copy: &Copy,
    identities: Option<Arc<Identities>>,
) -> Result<(), BackupError> {
    let (from, copy) = (AnyPlace::clone(from), copy.clone());
    if !copy.sealed_for.is_empty() && identities.is_none() {
        return Err(BackupError::Sealed { path: from.path(&copy), source: None });
    }
    joined(spawn_blocking(move || verifying::file(from.as_ref(), &copy, identities.as_deref())).await)
}

/// Has an errand read a copy.
pub(super) async fn feed<S: Sources>(
    sources: &S,
    into: &Taking,
    from: &AnyPlace,
    copy: &Copy,
    identities: Option<Arc<Identities>>,
) -> Result<(), BackupError> {
    let (to, data) = mpsc::channel(IN_HAND);
    let verdict = sources.give(into, Some(data)).await?;
    let (from, copy) = (AnyPlace::clone(from), copy.clone());
    let read = move || verifying::read_back(from.as_ref(), &copy, identities.as_deref(), &mut Handing(to));
    let read = spawn_blocking(read);
    let (read, verdict) = tokio::join!(read, verdict);
    told(verdict)?;
    joined(read)
}

/// What a program in a container says.
pub(super) async fn hears<S: Sources>(sources: &S, taking: &Taking) -> Result<String, BackupError> {
    let (mut flow, mut said) = (sources.take(taking).await?, Vec::new());
    loop {
        match flow.recv().await {
            Some(Piece::Bytes(bytes)) => said.extend(bytes),
            Some(Piece::Whole) => return Ok(String::from_utf8_lossy(&said).into_owned()),
            Some(Piece::Failed(why)) => return Err(BackupError::Source { why }),
            None => return Err(BackupError::Source { why: "it broke off".to_owned() }),
        }
    }
}

/// What only people can do, and how.
fn by_hand(data: &Data, path: &Path, copy: &Copy) -> BackupError {
    let (what, command) = match data {
        Data::Postgres(_) => {
            ("all databases of a server are put back into an empty one by hand", "psql -X -U postgres -d postgres")
        }
        Data::Mysql(_) => ("all databases of a server are put back by hand", "mariadb -u root -p"),
        Data::Redis { .. } | Data::Exec { .. } | Data::Sqlite { .. } | Data::Volume { .. } => {
            ("what a command wrote is put back by a command that this tool does not know", "COMMAND")
        }
    };
    let unpack = match copy.compression {
        Compression::Zstd => "zstd -dc",
        Compression::Gzip => "gzip -dc",
        Compression::None => "cat",
    };
    let path = path.display();
    let opened = if copy.sealed_for.is_empty() {
        format!("{unpack} '{path}'")
    } else {
        format!("age -d -i KEY '{path}' | {unpack}")
    };
    BackupError::ByHand { what: what.to_owned(), command: format!("{opened} | docker exec -i CONTAINER {command}") }
}

/// What became of an errand.
pub(super) fn told(
    verdict: Result<Result<(), String>, tokio::sync::oneshot::error::RecvError>,
) -> Result<(), BackupError> {
    let broke_off = || Err("it broke off".to_owned());
    verdict.unwrap_or_else(|_| broke_off()).map_err(|why| BackupError::Source { why })
}

fn joined(done: Result<Result<(), BackupError>, tokio::task::JoinError>) -> Result<(), BackupError> {
    done.map_err(|error| BackupError::Source { why: error.to_string() })?
}
