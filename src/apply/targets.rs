//! The containers and volumes of an app, for who puts its data back.

use super::copies::{Copies, asking, newest, user};
use crate::{
    backup::{BackupError, Targets, User},
    desired::spec::MountSource,
    engine::Engine,
    observed::Life,
    value::ServiceName,
};
use futures_util::{FutureExt, future::BoxFuture};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

impl<E: Engine> Targets for Copies<E> {
    fn running<'a>(&'a self, services: &'a BTreeSet<ServiceName>) -> BoxFuture<'a, Result<Vec<User>, BackupError>> {
        async move {
            let mut users = Vec::new();
            for service in services {
                for container in self.of_service(service).await?.into_iter().filter(|there| there.life.is_up()) {
                    let seen = self.engine.container(&container.id).await.map_err(asking("inspect a container"))?;
                    users.extend(seen.map(user));
                }
            }
            Ok(users)
        }
        .boxed()
    }

    fn place<'a>(
        &'a self,
        service: &'a ServiceName,
        path: &'a str,
    ) -> BoxFuture<'a, Result<Option<(String, String)>, BackupError>> {
        async move {
            let id = self.container(service).await?;
            let seen = self.engine.container(&id).await.map_err(asking("inspect a container"))?;
            let mounts = seen.map(|seen| seen.body.mounts).unwrap_or_default();
            let inside =
                mounts.iter().filter_map(|mount| Some((mount, Path::new(path).strip_prefix(&mount.target).ok()?)));
            let deepest = inside.max_by_key(|(mount, _)| mount.target.len());
            Ok(deepest.and_then(|(mount, path)| match &mount.source {
                MountSource::Volume(volume) => {
                    let path = path.to_string_lossy().into_owned();
                    Some((volume.clone(), if path.is_empty() { ".".to_owned() } else { path }))
                }
                MountSource::Bind(_) => None,
            }))
        }
        .boxed()
    }

    fn has_volume<'a>(&'a self, volume: &'a str) -> BoxFuture<'a, Result<bool, BackupError>> {
        async move {
            let volumes = self.engine.volumes().await.map_err(asking("list volumes"))?;
            Ok(volumes.iter().any(|there| there.name == volume))
        }
        .boxed()
    }

    fn make_volume<'a>(
        &'a self,
        volume: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), BackupError>> {
        async move {
            self.engine.create_volume(volume, labels).await.map_err(asking(format!("create volume `{volume}`")))
        }
        .boxed()
    }

    fn wake<'a>(&'a self, service: &'a ServiceName) -> BoxFuture<'a, Result<bool, BackupError>> {
        async move {
            let there = self.of_service(service).await?;
            if there.iter().any(|container| container.life == Life::Running) {
                return Ok(true);
            }
            let Some(container) = newest(there.into_iter()) else { return Ok(false) };
            let started = self.engine.start(&container.id).await;
            started.map(|()| true).map_err(asking(format!("start container `{}`", container.name)))
        }
        .boxed()
    }
}
