use super::{Subject, app, asked, judge, judged, told};
use crate::{
    desired::{
        ContainerSpec,
        spec::{Device, Gpus, Logging, Network},
    },
    host::Policy,
    observed::Role,
};
use std::collections::{BTreeMap, BTreeSet};

fn plain() -> ContainerSpec {
    ContainerSpec { image: "nginx:1".to_owned(), ..ContainerSpec::default() }
}

fn from(image: &str) -> ContainerSpec {
    ContainerSpec { image: image.to_owned(), ..plain() }
}

fn with_option(option: &str) -> ContainerSpec {
    ContainerSpec { security_opt: vec![option.to_owned()], ..plain() }
}

fn with_sysctl(name: &str) -> ContainerSpec {
    ContainerSpec { sysctls: BTreeMap::from([(name.to_owned(), "1".to_owned())]), ..plain() }
}

fn adding(capability: &str) -> ContainerSpec {
    ContainerSpec { cap_add: BTreeSet::from([capability.to_owned()]), ..plain() }
}

fn logging(option: &str, value: &str) -> ContainerSpec {
    let options = BTreeMap::from([(option.to_owned(), value.to_owned())]);
    ContainerSpec { logging: Some(Logging { driver: "syslog".to_owned(), options }), ..plain() }
}

fn logged_by(driver: &str) -> ContainerSpec {
    ContainerSpec { logging: Some(Logging { driver: driver.to_owned(), options: BTreeMap::new() }), ..plain() }
}

fn in_group(group: &str) -> ContainerSpec {
    ContainerSpec { group_add: vec![group.to_owned()], ..plain() }
}

fn in_memory(options: &str) -> ContainerSpec {
    ContainerSpec { tmpfs: BTreeMap::from([("/tmp".to_owned(), options.to_owned())]), ..plain() }
}

#[test]
fn labels_of_the_tool_and_of_the_engines_are_for_nobody() {
    let labelled =
        |name: &str| ContainerSpec { labels: BTreeMap::from([(name.to_owned(), "x".to_owned())]), ..plain() };
    let reserved = [
        "reconcile.app",
        "reconcile.installation",
        "reconcile.job",
        "com.docker.compose.project",
        "com.docker.swarm.task",
        "io.docker.x",
        "org.dockerproject.x",
        "io.podman.compose.project",
        "io.containers.autoupdate",
    ];
    for name in reserved {
        let denied = told(&judged("privileged: [gateway/web], cap_add: [gateway/web]", labelled(name)));
        assert!(denied.starts_with(&format!("services.web.labels: label `{name}` is reserved for ")), "{denied}");
        assert!(denied.ends_with("(`labels`) → nothing"), "{denied}");
    }
    for name in ["reconcile.prune", "team", "traefik.enable", "org.opencontainers.image.source", "com.example.docker"] {
        assert_eq!(told(&judged("", labelled(name))), "", "{name}");
    }
}

