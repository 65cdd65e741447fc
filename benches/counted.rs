//! An engine that counts what is asked of it.

use reconcile::{
    desired::spec::Adjustable,
    engine::{
        Answer, CreateContainer, CreateNetwork, Detail, Engine, EngineInfo, Event, FlowInside, ImageView, LabelFilter,
        NetworkView, Outflow, PullImage, RanInside, RunInside, Summary, VolumeView,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::mpsc::Receiver;

/// Another engine, and how many calls it got.
pub struct Counted<E> {
    pub engine: E,
    calls: Mutex<BTreeMap<&'static str, usize>>,
    /// When the last call of each name had its answer.
    answered: Mutex<BTreeMap<&'static str, Instant>>,
}

impl<E> Counted<E> {
    pub fn new(engine: E) -> Self {
        Self { engine, calls: Mutex::default(), answered: Mutex::default() }
    }

    /// How many calls of each name since this was last asked.
    pub fn taken(&self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// When the last call of this name had its answer.
    pub fn answered(&self, name: &str) -> Option<Instant> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    fn count(&self, name: &'static str) {
        *self.calls.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
    }
}

macro_rules! counted {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl<E: Engine> Engine for Counted<E> {
            fn now(&self) -> jiff::Timestamp {
                self.engine.now()
            }
            $(async fn $name(&self, $($argument: $type),*) -> Answer<$answer> {
                self.count(stringify!($name));
                let answer = self.engine.$name($($argument),*).await;
                self.answered.lock().unwrap_or_else(PoisonError::into_inner).insert(stringify!($name), Instant::now());
                answer
            })*
        }
    };
}

counted! {
    info() -> EngineInfo;
    containers(labels: &LabelFilter) -> Vec<Summary>;
    container(id: &str) -> Option<Detail>;
    images() -> Vec<ImageView>;
    image(reference: &str) -> Option<ImageView>;
    networks() -> Vec<NetworkView>;
    volumes() -> Vec<VolumeView>;
    last_words(id: &str, lines: usize) -> Vec<String>;
    last_exit(id: &str) -> Option<i64>;
    run_healthcheck(id: &str) -> bool;
    events() -> Receiver<Event>;
    pull(image: &PullImage<'_>) -> ();
    tag(image_id: &str, tag: &str) -> ();
    untag(tag: &str) -> ();
    create_network(network: &CreateNetwork) -> String;
    remove_network(id: &str) -> ();
    create_volume(name: &str, labels: &BTreeMap<String, String>) -> ();
    discard_volume(name: &str) -> ();
    create(container: &CreateContainer) -> String;
    start(id: &str) -> ();
    stop(id: &str, grace: Duration) -> ();
    remove(id: &str) -> ();
    rename(id: &str, name: &str) -> ();
    adjust(id: &str, to: &Adjustable) -> ();
    run_inside(id: &str, run: &RunInside) -> RanInside;
    flow_inside(id: &str, run: FlowInside) -> Receiver<Outflow>;
    import(archive: Receiver<Vec<u8>>) -> String;
    pause(id: &str) -> ();
    unpause(id: &str) -> ();
    signal(id: &str, signal: &str) -> ();
    connect(id: &str, network: &str, aliases: &BTreeSet<String>) -> ();
    disconnect(id: &str, network: &str) -> ();
    wait(id: &str) -> i64;
}
