//! What manifests become.

use super::desired;
use crate::desired::{Order, spec::Network};
use std::{collections::BTreeSet, time::Duration};

const WEB: &str = r#"
volumes: {data: {}}
services:
  db:
    image: bb:1
    command: [sh, -c, "trap 'exit 0' TERM; sleep 36000 & wait"]
    volumes: ["data:/data"]
  web:
    image: bb:1
    command: [sh, -c, "mkdir -p /www; echo $GREETING > /www/index.html; exec httpd -f -p 8080 -h /www"]
    env: {GREETING: one, PORT: 8080, DEBUG: false}
    depends_on: {db: {condition: service_started}}
    healthcheck: {http: {path: /index.html, port: 8080}, interval: 1s}
    stop_grace_period: 1s
    rollout: {drain: 0s, healthy_deadline: 20s}
"#;

#[test]
fn a_manifest_becomes_services_with_names_networks_and_volumes() {
    let desired = desired(WEB);
    let web = &desired.services["web"];
    assert_eq!(web.order, Order::StartFirst);
    assert_eq!(desired.services["db"].order, Order::StopFirst);
    assert_eq!(web.container_name, format!("production-web-web-{}", web.spec_hash.short()));
    assert_eq!(web.rollout.min_healthy_time, Duration::ZERO);
    assert_eq!(desired.services["db"].rollout.min_healthy_time, Duration::from_secs(5));
    assert_eq!(web.spec.env["DEBUG"], "false");
    let Network::Networks(networks) = &web.spec.network else { panic!("no networks") };
    assert_eq!(networks["production-web"], BTreeSet::from(["web".to_owned()]));
    assert_eq!(desired.volumes.keys().collect::<Vec<_>>(), ["production-web_data"]);
    assert_eq!(desired.manifest["services"]["web"]["env"]["GREETING"], "one");
    assert_eq!(desired.manifest["services"]["web"]["env"]["PORT"], "8080");
}

#[test]
fn a_stored_manifest_resolves_to_the_same_again() {
    let first = desired(WEB);
    let pins = std::iter::once(("web".to_owned(), "sha256:1".to_owned())).collect();
    let again = crate::desired::resolve_stored(&first.environment, &first.app, &first.manifest, &pins).unwrap();
    assert_eq!(again.services["web"].pinned_image.as_deref(), Some("sha256:1"));
    assert_eq!(again.services["db"], first.services["db"]);
    assert_eq!(again.services["web"].spec_hash, first.services["web"].spec_hash);
    assert_eq!(again.manifest, first.manifest);
}
