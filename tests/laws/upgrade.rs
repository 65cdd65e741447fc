//! An unchanged host under a new release, or with its ledger lost, is in sync.

use crate::{
    draw::{app, settled},
    law::only_looks,
    one,
};
use reconcile::{
    observed::{Applied, Evidence, Readiness, fold},
    plan::plan,
};
use serde_json::json;

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
