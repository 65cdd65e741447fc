//! The schema as people meet it: a real `yaml-language-server` marks, explains and completes manifests.
//!
//! `scripts/editor-server` puts the server into `target/`.

#[path = "editor/server.rs"]
mod server;

use serde_json::Value as Json;
use server::{Mark, Server};
use std::{
    fs,
    path::{Path, PathBuf},
};

const MODELINE: &str = "# yaml-language-server: $schema=../../schema/manifest.schema.json\n";

fn server() -> Server {
    Server::start(&[
        ("schema/manifest.schema.json", reconcile::manifest::schema()),
        ("schema/host.schema.json", reconcile::host::schema()),
    ])
}

/// A manifest whose last line is wrong on purpose: when that is marked, all of it has been judged.
fn with_a_known_mistake(text: &str) -> (String, u64) {
    let text = format!("{}\nno_key_of_a_manifest: 1\n", text.trim_end());
    let last = text.lines().count() as u64;
    (text, last)
}

fn marks_of_right(server: &mut Server, name: &str, text: &str) -> Vec<Mark> {
    let (text, last) = with_a_known_mistake(text);
    let mut marks = server.marks(name, &text);
    assert!(marks.iter().any(|mark| mark.line == last), "{name}: the known mistake is not marked: {marks:?}");
    marks.retain(|mark| mark.line != last);
    marks
}

