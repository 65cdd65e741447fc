//! The attacks of research/trust.md §5 that a manifest can write down, and those for which it has no word.

use crate::row::{Attack, attack};

const LAN: &str = "networks: {lan: {driver: macvlan}}\n";
const HOSTS: &str = "networks: {lan: {external: true, name: host}}\n";
const SHARED: &str = "networks: {shared: {external: true}}\n";

/// By `app/closed`, which the host never exposes.
const fn closed(what: &'static str, fields: &'static str, rest: &'static str) -> Attack {
    Attack { what, service: "closed", fields, rest, rule: "policy.never_expose" }
}

const fn with(rest: &'static str, attack: Attack) -> Attack {
    Attack { rest, ..attack }
}

pub const ATTACKS: &[Attack] = &[
    attack("the whole host", r#"volumes: ["/:/host"]"#, "policy.engine_socket"),
    attack("the engine's socket", r#"volumes: ["/var/run/docker.sock:/s"]"#, "policy.engine_socket"),
    attack("the socket by its other name", r#"volumes: ["/run/docker.sock:/s:ro"]"#, "policy.engine_socket"),
    attack("another engine's socket", r#"volumes: ["/run/podman/podman.sock:/s"]"#, "policy.engine_socket"),
    attack("a user's engine", r#"volumes: ["/run/user/1000/podman/podman.sock:/s"]"#, "policy.engine_socket"),
    attack("what holds the sockets", r#"volumes: ["/run:/r:ro"]"#, "policy.engine_socket"),
    attack("the settings of the host", r#"volumes: ["/etc:/e:ro"]"#, "policy.data_roots"),
    attack("passwords", r#"volumes: ["/etc/shadow:/e:ro"]"#, "policy.data_roots"),
    attack("the kernel's files", r#"volumes: ["/proc:/p"]"#, "policy.data_roots"),
    attack("a disk as a file", r#"volumes: ["/dev/sda:/d"]"#, "policy.data_roots"),
    attack("root's keys", r#"volumes: ["/root/.ssh:/k"]"#, "policy.data_roots"),
    attack("the host file", r#"volumes: ["/etc/reconcile/reconcile.yaml:/h"]"#, "policy.data_roots"),
    attack("the ledger", r#"volumes: ["/var/lib/reconcile:/l:ro"]"#, "policy.data_roots"),
    attack("the locks", r#"volumes: ["/run/reconcile:/l"]"#, "policy.data_roots"),
    attack("the engine's own files", r#"volumes: ["/var/lib/docker:/l"]"#, "policy.data_roots"),
    attack("privileged", "privileged: true", "policy.privileged"),
    attack("a capability", "cap_add: [SYS_ADMIN]", "policy.cap_add"),
    attack("a capability by its long name", "cap_add: [cap_sys_admin]", "policy.cap_add"),
    attack("every capability", "cap_add: [ALL]", "policy.cap_add"),
    attack("a device", "devices: [/dev/sda]", "policy.devices"),
    attack("graphics processors", "gpus: all", "policy.devices"),
    attack("no system call filter", r#"security_opt: ["seccomp:unconfined"]"#, "policy.privileged"),
    attack("no profile", r#"security_opt: ["apparmor=unconfined"]"#, "policy.privileged"),
    attack("no label", r#"security_opt: ["label:disable"]"#, "policy.privileged"),
    attack("unmasked paths", r#"security_opt: ["systempaths=unconfined"]"#, "policy.privileged"),
    attack("new privileges", r#"security_opt: ["no-new-privileges:false"]"#, "policy.privileged"),
    attack("a setting of the kernel", r#"sysctls: {kernel.core_pattern: "|/x"}"#, "policy.privileged"),
    attack("the groups of who runs the engine", "group_add: [keep-groups]", "policy.privileged"),
    attack("devices in memory", r#"tmpfs: ["/t:dev,suid"]"#, "policy.privileged"),
    attack("memory that others mount", r#"tmpfs: ["/t:rshared"]"#, "policy.privileged"),
    attack("a log that is a file", "logging: {driver: k8s-file, options: {path: /etc/cron.d/x}}", "policy.privileged"),
    attack(
        "a log that is a socket",
        r#"logging: {driver: syslog, options: {syslog-address: "UNIX:///run/docker.sock"}}"#,
        "policy.privileged",
    ),
    attack(
        "a key of the host to log with",
        "logging: {driver: syslog, options: {syslog-tls-key: /etc/shadow}}",
        "policy.privileged",
    ),
    attack("a log driver from anywhere", "logging: {driver: example/plugin}", "policy.privileged"),
    attack("the host's network", "network_mode: host", "policy.network_mode_host"),
    with(HOSTS, attack("the host's network by its name", "networks: [lan]", "policy.network_mode_host")),
    with(LAN, attack("a network beside the host's", "networks: [lan]", "policy.network_mode_host")),
    attack("a port for everyone", r#"ports: ["*:443:443"]"#, "policy.publish"),
    attack("a port by the address of everyone", r#"ports: ["0.0.0.0:443:443"]"#, "policy.publish"),
    attack("a port of the other family", r#"ports: ["[::]:443:443"]"#, "policy.publish"),
    attack("a port that is mapped into the other family", r#"ports: ["[::ffff:10.8.0.1]:443:443"]"#, "policy.publish"),
    attack("ports by the range", r#"ports: ["10.8.0.1:8000-8010:8000-8010"]"#, "policy.publish"),
    attack("an image from anywhere", "image: evil.example.com/web:1", "policy.registries"),
    attack("an image of nearly that name", "image: wweb:1", "policy.registries"),
    attack(
        "an image by its id",
        "image: \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"",
        "policy.registries",
    ),
    closed("a port on loopback", r#"ports: ["11434:11434"]"#, ""),
    closed("a port for everyone", r#"ports: ["*:11434:11434"]"#, ""),
    closed("the host's network", "network_mode: host", ""),
    closed("the host's network by its name", "networks: [lan]", HOSTS),
    closed("a network beside the host's", "networks: [lan]", LAN),
    closed("a network of others", "networks: [shared]", SHARED),
    closed("a route of a proxy by a variable", "env: {VIRTUAL_HOST: a.example.com}", ""),
    closed("a route of a proxy by a label", r#"labels: {traefik.enable: "true"}"#, ""),
    closed("a route of another proxy by a label", "labels: {caddy: a.example.com}", ""),
];

/// What; the manifest; what the error says.
pub const NOT_SAID: &[(&str, &str, &str)] = &[
    ("the host's processes", "services: {web: {image: a, pid: host}}", "`pid` is not supported"),
    ("the host's shared memory", "services: {web: {image: a, ipc: host}}", "`ipc` is not supported"),
    ("the host's users", "services: {web: {image: a, userns_mode: host}}", "`userns_mode` is not supported"),
    ("the host's names", "services: {web: {image: a, uts: host}}", "uts"),
    ("the host's control groups", "services: {web: {image: a, cgroup: host}}", "cgroup"),
    ("any control group", "services: {web: {image: a, cgroup_parent: /}}", "`cgroup_parent` is not supported"),
    ("rules for devices", "services: {web: {image: a, device_cgroup_rules: [\"a *:* rwm\"]}}", "device_cgroup_rules"),
    ("any runtime", "services: {web: {image: a, runtime: evil}}", "`runtime` is not supported"),
    ("volumes of others", "services: {web: {image: a, volumes_from: [b]}}", "`volumes_from` is not supported"),
    ("a process that is never killed first", "services: {web: {image: a, oom_score_adj: -1000}}", "oom_score_adj"),
    (
        "a volume that is a bind",
        "services: {web: {image: a}}\nvolumes: {d: {driver_opts: {type: none, o: bind, device: /etc}}}",
        "`driver_opts` is not supported",
    ),
    ("a volume driver", "services: {web: {image: a}}\nvolumes: {d: {driver: evil}}", "`driver` is not supported"),
    (
        "a network with options",
        "services: {web: {image: a}}\nnetworks: {d: {driver_opts: {parent: eth0}}}",
        "`driver_opts` is not supported",
    ),
    ("a way out of the roots", "services: {web: {image: a, volumes: [\"/srv/../etc:/e\"]}}", "no `.` and `..`"),
    (
        "a volume that is a path",
        "services: {web: {image: a, volumes: [\"a/b:/e\"]}}",
        "a path of the host begins with `/`",
    ),
    ("a volume named like a path", "services: {web: {image: a}}\nvolumes: {d: {name: ../etc}}", "a name on the engine"),
    ("a mode of a mount", "services: {web: {image: a, volumes: [\"/srv:/e:rshared\"]}}", "`rshared` is not supported"),
    (
        "the network of any container",
        "services: {web: {image: a, network_mode: \"container:0123456789ab\"}}",
        "container",
    ),
    ("a network namespace", "services: {web: {image: a, network_mode: \"ns:/proc/1/ns/net\"}}", "ns:/proc/1/ns/net"),
    (
        "a route of what is closed",
        r#"services: {web: {image: a, internal_only: true, proxy: {hosts: [a.example.com], port: 80, path: /}}}"#,
        "no proxy may lead to it",
    ),
    (
        "words of a proxy in a host",
        r#"services: {web: {image: a, proxy: {hosts: ["a.example.com; return 200"], port: 80}}}"#,
        "write the name alone",
    ),
    ("every host", r#"services: {web: {image: a, proxy: {hosts: ["_"], port: 80}}}"#, "no host"),
    (
        "a host by an expression",
        r#"services: {web: {image: a, proxy: {hosts: ["~^.*$"], port: 80}}}"#,
        "write the name alone",
    ),
    (
        "the host's address",
        r#"services: {web: {image: a, proxy: {hosts: [10.0.0.1], port: 80}}}"#,
        "an address is no name",
    ),
    (
        "words of a proxy in a path",
        r#"services: {web: {image: a, proxy: {hosts: [a.example.com], port: 80, path: "/a {} location /b"}}}"#,
        "write letters and digits of ASCII",
    ),
    (
        "proofs of certificates",
        r#"services: {web: {image: a, proxy: {hosts: [a.example.com], port: 80, path: /.well-known/acme-challenge/}}}"#,
        "authorities ask for the proof",
    ),
    (
        "another header in a value",
        r#"services: {web: {image: a, proxy: {hosts: [a.example.com], port: 80, headers: {X-A: "a\nX-B: c"}}}}"#,
        "on one line",
    ),
    (
        "a variable of a proxy",
        r#"services: {web: {image: a, proxy: {hosts: [a.example.com], port: 80, headers: {X-A: $ssl_client_cert}}}}"#,
        "would put something else for",
    ),
    (
        "a secret of a proxy",
        r#"services: {web: {image: a, proxy: {hosts: [a.example.com], port: 80, headers: {X-A: "{env.SECRET}"}}}}"#,
        "would put something else for",
    ),
    (
        "an answer that is two",
        r#"services: {web: {image: a, proxy: {hosts: [a.example.com], port: 80, headers: {Transfer-Encoding: chunked}}}}"#,
        "no proxy may add another",
    ),
    (
        "text in a proxy's language",
        r#"services: {web: {image: a, proxy: {hosts: [a.example.com], port: 80, snippet: "return 200;"}}}"#,
        "is not taken",
    ),
    (
        "a rate with words",
        r#"services: {web: {image: a, proxy: {hosts: [a.example.com], port: 80, rate_limit: {rate: "10/s; allow all"}}}}"#,
        "write how many requests",
    ),
    (
        "a network with words",
        r#"services: {web: {image: a, proxy: {hosts: [a.example.com], port: 80, allow_from: ["10.0.0.0/8; allow all"]}}}"#,
        "CIDR notation",
    ),
    (
        "a file with words",
        r#"services: {web: {image: a, proxy: {hosts: [a.example.com], port: 80}, tls: {mode: files, cert_file: "/a; x", key_file: /b}}}"#,
        "in its path",
    ),
    (
        "a route beside the route",
        r#"services: {web: {image: a, env: {VIRTUAL_HOST: b.example.com}, proxy: {hosts: [a.example.com], port: 80, path: /}}}"#,
        "speaks to a proxy",
    ),
    ("labels of ownership", "services: {web: {image: a, labels: {reconcile.app: b}}}", "is reserved"),
    (
        "labels of Compose",
        "services: {web: {image: a, labels: {com.docker.compose.project: b}}}",
        "is reserved for Docker",
    ),
    (
        "labels of Podman",
        "services: {web: {image: a, labels: {io.containers.autoupdate: b}}}",
        "is reserved for Podman",
    ),
    ("labels of a network", "services: {web: {image: a}}\nnetworks: {d: {labels: {reconcile.app: b}}}", "is reserved"),
    ("labels of a volume", "services: {web: {image: a}}\nvolumes: {d: {labels: {com.docker.x: b}}}", "is reserved"),
    ("an escape in a value", "services: {web: {image: a, env: {A: \"\\u001b[31m\"}}}", "U+001B"),
    ("a turned direction", "services: {web: {image: a, env: {A: \"\\u202e\"}}}", "U+202E"),
    ("a turned direction, raw", "services: {web: {image: a, env: {A: \u{202e}x}}}", "U+202E"),
    ("an escape in a label's name", "services: {web: {image: a, labels: {\"a\\u0007\": x}}}", "U+0007"),
    ("a base outside", "extends: ../../etc/passwd\nservices: {web: {image: a}}", "etc/passwd"),
    (
        "an internal service that publishes",
        "services: {web: {image: a, internal_only: true, ports: [\"80:80\"]}}",
        "is `internal_only`",
    ),
    (
        "an internal service on the host's network",
        "services: {web: {image: a, internal_only: true, network_mode: host}}",
        "is `internal_only`",
    ),
    (
        "an internal service among others",
        "services: {web: {image: a, internal_only: true, networks: [s]}}\nnetworks: {s: {external: true}}",
        "is `internal_only`",
    ),
    (
        "a port beside another's network",
        "services: {web: {image: a, ports: [\"80:80\"], network_mode: \"service:b\"}, b: {image: a, internal_only: true}}",
        "nothing can be published",
    ),
];
