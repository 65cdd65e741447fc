//! A copy restored where it harms nobody: into volumes and containers that are made for it and thrown away, without network and
//! without routes. What is known afterwards is that it can be restored, and that what came of it is well.

use super::{
    AnyPlace, BackupError, Copy, Sources, Targets, User,
    driver::{Taking, drilling, giving, redis},
    patience::patiently,
    restore::{Health, feed, hears, told, verified},
};
use crate::{
    desired::backup::{Data, Item},
    secret::age::Identities,
    value::ServiceName,
};
use futures_util::future::BoxFuture;
use std::{collections::BTreeMap, sync::Arc};

/// Volumes and containers that are thrown away.
pub trait Arena: Sources + Targets {
    /// Makes an empty volume.
    fn scratch(&self) -> BoxFuture<'_, Result<String, BackupError>>;

    /// Starts a container like the newest of a service, without network, and with these volumes in the place of its own; what
    /// is run in that service from now on is run in it. Volumes that are not named are empty ones.
    fn stand_in<'a>(
        &'a self,
        service: &'a ServiceName,
        volumes: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<User, BackupError>>;

    /// Throws all of it away, also what a drill left that was killed.
    fn clear_up(&self) -> BoxFuture<'_, Result<(), BackupError>>;
}

/// What is drilled.
pub struct Drill<'a, A, H> {
    pub item: &'a Item,
    /// The copy, and where it is.
    pub copy: &'a Copy,
    pub from: &'a AnyPlace,
    /// What opens it, where it is sealed.
    pub identities: Option<Arc<Identities>>,
    /// The services that have the item's volume, each with the user that its files are for where a number says it: they are to
    /// become healthy with it. Empty: none is started.
    pub services: &'a [(ServiceName, Option<(u32, u32)>)],
    pub arena: &'a A,
    pub health: &'a H,
}

impl<A: Arena, H: Health> Drill<'_, A, H> {
    /// Drills it, and throws all away.
    ///
    /// # Errors
    /// What went wrong with the copy, or with what it was to be restored into.
    pub async fn run(&self) -> Result<(), BackupError> {
        self.arena.clear_up().await?;
        let drilled = self.restored().await;
        let cleared = self.arena.clear_up().await;
        drilled.and(cleared)
    }

    async fn restored(&self) -> Result<(), BackupError> {
        verified(self.from, self.copy, self.identities.clone()).await?;
        match &self.item.data {
            Data::Sqlite { volume, path } => {
                let scratch = self.arena.scratch().await?;
                let data = Data::Sqlite { volume: scratch.clone(), path: path.clone() };
                self.filled(volume, scratch, &data).await
            }
            Data::Volume { volume, exclude, consistency } => {
                let scratch = self.arena.scratch().await?;
                let data =
                    Data::Volume { volume: scratch.clone(), exclude: exclude.clone(), consistency: *consistency };
                self.filled(volume, scratch, &data).await
            }
            Data::Redis { service, password } => {
                let said = hears(self.arena, &redis::asking(service, password.as_ref())).await?;
                let files = redis::Files::told(&said).map_err(|why| BackupError::Source { why })?;
                let place = self.arena.place(service, &files.folder).await?;
                let Some((volume, folder)) = place else {
                    let what = format!("volume that service `{service}` keeps its data in");
                    return Err(BackupError::Missing { what });
                };
                let scratch = self.arena.scratch().await?;
                let way = redis::giving(service, (&scratch, &folder), &files, self.copy);
                self.feed(&way.put).await?;
                self.does(&way.swap).await?;
                self.does(&way.forget).await?;
                self.owned(&scratch).await?;
                self.stands_in(service, [(volume, scratch)].into()).await?;
                self.does(&redis::counting(service, password.as_ref())).await
            }
            Data::Postgres(server) | Data::Mysql(server) => {
                let Some(drilling) = drilling(&self.item.data, self.copy) else { return Ok(()) };
                self.stands_in(&server.service, BTreeMap::new()).await?;
                patiently(self.arena, &drilling.asks).await?;
                self.feed(&drilling.load).await?;
                self.does(&drilling.counts).await
            }
            // Read to its end: what comes of it is known to its command alone.
            Data::Exec { .. } => Ok(()),
        }
    }

    /// A volume with what came of the copy, and services that are well with it.
    async fn filled(&self, volume: &str, scratch: String, data: &Data) -> Result<(), BackupError> {
        let Some(way) = giving(data, self.copy) else { return Ok(()) };
        self.feed(&way.put).await?;
        self.does(&way.swap).await?;
        self.does(&way.forget).await?;
        if matches!(data, Data::Sqlite { .. }) {
            self.owned(&scratch).await?;
        }
        for (service, _) in self.services {
            self.stands_in(service, [(volume.to_owned(), scratch.clone())].into()).await?;
        }
        Ok(())
    }

    /// Gives what is in a volume to who reads it: a copy of a file alone tells no owner.
    async fn owned(&self, scratch: &str) -> Result<(), BackupError> {
        let user = self.services.iter().find_map(|(_, user)| *user);
        match user {
            Some((user, group)) => self.does(&super::driver::owned(scratch, user, group)).await,
            None => Ok(()),
        }
    }

    async fn stands_in(&self, service: &ServiceName, volumes: BTreeMap<String, String>) -> Result<(), BackupError> {
        let stand_in = self.arena.stand_in(service, &volumes).await?;
        let well = self.health.are_well(std::slice::from_ref(&stand_in)).await;
        well.map_err(|why| BackupError::Source { why: format!("service `{service}` is not well with it: {why}") })
    }

    async fn feed(&self, into: &Taking) -> Result<(), BackupError> {
        feed(self.arena, into, self.from, self.copy, self.identities.clone()).await
    }

    async fn does(&self, errand: &Taking) -> Result<(), BackupError> {
        told(self.arena.give(errand, None).await?.await)
    }
}
