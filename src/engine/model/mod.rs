//! An engine in memory with virtual time, for the laws: same post-conditions as the real ones, where `tests/conformance`
//! names no difference. It follows Docker; `World::adjusts` and `World::runs_healthchecks` make it Podman's kin.
//!
//! Time is tokio's, so that a test with paused time sees hours go by at once. Nothing here serves a port: http and tcp
//! probes have nobody to ask.

mod effects;
pub mod faults;
pub mod life;
pub mod world;

#[cfg(test)]
mod tests;

pub use faults::{Call, Fate, Faults, When};
pub use world::{Script, World};

use crate::{
    desired::spec::{Adjustable, Network},
    engine::{
        Answer, CreateContainer, CreateNetwork, Detail, Engine, EngineError, EngineInfo, Event, FlowInside, ImageView,
        LabelFilter, NetworkView, Outflow, PullImage, RanInside, RunInside, Summary, VolumeView,
        view::{EngineKind, EventKind, Health},
    },
    observed::{Life, projection::Projection},
    secret::Fingerprint,
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time::{Instant, sleep},
};
use world::{Container, Image};

/// How often a wait looks again when nothing is due.
const LOOK: Duration = Duration::from_millis(50);

/// The engine in memory. Cheap to clone; clones are the same engine.
#[derive(Clone)]
pub struct Model {
    world: Arc<Mutex<World>>,
    listeners: Arc<Mutex<Vec<Sender<Event>>>>,
    faults: Faults,
    /// What its clock showed at a moment of tokio's.
    clock: Arc<Mutex<(Timestamp, Instant)>>,
}

impl Model {
    /// An engine with this world on it.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self {
            world: Arc::new(Mutex::new(world)),
            listeners: Arc::default(),
            faults: faults::none(),
            clock: Arc::new(Mutex::new((Timestamp::now(), Instant::now()))),
        }
    }

    /// The same engine, seen through faults.
    #[must_use]
    pub fn with_faults(&self, faults: Faults) -> Self {
        Self { faults, ..self.clone() }
    }

    /// Sets its clock, as somebody does with that of a host.
    pub fn set_clock(&self, to: Timestamp) {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = (to, Instant::now());
    }

    /// Looks at the world, or changes it by hand.
    pub fn by_hand<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.settle(self.now());
        act(&mut world)
    }

    async fn fate(&self, when: When, call: &Call) -> Answer<()> {
        match (self.faults)(when, call) {
            Fate::Go => Ok(()),
            Fate::Fail(error) => Err(error),
            Fate::Hang => std::future::pending().await,
        }
    }

    async fn read<T>(&self, name: &'static str, about: &str, look: impl FnOnce(&World, Timestamp) -> T) -> Answer<T> {
        let call = Call { name, about: about.to_owned(), effect: false };
        self.fate(When::Before, &call).await?;
        let now = self.now();
        let seen = self.by_hand(|world| look(world, now));
        self.fate(When::After, &call).await?;
        Ok(seen)
    }

    async fn effect<T>(
        &self,
        name: &'static str,
        about: &str,
        act: impl FnOnce(&mut World, Timestamp) -> Answer<T>,
    ) -> Answer<T> {
        let call = Call { name, about: about.to_owned(), effect: true };
        self.fate(When::Before, &call).await?;
        let now = self.now();
        let done = self.by_hand(|world| act(world, now));
        self.fate(When::After, &call).await?;
        done
    }

    /// Ends every stream of events, as an engine does that restarts.
    pub fn cut_events(&self) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn tell(&self, container: &str, kind: EventKind) {
        let labels = self.by_hand(|world| world.find(container).map(|it| it.labels.clone())).unwrap_or_default();
        self.announce(&Event::Container { id: container.to_owned(), kind, labels });
    }

    fn announce(&self, event: &Event) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| {
            // A listener that is too slow loses its stream, as with a real engine.
            listener.try_send(event.clone()).is_ok()
        });
    }
}

fn gone(what: &str, doing: &str) -> EngineError {
    effects::refused(doing, 404, format!("no such {what}"))
}