#[test]
fn networks_and_volumes_of_a_stored_revision_have_no_reserved_labels_either() {
    let app = app(&serde_json::json!({
        "services": {"web": {"image": "a", "networks": ["backend"], "volumes": ["data:/data"]}},
        "networks": {"backend": {"labels": {"reconcile.app": "other", "team": "a"}}},
        "volumes": {"data": {"labels": {"com.docker.compose.project": "other", "team": "a"}}},
    }));
    let role = Role::Service("web".parse().unwrap());
    let subject = Subject { app: &app, role: &role, protected_paths: &[] };
    let spec = &app.services.values().next().unwrap().spec;
    let denied = judge(&Policy::default(), &subject, spec);
    let told: Vec<String> = denied.iter().map(ToString::to_string).collect();
    assert!(told[0].starts_with("networks.backend.labels: label `reconcile.app` is reserved for "), "{told:?}");
    assert!(told[1].starts_with("volumes.data.labels: label `com.docker.compose.project` is reserved"), "{told:?}");
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn what_weakens_a_container_counts_as_privileged() {
    let privileged = ContainerSpec { privileged: true, ..plain() };
    let on_host = ContainerSpec { network: Network::Host, ..with_sysctl("net.ipv4.ip_forward") };
    let attacks = [
        ("privileged", privileged),
        ("security_opt", with_option("seccomp=unconfined")),
        ("security_opt", with_option("seccomp:unconfined")),
        ("security_opt", with_option("seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\"}")),
        ("security_opt", with_option("apparmor=unconfined")),
        ("security_opt", with_option("apparmor=my-own")),
        ("security_opt", with_option("label=disable")),
        ("security_opt", with_option("label:disable")),
        ("security_opt", with_option("label=type:spc_t")),
        ("security_opt", with_option("systempaths=unconfined")),
        ("security_opt", with_option("unmask=ALL")),
        ("security_opt", with_option("something-new")),
        ("sysctls", with_sysctl("kernel.core_pattern")),
        ("sysctls", with_sysctl("vm.max_map_count")),
        ("sysctls", with_sysctl("fs.file-max")),
        ("sysctls", with_sysctl("kernel/core_pattern")),
        ("sysctls", on_host),
        ("security_opt", with_option("no-new-privileges=false")),
        ("security_opt", with_option("no-new-privileges:0")),
        ("group_add", in_group("keep-groups")),
        ("tmpfs", in_memory("size=1m,dev")),
        ("tmpfs", in_memory("suid")),
        ("tmpfs", in_memory("rshared")),
        ("logging", logging("syslog-address", "unix:///var/run/docker.sock")),
        ("logging", logging("syslog-address", "UNIX:///var/run/docker.sock")),
        ("logging", logging("syslog-address", "/run/x")),
        ("logging", logging("fluentd-address", "unixgram:///run/x")),
        ("logging", logging("path", "/etc/cron.d/x")),
        ("logging", logging("syslog-tls-key", "/etc/shadow")),
        ("logging", logging("something-new", "x")),
        ("logging", logged_by("splunk")),
        ("logging", logged_by("passthrough")),
        ("logging", logged_by("")),
    ];
    for (field, spec) in attacks {
        let not_named = "network_mode_host: [gateway/web], privileged: [gateway/db, other/web, staging/gateway/web]";
        let denials = judged(not_named, spec.clone());
        let told = told(&denials);
        assert_eq!(denials.len(), 1, "{told}");
        assert!(told.starts_with(&format!("services.web.{field}: ")), "{told}");
        assert!(told.ends_with("(`policy.privileged`) → privileged: [production/gateway/web]"), "{told}");
        let named = "network_mode_host: [gateway/web], privileged: [production/gateway/web]";
        assert_eq!(super::told(&judged(named, spec)), "", "{field}");
    }
}

#[test]
fn what_keeps_a_container_in_or_is_its_own_needs_no_permission() {
    let options =
        ["no-new-privileges", "no-new-privileges:true", "seccomp=builtin", "apparmor=docker-default", "mask=/proc/x"];
    let settings = ["net.core.somaxconn", "net/core/somaxconn", "kernel.shmmax", "kernel.sem", "fs.mqueue.msg_max"];
    let dropped = ContainerSpec { cap_drop: BTreeSet::from(["ALL".to_owned()]), ..plain() };
    let remote = logging("syslog-address", "tcp://logs.example.com:514");
    let rotated = logging("max-size", "10m");
    let temporary = in_memory("size=64m,mode=1777,uid=1000,exec,nosuid,nodev,rw");
    let others = [dropped, remote, rotated, logged_by("json-file"), logged_by("journald"), temporary, in_memory("")];
    let others = others.into_iter().chain(["video", "1000", "docker"].map(in_group));
    let specs = options.map(with_option).into_iter().chain(settings.map(with_sysctl)).chain(others);
    for spec in specs {
        assert_eq!(told(&judged("", spec)), "");
    }
}

#[test]
fn capabilities_beyond_the_usual_are_named_by_the_host() {
    let table = [
        ("", "NET_BIND_SERVICE", true),
        ("", "CAP_CHOWN", true),
        ("", "NET_ADMIN", false),
        ("", "net_admin", false),
        ("", "SYS_ADMIN", false),
        ("", "CAP_SYS_ADMIN", false),
        ("", "NET_RAW", false),
        ("", "ALL", false),
        ("", "CAP_ALL", false),
        ("", "all", false),
        ("", "what is this", false),
        ("cap_add: [NET_ADMIN]", "NET_ADMIN", true),
        ("cap_add: [NET_ADMIN]", "CAP_NET_ADMIN", true),
        ("cap_add: [cap_net_admin]", "net_admin", true),
        ("cap_add: [NET_ADMIN]", "SYS_ADMIN", false),
        ("cap_add: [NET_ADMIN]", "ALL", false),
        ("cap_add: [ALL]", "SYS_ADMIN", false),
        ("cap_add: [ALL]", "ALL", true),
        ("cap_add: [gateway/web]", "SYS_ADMIN", true),
        ("cap_add: [production/gateway/web]", "SYS_ADMIN", true),
        ("cap_add: [staging/gateway/web, gateway/db]", "SYS_ADMIN", false),
    ];
    for (policy, capability, allowed) in table {
        assert_eq!(judged(policy, adding(capability)).is_empty(), allowed, "{policy} {capability}");
    }
    let expected =
        "services.web.cap_add: capability `SYS_ADMIN` may not be added (`policy.cap_add`) → cap_add: [SYS_ADMIN]";
    assert_eq!(told(&judged("", adding("cap_sys_admin"))), expected);
}

#[test]
fn devices_and_gpus_are_for_services_that_are_named() {
    let device =
        Device { host: "/dev/dri".to_owned(), container: "/dev/dri".to_owned(), permissions: "rwm".to_owned() };
    let specs = [
        ("devices", ContainerSpec { devices: vec![device], ..plain() }),
        ("gpus", ContainerSpec { gpus: Some(Gpus::All), ..plain() }),
        ("gpus", ContainerSpec { gpus: Some(Gpus::Count(1)), ..plain() }),
    ];
    for (field, spec) in specs {
        for policy in ["", "devices: [gateway/db]", "devices: [staging/gateway/web]", "privileged: [gateway/web]"] {
            let told = told(&judged(policy, spec.clone()));
            assert!(told.starts_with(&format!("services.web.{field}: ")), "{told}");
            assert!(told.ends_with("(`policy.devices`) → devices: [production/gateway/web]"), "{told}");
        }
        assert_eq!(told(&judged("devices: [gateway/web]", spec)), "");
    }
}

#[test]
fn images_come_from_where_the_host_says() {
    let table = [
        ("", "anywhere.example.com/x/y:1", true),
        ("registries: [registry.example.com/team/*]", "registry.example.com/team/app:1", true),
        ("registries: [registry.example.com/team/*]", "registry.example.com/team/app/debug:1", false),
        ("registries: [registry.example.com/team/*]", "registry.example.com/other/app:1", false),
        ("registries: [registry.example.com/team/*]", "registry.example.com.evil.org/team/app:1", false),
        ("registries: [registry.example.com/team/*]", "registry.example.com:5000/team/app:1", false),
        ("registries: [registry.example.com/team/*]", "team/app:1", false),
        ("registries: [registry.example.com/**]", "registry.example.com/team/app/debug:1", true),
        ("registries: [registry.example.com/**]", "registry.example.community/team/app", false),
        ("registries: [\"registry.example.com:5000/team/app-*\"]", "registry.example.com:5000/team/app-web", true),
        ("registries: [\"registry.example.com:5000/team/app-*\"]", "registry.example.com:5000/team/web", false),
        ("registries: [nginx]", "nginx:1.27", true),
        ("registries: [nginx]", "docker.io/library/nginx", true),
        ("registries: [nginx]", "docker.io/nginx", true),
        ("registries: [nginx]", "index.docker.io/library/nginx", true),
        ("registries: [nginx]", "nginx-evil", false),
        ("registries: [nginx]", "evil/nginx", false),
        ("registries: [library/*]", "redis", true),
        ("registries: [\"**\"]", "a.example.com/b", true),
        ("registries: [\"**\"]", "NOT A REFERENCE", false),
        ("registries: [\"**\"]", "sha256:0000000000000000000000000000000000000000000000000000000000000000", false),
        ("registries: [library/*]", "sha256:0000000000000000000000000000000000000000000000000000000000000000", false),
        ("registries: [\"*.example.com/team/app\"]", "eu.example.com/team/app", true),
        ("registries: [\"*.example.com/team/app\"]", "example.org/team/app", false),
    ];
    for (policy, image, allowed) in table {
        assert_eq!(judged(policy, from(image)).is_empty(), allowed, "{policy} {image}");
    }
    let expected = "services.web.image: images may not come from `docker.io/library/redis` (`policy.registries`) → registries: \
                    [\"docker.io/library/redis\"]";
    assert_eq!(told(&judged("registries: [nginx]", from("redis:7"))), expected);
}

#[test]
fn a_digest_is_asked_for_where_the_host_requires_one() {
    let pinned = format!("nginx:1@sha256:{}", "0".repeat(64));
    assert_eq!(told(&judged("require_digest: true", from(&pinned))), "");
    let elsewhere = format!("registry.example.com:5000/team/app:1@sha256:{}", "0".repeat(64));
    assert_eq!(told(&judged("require_digest: true", from(&elsewhere))), "");
    assert_ne!(told(&judged("require_digest: true", from("registry.example.com:5000/team/app"))), "");
    assert_eq!(told(&judged("require_digest: false", from("nginx:1"))), "");
    let expected = "services.web.image: `nginx:1` names no digest (`@sha256:…`), and this host requires one \
                    (`policy.require_digest`) → require_digest: false";
    assert_eq!(told(&judged("require_digest: true", from("nginx:1"))), expected);
    assert_ne!(told(&judged("require_digest: true", from("nginx@sha256:123"))), "");
}

#[test]
fn a_job_is_judged_by_its_own_name() {
    let job = || Role::Job("migrate".parse().unwrap());
    let privileged = || ContainerSpec { privileged: true, ..plain() };
    let denied = told(&asked("privileged: [gateway/web]", privileged(), job(), false));
    assert!(denied.starts_with("jobs.migrate.privileged: "), "{denied}");
    assert_eq!(told(&asked("privileged: [gateway/migrate]", privileged(), job(), false)), "");
}

#[test]
fn all_denials_come_at_once() {
    let spec = ContainerSpec { privileged: true, gpus: Some(Gpus::All), network: Network::Host, ..adding("SYS_ADMIN") };
    let rules: Vec<_> = judged("require_digest: true", spec).into_iter().map(|denial| denial.rule).collect();
    let expected =
        ["policy.require_digest", "policy.network_mode_host", "policy.cap_add", "policy.privileged", "policy.devices"];
    assert_eq!(rules, expected);
}
