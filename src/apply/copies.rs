//! The containers of an app, for who copies its data: programs in them, and the tool itself in a container beside a volume.

use super::porter_image;
use crate::{
    backup::{
        BackupError, Flow, Piece, Released, Sources, Still, User, Verdict,
        driver::{DATA, Taking},
        flow::IN_HAND,
    },
    desired::{
        ContainerSpec,
        backup::Hook,
        label,
        spec::{Mount, MountSource, Network},
    },
    engine::{CreateContainer, Detail, Engine, EngineError, FlowInside, Outflow, Summary},
    observed::{Life, Role},
    value::{AppName, EnvironmentName, ServiceName},
};
use futures_util::{FutureExt, future::BoxFuture};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{
    OnceCell,
    mpsc::{self, Receiver},
    oneshot,
};

/// The label of containers beside volumes: whose copies they are for.
pub const PORTER: &str = "reconcile.porter";

/// The containers of one app on an engine.
pub struct Copies<E> {
    pub engine: Arc<E>,
    pub installation: String,
    pub environment: EnvironmentName,
    pub app: AppName,
    image: Arc<OnceCell<String>>,
    /// What is told apart from the copies of the app.
    apart: &'static str,
    /// Containers that are asked in the place of a service's own.
    pub(super) stand_ins: Mutex<BTreeMap<ServiceName, String>>,
}

/// The engines' own grace, where a container has none of its own.
const GRACE: u64 = 10;

pub(super) fn asking(doing: impl Into<String>) -> impl FnOnce(EngineError) -> BackupError {
    let doing = doing.into();
    move |source| BackupError::Container { doing: format!("cannot {doing}"), source: source.into() }
}

impl<E: Engine> Copies<E> {
    /// Those of this app.
    #[must_use]
    pub fn of(engine: Arc<E>, installation: String, environment: EnvironmentName, app: AppName) -> Self {
        Self { engine, installation, environment, app, image: Arc::default(), apart: "", stand_ins: Mutex::default() }
    }

    /// What is made for drills of this app: neither its copies nor its passes know of it.
    #[must_use]
    pub fn for_drills(engine: Arc<E>, installation: String, environment: EnvironmentName, app: AppName) -> Self {
        Self { apart: "/drill", ..Self::of(engine, installation, environment, app) }
    }

    /// Whose containers beside volumes are.
    pub(super) fn mark(&self) -> String {
        format!("{}/{}/{}{}", self.installation, self.environment, self.app, self.apart)
    }

    /// The running container of a service; of several the newest.
    pub(super) async fn container(&self, service: &ServiceName) -> Result<String, BackupError> {
        let stand_in = self.stand_ins.lock().unwrap_or_else(PoisonError::into_inner).get(service).cloned();
        if let Some(id) = stand_in {
            return Ok(id);
        }
        let there = self.of_service(service).await?;
        let running = there.into_iter().filter(|container| container.life == Life::Running);
        newest(running)
            .map(|container| container.id)
            .ok_or_else(|| BackupError::Missing { what: format!("running container of service `{service}`") })
    }

    /// All containers of a service.
    pub(super) async fn of_service(&self, service: &ServiceName) -> Result<Vec<Summary>, BackupError> {
        let marks = [
            (label::INSTALLATION, self.installation.as_str()),
            (label::ENVIRONMENT, self.environment.as_str()),
            (label::APP, self.app.as_str()),
        ];
        let labels = marks.map(|(key, value)| (key.to_owned(), Some(value.to_owned()))).into();
        let there = self.engine.containers(&labels).await.map_err(asking("list containers"))?;
        let role = Role::Service(service.clone());
        Ok(there.into_iter().filter(|container| label::role(&container.labels).as_ref() == Some(&role)).collect())
    }

    /// Makes a container beside a volume, and starts it.
    async fn beside(&self, volume: &str, writes: bool) -> Result<Beside<E>, BackupError> {
        self.beside_marked(volume, writes, BTreeMap::new()).await
    }