impl Engine for Model {
    fn now(&self) -> Timestamp {
        let (showed, then) = *self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        life::after(showed, then.elapsed())
    }

    async fn info(&self) -> Answer<EngineInfo> {
        self.read("info", "", |world, _| EngineInfo {
            kind: EngineKind::Model,
            version: "1.0".to_owned(),
            api: "1.0".to_owned(),
            host: "model".to_owned(),
            adjusts: world.adjusts,
            runs_healthchecks: world.runs_healthchecks,
        })
        .await
    }

    async fn containers(&self, labels: &LabelFilter) -> Answer<Vec<Summary>> {
        let matches = |container: &Container| {
            labels.iter().all(|(key, value)| match (container.labels.get(key), value) {
                (Some(has), Some(wanted)) => has == wanted,
                (Some(_), None) => true,
                (None, _) => false,
            })
        };
        self.read("containers", "", |world, _| {
            world.containers.values().filter(|it| matches(it)).map(summary).collect()
        })
        .await
    }

    async fn container(&self, id: &str) -> Answer<Option<Detail>> {
        self.read("container", id, |world, now| world.find(id).map(|container| detail(world, container, now))).await
    }

    async fn images(&self) -> Answer<Vec<ImageView>> {
        self.read("images", "", |world, _| {
            let named = world.images.iter().filter(|(_, image)| !image.references.is_empty());
            // As with the real ones, a list tells neither volumes nor health check.
            named
                .map(|(id, image)| ImageView {
                    id: id.clone(),
                    references: image.references.clone(),
                    ..ImageView::default()
                })
                .collect()
        })
        .await
    }

    async fn image(&self, reference: &str) -> Answer<Option<ImageView>> {
        self.read("image", reference, |world, _| world.image(reference).map(|(id, image)| view(id, image))).await
    }

    async fn networks(&self) -> Answer<Vec<NetworkView>> {
        self.read("networks", "", |world, _| world.networks.clone()).await
    }

    async fn volumes(&self) -> Answer<Vec<VolumeView>> {
        self.read("volumes", "", |world, _| world.volumes.clone()).await
    }

    async fn last_words(&self, id: &str, lines: usize) -> Answer<Vec<String>> {
        self.read("last_words", id, |world, _| {
            let container = world.find(id).ok_or_else(|| gone("container", "tell a container's last words"))?;
            let said = if container.started_at.is_some() { world.script(container).says } else { Vec::new() };
            Ok(said[said.len().saturating_sub(lines)..].to_vec())
        })
        .await?
    }

    async fn run_healthcheck(&self, id: &str) -> Answer<bool> {
        self.read("run_healthcheck", id, |world, now| {
            world.find(id).is_some_and(|container| world.health(container, now) == Some(Health::Healthy))
        })
        .await
    }

    async fn events(&self) -> Answer<Receiver<Event>> {
        self.fate(When::Before, &Call { name: "events", about: String::new(), effect: false }).await?;
        let (sender, receiver) = mpsc::channel(256);
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        Ok(receiver)
    }

    async fn pull(&self, image: &PullImage<'_>) -> Answer<()> {
        self.effect("pull", image.reference, |world, _| effects::pull(world, image.reference)).await
    }

    async fn tag(&self, image_id: &str, tag: &str) -> Answer<()> {
        self.effect("tag", tag, |world, _| effects::tag(world, image_id, tag)).await?;
        self.announce(&Event::Image { name: tag.to_owned() });
        Ok(())
    }

    async fn untag(&self, tag: &str) -> Answer<()> {
        self.effect("untag", tag, |world, _| effects::untag(world, tag)).await?;
        self.announce(&Event::Image { name: tag.to_owned() });
        Ok(())
    }

    async fn create_network(&self, network: &CreateNetwork) -> Answer<String> {
        self.effect("create_network", &network.name, |world, _| effects::create_network(world, network)).await
    }

    async fn remove_network(&self, id: &str) -> Answer<()> {
        self.effect("remove_network", id, |world, _| effects::remove_network(world, id)).await
    }

