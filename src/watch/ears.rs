//! What a keeper hears: the engine's events, and what other processes write into the ledger.

use super::files::Files;
use crate::{
    apply::nudges::{Heard, Nudges},
    desired::label,
    engine::Event,
    observe::{KEPT_IMAGES, Look, Scope},
    record::{Bell, Ledger},
};
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, broadcast},
    task::JoinSet,
};

/// How long somebody may take to write a secret.
const WRITTEN: Duration = Duration::from_millis(300);

/// How long what other processes write may go unseen: where the system tells of it, and where it does not.
const UNHEARD: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(2));

/// The engine's events; none where the engine gives none.
pub struct Events(Option<broadcast::Receiver<Heard>>);

impl Events {
    /// Everything from now on.
    #[must_use]
    pub fn of(nudges: &Nudges) -> Self {
        Self(nudges.listen())
    }

    /// The next that is heard; none where something was missed.
    pub async fn next(&mut self) -> Option<Heard> {
        let Some(receiver) = &mut self.0 else { return std::future::pending().await };
        match receiver.recv().await {
            Ok(heard) => Some(heard),
            Err(broadcast::error::RecvError::Lagged(_)) => None,
            Err(broadcast::error::RecvError::Closed) => {
                self.0 = None;
                None
            }
        }
    }
}

/// The ledger's bell.
pub struct Door {
    bell: Option<Bell>,
    at_latest: Duration,
}

impl Door {
    /// Hears what is written from now on.
    pub async fn of(ledger: &Ledger) -> Self {
        let bell = ledger.bell().await.ok();
        let at_latest = if bell.as_ref().is_some_and(Bell::is_told) { UNHEARD.0 } else { UNHEARD.1 };
        Self { bell, at_latest }
    }

    /// Resolves when another process wrote.
    pub async fn rung(&mut self) {
        if let Some(bell) = &mut self.bell
            && bell.rung(self.at_latest).await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }
}

/// The host's folder of secrets.
pub struct Shelf {
    changed: Arc<Notify>,
    _gathering: JoinSet<()>,
}

impl Shelf {
    /// Hears what is changed in it from now on; where there is no such folder, nothing.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        let (heard, changed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let mut gathering = JoinSet::new();
        if folder.is_absolute() {
            let (changed, folder, hears) = (Arc::clone(&changed), folder.to_owned(), Arc::clone(&heard));
            gathering.spawn(async move {
                // A mount whose server is gone keeps the thread that looks, and nobody else.
                let watch = move || folder.is_dir().then(|| Files::watch(vec![(folder, true)], hears));
                let Ok(Some(_files)) = tokio::task::spawn_blocking(watch).await else { return };
                // What changed before anybody listened.
                changed.notify_one();
                loop {
                    heard.notified().await;
                    tokio::time::sleep(WRITTEN).await;
                    changed.notify_one();
                }
            });
        }
        Self { changed, _gathering: gathering }
    }

    /// Resolves when something in it changed, once it may have been written whole.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// Whether an event may be about an environment, by what is known of it.
#[must_use]
pub fn concerns(event: &Event, scope: &Scope, look: Option<&Look>) -> bool {
    let known = |id: &str| look.is_some_and(|look| look.containers.contains_key(id));
    match event {
        Event::Container { id, labels, .. } => known(id) || is_ours(labels, scope),
        Event::Network { container: Some(id) } => known(id),
        // A network that goes while nobody is on it tells no container.
        Event::Network { container: None } => true,
        Event::Image { name } => !name.starts_with(KEPT_IMAGES),
    }
}

fn is_ours(labels: &BTreeMap<String, String>, scope: &Scope) -> bool {
    let is = |label: &str, value: &str| labels.get(label).map(String::as_str) == Some(value);
    is(label::INSTALLATION, &scope.installation) && is(label::ENVIRONMENT, scope.environment.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EventKind;

    #[test]
    fn only_what_may_be_ours_is_worth_a_look() {
        let scope = Scope { installation: "default".to_owned(), environment: "test".parse().unwrap() };
        let labels = |environment: &str| {
            let pairs = [(label::INSTALLATION, "default"), (label::ENVIRONMENT, environment)];
            pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
        };
        let started = |labels| Event::Container { id: "c1".to_owned(), kind: EventKind::Started, labels };
        assert!(concerns(&started(labels("test")), &scope, None));
        assert!(!concerns(&started(labels("staging")), &scope, None));
        assert!(!concerns(&started(BTreeMap::new()), &scope, None));
        assert!(concerns(&Event::Image { name: "app:1".to_owned() }, &scope, None));
        assert!(!concerns(&Event::Image { name: "reconcile.local/test/web/web:1".to_owned() }, &scope, None));
        assert!(!concerns(&Event::Network { container: Some("c1".to_owned()) }, &scope, None));
    }
}