    /// As `beside`, with labels that tell what is under way.
    pub(super) async fn beside_marked(
        &self,
        volume: &str,
        writes: bool,
        marks: BTreeMap<String, String>,
    ) -> Result<Beside<E>, BackupError> {
        // An engine makes a volume of any name that is mounted.
        let volumes = self.engine.volumes().await.map_err(asking("list volumes"))?;
        if !volumes.iter().any(|there| there.name == volume) {
            return Err(BackupError::Missing { what: format!("volume `{volume}`") });
        }
        let image = self.image.get_or_try_init(|| porter_image::id(self.engine.as_ref())).await?;
        let spec = ContainerSpec {
            image: image.clone(),
            entrypoint: Some(vec![porter_image::PROGRAM.to_owned()]),
            command: Some(["porter", "wait"].map(str::to_owned).into()),
            env: BTreeMap::from([("LD_LIBRARY_PATH".to_owned(), porter_image::LIBRARIES.to_owned())]),
            network: Network::None,
            mounts: vec![Mount {
                source: MountSource::Volume(volume.to_owned()),
                target: DATA.to_owned(),
                read_only: !writes,
            }],
            ..ContainerSpec::default()
        };
        let mut container = CreateContainer {
            name: fresh_name("porter"),
            image_id: image.clone(),
            spec,
            secret_env: BTreeMap::new(),
            network: None,
            namespace_of: None,
            labels: marks.into_iter().chain([(PORTER.to_owned(), self.mark())]).collect(),
        };
        let id = match self.engine.create(&container).await {
            // Another release of the tool on this engine has taken the image away since.
            Err(EngineError::Refused { status: 404, .. }) => {
                container.image_id = porter_image::id(self.engine.as_ref()).await?;
                container.spec.image.clone_from(&container.image_id);
                self.engine.create(&container).await
            }
            created => created,
        };
        let id = id.map_err(asking(format!("look into volume `{volume}`")))?;
        let beside = Beside { engine: Arc::clone(&self.engine), id };
        match self.engine.start(&beside.id).await {
            Ok(()) => Ok(beside),
            Err(error) => {
                beside.put_away().await;
                Err(asking(format!("look into volume `{volume}`"))(error))
            }
        }
    }

    /// What is run beside a volume, and its name for people; none where it is run elsewhere.
    pub(super) fn errand(&self, taking: &Taking) -> Option<(Vec<String>, String)> {
        match taking {
            Taking::Beside { errand, .. } => Some((ported(errand), named(taking))),
            Taking::Inside { .. } => None,
        }
    }

    async fn begin(
        &self,
        taking: &Taking,
        input: Option<Receiver<Vec<u8>>>,
    ) -> Result<(Receiver<Outflow>, Option<Beside<E>>, String), BackupError> {
        let (id, command, beside) = match taking {
            Taking::Inside { service, command } => (self.container(service).await?, command.clone(), None),
            Taking::Beside { volume, writes, errand } => {
                let beside = self.beside(volume, *writes).await?;
                (beside.id.clone(), ported(errand), Some(beside))
            }
        };
        let what = named(taking);
        let begun = self.engine.flow_inside(&id, FlowInside { command, user: None, input }).await;
        match begun {
            Ok(flow) => Ok((flow, beside, what)),
            Err(error) => {
                if let Some(beside) = beside {
                    beside.put_away().await;
                }
                Err(asking(format!("run {what}"))(error))
            }
        }
    }
}

/// A name that nothing else on the engine has.
pub(super) fn fresh_name(kind: &str) -> String {
    let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("reconcile-{kind}-{}-{moment:x}", std::process::id())
}

/// The tool itself, in a container of its own.
fn ported(errand: &[String]) -> Vec<String> {
    [porter_image::PROGRAM, "porter"].map(str::to_owned).into_iter().chain(errand.iter().cloned()).collect()
}

/// The one of the newest revision.
pub(super) fn newest(containers: impl Iterator<Item = Summary>) -> Option<Summary> {
    let revision = |labels: &BTreeMap<String, String>| -> u64 {
        labels.get(label::REVISION).and_then(|number| number.parse().ok()).unwrap_or(0)
    };
    containers.max_by_key(|container| revision(&container.labels))
}

/// What is run, for people. A script is told by the tool it is about.
fn named(taking: &Taking) -> String {
    match taking {
        Taking::Beside { volume, errand, .. } => {
            format!("`{}` beside volume `{volume}`", errand.first().map_or("", String::as_str))
        }
        Taking::Inside { service, command } => {
            let program = match command.as_slice() {
                [shell, _, script, ..] if shell == "sh" => {
                    script.lines().last().and_then(|line| line.strip_prefix("exec ")).map_or(shell.as_str(), |line| {
                        line.split_whitespace().next().unwrap_or(line).trim_matches(|c| c == '"' || c == '$')
                    })
                }
                [program, ..] => program,
                [] => "",
            };
            format!("`{program}` in service `{service}`")
        }
    }
}