    async fn create_volume(&self, name: &str, labels: &BTreeMap<String, String>) -> Answer<()> {
        self.effect("create_volume", name, |world, _| {
            effects::create_volume(world, name, labels);
            Ok(())
        })
        .await
    }

    async fn discard_volume(&self, name: &str) -> Answer<()> {
        self.effect("discard_volume", name, |world, _| {
            world.volumes.retain(|volume| volume.name != name);
            Ok(())
        })
        .await
    }

    async fn create(&self, container: &CreateContainer) -> Answer<String> {
        let id = self.effect("create", &container.name, |world, now| effects::create(world, container, now)).await?;
        self.tell(&id, EventKind::Other);
        Ok(id)
    }

    async fn start(&self, id: &str) -> Answer<()> {
        self.effect("start", id, |world, now| effects::start(world, id, now)).await?;
        self.tell(id, EventKind::Started);
        Ok(())
    }

    async fn stop(&self, id: &str, grace: Duration) -> Answer<()> {
        let call = Call { name: "stop", about: id.to_owned(), effect: true };
        self.fate(When::Before, &call).await?;
        let (takes, code) = self.by_hand(|world| effects::stop(world, id, grace))?;
        // The signal is out; the process ends in its own time, and meanwhile others act.
        if !takes.is_zero() {
            sleep(takes).await;
        }
        let now = self.now();
        if self.by_hand(|world| effects::stopped(world, id, code, now)) {
            self.tell(id, EventKind::Died);
        }
        self.fate(When::After, &call).await
    }

    async fn remove(&self, id: &str) -> Answer<()> {
        self.effect("remove", id, |world, _| effects::remove(world, id)).await?;
        self.tell(id, EventKind::Removed);
        Ok(())
    }

    async fn rename(&self, id: &str, name: &str) -> Answer<()> {
        self.effect("rename", id, |world, _| effects::rename(world, id, name)).await?;
        self.tell(id, EventKind::Other);
        Ok(())
    }

    async fn adjust(&self, id: &str, to: &Adjustable) -> Answer<()> {
        self.effect("adjust", id, |world, _| effects::adjust(world, id, to)).await?;
        self.tell(id, EventKind::Other);
        Ok(())
    }

    async fn signal(&self, id: &str, signal: &str) -> Answer<()> {
        self.effect("signal", id, |world, _| effects::signal(world, id, signal)).await?;
        self.tell(id, EventKind::Other);
        Ok(())
    }

    async fn run_inside(&self, id: &str, run: &RunInside) -> Answer<RanInside> {
        self.effect("run_inside", id, |world, _| effects::run_inside(world, id, run)).await
    }

    async fn flow_inside(&self, id: &str, run: FlowInside) -> Answer<Receiver<Outflow>> {
        let command = run.command.join(" ");
        // The call is told by what is run: which of several a test means to break is in it.
        self.read("flow_inside", &command, |_, _| ()).await?;
        let running = self.by_hand(|world| world.find(id).is_some_and(|it| it.life == Life::Running));
        if !running {
            return Err(effects::refused(&format!("run a program in container `{id}`"), 409, "it is not running"));
        }
        let (sender, flow) = mpsc::channel(2);
        let data = format!("what `{command}` writes\n").into_bytes();
        // There is room for both.
        let _ = sender.try_send(Outflow::Bytes(data));
        let _ = sender.try_send(Outflow::Ended { code: 0, said: String::new() });
        Ok(flow)
    }

    async fn import(&self, mut archive: Receiver<Vec<u8>>) -> Answer<String> {
        // Whoever sends it sends it to its end.
        while archive.recv().await.is_some() {}
        self.effect("import", "", |world, _| Ok(effects::import(world))).await
    }

    async fn pause(&self, id: &str) -> Answer<()> {
        self.effect("pause", id, |world, _| effects::pause(world, id)).await?;
        self.tell(id, EventKind::Other);
        Ok(())
    }

