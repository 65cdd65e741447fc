//! From a look at an environment to what was observed of one app.

use super::{KEPT_IMAGES, Look};
use crate::{
    desired::{Desired, delivery::Sealed, label},
    engine::Detail,
    observed::{
        Applied, Baseline, Container, Evidence, Image, Life, Network, Observed, Owner, Readiness, Role, Volume,
    },
};
use std::collections::BTreeMap;

impl Look {
    /// What was observed of one app.
    #[must_use]
    pub fn app(&self, desired: &Desired, mut applied: Applied) -> Observed {
        let prefix = tag_prefix(desired);
        applied.present_tags = self
            .images
            .iter()
            .flat_map(|image| image.references.iter().map(|reference| (reference, &image.id)))
            // Podman lists each name by its digest too; what was named is the tag.
            .filter(|(reference, _)| reference.starts_with(&prefix) && !reference.contains('@'))
            .map(|(reference, id)| (reference.clone(), id.clone()))
            .collect();
        Observed {
            containers: self
                .containers
                .values()
                .filter(|detail| label::owned(&detail.labels, &self.scope.installation, desired))
                .filter_map(|detail| {
                    Some((detail.name.clone(), container(detail, label::role(&detail.labels)?, &applied)))
                })
                .collect(),
            images: self.images_of(desired),
            networks: self.networks_of(desired),
            volumes: self
                .volumes
                .iter()
                .filter(|volume| desired.volumes.contains_key(&volume.name))
                .map(|volume| (volume.name.clone(), Volume { owner: self.owner(&volume.labels, desired) }))
                .collect(),
            applied,
            ..Observed::nothing(self.now, self.abilities)
        }
    }

    fn owner(&self, labels: &BTreeMap<String, String>, desired: &Desired) -> Owner {
        if label::owned(labels, &self.scope.installation, desired) { Owner::App } else { Owner::Other }
    }

    /// What the references of the app mean, and the images that are pinned or kept for it.
    fn images_of(&self, desired: &Desired) -> BTreeMap<String, Image> {
        let names = desired.services.values().flat_map(|service| {
            let reference = &service.spec.image;
            std::iter::once(reference).chain(&service.pinned_image).map(move |name| (name, reference))
        });
        let mut images = BTreeMap::new();
        for (name, reference) in names {
            if let Some(view) = self.images.iter().find(|view| view.answers_to(name)) {
                images.insert(
                    name.clone(),
                    Image {
                        id: view.id.clone(),
                        volumes: view.volumes.clone(),
                        has_healthcheck: view.has_healthcheck,
                        digest: view.digest_for(reference),
                    },
                );
            }
        }
        images
    }

    fn networks_of(&self, desired: &Desired) -> BTreeMap<String, Network> {
        let mut networks: BTreeMap<String, Network> = BTreeMap::new();
        let mut views: Vec<_> = self.networks.iter().collect();
        // Of several with one name, ours come first and the rest are its duplicates.
        views.sort_by_key(|view| (self.owner(&view.labels, desired) == Owner::Other, view.id.clone()));
        for view in views {
            let owner = self.owner(&view.labels, desired);
            if owner == Owner::Other && !desired.networks.contains_key(&view.name) {
                continue;
            }
            match networks.get_mut(&view.name) {
                Some(first) if owner == Owner::App => first.duplicates.push(view.id.clone()),
                Some(_) => {}
                None => {
                    networks.insert(
                        view.name.clone(),
                        Network {
                            id: view.id.clone(),
                            owner,
                            spec_hash: view
                                .labels
                                .get(label::SPEC)
                                .map(|text| crate::desired::SpecHash::from_label(text)),
                            kept: false,
                            duplicates: Vec::new(),
                            unprunable: label::unprunable(&view.labels),
                        },
                    );
                }
            }
        }
        networks
    }
}

/// What names of kept images of an app begin with.
#[must_use]
pub fn tag_prefix(desired: &Desired) -> String {
    format!("{KEPT_IMAGES}{}/{}/", desired.environment, desired.app)
}

fn container(detail: &Detail, role: Role, applied: &Applied) -> Container {
    let baseline = applied.baselines.get(&detail.id);
    Container {
        id: detail.id.clone(),
        role,
        spec_hash: crate::desired::SpecHash::from_label(detail.labels.get(label::SPEC).map_or("", String::as_str)),
        image_id: detail.image_id.clone(),
        life: detail.life.clone(),
        created_at: detail.created_at,
        started_at: detail.started_at,
        restarts: detail.restarts,
        readiness: readiness(detail, baseline),
        endpoints: detail.endpoints.clone(),
        namespace_of: detail.namespace_of.clone(),
        adjustable: detail.adjustable.clone(),
        evidence: match baseline.and_then(|baseline| baseline.projection.as_ref()) {
            Some(projection) => Evidence::Baseline(projection.differences(&detail.projection)),
            None => Evidence::Declared(Box::new(detail.body.clone())),
        },
        writes: detail.body.writes(),
        ports: detail.body.ports.clone(),
        unprunable: label::unprunable(&detail.labels),
        deliveries: std::collections::BTreeSet::new(),
        old_configs: false,
        other_values: std::collections::BTreeSet::new(),
        sealed: detail.labels.get(label::SECRETS).map(|text| Sealed::from_label(text)),
        stopped: stopped(detail, applied),
    }
}

/// True when it is over, or nearly, because the tool stopped this very run of it.
fn stopped(detail: &Detail, applied: &Applied) -> bool {
    match &detail.life {
        Life::Stopping | Life::Exited(_) | Life::Removing | Life::Dead => {
            applied.stopped.get(&detail.id) == Some(&detail.started_at)
        }
        Life::Created | Life::Running | Life::Paused | Life::Restarting | Life::Unknown(_) => false,
    }
}

/// Ready when this very run of it was accepted before; whether it still is, its probe tells.
fn readiness(detail: &Detail, baseline: Option<&Baseline>) -> Readiness {
    let accepted = baseline.is_some_and(|baseline| baseline.started_at == detail.started_at);
    match &detail.life {
        Life::Running | Life::Paused | Life::Exited(_) if accepted => Readiness::Ready,
        Life::Running
        | Life::Paused
        | Life::Exited(_)
        | Life::Created
        | Life::Restarting
        | Life::Stopping
        | Life::Removing
        | Life::Dead
        | Life::Unknown(_) => Readiness::Unproven,
    }
}
