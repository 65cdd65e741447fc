//! The containers of an engine, for drivers of proxies.

use crate::{
    desired::spec::{MountSource, Network, Protocol},
    engine::{Detail, Engine, EngineError, RunInside},
    proxy::{
        Containers, ProxyError,
        containers::{Neighbour, Ran},
    },
};
use futures_util::{FutureExt, future::BoxFuture};
use std::{collections::BTreeSet, fmt, path::PathBuf, sync::Arc};

/// The containers of this engine.
pub struct OnEngine<E>(pub Arc<E>);

impl<E> fmt::Debug for OnEngine<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnEngine")
    }
}

fn away(doing: String) -> impl FnOnce(EngineError) -> ProxyError {
    move |source| ProxyError::Engine { doing, source: source.into() }
}

fn neighbour(detail: Detail) -> Neighbour {
    let ports = detail.body.ports.iter().filter(|port| port.protocol == Protocol::Tcp && port.host != 0);
    let shown = detail.body.mounts.iter().filter_map(|mount| match &mount.source {
        MountSource::Bind(path) => Some((PathBuf::from(path), PathBuf::from(&mount.target))),
        MountSource::Volume(_) => None,
    });
    Neighbour {
        mounts: shown.collect(),
        published: ports.map(|port| (port.host, port.container)).collect(),
        runs: detail.life.is_up(),
        is_on_the_host: detail.body.network == Network::Host,
        networks: detail.endpoints.into_iter().map(|(name, place)| (name, place.address)).collect(),
        id: detail.id,
        name: detail.name,
    }
}

impl<E: Engine> Containers for OnEngine<E> {
    fn look<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<Option<Neighbour>, ProxyError>> {
        async move {
            let seen = self.0.container(container).await.map_err(away(format!("look at container `{container}`")))?;
            Ok(seen.map(neighbour))
        }
        .boxed()
    }

    fn run<'a>(&'a self, container: &'a str, command: &'a [&'a str]) -> BoxFuture<'a, Result<Ran, ProxyError>> {
        async move {
            let ended = self.0.run_inside(container, &RunInside::briefly(command)).await;
            let ended = ended.map_err(away(format!("run `{}` in container `{container}`", command.join(" "))))?;
            Ok(Ran { ended_well: ended.code == 0, said: ended.said })
        }
        .boxed()
    }

    fn signal<'a>(&'a self, container: &'a str, signal: &'a str) -> BoxFuture<'a, Result<(), ProxyError>> {
        async move {
            self.0.signal(container, signal).await.map_err(away(format!("send {signal} to container `{container}`")))
        }
        .boxed()
    }

    fn connect<'a>(&'a self, container: &'a str, network: &'a str) -> BoxFuture<'a, Result<(), ProxyError>> {
        async move {
            let connected = self.0.connect(container, network, &BTreeSet::new()).await;
            // Whether it is there is seen by looking: engines differ in what they say of one that was.
            let seen = self.look(container).await?;
            match connected {
                Err(_) if seen.is_some_and(|seen| seen.networks.contains_key(network)) => Ok(()),
                other => other.map_err(away(format!("connect container `{container}` to network `{network}`"))),
            }
        }
        .boxed()
    }
}
