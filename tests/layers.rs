//! The house has walls although it is one package: who may name whom is read from the sources here.

#[path = "layers/reading.rs"]
mod reading;

use reading::{SourceFile, sources};

/// Rooms without clock, disk, engine or runtime. `record/target.rs` is one file of a room that has effects.
const PURE: &[&str] = &[
    "backup/copy.rs",
    "backup/due.rs",
    "backup/retention.rs",
    "blame",
    "value",
    "yaml",
    "manifest",
    "desired",
    "observed",
    "plan",
    "policy",
    "proxy/ability.rs",
    "proxy/claim.rs",
    "proxy/nginx_proxy/files.rs",
    "proxy/nginx_proxy/rendered.rs",
    "proxy/nginx_proxy/words.rs",
    "proxy/traefik/mod.rs",
    "record/target.rs",
    "secret/sops",
];

/// What a pure room does not name.
const EFFECTS: &[&str] = &[
    "bollard",
    "crate::apply",
    "crate::closed_file",
    "crate::cli",
    "crate::engine",
    "crate::http1",
    "crate::observe",
    "crate::pass",
    "crate::probe",
    "crate::source",
    "futures_util",
    "git2",
    "hyper",
    "hyper_util",
    "jiff::Timestamp::now",
    "jiff::Zoned",
    "notify",
    "rand",
    "rusqlite",
    "rustix",
    "std::env",
    "std::fs",
    "std::io",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "tempfile",
    "tokio",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
];

/// Which room never names which others, with the design's reason.
const WALLS: &[(&str, &[&str])] = &[
    // Bytes at a commit: what they mean is not its business.
    ("source", &["crate::engine", "crate::manifest", "crate::desired", "crate::plan", "crate::yaml", "crate::record"]),
    ("manifest", &["crate::observed", "crate::plan", "crate::record", "crate::show", "crate::host"]),
    // Whether a file is fit to be read: what stands in it is not its business.
    ("closed_file", &["crate::host", "crate::registry", "crate::secret", "crate::source", "crate::value", "tokio"]),
    ("host", &["crate::engine", "crate::plan", "crate::apply", "crate::observe"]),
    ("policy", &["crate::plan", "crate::record", "crate::show"]),
    ("desired", &["crate::observed", "crate::plan", "crate::record", "crate::show"]),
    ("plan", &["crate::manifest", "crate::show", "crate::host"]),
    ("observe", &["crate::plan", "crate::apply", "crate::manifest"]),
    // A step says all that is to be done; nothing is looked up while doing it.
    ("apply", &["crate::manifest", "crate::source", "crate::cli", "git2"]),
    ("record", &["crate::engine", "crate::apply", "crate::observe", "crate::plan", "crate::pass"]),
    (
        "engine",
        &[
            "crate::manifest",
            "crate::host",
            "crate::plan",
            "crate::apply",
            "crate::pass",
            "crate::record",
            "crate::source",
            "crate::show",
            "crate::cli",
        ],
    ),
    ("probe", &["crate::plan", "crate::manifest", "crate::record"]),
    // Copies and their way: who asks containers for data, and when an app has its pass, is not its business.
    (
        "backup",
        &[
            "crate::apply",
            "crate::cli",
            "crate::engine",
            "crate::manifest",
            "crate::observe",
            "crate::observed",
            "crate::pass",
            "crate::plan",
            "crate::record",
            "crate::show",
            "crate::source",
        ],
    ),
    // One question on a connection: whose it is, and what it decides, is not its business.
    (
        "http1",
        &["crate::desired", "crate::engine", "crate::observe", "crate::observed", "crate::probe", "crate::proxy"],
    ),
    // What a proxy is told: when, and of which container, is not its business.
    ("proxy", &["crate::engine", "crate::plan", "crate::manifest", "crate::record", "crate::apply", "crate::observe"]),
    // Who opens a registry: what is fetched from it, and when, is not its business.
    (
        "registry",
        &[
            "crate::apply",
            "crate::desired",
            "crate::engine",
            "crate::manifest",
            "crate::observed",
            "crate::pass",
            "crate::plan",
            "crate::record",
            "std::process",
        ],
    ),
    ("show", &["crate::engine", "crate::apply", "crate::source", "crate::observe", "crate::pass", "tokio", "std::fs"]),
    // A value is handed to who asked for it; what is done with it is no business of its source.
    (
        "secret",
        &[
            "crate::apply",
            "crate::cli",
            "crate::engine",
            "crate::manifest",
            "crate::observe",
            "crate::pass",
            "crate::plan",
            "crate::record",
            "crate::show",
            "crate::source",
        ],
    ),
    // Names and what vouches for them: which proxy shows it, and when an app has its pass, is not its business.
    (
        "tls",
        &[
            "crate::apply",
            "crate::cli",
            "crate::desired",
            "crate::engine",
            "crate::host",
            "crate::manifest",
            "crate::observe",
            "crate::observed",
            "crate::pass",
            "crate::plan",
            "crate::record",
            "crate::secret",
            "crate::show",
            "crate::source",
            "std::process",
        ],
    ),
    ("server", TELLERS),
    ("notice", TELLERS),
    ("value", &["crate::manifest", "crate::desired", "crate::observed", "crate::record"]),
    ("yaml", &["crate::manifest", "crate::host", "crate::desired"]),
];

/// What those who only tell of passes have no hand in.
const TELLERS: &[&str] = &[
    "crate::apply",
    "crate::cli",
    "crate::engine",
    "crate::manifest",
    "crate::observe",
    "crate::pass",
    "crate::plan",
    "crate::record",
    "crate::source",
];

