use super::{asked, judged, told};
use crate::{
    desired::{
        ContainerSpec,
        spec::{Device, Gpus, Logging, Network},
    },
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
        ("logging", logging("syslog-address", "unix:///var/run/docker.sock")),
        ("logging", logging("fluentd-address", "unixgram:///run/x")),
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
    let specs = options.map(with_option).into_iter().chain(settings.map(with_sysctl)).chain([dropped, remote]);
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
