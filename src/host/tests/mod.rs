use super::{Drift, Host, HostFile, read, schema};
use crate::{tls, yaml::Diagnostic};
use serde_json::{Value as Json, json};

mod proxy;
mod secret_files;
mod voice;

fn good(text: &str) -> Host {
    read("h.yaml", text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn bad(text: &str) -> String {
    read("h.yaml", text).expect_err(text).iter().map(Diagnostic::block).collect::<Vec<_>>().join("\n")
}

#[test]
fn nothing_written_means_the_defaults() {
    for text in ["", "# nothing yet\n\n", "{}"] {
        assert_eq!(good(text).settings, HostFile::default(), "{text:?}");
    }
    let defaults = serde_json::to_value(HostFile::default()).unwrap();
    let expected = json!({"installation": "default",
        "source": {"url": null, "branch": null, "path": "environments", "poll": "1m",
            "ssh": {"key": null, "known_hosts": null}, "token_file": null,
            "verify": {"mode": "off", "allowed_signers": null}}, "environments": [], "engine": null,
        "state_dir": null, "parallel": 8, "drift": "repair", "prune": true, "max_deletes": 10,
        "retain": {"revisions": 20, "images": 3},
        "secrets": {"dir": null, "age_identity": null, "key_file": null, "on_disk": false},
        "registries": {},
        "policy": {"publish": [], "data_roots": [], "never_expose": [], "registries": [], "require_digest": false,
            "secret_env": false, "cap_add": [], "privileged": [], "devices": [], "network_mode_host": [], "engine_socket": [],
            "hosts": {}},
        "proxy": {"driver": "none", "trusted_proxies": [], "listen": {"http": 80, "https": 443}},
        "acme": {"email": null, "directory": null, "ca_file": null, "preflight": null}, "backup": {"repositories": {}},
        "listen": null, "webhook": {"secret_file": null}, "notify": []});
    assert_eq!(defaults, expected);
}

#[test]
fn every_setting_is_read() {
    let text = "\
installation: blue
source:
  url: ssh://git@example.com/ops/manifests.git
  branch: main
  path: deploy/environments
  poll: 5m
  ssh: {key: /etc/reconcile/id_ed25519, known_hosts: /etc/reconcile/known_hosts}
  token_file: /etc/reconcile/token
  verify: {mode: strict, allowed_signers: /etc/reconcile/allowed_signers}
environments: [production, staging]
engine: unix:///run/podman/podman.sock
state_dir: /srv/state
parallel: 4
drift: report
prune: false
max_deletes: 0
retain: {revisions: 5, images: 1}
acme: {email: ops@example.com, directory: staging, ca_file: /etc/reconcile/ca.pem, preflight: \"127.0.0.1:80\"}
secrets: {dir: /srv/secrets, age_identity: /etc/reconcile/age.key, key_file: /srv/host.key}
policy:
  publish: [\"0.0.0.0:443\", \"10.8.0.1:*\", \"[::]:443\"]
  data_roots: [/srv/data, /srv/conf:ro]
  never_expose: [gateway/ollama, production/gateway/postgres]
  registries: [registry.example.com/team/*, nginx]
  require_digest: true
  cap_add: [NET_ADMIN, vpn/wireguard]
  privileged: [monitoring/agent]
  devices: [gateway/ollama]
  network_mode_host: [monitoring/agent]
  engine_socket: [proxy/companion]
";
    let settings = good(text).settings;
    assert_eq!((settings.drift, settings.parallel.get()), (Drift::Report, 4));
    let source = serde_json::to_value(&settings.source).unwrap();
    assert_eq!((&source["poll"], &source["verify"]["mode"]), (&json!("5m"), &json!("strict")));
    assert_eq!(source["ssh"]["known_hosts"], "/etc/reconcile/known_hosts");
    let acme = tls::Settings::from(&settings.acme);
    assert_eq!(acme.directory, "https://acme-staging-v02.api.letsencrypt.org/directory");
    assert_eq!((acme.email.as_deref(), acme.preflight), (Some("ops@example.com"), Some(([127, 0, 0, 1], 80).into())));
    assert_eq!(acme.ca_file, Some("/etc/reconcile/ca.pem".into()));
    let usual = tls::Settings::from(&HostFile::default().acme);
    assert_eq!((usual.directory.as_str(), usual.email), ("https://acme-v02.api.letsencrypt.org/directory", None));
    let policy = serde_json::to_value(&settings.policy).unwrap();
    assert_eq!(policy["publish"], json!(["0.0.0.0:443", "10.8.0.1:*", "[::]:443"]));
    assert_eq!(policy["registries"], json!(["registry.example.com/team/*", "docker.io/library/nginx"]));
    assert_eq!(policy["cap_add"], json!(["NET_ADMIN", "vpn/wireguard"]));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let table = [
        ("instalation: a\n", "h.yaml:1:1: unknown key `instalation`\n  hint: did you mean `installation`?"),
        ("drift: repare\n", "h.yaml:1:8: `repare` is none of `repair`, `report`\n  hint: did you mean `repair`?"),
        (
            "parallel: 0\n",
            "h.yaml:1:11: `0` is out of range: expected a whole number (Parallel calls) from 1 to 64\n  \
          hint: for example `8`",
        ),
        (
            "state_dir: state\n",
            "h.yaml:1:12: `state` is not an absolute path: a path begins with `/`\n  \
          hint: for example `/var/lib/reconcile`",
        ),
        (
            "policy: {publish: [443]}\n",
            "h.yaml:1:20: `443` is not an address and port: write `address:port`, as in \
          `0.0.0.0:443`, `10.8.0.1:*` or `[::]:443`\n  hint: for example `\"0.0.0.0:443\"`",
        ),
        (
            "policy: {privileged: [agent]}\n",
            "h.yaml:1:23: `agent` is not a service of an app: write `app/service` or \
          `environment/app/service`\n  hint: for example `gateway/ollama`",
        ),
        (
            "source: {url: \"ssh://git@example.com/m.git\"}\n",
            "h.yaml:1:9: `ssh://git@example.com/m.git` is asked over ssh, and `source.ssh.known_hosts` is not set\n  hint: \
          name a file with the server's key, as in `known_hosts: /etc/reconcile/known_hosts`\n\
          h.yaml:1:9: `ssh://git@example.com/m.git` is asked over ssh, and `source.ssh.key` is not set\n  hint: name \
          the private half of a deploy key, as in `key: /etc/reconcile/id_ed25519`",
        ),
        (
            "source:\n  url: https://ann:hunter2@example.com/m.git\n",
            "h.yaml:2:8: `https://example.com/m.git` is refused as a source: it has a user, a password or a token in \
          it\n  hint: leave it out, put the token into a file (mode 0600) and name that with `source.token_file` in the \
          host file",
        ),
        (
            "source: {url: \"http://example.com/m.git\"}\n",
            "h.yaml:1:15: `http://example.com/m.git` is refused as a source: `http://` lets everyone on the way read \
          and change what is fetched\n  hint: write `https://`",
        ),
        (
            "source: {verify: {mode: head}}\n",
            "h.yaml:1:18: `verify.mode` wants signed commits, and `verify.allowed_signers` does not say whose\n  \
          hint: name a file with a line for each who may sign: `ann@example.com ssh-ed25519 AAAA…`",
        ),
        (
            "source: {verify: {mode: hed}}\n",
            "h.yaml:1:25: `hed` is none of `off`, `head`, `strict`\n  hint: did you mean `head`?",
        ),
        (
            "source: {poll: 100ms}\n",
            "h.yaml:1:16: `100ms` is too short a time between two looks\n  hint: write `1s` or more; a webhook makes it \
          look at once",
        ),
        (
            "source: {token_file: token}\n",
            "h.yaml:1:22: `token` is not an absolute path: a path begins with `/`\n  hint: for example \
          `/etc/reconcile/token`",
        ),
        (
            "source: {url: ./m.git}\n",
            "h.yaml:1:15: `./m.git` is not an absolute path\n  hint: write the path of a \
          repository on this machine, as in `/srv/git/manifests.git`",
        ),
        (
            "source: {path: ../environments}\n",
            "h.yaml:1:16: `../environments` leads out of the repository\n  hint: \
          write a folder within the repository, as in `environments`",
        ),
        (
            "registries: {https://registry.example.com: {username: ci, password_file: /etc/p}}\n",
            "h.yaml:1:14: `https://registry.example.com` is not a registry: write its host alone, without `https://` and path, \
          as in `registry.example.com:5000`\n  hint: for example `registry.example.com`",
        ),
        (
            "registries: {registry.example.com: {username: ci}}\n",
            "h.yaml:1:14: key `password_file` is missing in `registries.registry.example.com`: expected text (Password)\n  \
          hint: for example `/etc/reconcile/registry`",
        ),
        (
            "registries: {docker.io: {username: ci, password: hunter2}}\n",
            "h.yaml:1:14: key `password_file` is missing in `registries.docker.io`: expected text (Password)\n  hint: for \
          example `/etc/reconcile/registry`\nh.yaml:1:40: unknown key `password` in `registries.docker.io`\n  hint: valid \
          keys: `username`, `password_file`",
        ),
        (
            "acme: {directory: stagng}\n",
            "h.yaml:1:19: `stagng` is not the directory of an ACME authority: write `production` or `staging` for those of \
          Let's Encrypt, or a URL that begins with `https://`\n  hint: for example `staging`",
        ),
        (
            "backup: {repositories: {Off: {type: local, path: /srv/b}, nas: {type: s3}, usb: {type: local, path: b, mode: 1}}}\n",
            "h.yaml:1:25: `Off` is not a repository's name: use a-z, 0-9, `-` and `_`, begin and end with a letter or digit, \
          at most 40 characters\n  hint: for example `local`\nh.yaml:1:101: `b` is not an absolute path: a path begins \
          with `/`\n  hint: for example `/var/lib/reconcile/backups`\nh.yaml:1:104: unknown key `mode` in \
          `backup.repositories.usb`\n  hint: valid keys: `type`, `path`, `endpoint`, `region`, `bucket`, `prefix`, \
          `access_key_id`, `secret_access_key_file`",
        ),
        (
            "backup:\n  repositories:\n    away:\n      type: s3\n      path: /srv/b\n      endpoint: http://s3.example.com\n    usb: {type: local, bucket: abc}\n",
            "h.yaml:3:5: key `bucket` is missing in `backup.repositories.away`, which is `s3`\n  hint: write it, as in \
          `bucket: example-backups`\nh.yaml:3:5: key `access_key_id` is missing in `backup.repositories.away`, which is \
          `s3`\n  hint: write it, as in `access_key_id: AKIAIOSFODNN7EXAMPLE`\nh.yaml:3:5: key `secret_access_key_file` \
          is missing in `backup.repositories.away`, which is `s3`\n  hint: write it, as in `secret_access_key_file: \
          /etc/reconcile/s3-secret`\nh.yaml:5:7: `path` is of `local`, and this place is `s3`\n  hint: remove \
          it\nh.yaml:6:17: copies would travel in the clear\n  hint: write an `https://` URL\nh.yaml:7:5: key `path` is \
          missing in `backup.repositories.usb`, which is `local`\n  hint: write it, as in `path: \
          /var/lib/reconcile/backups`\nh.yaml:7:24: `bucket` is of `s3`, and this place is `local`\n  hint: remove it",
        ),
        (
            "engine: tcp://10.0.0.1:2375\n",
            "h.yaml:1:9: `tcp://10.0.0.1:2375` is no socket on this machine\n  hint: \
          write `unix://` and a path, as in `unix:///var/run/docker.sock`",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(bad(text), expected);
    }
}

#[test]
fn a_setting_knows_its_line() {
    let host = good("prune: true\npolicy:\n  require_digest: true\n  publish:\n    - \"0.0.0.0:443\"\n");
    let line = |path: &[&str]| host.place_of(path).map(|place| place.line);
    assert_eq!(line(&["policy", "publish"]), Some(5));
    assert_eq!(line(&["policy", "data_roots"]), Some(3));
    assert_eq!(Host::default().place_of(&["policy"]), None);
    assert_eq!(good("# empty\n").place_of(&["policy"]).map(|place| place.line), Some(1));
}

#[test]
fn the_schema_is_valid_and_says_something_of_every_setting() {
    let schema = schema();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    jsonschema::meta::validate(&schema).expect("a valid schema");
    let groups = std::iter::once(&schema).chain(schema["definitions"].as_object().unwrap().values());
    for (name, property) in groups.filter_map(|group| group["properties"].as_object()).flatten() {
        for word in ["title", "description", "examples"] {
            assert_ne!(property.get(word), None, "`{name}` has no {word}");
        }
    }
    let validator = jsonschema::validator_for(&schema).expect("a schema that compiles");
    let defaults = serde_json::to_value(HostFile::default()).unwrap();
    assert!(validator.is_valid(&defaults));
    assert!(!validator.is_valid(&json!({"proxy": {"driver": "apache"}})));
}

#[test]
fn every_example_of_the_schema_is_read() {
    let schema = schema();
    let sections = [
        (None, &schema),
        (Some("source"), &schema["definitions"]["Source"]),
        (Some("ssh"), &schema["definitions"]["Ssh"]),
        (Some("verify"), &schema["definitions"]["Verify"]),
        (Some("retain"), &schema["definitions"]["Retain"]),
        (Some("policy"), &schema["definitions"]["Policy"]),
        (Some("webhook"), &schema["definitions"]["Webhook"]),
        (Some("acme"), &schema["definitions"]["Acme"]),
        (Some("proxy"), &schema["definitions"]["Proxy"]),
    ];
    for (section, group) in sections {
        for (name, property) in group["properties"].as_object().unwrap() {
            for example in property["examples"].as_array().unwrap() {
                let mut entry = json!({name: example});
                // A mode without signers is refused.
                if section == Some("verify") {
                    entry["allowed_signers"] = json!("/etc/reconcile/allowed_signers");
                }
                // A setting is of one driver.
                if section == Some("proxy") && name != "driver" {
                    entry["driver"] = json!(match name.as_str() {
                        "admin" | "server" => "caddy",
                        "vhost_dir" | "htpasswd_dir" | "certs_dir" | "conf_dir" => "nginx-proxy",
                        "network" | "certresolver" | "entrypoints" => "traefik",
                        _ => "nginx",
                    });
                }
                let mut file: Json = match section {
                    None => entry,
                    Some(part @ ("ssh" | "verify")) => json!({"source": {part: entry}}),
                    Some(section) => json!({section: entry}),
                };
                // A webhook comes to where the tool listens.
                if file.get("webhook").is_some() {
                    file["listen"] = json!("127.0.0.1:9180");
                }
                good(&file.to_string());
            }
        }
    }
}