/// One that may be stopped.
pub(super) fn user(seen: Detail) -> User {
    let grace = Duration::from_secs(seen.body.stop_grace_seconds.unwrap_or(GRACE));
    User { id: seen.id, name: seen.name, grace }
}

/// A container beside a volume.
pub(super) struct Beside<E> {
    engine: Arc<E>,
    pub(super) id: String,
}

impl<E: Engine> Beside<E> {
    /// Removes it; what cannot be removed now is by the next run.
    pub(super) async fn put_away(self) {
        if let Err(error) = remove(self.engine.as_ref(), &self.id).await {
            tracing::warn!(%error, container = %self.id, "a container that was made for a copy is left");
        }
    }
}

pub(super) async fn remove<E: Engine>(engine: &E, id: &str) -> Result<(), EngineError> {
    engine.stop(id, Duration::ZERO).await?;
    engine.remove(id).await
}

/// How a program ended, where that was not well.
pub(super) fn failure(what: &str, last: Option<Outflow>) -> Option<String> {
    match last {
        Some(Outflow::Ended { code: 0, .. }) => None,
        Some(Outflow::Ended { code, said }) if said.is_empty() => Some(format!("{what} exited with {code}")),
        Some(Outflow::Ended { code, said }) => Some(format!("{what} exited with {code}: {said}")),
        Some(Outflow::Lost(error)) => Some(format!("{what} was lost: {error}")),
        Some(Outflow::Bytes(_)) | None => Some(format!("{what} broke off")),
    }
}

