//! Containers that say themselves how they are reached, to a proxy that listens to the engine.

use super::{Desired, DesiredService, Order, Route, Said, names, resolve, spec::Network};
use crate::value::ServiceName;
use std::collections::{BTreeMap, BTreeSet};

/// Lets each container say in its variables what `words` makes of its route, as a part of its body. It starts off the
/// network on which the proxy reaches it, also where the manifest names it: being put on it is how it is routed to.
pub fn in_variables(desired: &mut Desired, network: &str, words: impl Fn(&Route) -> BTreeMap<String, String>) {
    let own = names::stem(&desired.environment, &desired.app);
    let mut needs_own_bridge = false;
    each(desired, |service, route| {
        let words = words(route);
        service.spec.env.extend(words.clone());
        needs_own_bridge |= leave(service, network, &own);
        Said { joins: Some(network.to_owned()), words }
    });
    if needs_own_bridge {
        desired.networks.entry(own).or_insert_with(resolve::own_bridge);
    }
}

/// Lets each container say it in labels. It is on the network of the proxy from its start, and led to at once, ready or
/// not: so the one before is stopped first.
pub fn in_labels(
    desired: &mut Desired,
    network: &str,
    labels: impl Fn(&ServiceName, &Route) -> BTreeMap<String, String>,
) {
    let mut is_joined = false;
    each(desired, |service, route| {
        let words = labels(&service.name, route);
        service.spec.labels.extend(words.clone());
        if let Network::Networks(networks) = &mut service.spec.network {
            networks.entry(network.to_owned()).or_default();
            is_joined = true;
        }
        service.order = Order::StopFirst;
        Said { joins: None, words }
    });
    if is_joined {
        desired.networks.entry(network.to_owned()).or_insert_with(|| resolve::external_network(network));
    }
}

fn each(desired: &mut Desired, mut say: impl FnMut(&mut DesiredService, &Route) -> Said) {
    let (environment, app) = (desired.environment.clone(), desired.app.clone());
    for service in desired.services.values_mut() {
        let Some(route) = service.route.clone() else { continue };
        let name = |service: &DesiredService| names::container(&environment, &app, &service.name, &service.spec_hash);
        let is_pinned = service.container_name != name(service);
        service.said = Some(say(service, &route));
        service.spec_hash = service.spec.hash();
        if !is_pinned {
            service.container_name = name(service);
        }
    }
}

/// Takes a service off a network. One that is on no other is on the app's own bridge instead: true for that.
fn leave(service: &mut DesiredService, network: &str, own: &str) -> bool {
    let Network::Networks(networks) = &mut service.spec.network else { return false };
    networks.remove(network);
    if !networks.is_empty() {
        return false;
    }
    networks.insert(own.to_owned(), BTreeSet::from([service.name.to_string()]));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desired(networks: &str, more: &str) -> Desired {
        let text = format!(
            r#"{{"networks": {{"edge": {{"external": true}}, "own": {{}}}}, "services": {{"web":
            {{"image": "a:1", "proxy": {{"hosts": ["a.example.com"], "port": 80}}, "networks": {networks}{more}}},
            "inner": {{"image": "a:1"}}}}, "jobs": {{"once": {{"service": "web", "command": ["a"]}}}}}}"#
        );
        let (environment, app) = ("test".parse().unwrap(), "shop".parse().unwrap());
        let manifest = serde_json::from_str(&text).unwrap();
        resolve::resolve_stored(&environment, &app, &manifest, &BTreeMap::new()).unwrap()
    }

    fn said(desired: &Desired) -> Desired {
        let mut said = desired.clone();
        in_variables(&mut said, "edge", |route| BTreeMap::from([("VIRTUAL_HOST".to_owned(), route.hosts.join(","))]));
        said
    }

    fn networks(desired: &Desired) -> Vec<&str> {
        match &desired.services["web"].spec.network {
            Network::Networks(networks) => networks.keys().map(String::as_str).collect(),
            Network::Host | Network::None | Network::Service(_) => Vec::new(),
        }
    }

    #[test]
    fn a_container_says_its_route_and_another_route_makes_another_container() {
        let before = desired(r#"["own"]"#, "");
        let after = said(&before);
        let (old, new) = (&before.services["web"], &after.services["web"]);
        assert_eq!(new.spec.env["VIRTUAL_HOST"], "a.example.com");
        assert_ne!(new.spec_hash, old.spec_hash);
        assert!(new.container_name.ends_with(new.spec_hash.short()), "{}", new.container_name);
        assert_eq!(after.services["inner"], before.services["inner"], "it has no route");
        assert_eq!(after.jobs, before.jobs, "nobody is led to a job");
        let pinned = said(&desired(r#"["own"]"#, r#", "container_name": "web""#));
        assert_eq!(pinned.services["web"].container_name, "web");
    }

    #[test]
    fn it_starts_off_the_network_of_the_proxy() {
        assert_eq!(networks(&said(&desired(r#"["own", "edge"]"#, ""))), ["test-shop_own"]);
        let alone = said(&desired(r#"["edge"]"#, ""));
        assert_eq!(networks(&alone), ["test-shop"]);
        assert_eq!(alone.networks["test-shop"].key, "default");
        let host = said(&desired("null", r#", "network_mode": "host""#));
        assert_eq!(host.services["web"].spec.network, Network::Host);
    }

    #[test]
    fn one_that_says_it_in_labels_is_on_the_network_from_its_start_and_takes_the_place_of_the_one_before() {
        let mut said = desired(r#"["own"]"#, r#", "healthcheck": {"http": {"path": "/", "port": 80}}"#);
        assert_eq!(said.services["web"].order, Order::StartFirst);
        in_labels(&mut said, "edge", |service, route| {
            BTreeMap::from([(format!("traefik.{service}"), route.hosts.join(","))])
        });
        assert_eq!(said.services["web"].spec.labels["traefik.web"], "a.example.com");
        assert_eq!(networks(&said), ["edge", "test-shop_own"]);
        assert!(said.networks["edge"].external);
        assert_eq!(said.services["web"].order, Order::StopFirst);
    }
}