    async fn unpause(&self, id: &str) -> Answer<()> {
        self.effect("unpause", id, |world, _| effects::unpause(world, id)).await?;
        self.tell(id, EventKind::Other);
        Ok(())
    }

    async fn connect(&self, id: &str, network: &str, aliases: &BTreeSet<String>) -> Answer<()> {
        self.effect("connect", id, |world, _| effects::connect(world, id, network, aliases)).await?;
        self.announce(&Event::Network { container: Some(id.to_owned()) });
        Ok(())
    }

    async fn disconnect(&self, id: &str, network: &str) -> Answer<()> {
        self.effect("disconnect", id, |world, _| effects::disconnect(world, id, network)).await?;
        self.announce(&Event::Network { container: Some(id.to_owned()) });
        Ok(())
    }

    async fn wait(&self, id: &str) -> Answer<i64> {
        self.fate(When::Before, &Call { name: "wait", about: id.to_owned(), effect: false }).await?;
        loop {
            let (over, due) = self.by_hand(|world| (effects::over(world, id), world.next_due()));
            if let Some(code) = over? {
                return Ok(code);
            }
            let until_due = due.map(|due| Duration::try_from(due.duration_since(self.now())).unwrap_or_default());
            // A millisecond more than nothing: what is due now is settled at the next look.
            sleep(until_due.map_or(LOOK, |wait| wait.clamp(Duration::from_millis(1), LOOK))).await;
        }
    }
}

fn view(id: &str, image: &Image) -> ImageView {
    ImageView {
        id: id.to_owned(),
        references: image.references.clone(),
        volumes: image.volumes.clone(),
        exposed: image.exposed.clone(),
        has_healthcheck: image.has_healthcheck,
        digests: Vec::new(),
    }
}

fn summary(container: &Container) -> Summary {
    Summary {
        id: container.id.clone(),
        name: container.name.clone(),
        labels: container.labels.clone(),
        image_id: container.image_id.clone(),
        life: container.life.clone(),
        ports: if container.life == Life::Running { container.spec.ports.clone() } else { BTreeSet::new() },
        networks: container.endpoints.keys().cloned().collect(),
    }
}

fn detail(world: &World, container: &Container, now: Timestamp) -> Detail {
    let mut body = container.spec.clone();
    body.labels.clone_from(&container.labels);
    if let Network::Networks(networks) = &mut body.network {
        *networks =
            container.endpoints.iter().map(|(name, endpoint)| (name.clone(), endpoint.aliases.clone())).collect();
    }
    let secret_env =
        container.secret_env.iter().filter_map(|(name, value)| Some((name.clone(), Fingerprint::of(value)?)));
    Detail {
        id: container.id.clone(),
        name: container.name.clone(),
        labels: container.labels.clone(),
        image_id: container.image_id.clone(),
        life: container.life.clone(),
        created_at: container.created_at,
        started_at: container.started_at,
        finished_at: container.finished_at,
        restarts: container.restarts,
        oom: container.oom,
        exit_code: container.exit_code,
        start_error: container.start_error.clone(),
        health: world.health(container, now),
        pid: None,
        endpoints: container.endpoints.clone(),
        namespace_of: container.namespace_of.clone(),
        secret_env: secret_env.collect(),
        adjustable: world.adjusts.then(|| container.spec.adjustable.clone()),
        projection: projection(world, container),
        body,
    }
}

/// As for the real engines: the body less name, networks and, where they are facts of their own, limits.
fn projection(world: &World, container: &Container) -> Projection {
    let mut spec = container.spec.clone();
    spec.labels.clone_from(&container.labels);
    spec.network = Network::default();
    if world.adjusts {
        spec.adjustable = Adjustable::default();
    }
    let mut fields = BTreeMap::from([("Image".to_owned(), container.image_id.clone())]);
    // Serialising our own plain data cannot fail.
    let spec = serde_json::to_value(&spec).unwrap_or_default();
    for (key, value) in spec.as_object().into_iter().flatten() {
        fields.insert(format!("Body.{key}"), value.to_string());
    }
    Projection(fields)
}
