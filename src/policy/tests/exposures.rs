use super::{asked, judged, told};
use crate::{
    desired::{
        ContainerSpec,
        spec::{Network, PublishedPort},
    },
    observed::Role,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

fn published(address: &str, host: u16) -> ContainerSpec {
    let address: IpAddr = address.parse().unwrap();
    let port = PublishedPort { address, host, container: 80, protocol: Default::default() };
    ContainerSpec { image: "a".to_owned(), ports: BTreeSet::from([port]), ..ContainerSpec::default() }
}

fn networked(network: Network) -> ContainerSpec {
    ContainerSpec { image: "a".to_owned(), network, ..ContainerSpec::default() }
}

fn shared_with(service: &str) -> Network {
    Network::Service(service.parse().unwrap())
}

fn with_variable(name: &str) -> ContainerSpec {
    ContainerSpec { env: BTreeMap::from([(name.to_owned(), "x".to_owned())]), ..networked(Network::None) }
}

fn with_label(name: &str) -> ContainerSpec {
    ContainerSpec { labels: BTreeMap::from([(name.to_owned(), "x".to_owned())]), ..networked(Network::None) }
}

fn joined(name: &str) -> Network {
    Network::Networks(BTreeMap::from([(name.to_owned(), BTreeSet::new())]))
}

#[test]
fn ports_beyond_loopback_need_their_address_and_port_in_publish() {
    let table = [
        ("", "127.0.0.1", 80, true),
        ("", "127.8.8.8", 80, true),
        ("", "::1", 80, true),
        ("", "::ffff:127.0.0.1", 80, true),
        ("", "0.0.0.0", 443, false),
        ("", "::", 443, false),
        ("", "10.8.0.1", 443, false),
        ("", "::ffff:10.8.0.1", 443, false),
        ("", "169.254.0.1", 443, false),
        (r#"publish: ["0.0.0.0:443"]"#, "0.0.0.0", 443, true),
        (r#"publish: ["*:443"]"#, "0.0.0.0", 443, true),
        (r#"publish: ["0.0.0.0:443"]"#, "0.0.0.0", 8443, false),
        (r#"publish: ["0.0.0.0:443"]"#, "10.8.0.1", 443, true),
        (r#"publish: ["0.0.0.0:443"]"#, "::", 443, false),
        (r#"publish: ["[::]:443"]"#, "::", 443, true),
        (r#"publish: ["[::]:443"]"#, "2001:db8::1", 443, true),
        (r#"publish: ["[::]:443"]"#, "0.0.0.0", 443, false),
        (r#"publish: ["10.8.0.1:*"]"#, "10.8.0.1", 9000, true),
        (r#"publish: ["10.8.0.1:*"]"#, "::ffff:10.8.0.1", 9000, true),
        (r#"publish: ["10.8.0.1:*"]"#, "10.8.0.2", 9000, false),
        (r#"publish: ["10.8.0.1:*"]"#, "0.0.0.0", 9000, false),
    ];
    for (policy, address, port, allowed) in table {
        assert_eq!(judged(policy, published(address, port)).is_empty(), allowed, "{policy} {address} {port}");
    }
    let expected = "services.web.ports: port 443 of the host may not be published on 0.0.0.0 (`policy.publish`) → publish: \
                    [\"0.0.0.0:443\"]";
    assert_eq!(told(&judged("", published("0.0.0.0", 443))), expected);
    assert!(told(&judged("", published("::", 1))).ends_with("→ publish: [\"[::]:1\"]"));
}

#[test]
fn what_would_allow_a_port_does_allow_it() {
    for address in ["0.0.0.0", "::", "10.8.0.1", "::ffff:10.8.0.1", "2001:db8::1"] {
        let allow = judged("", published(address, 443)).remove(0).allow.unwrap();
        assert_eq!(told(&judged(&allow, published(address, 443))), "", "{allow}");
    }
}

#[test]
fn the_hosts_network_is_for_services_that_are_named() {
    let table = [
        ("", false),
        ("network_mode_host: [gateway/web]", true),
        ("network_mode_host: [production/gateway/web]", true),
        ("network_mode_host: [staging/gateway/web]", false),
        ("network_mode_host: [gateway/other]", false),
        ("network_mode_host: [other/web]", false),
        ("privileged: [gateway/web]", false),
    ];
    for (policy, allowed) in table {
        assert_eq!(judged(policy, networked(Network::Host)).is_empty(), allowed, "{policy}");
    }
    let expected = "services.web.network_mode: the host's own network may not be used (`policy.network_mode_host`) → \
                    network_mode_host: [production/gateway/web]";
    assert_eq!(told(&judged("", networked(Network::Host))), expected);
}

#[test]
fn what_only_looks_like_a_network_of_the_app_is_the_hosts_own() {
    let table = [
        (joined("host"), "the network `host` is the host's own and may not be used"),
        (joined("lan"), "the network `lan` of driver `macvlan` is beside the host's own, not behind it"),
    ];
    for (network, message) in table {
        let expected = format!(
            "services.web.networks: {message} (`policy.network_mode_host`) → network_mode_host: [production/gateway/web]"
        );
        assert_eq!(told(&judged("", networked(network.clone()))), expected);
        assert_eq!(told(&judged("network_mode_host: [gateway/web]", networked(network.clone()))), "");
        let closed = "never_expose: [gateway/web], network_mode_host: [gateway/web]";
        assert!(told(&judged(closed, networked(network))).contains("policy.never_expose"));
    }
}

#[test]
fn a_job_is_as_closed_as_its_service() {
    let job = || Role::Job("migrate".parse().unwrap());
    for (policy, internal_only) in
        [("never_expose: [gateway/web]", false), ("never_expose: [gateway/migrate]", false), ("", true)]
    {
        let denied = told(&asked(policy, networked(joined("shared")), job(), internal_only));
        assert!(
            denied.starts_with("jobs.migrate.networks: the external network `shared` is joined"),
            "{policy}: {denied}"
        );
    }
    assert_eq!(told(&asked("never_expose: [gateway/proxy]", networked(joined("shared")), job(), false)), "");
}

#[test]
fn other_networks_need_no_permission() {
    for network in [Network::None, joined("shared"), shared_with("proxy")] {
        assert_eq!(told(&judged("", networked(network))), "");
    }
}

#[test]
fn a_network_that_is_shared_with_the_hosts_own_is_the_hosts_own() {
    for other in ["agent", "beside"] {
        let policy = "network_mode_host: [gateway/agent]";
        let denied = told(&judged(policy, networked(shared_with(other))));
        let expected = "services.web.network_mode: the network of service `agent` is the host's own, which may not be \
                        used (`policy.network_mode_host`) → network_mode_host: [production/gateway/web]";
        assert_eq!(denied, expected);
        assert_eq!(told(&judged("network_mode_host: [gateway/web]", networked(shared_with(other)))), "");
    }
}

#[test]
fn what_is_never_exposed_has_no_way_in_whatever_else_is_allowed() {
    let all = r#"never_expose: [gateway/web], publish: ["0.0.0.0:*"], network_mode_host: [gateway/web]"#;
    let table = [
        (published("127.0.0.1", 80), "services.web.ports: port 127.0.0.1:80 is published, but"),
        (published("0.0.0.0", 80), "services.web.ports: port 0.0.0.0:80 is published, but"),
        (networked(Network::Host), "services.web.network_mode: the host's own network is used, but"),
        (networked(joined("shared")), "services.web.networks: the external network `shared` is joined, but"),
        (
            networked(Network::Service("proxy".parse().unwrap())),
            "services.web.network_mode: the network of service `proxy`, which may be reached, is shared, but",
        ),
        (
            networked(joined("not-the-apps")),
            "services.web.networks: the external network `not-the-apps` is joined, but",
        ),
        (with_variable("VIRTUAL_HOST"), "services.web.env: `VIRTUAL_HOST` lets a proxy route to it, but"),
        (with_label("traefik.enable"), "services.web.labels: label `traefik.enable` lets a proxy route to it, but"),
        (
            with_label("caddy_0.reverse_proxy"),
            "services.web.labels: label `caddy_0.reverse_proxy` lets a proxy route to it, but",
        ),
    ];
    for (spec, begins) in table {
        let host = told(&judged(all, spec.clone()));
        assert_eq!(host, format!("{begins} the host says it is never exposed (`policy.never_expose`) → nothing"));
        let web = || Role::Service("web".parse().unwrap());
        let permissive = r#"publish: ["0.0.0.0:*"], network_mode_host: [gateway/web]"#;
        let own = told(&asked(permissive, spec, web(), true));
        assert_eq!(own, format!("{begins} the manifest says it is `internal_only` (`internal_only`) → nothing"));
    }
    for network in [Network::None, joined("production-gateway_backend"), joined("plain"), shared_with("inner")] {
        assert_eq!(told(&judged(all, networked(network))), "");
    }
    let elsewhere = r#"never_expose: [staging/gateway/web, gateway/db], publish: ["0.0.0.0:*"]"#;
    assert_eq!(told(&judged(elsewhere, published("0.0.0.0", 80))), "");
}
