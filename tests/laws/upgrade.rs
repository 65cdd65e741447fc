//! An unchanged host under a new release, or with its ledger lost, is in sync.

use crate::{
    draw::{app, settled},
    law::only_looks,
    one,
};
use reconcile::{
    desired::{Desired, resolve_stored},
    observed::{Applied, Evidence, Readiness, fold},
    plan::{Plan, plan},
};
use serde_json::json;
use std::{collections::BTreeMap, fs};

#[test]
fn an_unchanged_host_has_an_empty_plan() {
    for mode in one::MODES {
        let desired = one::one(mode, 1, "app:1");
        assert_eq!(plan(&desired, &settled(&desired)), reconcile::plan::Plan::default(), "{mode}");
    }
}

#[test]
fn a_host_whose_ledger_is_lost_is_looked_at_and_not_changed() {
    for mode in one::MODES {
        let mut manifest = one::manifest(mode, 1, "app:1");
        manifest["services"]["side"] = json!({"image": "side:1", "depends_on": ["web"], "network_mode": "service:web"});
        let desired = app(&manifest);
        let mut observed = settled(&desired);
        observed.applied = Applied::default();
        for container in observed.containers.values_mut() {
            container.readiness = Readiness::Unproven;
            let mut body = fold::body(&desired, &container.role).unwrap().clone();
            body.env.insert("PATH".to_owned(), "/bin".to_owned());
            body.labels.insert("org.opencontainers.image.title".to_owned(), "app".to_owned());
            container.evidence = Evidence::Declared(Box::new(body));
        }
        let drawn = plan(&desired, &observed);
        let changing: Vec<_> = drawn.steps.iter().filter(|planned| !only_looks(&planned.step)).collect();
        assert!(changing.is_empty(), "{mode}: {changing:?}");
    }
}

/// What releases before this one made of a manifest that has every field, as their ledgers keep it: `spec.json` of a
/// revision, by the release that wrote it. Nothing is ever changed in there; a release adds its own.
fn recorded() -> Vec<(String, Desired)> {
    let folder = format!("{}/tests/golden/specs", env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let desired = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        all.push((path.file_name().unwrap().to_string_lossy().into_owned(), desired));
    }
    all
}

/// Awake, and looked after in every way.
fn awake(mut desired: Desired) -> Desired {
    (desired.sync.self_heal, desired.sync.prune, desired.sync.suspend) = (true, true, false);
    desired.services.values_mut().for_each(|service| service.running = true);
    desired
}

#[test]
fn a_host_that_an_earlier_release_brought_in_sync_is_in_sync() {
    let recorded = recorded();
    assert!(!recorded.is_empty(), "no release has recorded anything");
    for (release, then) in recorded {
        let (environment, app) = (then.environment.clone(), then.app.clone());
        let now = resolve_stored(&environment, &app, &then.manifest, &BTreeMap::new()).unwrap();
        assert_eq!(now.services.keys().collect::<Vec<_>>(), then.services.keys().collect::<Vec<_>>(), "{release}");
        let (then, now) = (awake(then), awake(now));
        let mut host = settled(&then);
        assert_eq!(host.containers.len(), then.services.len() + then.jobs.len(), "{release}");
        assert_eq!(plan(&now, &host), Plan::default(), "{release}: with its ledger");
        for container in host.containers.values_mut() {
            let body = fold::body(&then, &container.role).unwrap().clone();
            container.evidence = Evidence::Declared(Box::new(body));
        }
        assert_eq!(plan(&now, &host), Plan::default(), "{release}: by what the containers are");
    }
}