impl<E: Engine> Sources for Copies<E> {
    fn sweep(&self) -> BoxFuture<'_, Result<(), BackupError>> {
        async move {
            let labels = vec![(PORTER.to_owned(), Some(self.mark()))];
            let left = self.engine.containers(&labels).await.map_err(asking("list containers"))?;
            for container in left {
                self.let_go(&container).await?;
                remove(self.engine.as_ref(), &container.id)
                    .await
                    .map_err(asking(format!("remove container `{}`, which a killed run left", container.name)))?;
            }
            Ok(())
        }
        .boxed()
    }

    fn take_still<'a>(
        &'a self,
        taking: &'a Taking,
        still: Still,
    ) -> BoxFuture<'a, Result<(Flow, Released), BackupError>> {
        self.begin_still(taking, still).boxed()
    }

    fn take<'a>(&'a self, taking: &'a Taking) -> BoxFuture<'a, Result<Flow, BackupError>> {
        async move {
            let (mut from, beside, what) = self.begin(taking, None).await?;
            let (sender, flow) = mpsc::channel(IN_HAND);
            tokio::spawn(async move {
                let last = loop {
                    match from.recv().await {
                        Some(Outflow::Bytes(bytes)) => {
                            if sender.send(Piece::Bytes(bytes)).await.is_err() {
                                break None;
                            }
                        }
                        last => break last,
                    }
                };
                // Who hears that it is whole may look at what is left.
                if let Some(beside) = beside {
                    beside.put_away().await;
                }
                let last = failure(&what, last).map_or(Piece::Whole, Piece::Failed);
                let _ = sender.send(last).await;
            });
            Ok(flow)
        }
        .boxed()
    }

    fn give<'a>(
        &'a self,
        taking: &'a Taking,
        data: Option<Receiver<Vec<u8>>>,
    ) -> BoxFuture<'a, Result<Verdict, BackupError>> {
        async move {
            let (mut from, beside, what) = self.begin(taking, data).await?;
            let (sender, verdict) = oneshot::channel();
            tokio::spawn(async move {
                let last = loop {
                    match from.recv().await {
                        Some(Outflow::Bytes(_)) => {}
                        last => break last,
                    }
                };
                if let Some(beside) = beside {
                    beside.put_away().await;
                }
                // Nobody may listen any more.
                let _ = sender.send(failure(&what, last).map_or(Ok(()), Err));
            });
            Ok(verdict)
        }
        .boxed()
    }

    fn users<'a>(&'a self, volume: &'a str) -> BoxFuture<'a, Result<Vec<User>, BackupError>> {
        async move {
            let there = self.engine.containers(&Vec::new()).await.map_err(asking("list containers"))?;
            let source = MountSource::Volume(volume.to_owned());
            let mut users = Vec::new();
            for container in there.into_iter().filter(|container| container.life.is_up()) {
                let seen = self.engine.container(&container.id).await.map_err(asking("inspect a container"))?;
                let Some(seen) = seen.filter(|seen| seen.body.mounts.iter().any(|mount| mount.source == source)) else {
                    continue;
                };
                let of = [label::INSTALLATION, label::ENVIRONMENT, label::APP].map(|key| seen.labels.get(key).cloned());
                let ours = [self.installation.clone(), self.environment.to_string(), self.app.to_string()].map(Some);
                if of != ours {
                    let doing =
                        format!("volume `{volume}` is used by container `{}`, which is none of the app's", seen.name);
                    return Err(BackupError::Source { why: doing });
                }
                users.push(user(seen));
            }
            Ok(users)
        }
        .boxed()
    }

    fn stop<'a>(&'a self, user: &'a User) -> BoxFuture<'a, Result<(), BackupError>> {
        async move {
            let doing = || format!("stop container `{}`", user.name);
            self.engine.stop(&user.id, user.grace).await.map_err(asking(doing()))?;
            let seen = self.engine.container(&user.id).await.map_err(asking("inspect a container"))?;
            match seen.is_some_and(|seen| seen.life.is_up()) {
                true => Err(BackupError::Source { why: format!("container `{}` does not stop", user.name) }),
                false => Ok(()),
            }
        }
        .boxed()
    }

    fn start<'a>(&'a self, user: &'a User) -> BoxFuture<'a, Result<(), BackupError>> {
        async move { self.engine.start(&user.id).await.map_err(asking(format!("start container `{}`", user.name))) }
            .boxed()
    }

    fn hook<'a>(&'a self, hook: &'a Hook) -> BoxFuture<'a, Result<(), BackupError>> {
        async move {
            let id = self.container(&hook.service).await?;
            let what =
                format!("the hook `{}` in service `{}`", hook.command.first().map_or("", String::as_str), hook.service);
            let run = FlowInside { command: hook.command.clone(), user: hook.user.clone(), input: None };
            let mut from = self.engine.flow_inside(&id, run).await.map_err(asking(format!("run {what}")))?;
            let last = loop {
                match from.recv().await {
                    Some(Outflow::Bytes(_)) => {}
                    last => break last,
                }
            };
            failure(&what, last).map_or(Ok(()), |why| Err(BackupError::Source { why }))
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        VolumeView,
        model::{Call, Fate, Faults, Model, When, World},
    };

    #[tokio::test]
    async fn an_image_that_another_release_took_away_is_made_again_and_the_copy_with_it() {
        let mut world = World::default();
        world.volumes.push(VolumeView { name: "data".to_owned(), labels: BTreeMap::new() });
        let model = Model::new(world);
        let calls: Arc<Mutex<Vec<&'static str>>> = Arc::default();
        let (meddler, heard) = (model.clone(), Arc::clone(&calls));
        let faults: Faults = Arc::new(move |when, call: &Call| {
            if when == When::Before && ["import", "create"].contains(&call.name) {
                let mut calls = heard.lock().unwrap();
                // Between the look at the image and what is made of it.
                if call.name == "create" && !calls.contains(&"create") {
                    meddler.by_hand(|world| world.images.clear());
                }
                calls.push(call.name);
            }
            Fate::Go
        });
        let engine = Arc::new(model.with_faults(faults));
        let copies = Copies::of(engine, "default".to_owned(), "production".parse().unwrap(), "web".parse().unwrap());
        let errand = vec!["sqlite".to_owned(), "app.db".to_owned()];
        let taking = Taking::Beside { volume: "data".to_owned(), writes: true, errand };
        for _ in 0..2 {
            let mut flow = copies.take(&taking).await.unwrap();
            assert!(
                matches!(flow.recv().await, Some(Piece::Bytes(bytes)) if bytes.starts_with(b"what `/reconcile porter"))
            );
            assert!(matches!(flow.recv().await, Some(Piece::Whole)));
            assert!(model.by_hand(|world| world.containers.is_empty()), "one is left");
        }
        assert_eq!(calls.lock().unwrap()[..4], ["import", "create", "import", "create"]);
    }
}