const WHOLE: &str = "\
networks: {backend: {internal: true}, shared: {external: true, name: shared}}
volumes: {pgdata: {}, old: {external: true, name: gondulf_data}}
services:
  gateway:
    image: registry.example.com/gateway:1.4.2
    command: [serve]
    env: {LOG_FORMAT: json, PORT: 8000, DEBUG: false}
    networks: [backend, shared]
    ports: [\"8000:8000\"]
    depends_on: {postgres: {condition: service_healthy}}
    healthcheck: {http: {path: /healthz, port: 8000}, interval: 5s}
    restart: unless-stopped
    mem_limit: 512m
    read_only: true
    rollout: {healthy_deadline: 5m}
  postgres:
    image: postgres:16
    volumes: [\"pgdata:/data\"]
    networks: {backend: {aliases: [db]}}
    healthcheck: {test: [CMD, pg_isready], retries: 3}
    internal_only: true
jobs:
  migrate: {service: gateway, command: [alembic, upgrade, head], when: pre_sync, timeout: 10m}
sync: {prune: true}
";

#[test]
fn a_right_manifest_has_no_marks() {
    let mut server = server();
    assert_eq!(marks_of_right(&mut server, "environments/production/gateway.yaml", &format!("{MODELINE}{WHOLE}")), []);
    let above = "extends: ../_base/gateway.yaml\nservices: {gateway: {image: app:2, mem_limit: null}}\n";
    assert_eq!(marks_of_right(&mut server, "environments/production/other.yaml", &format!("{MODELINE}{above}")), []);
}

#[test]
fn mistakes_are_marked_at_their_line() {
    let table = [
        ("imgae: a", "imgae"),
        ("port: [\"80:80\"]", "port"),
        ("restart: sometimes", "pattern"),
        ("read_only: \"yes please\"", "boolean"),
        ("mem_limit: a lot", "pattern"),
        ("ports: {8000: 8000}", "array"),
        ("healthcheck: {http: {path: /, prot: 80}}", "prot"),
        ("build: .", "build"),
        ("deploy: {replicas: 2}", "deploy"),
        ("depends_on: {db: {condition: healthy}}", "service_healthy"),
    ];
    let mut server = server();
    for (index, (line, word)) in table.into_iter().enumerate() {
        let text =
            format!("{MODELINE}services:\n  web:\n    image: a:1\n    {line}\n    user: app\n  db:\n    image: b:1\n");
        let marks = server.marks(&format!("environments/production/wrong{index}.yaml"), &text);
        assert!(!marks.is_empty(), "`{line}` is not marked");
        for mark in &marks {
            assert_eq!(mark.line, 5, "`{line}`: {marks:?}");
        }
        let told: String = marks.iter().map(|mark| mark.message.to_lowercase()).collect();
        assert!(told.contains(word), "`{line}`: `{word}` is not told: {marks:?}");
    }
}

#[test]
fn words_that_are_not_supported_are_marked_with_what_to_do() {
    let mut server = server();
    let text = format!("{MODELINE}version: \"3\"\nservices: {{web: {{image: a:1}}}}\n");
    let marks = server.marks("environments/production/web.yaml", &text);
    let told = |line: u64| marks.iter().find(|mark| mark.line == line).map(|mark| mark.message.as_str());
    assert!(told(2).is_some_and(|text| text.contains("version")), "{marks:?}");
    assert_eq!(marks.len(), 1, "{marks:?}");
}

#[test]
fn hovering_over_a_key_says_what_it_means() {
    let mut server = server();
    let name = "environments/production/web.yaml";
    let text = format!("{MODELINE}services:\n  web:\n    image: a:1\n    stop_grace_period: 5s\n");
    server.open(name, &text);
    let schema = reconcile::manifest::schema();
    for (line, column, key) in [(4, 6, "image"), (5, 10, "stop_grace_period")] {
        let path = format!("/properties/services/additionalProperties/properties/{key}/description");
        let description = schema.pointer(&path).and_then(Json::as_str).expect(key);
        let first_words = description.split(['`', '.', '_', '*']).next().unwrap();
        let told = server.hover(name, line, column);
        assert!(told.contains(first_words), "{key}: {told}");
    }
}

#[test]
fn completion_offers_the_keys_of_a_service_and_none_that_is_refused() {
    let mut server = server();
    let name = "environments/production/web.yaml";
    server.open(name, &format!("{MODELINE}services:\n  web:\n    image: a:1\n    \n"));
    let offered = server.completion(name, 5, 5);
    for key in ["healthcheck", "depends_on", "ports", "env", "rollout"] {
        assert!(offered.contains(&key.to_owned()), "`{key}` is not offered: {offered:?}");
    }
    for key in ["image", "build", "deploy", "links"] {
        assert!(!offered.contains(&key.to_owned()), "`{key}` is offered: {offered:?}");
    }
}

#[test]
fn the_host_file_has_its_schema_too() {
    let mut server = server();
    let modeline = "# yaml-language-server: $schema=schema/host.schema.json\n";
    let right = "installation: blue\nparallel: 4\npolicy:\n  publish: [\"0.0.0.0:443\"]\n  data_roots: [/srv/data]\n";
    assert_eq!(marks_of_right(&mut server, "reconcile.yaml", &format!("{modeline}{right}")), []);
    let marks = server.marks("wrong.yaml", &format!("{modeline}drift: repair\npolicy:\n  publish: [443]\n"));
    assert_eq!(marks.iter().map(|mark| mark.line).collect::<Vec<_>>(), [4], "{marks:?}");
}

#[test]
fn our_own_environments_have_no_marks() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut manifests = Vec::new();
    let within = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        entries.map(|entry| entry.expect("an entry").path()).collect()
    };
    for folder in within(&root.join("environments")).into_iter().filter(|path| path.is_dir()) {
        manifests
            .extend(within(&folder).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "yaml")));
    }
    assert!(!manifests.is_empty());
    let mut server = server();
    for path in manifests {
        let name: PathBuf = path.strip_prefix(root).expect("below the root").to_owned();
        let text = fs::read_to_string(&path).expect("a text");
        assert!(text.contains(MODELINE.trim_end()), "{}: the line for editors is missing", name.display());
        let name = name.to_string_lossy().into_owned();
        assert_eq!(marks_of_right(&mut server, &name, &text), [], "{name}");
    }
}
