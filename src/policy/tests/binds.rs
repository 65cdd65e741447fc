use super::{PROTECTED, judged, told};
use crate::{
    desired::{
        ContainerSpec,
        spec::{Mount, MountSource},
    },
    host,
    observed::Role,
    policy::{
        Subject,
        bind::{self, BindDenied},
        follow,
    },
};
use std::collections::BTreeSet;

fn bound(path: &str, read_only: bool) -> ContainerSpec {
    let mount = Mount { source: MountSource::Bind(path.to_owned()), target: "/x".to_owned(), read_only };
    ContainerSpec { image: "a".to_owned(), mounts: vec![mount], ..ContainerSpec::default() }
}

#[test]
fn paths_of_the_host_are_bound_only_below_data_roots() {
    let table = [
        ("", "/srv/data", true, "outside"),
        ("data_roots: [/srv/data]", "/srv/data", false, "allowed"),
        ("data_roots: [/srv/data/]", "/srv/data/", false, "allowed"),
        ("data_roots: [/srv/data]", "/srv/data/app/db", false, "allowed"),
        ("data_roots: [/srv/data]", "/srv//data///app", false, "allowed"),
        ("data_roots: [/srv/data]", "/srv/database", false, "outside"),
        ("data_roots: [/srv/data]", "/srv", true, "outside"),
        ("data_roots: [/srv/data]", "/srv/data/../../etc", true, "not plain"),
        ("data_roots: [/srv/data]", "/srv/data/..", true, "not plain"),
        ("data_roots: [/srv/data]", "/srv/data/./x", true, "not plain"),
        ("data_roots: [/srv/data]", "srv/data", true, "not plain"),
        ("data_roots: [/srv/data]", "", true, "not plain"),
        ("data_roots: [/srv/data]", "/usr", true, "outside"),
        ("data_roots: [/srv/data]", "/etc/shadow", true, "outside"),
        ("data_roots: [/srv/data]", "/proc", true, "outside"),
        ("data_roots: [/srv/data]", "/dev/sda", true, "outside"),
        ("data_roots: [/srv/data]", "/root/.ssh", true, "outside"),
        ("data_roots: [/srv/conf:ro]", "/srv/conf/app", true, "allowed"),
        ("data_roots: [/srv/conf:ro]", "/srv/conf/app", false, "read-only"),
        ("data_roots: [/srv, /srv/conf:ro]", "/srv/data", false, "allowed"),
        ("data_roots: [/srv, /srv/conf:ro]", "/srv/conf/app", false, "read-only"),
        ("data_roots: [/srv, /srv/conf:ro]", "/srv", false, "read-only"),
        ("data_roots: [/srv, /srv/conf:ro]", "/srv", true, "allowed"),
        ("data_roots: [/srv:ro, /srv/data]", "/srv/data/x", false, "allowed"),
        ("data_roots: [/srv:ro, /srv/data]", "/srv/other", false, "read-only"),
    ];
    for (policy, path, read_only, expected) in table {
        assert_eq!(verdict(policy, path, read_only), expected, "{policy} {path}");
    }
}

#[test]
fn the_state_the_secrets_and_what_holds_them_are_never_bound() {
    let table = [
        ("/var/lib/reconcile", "protected"),
        ("/var/lib/reconcile/state.db", "protected"),
        ("/var/lib", "protected"),
        ("/etc/reconcile/secrets/production/gateway/key", "protected"),
        ("/etc", "protected"),
        ("/var/run/reconcile", "protected"),
        ("/opt/state/mirror.git", "protected"),
        ("/opt/stateful", "allowed"),
        ("/var/lib/reconciled", "allowed"),
        ("/", "socket"),
        ("//", "socket"),
        ("/run", "socket"),
        ("/var/run", "socket"),
        ("/var/run/docker.sock", "socket"),
        ("/run/docker.sock", "socket"),
        ("/run//docker.sock", "socket"),
        ("/run/podman", "socket"),
        ("/run/podman/podman.sock", "socket"),
        ("/run/user/1000/podman/podman.sock", "socket"),
        ("/run/containerd/containerd.sock", "socket"),
        ("/opt/engine/api.sock", "socket"),
        ("/opt/engine", "socket"),
        ("/srv/app/mysql.sock", "allowed"),
    ];
    for (path, expected) in table {
        for read_only in [true, false] {
            assert_eq!(verdict("data_roots: [/]", path, read_only), expected, "{path}");
        }
    }
}

#[test]
fn the_engines_socket_is_for_services_that_are_named_and_nothing_around_it() {
    let named = "engine_socket: [gateway/web]";
    let table = [
        (named, "/var/run/docker.sock", "allowed"),
        (named, "/run/user/1000/podman/podman.sock", "allowed"),
        (named, "/opt/engine/api.sock", "allowed"),
        (named, "/var/run", "socket"),
        (named, "/", "socket"),
        (named, "/var/lib/reconcile", "protected"),
        ("engine_socket: [staging/gateway/web]", "/var/run/docker.sock", "socket"),
        ("engine_socket: [gateway/other]", "/var/run/docker.sock", "socket"),
        ("privileged: [gateway/web]", "/var/run/docker.sock", "socket"),
    ];
    for (policy, path, expected) in table {
        assert_eq!(verdict(policy, path, true), expected, "{policy} {path}");
    }
}