/// Plain words that may pass a wall.
const WORDS: &[(&str, &str)] = &[
    // The ledger keeps why a revision came to be, and which fields had drifted.
    ("record", "crate::plan::Cause"),
    ("record", "crate::plan::FieldChange"),
    // How a pass ended, and whether a change is drift: a report says it in these words.
    ("server", "crate::record::Outcome"),
    ("server", "crate::plan::Cause"),
    ("notice", "crate::record::Outcome"),
    ("notice", "crate::plan::Cause"),
    // What a container is for is written on it and read from it in the same words.
    ("desired", "crate::observed::Role"),
];

/// Libraries that only one room knows, so that another can take their place.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("aes_gcm", &["secret"]),
    ("age", &["secret"]),
    ("bollard", &["engine"]),
    ("clap", &["cli"]),
    // Who else needs the calendar asks a `Schedule`.
    ("croner", &["value"]),
    ("git2", &["source"]),
    ("ssh_key", &["source"]),
    ("flate2", &["backup"]),
    ("zstd", &["backup"]),
    ("indicatif", &["cli"]),
    ("lettre", &["notice"]),
    ("prometheus_client", &["server"]),
    ("reqwest", &["notice", "proxy", "tls"]),
    ("rusqlite", &["record", "backup/porter"]),
    ("instant_acme", &["tls"]),
    ("rcgen", &["tls"]),
    ("x509_parser", &["tls"]),
    // What others wrote is read by `yaml` alone; the ledger's documents are our own.
    ("serde_yaml", &["yaml", "record", "show"]),
    ("crate::engine", &["engine", "observe", "apply", "probe", "pass", "watch", "cli"]),
];

/// What else would be an ending, and is the one place for it: a number of libgit2 that only `unsafe` can set.
const ALLOWED: &[(&str, &str)] = &[("source/timeouts.rs", "unsafe {")];

/// Words that name nothing.
const EMPTY_NAMES: &[&str] = &["common", "helper", "helpers", "manager", "misc", "util", "utils"];

/// What ends the program instead of telling what is wrong.
const ENDINGS: &[&str] = &[
    ".unwrap()",
    ".expect(",
    "panic!(",
    "todo!(",
    "unimplemented!(",
    "unreachable!(",
    "unsafe ",
    // They panic where nobody reads any more, in the middle of a pass.
    "print!(",
    "println!(",
];

fn check(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn crossings(file: &SourceFile, forbidden: &[&str]) -> Vec<String> {
    let allowed = |path: &str| WORDS.iter().any(|(room, word)| file.is_in(room) && reading::names(path, word));
    file.paths()
        .into_iter()
        .filter(|(_, path)| forbidden.iter().any(|wall| reading::names(path, wall)) && !allowed(path))
        .map(|(line, path)| format!("{}:{line}: names `{path}`", file.path))
        .collect()
}

#[test]
fn pure_rooms_name_no_effects() {
    let pure = |file: &SourceFile| PURE.iter().any(|room| file.is_in(room));
    check(sources().iter().filter(|file| pure(file)).flat_map(|file| crossings(file, EFFECTS)).collect());
}

#[test]
fn rooms_name_only_whom_they_may() {
    let walls = WALLS.iter().flat_map(|(room, forbidden)| {
        sources()
            .into_iter()
            .filter(|file| file.is_in(room))
            .flat_map(|file| crossings(&file, forbidden))
            .collect::<Vec<_>>()
    });
    check(walls.collect());
}

#[test]
fn a_library_is_known_in_one_room() {
    let strangers = ONLY_IN.iter().flat_map(|(library, rooms)| {
        let elsewhere = |file: &SourceFile| !rooms.iter().any(|room| file.is_in(room));
        sources().into_iter().filter(elsewhere).flat_map(|file| crossings(&file, &[library])).collect::<Vec<_>>()
    });
    check(strangers.collect());
}

#[test]
fn every_wall_stands_around_a_room_that_is_there() {
    let sources = sources();
    let rooms =
        PURE.iter().chain(WALLS.iter().map(|(room, _)| room)).chain(ONLY_IN.iter().flat_map(|(_, rooms)| *rooms));
    let gone = rooms.filter(|room| !sources.iter().any(|file| file.is_in(room)));
    check(gone.map(|room| format!("there is no room `{room}`")).collect());
}

#[test]
fn files_are_short() {
    let mut lengths: Vec<_> = sources().iter().map(|file| (file.lines(), file.path.clone())).collect();
    lengths.sort();
    let median = lengths[lengths.len() / 2].0;
    assert!(median <= 200, "the median file has {median} lines");
    check(
        lengths.into_iter().filter(|(lines, _)| *lines > 500).map(|(n, path)| format!("{path}: {n} lines")).collect(),
    );
}

#[test]
fn names_say_something() {
    let empty = |file: &SourceFile| {
        file.path.trim_end_matches(".rs").split('/').any(|part| part.split('_').any(|word| EMPTY_NAMES.contains(&word)))
    };
    check(sources().into_iter().filter(empty).map(|file| format!("{}: says nothing", file.path)).collect());
}

#[test]
fn nothing_but_a_test_panics() {
    let endings = sources().into_iter().flat_map(|file| {
        let allowed = |code: &str| ALLOWED.iter().any(|(path, words)| file.path == *path && code.trim() == *words);
        let lines = file
            .code()
            .into_iter()
            .filter(|(_, code)| ENDINGS.iter().any(|ending| code.contains(ending)) && !allowed(code));
        lines.map(|(line, code)| format!("{}:{line}: {}", file.path, code.trim())).collect::<Vec<_>>()
    });
    check(endings.collect());
}
