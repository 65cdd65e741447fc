//! Looks at the engine: four lists for an environment, one inspection for each of its containers, side by side.

pub mod app;
pub mod delivered;
pub mod front;
pub mod readiness;
pub mod variables;

use crate::{
    desired::label,
    engine::{Answer, Detail, Engine, ImageView, LabelFilter, NetworkView, Summary, VolumeView},
    observed::Abilities,
    value::{AppName, EnvironmentName},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What the names of images begin with that are kept for revisions; they mean nothing to any manifest.
pub const KEPT_IMAGES: &str = "reconcile.local/";

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
    /// Our containers by id. All of it is shared: a daemon keeps a look, and every app's pass begins with a copy.
    pub containers: BTreeMap<String, Arc<Detail>>,
    pub images: Arc<[ImageView]>,
    pub networks: Arc<[NetworkView]>,
    pub volumes: Arc<[VolumeView]>,
}

/// Looks at an environment, or at one app of it.
///
/// # Errors
/// The engine does not answer. A container that goes away meanwhile is no error.
pub async fn look<E: Engine>(engine: &E, abilities: Abilities, scope: &Scope, side_by_side: usize) -> Answer<Look> {
    take(engine, abilities, scope, None, side_by_side, |_| None).await
}

/// Four lists side by side, and one inspection for each container that is not `known`.
async fn take<E: Engine>(
    engine: &E,
    abilities: Abilities,
    scope: &Scope,
    app: Option<&AppName>,
    side_by_side: usize,
    known: impl Fn(&Summary) -> Option<Arc<Detail>> + Send + Sync,
) -> Answer<Look> {
    let filter = filter(scope, app);
    let (containers, images, mut networks, mut volumes) = tokio::try_join!(
        inspect(engine, &filter, side_by_side, known),
        engine.images(),
        engine.networks(),
        engine.volumes()
    )?;
    // The engines list in any order; two looks at the same things are to be equal.
    networks.sort_by(|a, b| a.id.cmp(&b.id));
    volumes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Look {
        now: engine.now(),
        scope: scope.clone(),
        abilities,
        containers,
        images: images.into(),
        networks: networks.into(),
        volumes: volumes.into(),
    })
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
            (!touched && is_as_listed(known, summary)).then(|| Arc::clone(known))
        })
        .await
    }

    async fn anew<E: Engine>(
        &self,
        engine: &E,
        app: &AppName,
        side_by_side: usize,
        known: impl Fn(&Summary) -> Option<Arc<Detail>> + Send + Sync,
    ) -> Answer<Self> {
        take(engine, self.abilities, &self.scope, Some(app), side_by_side, known).await
    }

    /// Looks again at the whole environment: what is `stale` by its id is inspected, and whatever the list tells
    /// otherwise than before. Four calls where nothing happened, however many containers there are.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn renewed<E: Engine>(&self, engine: &E, stale: &BTreeSet<String>, side_by_side: usize) -> Answer<Self> {
        take(engine, self.abilities, &self.scope, None, side_by_side, |summary| {
            let known = self.containers.get(&summary.id)?;
            (!stale.contains(&summary.id) && is_as_listed(known, summary)).then(|| Arc::clone(known))
        })
        .await
    }

    /// Puts in what was seen later of one app.
    #[must_use]
    pub fn with(&self, app: &AppName, later: &Self) -> Self {
        let others = self.containers.iter().filter(|(_, detail)| app_of(&detail.labels).as_ref() != Some(app));
        let of_app = later.containers.iter().filter(|(_, detail)| app_of(&detail.labels).as_ref() == Some(app));
        let containers = others.chain(of_app).map(|(id, detail)| (id.clone(), Arc::clone(detail))).collect();
        Self { containers, ..self.clone() }
    }

    /// The apps about which another look tells something else: their containers, or things that any app may use.
    #[must_use]
    pub fn differing(&self, other: &Self) -> BTreeSet<AppName> {
        let is_ours = |name: &String| name.starts_with(KEPT_IMAGES);
        let meanings = |look: &Self| -> BTreeSet<(String, String)> {
            let names = look.images.iter().flat_map(|image| image.references.iter().map(|name| (name, &image.id)));
            names.filter(|(name, _)| !is_ours(name)).map(|(name, id)| (name.clone(), id.clone())).collect()
        };
        let all = self.networks != other.networks || self.volumes != other.volumes || meanings(self) != meanings(other);
        if all {
            return self.apps().into_iter().chain(other.apps()).collect();
        }
        let lacks = |look: &Self, id: &String, detail: &Arc<Detail>| {
            look.containers.get(id).is_none_or(|found| !Arc::ptr_eq(found, detail) && found != detail)
        };
        let gone = self.containers.iter().filter(|(id, detail)| lacks(other, id, detail));
        let come = other.containers.iter().filter(|(id, detail)| lacks(self, id, detail));
        gone.chain(come).filter_map(|(_, detail)| app_of(&detail.labels)).collect()
    }

    /// The apps that have containers or networks here.
    #[must_use]
    pub fn apps(&self) -> BTreeSet<AppName> {
        let here = |labels: &BTreeMap<String, String>| {
            let ours = labels.get(label::INSTALLATION) == Some(&self.scope.installation)
                && labels.get(label::ENVIRONMENT).map(String::as_str) == Some(self.scope.environment.as_str());
            if ours { app_of(labels) } else { None }
        };
        self.containers
            .values()
            .filter_map(|container| here(&container.labels))
            .chain(self.networks.iter().filter_map(|network| here(&network.labels)))
            .collect()
    }
}

fn app_of(labels: &BTreeMap<String, String>) -> Option<AppName> {
    labels.get(label::APP)?.parse().ok()
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
    known: impl Fn(&Summary) -> Option<Arc<Detail>>,
) -> Answer<BTreeMap<String, Arc<Detail>>> {
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
        details.extend(detail.map(|detail| (detail.id.clone(), Arc::new(detail))));
    }
    Ok(details)
}
