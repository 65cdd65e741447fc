//! Containers and volumes for drills, like those of an app and known to nobody as its own.

use super::copies::{Copies, PORTER, asking, fresh_name, newest, user};
use crate::{
    backup::{BackupError, Sources, User, drill::Arena},
    desired::{
        ContainerSpec, label,
        spec::{Adjustable, Mount, MountSource, Network, Restart},
    },
    engine::{CreateContainer, Detail, Engine},
    policy::ROUTING_VARIABLES,
    secret::SecretValue,
    value::ServiceName,
};
use futures_util::{FutureExt, future::BoxFuture};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
};

impl<E: Engine> Copies<E> {
    /// A body that reaches nothing and nobody: what it has of the host it can only read, and a socket there it does not have.
    async fn alone(&self, seen: &Detail, volumes: &BTreeMap<String, String>) -> Result<ContainerSpec, BackupError> {
        let mut mounts = Vec::new();
        for mount in seen.body.mounts.clone() {
            match &mount.source {
                MountSource::Volume(volume) => {
                    let scratch = match volumes.get(volume) {
                        Some(scratch) => scratch.clone(),
                        None => self.scratch().await?,
                    };
                    mounts.push(Mount { source: MountSource::Volume(scratch), ..mount });
                }
                MountSource::Bind(path) if path.ends_with(".sock") => {}
                MountSource::Bind(_) => mounts.push(Mount { read_only: true, ..mount }),
            }
        }
        let mut env = seen.body.env.clone();
        let says_route = |name: &str| ROUTING_VARIABLES.contains(&name);
        env.retain(|name, _| !says_route(name) && !seen.secret_env.contains_key(name));
        // What would be made beside the databases of a dump.
        if let Some(database) = env.get_mut("POSTGRES_DB") {
            "postgres".clone_into(database);
        }
        Ok(ContainerSpec {
            image: seen.image_id.clone(),
            env,
            labels: BTreeMap::new(),
            network: Network::None,
            ports: BTreeSet::new(),
            mounts,
            adjustable: Adjustable { restart: Restart::No, ..seen.body.adjustable.clone() },
            gpus: None,
            devices: Vec::new(),
            privileged: false,
            extra_hosts: Vec::new(),
            dns: Vec::new(),
            unspoken: BTreeMap::new(),
            ..seen.body.clone()
        })
    }
}

impl<E: Engine> Arena for Copies<E> {
    fn scratch(&self) -> BoxFuture<'_, Result<String, BackupError>> {
        async move {
            let name = fresh_name("drill");
            let labels = BTreeMap::from([(PORTER.to_owned(), self.mark())]);
            self.engine.create_volume(&name, &labels).await.map_err(asking(format!("create volume `{name}`")))?;
            Ok(name)
        }
        .boxed()
    }

    fn stand_in<'a>(
        &'a self,
        service: &'a ServiceName,
        volumes: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<User, BackupError>> {
        async move {
            let there = self.of_service(service).await?;
            let missing = || BackupError::Missing { what: format!("container of service `{service}`") };
            let like = newest(there.into_iter()).ok_or_else(missing)?;
            let seen = self.engine.container(&like.id).await.map_err(asking("inspect a container"))?;
            let seen = seen.ok_or_else(missing)?;
            // Who has a secret in a variable gets another: it is for nobody but itself.
            let word = format!("drill{:016x}", fastrand::u64(..));
            let secret = |name: &String| (name.clone(), SecretValue::new(word.clone().into_bytes()));
            let container = CreateContainer {
                name: fresh_name("drill"),
                image_id: seen.image_id.clone(),
                spec: self.alone(&seen, volumes).await?,
                secret_env: seen.secret_env.keys().map(secret).collect(),
                network: None,
                namespace_of: None,
                labels: BTreeMap::from([
                    (PORTER.to_owned(), self.mark()),
                    (label::SERVICE.to_owned(), service.to_string()),
                ]),
            };
            let doing = || asking(format!("start a container like `{}`", seen.name));
            let id = self.engine.create(&container).await.map_err(doing())?;
            self.stand_ins.lock().unwrap_or_else(PoisonError::into_inner).insert(service.clone(), id.clone());
            self.engine.start(&id).await.map_err(doing())?;
            let made = self.engine.container(&id).await.map_err(asking("inspect a container"))?;
            made.map(user).ok_or_else(missing)
        }
        .boxed()
    }

    fn clear_up(&self) -> BoxFuture<'_, Result<(), BackupError>> {
        async move {
            self.stand_ins.lock().unwrap_or_else(PoisonError::into_inner).clear();
            self.sweep().await?;
            let volumes = self.engine.volumes().await.map_err(asking("list volumes"))?;
            let mark = self.mark();
            for volume in volumes.iter().filter(|volume| volume.labels.get(PORTER) == Some(&mark)) {
                let doing = format!("remove volume `{}`, which was made for a drill", volume.name);
                self.engine.discard_volume(&volume.name).await.map_err(asking(doing))?;
            }
            Ok(())
        }
        .boxed()
    }
}