#[test]
fn a_denied_bind_says_what_would_allow_it() {
    let table = [
        (
            "/srv/data",
            true,
            "`/srv/data` is below none of the host's data roots (`policy.data_roots`) → data_roots: [\"/srv/data:ro\"]",
        ),
        (
            "/srv/data",
            false,
            "`/srv/data` is below none of the host's data roots (`policy.data_roots`) → data_roots: [\"/srv/data\"]",
        ),
        (
            "/srv/conf/x",
            false,
            "`/srv/conf/x` may only be mounted read-only: `/srv/conf` is a data root with `:ro` \
          (`policy.data_roots`) → data_roots: [\"/srv/conf\"]",
        ),
        (
            "/var/run/docker.sock",
            true,
            "`/var/run/docker.sock` is or holds the engine's socket `/run/docker.sock`: whoever has \
          it is root of the host (`policy.engine_socket`) → engine_socket: [production/gateway/web]",
        ),
        (
            "/",
            true,
            "`/` is or holds the engine's socket `/run/docker.sock`: whoever has it is root of the host \
          (`policy.engine_socket`) → nothing",
        ),
        (
            "/etc/reconcile",
            true,
            "`/etc/reconcile` would show `/etc/reconcile`, which no container may see \
          (`policy.data_roots`) → nothing",
        ),
        ("/srv/../etc", true, "`/srv/../etc` is no absolute path without `.` and `..` (`policy.data_roots`) → nothing"),
    ];
    for (path, read_only, expected) in table {
        let told = told(&judged("data_roots: [/srv/conf:ro]", bound(path, read_only)));
        assert_eq!(told, format!("services.web.volumes: {expected}"));
    }
}

#[test]
fn a_link_is_judged_by_where_it_leads() {
    let links = [
        ("/srv/data/escape", "/etc"),
        ("/srv/data/socket", "/run/docker.sock"),
        ("/srv/data/state", "/opt/state"),
        ("/srv/data/moved", "/mnt/disk/moved"),
        ("/srv/data/inside", "/srv/data/other"),
        ("/srv/data/plain", "/srv/data/plain"),
        ("/srv/data", "/srv/data"),
        ("/srv/big", "/mnt/big"),
        ("/srv/big/app", "/mnt/big/app"),
        ("/opt/state", "/mnt/state"),
        ("/srv/data/mnt", "/mnt/state/state.db"),
    ];
    let table = [
        ("/srv/data/plain", ""),
        ("/srv/data/inside", ""),
        ("/srv/data/not-there", ""),
        ("/srv/big/app", ""),
        ("/srv/data/escape", "`/srv/data/escape` leads to another place: `/etc` would show `/etc/reconcile`"),
        ("/srv/data/socket", "`/srv/data/socket` leads to another place: `/run/docker.sock` is or holds"),
        ("/srv/data/state", "`/srv/data/state` leads to another place: `/opt/state` would show"),
        ("/srv/data/mnt", "`/srv/data/mnt` leads to another place: `/mnt/state/state.db` would show `/mnt/state`"),
        ("/srv/data/moved", "`/srv/data/moved` leads to another place: `/mnt/disk/moved` is below none"),
    ];
    let host = host::read("h.yaml", "policy: {data_roots: [/srv/data, /srv/big]}\n").unwrap();
    let role = Role::Service("web".parse().unwrap());
    let subject = Subject {
        environment: &"production".parse().unwrap(),
        app: &"gateway".parse().unwrap(),
        role: &role,
        internal_only: false,
        external_networks: &BTreeSet::new(),
        protected_paths: &PROTECTED.map(str::to_owned),
    };
    for (path, begins) in table {
        let real = |path: &str| links.iter().find(|(link, _)| *link == path).map(|(_, real)| (*real).to_owned());
        let denials = follow(&host.settings.policy, &subject, &bound(path, true), real);
        let message = denials.first().map_or("", |denial| &denial.message);
        assert_eq!(denials.is_empty(), begins.is_empty(), "{path}: {message}");
        assert!(message.starts_with(begins), "{path}: {message}");
    }
}

#[test]
fn named_volumes_need_no_permission() {
    let mount = Mount { source: MountSource::Volume("production-gateway_data".to_owned()), ..a_mount() };
    let spec = ContainerSpec { image: "a".to_owned(), mounts: vec![mount], ..ContainerSpec::default() };
    assert_eq!(told(&judged("", spec)), "");
}

fn a_mount() -> Mount {
    Mount { source: MountSource::Volume(String::new()), target: "/x".to_owned(), read_only: false }
}

/// The verdict on the path alone must be the verdict on the body with it.
fn verdict(policy: &str, path: &str, read_only: bool) -> &'static str {
    let settings = host::read("h.yaml", &format!("policy: {{{policy}}}\n")).expect(policy).settings;
    let with_socket = policy.starts_with("engine_socket: [gateway/web]");
    let verdict = bind::judge(&settings.policy, path, read_only, with_socket, &PROTECTED.map(str::to_owned));
    assert_eq!(verdict.is_ok(), judged(policy, bound(path, read_only)).is_empty());
    match verdict {
        Ok(()) => "allowed",
        Err(BindDenied::NotPlain(_)) => "not plain",
        Err(BindDenied::EngineSocket { .. }) => "socket",
        Err(BindDenied::Protected { .. }) => "protected",
        Err(BindDenied::OutsideDataRoots(_)) => "outside",
        Err(BindDenied::ReadOnly { .. }) => "read-only",
    }
}
