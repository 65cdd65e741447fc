//! Looks at the engine: four lists for an environment, one inspection for each of its containers, side by side.

pub mod app;
pub mod readiness;

use crate::{
    desired::label,
    engine::{Answer, Detail, Engine, ImageView, LabelFilter, NetworkView, VolumeView},
    observed::Abilities,
    value::{AppName, EnvironmentName},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Which objects are ours to look at.
#[derive(Clone, Debug)]
pub struct Scope {
    pub installation: String,
    pub environment: EnvironmentName,
}

/// One look at an environment.
#[derive(Clone, Debug)]
pub struct Look {
    pub now: Timestamp,
    pub scope: Scope,
    pub abilities: Abilities,
    /// Our containers by id.
    pub containers: BTreeMap<String, Detail>,
    pub images: Vec<ImageView>,
    pub networks: Vec<NetworkView>,
    pub volumes: Vec<VolumeView>,
}

/// Looks at an environment, or at one app of it.
///
/// # Errors
/// The engine does not answer. A container that goes away meanwhile is no error.
pub async fn look<E: Engine>(engine: &E, abilities: Abilities, scope: &Scope, side_by_side: usize) -> Answer<Look> {
    let filter = filter(scope, None);
    let (containers, images, networks, volumes) =
        tokio::try_join!(inspect(engine, &filter, side_by_side), engine.images(), engine.networks(), engine.volumes())?;
    Ok(Look { now: engine.now(), scope: scope.clone(), abilities, containers, images, networks, volumes })
}

impl Look {
    /// Looks again at the containers of one app; networks, volumes and images are looked at again too where asked.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn again<E: Engine>(&self, engine: &E, app: &AppName, side_by_side: usize) -> Answer<Self> {
        let filter = filter(&self.scope, Some(app));
        let (containers, images, networks, volumes) = tokio::try_join!(
            inspect(engine, &filter, side_by_side),
            engine.images(),
            engine.networks(),
            engine.volumes()
        )?;
        Ok(Self {
            now: engine.now(),
            scope: self.scope.clone(),
            abilities: self.abilities,
            containers,
            images,
            networks,
            volumes,
        })
    }

    /// The apps that have containers or networks here.
    #[must_use]
    pub fn apps(&self) -> BTreeSet<AppName> {
        let here = |labels: &BTreeMap<String, String>| {
            let ours = labels.get(label::INSTALLATION) == Some(&self.scope.installation)
                && labels.get(label::ENVIRONMENT).map(String::as_str) == Some(self.scope.environment.as_str());
            if ours { labels.get(label::APP).and_then(|app| app.parse().ok()) } else { None }
        };
        self.containers
            .values()
            .filter_map(|container| here(&container.labels))
            .chain(self.networks.iter().filter_map(|network| here(&network.labels)))
            .collect()
    }
}

fn filter(scope: &Scope, app: Option<&AppName>) -> LabelFilter {
    let mut filter = vec![
        (label::INSTALLATION.to_owned(), Some(scope.installation.clone())),
        (label::ENVIRONMENT.to_owned(), Some(scope.environment.to_string())),
    ];
    filter.extend(app.map(|app| (label::APP.to_owned(), Some(app.to_string()))));
    filter
}

async fn inspect<E: Engine>(engine: &E, filter: &LabelFilter, side_by_side: usize) -> Answer<BTreeMap<String, Detail>> {
    let summaries = engine.containers(filter).await?;
    stream::iter(summaries)
        .map(|summary| async move { engine.container(&summary.id).await })
        .buffer_unordered(side_by_side.max(1))
        .try_filter_map(|detail| async move { Ok(detail.map(|detail| (detail.id.clone(), detail))) })
        .try_collect()
        .await
}
