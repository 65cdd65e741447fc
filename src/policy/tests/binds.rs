use super::{PROTECTED, app, gateway, judged, told};
use crate::{
    desired::{
        ContainerSpec, Desired,
        spec::{Mount, MountSource},
    },
    host,
    observed::Role,
    policy::{
        Denial, Subject,
        bind::{self, BindDenied},
        follow, judge, of_app,
    },
};
use serde_json::json;

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

/// What the disk says of these binds, one after the other: links as pairs of where and whither.
fn followed(policy: &str, links: &[(&str, &str)], path: &str) -> String {
    let host = host::read("h.yaml", &format!("policy: {{{policy}}}\n")).unwrap();
    let role = Role::Service("web".parse().unwrap());
    let subject = Subject { app: &gateway(false), role: &role, protected_paths: &PROTECTED.map(str::to_owned) };
    let real = |path: &str| {
        let below = |(link, whither): &(&str, &str)| Some(format!("{whither}{}", path.strip_prefix(link)?));
        links.iter().find_map(below).or_else(|| Some(path.to_owned()))
    };
    let denials = follow(&host.settings.policy, &subject, &bound(path, true), real);
    denials.first().map_or_else(String::new, |denial| denial.message.clone())
}

#[test]
fn a_link_is_judged_by_where_it_leads() {
    let links = [
        ("/srv/data/escape", "/etc"),
        ("/srv/data/socket", "/run/docker.sock"),
        ("/srv/data/state", "/opt/state"),
        ("/srv/data/moved", "/mnt/disk/moved"),
        ("/srv/data/inside", "/srv/data/other"),
        ("/srv/data/mnt", "/mnt/state/state.db"),
        ("/srv/big", "/mnt/big"),
        ("/opt/state", "/mnt/state"),
        ("/var/lib/reconcile", "/srv/disk/reconcile"),
    ];
    let table = [
        ("/srv/data/plain", ""),
        ("/srv/data/not-there", ""),
        ("/srv/big", ""),
        ("/srv/big/app", ""),
        ("/srv/data/escape", "`/srv/data/escape` leads to another place: `/etc` would show `/etc/reconcile`"),
        ("/srv/data/escape/x", "`/srv/data/escape/x` leads to another place: `/etc/x` is below none"),
        ("/srv/data/socket", "`/srv/data/socket` leads to another place: `/run/docker.sock` is or holds"),
        ("/srv/data/state", "`/srv/data/state` leads to another place: `/opt/state` would show"),
        ("/srv/data/mnt", "`/srv/data/mnt` leads to another place: `/mnt/state/state.db` would show `/mnt/state`"),
        ("/srv/data/moved", "`/srv/data/moved` leads to another place: `/mnt/disk/moved` is below none"),
        (
            "/srv/data/inside",
            "`/srv/data/inside` is a link or lies behind one, and links below a data root are not followed; it leads to `/srv/data/other`",
        ),
        ("/srv/data/inside/x", "`/srv/data/inside/x` is a link or lies behind one"),
        ("/srv/disk/reconcile", "`/srv/disk/reconcile` would show `/srv/disk/reconcile`"),
        ("/srv/disk", "`/srv/disk` would show `/srv/disk/reconcile`"),
        // As it is written it is denied already, and told once.
        ("/etc", ""),
    ];
    for (path, begins) in table {
        let message = followed("data_roots: [/srv/data, /srv/big, /srv/disk]", &links, path);
        assert_eq!(message.is_empty(), begins.is_empty(), "{path}: {message}");
        assert!(message.starts_with(begins), "{path}: {message}");
    }
}

#[test]
fn a_link_to_a_socket_needs_the_same_permission_as_the_socket() {
    let links = [("/srv/data/socket", "/run/docker.sock")];
    let named = "data_roots: [/srv/data], engine_socket: [gateway/web]";
    assert!(followed("data_roots: [/srv/data]", &links, "/srv/data/socket").contains("leads to another place"));
    assert!(followed(named, &links, "/srv/data/socket").contains("is a link"));
    assert_eq!(followed(named, &[("/run/docker.sock", "/run/user/7/docker.sock")], "/var/run/docker.sock"), "");
}

#[test]
fn nothing_is_bound_below_what_another_container_writes() {
    let both = |writer: &str, other: &str, job: bool| {
        let jobs = if job { json!({"job": {"service": "other", "command": ["x"]}}) } else { json!({}) };
        app(&json!({
            "services": {
                "writer": {"image": "a", "volumes": [writer]},
                "other": {"image": "a", "volumes": [other]},
            },
            "jobs": jobs,
        }))
    };
    let host = host::read("h.yaml", "policy: {data_roots: [/srv]}\n").unwrap();
    let judged = |app: &Desired| {
        let policy = &host.settings.policy;
        of_app(app, &[], |subject, spec| judge(policy, subject, spec)).into_iter().map(|(_, denial)| denial).collect()
    };
    let table = [
        ("/srv/a:/a", "/srv/a/b:/b", true),
        ("/srv/a:/a", "/srv/a/b/c:/b:ro", true),
        ("/srv/a/:/a", "/srv/a/b:/b:ro", true),
        ("/srv/a:/a", "/srv/a:/b", false),
        ("/srv/a:/a", "/srv/ab:/b", false),
        ("/srv/a:/a:ro", "/srv/a/b:/b", false),
        ("/srv/a/b:/a", "/srv/a:/b:ro", false),
    ];
    for (writer, other, denied) in table {
        let denials: Vec<Denial> = judged(&both(writer, other, false));
        assert_eq!(!denials.is_empty(), denied, "{writer} {other}: {}", told(&denials));
    }
    let expected = "services.other.volumes: `/srv/a/b` lies below `/srv/a`, where service/writer can put a link to \
                    anywhere; mount `/srv/a` here too (`policy.data_roots`) → nothing";
    assert_eq!(told(&judged(&both("/srv/a:/a", "/srv/a/b:/b", false))), expected);
    let fields: Vec<String> =
        judged(&both("/srv/a:/a", "/srv/a/b:/b", true)).into_iter().map(|denial: Denial| denial.field).collect();
    assert_eq!(fields, ["services.other.volumes", "jobs.job.volumes"]);
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
