//! Looks at the engine: four lists for an environment, one inspection for each of its containers, side by side.

pub mod app;
pub mod readiness;

use crate::{
    desired::label,
    engine::{Answer, Detail, Engine, ImageView, LabelFilter, NetworkView, Summary, VolumeView},
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
    let (containers, images, networks, volumes) = tokio::try_join!(
        inspect(engine, &filter, side_by_side, |_| None),
        engine.images(),
        engine.networks(),
        engine.volumes()
    )?;
    Ok(Look { now: engine.now(), scope: scope.clone(), abilities, containers, images, networks, volumes })
}

impl Look {
    /// Looks again at one app, as if for the first time.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn again<E: Engine>(&self, engine: &E, app: &AppName, side_by_side: usize) -> Answer<Self> {
        self.anew(engine, app, side_by_side, |_| None).await
    }

    /// Looks again at one app after steps of ours: what they were about is inspected, and whatever else the list tells
    /// otherwise than before. `touched` holds the names of containers, before and after the steps.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn after<E: Engine>(
        &self,
        engine: &E,
        app: &AppName,
        touched: &BTreeSet<String>,
        side_by_side: usize,
    ) -> Answer<Self> {
        self.anew(engine, app, side_by_side, |summary| {
            let known = self.containers.get(&summary.id)?;
            let touched = touched.contains(&summary.name) || touched.contains(&known.name);
            (!touched && is_as_listed(known, summary)).then(|| known.clone())
        })
        .await
    }

    async fn anew<E: Engine>(
        &self,
        engine: &E,
        app: &AppName,
        side_by_side: usize,
        known: impl Fn(&Summary) -> Option<Detail> + Send + Sync,
    ) -> Answer<Self> {
        let filter = filter(&self.scope, Some(app));
        let (containers, images, networks, volumes) = tokio::try_join!(
            inspect(engine, &filter, side_by_side, known),
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

fn is_as_listed(known: &Detail, listed: &Summary) -> bool {
    known.life == listed.life
        && known.name == listed.name
        && known.image_id == listed.image_id
        && known.endpoints.keys().eq(&listed.networks)
}

/// Lists what is ours and inspects what is not `known`.
async fn inspect<E: Engine>(
    engine: &E,
    filter: &LabelFilter,
    side_by_side: usize,
    known: impl Fn(&Summary) -> Option<Detail>,
) -> Answer<BTreeMap<String, Detail>> {
    let (mut details, mut unknown) = (BTreeMap::new(), Vec::new());
    for summary in engine.containers(filter).await? {
        match known(&summary) {
            Some(detail) => drop(details.insert(summary.id, detail)),
            None => unknown.push(summary.id),
        }
    }
    let inspections = unknown.iter().map(|id| engine.container(id)).collect::<Vec<_>>();
    let mut inspections = stream::iter(inspections).buffer_unordered(side_by_side.max(1));
    while let Some(detail) = inspections.try_next().await? {
        details.extend(detail.map(|detail| (detail.id.clone(), detail)));
    }
    Ok(details)
}
