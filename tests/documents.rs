//! What the documents show is read by the very code that users run: manifests, host files and commands.

use reconcile::{
    cli::arguments,
    host::{self, DriverName},
    manifest,
    plan::{Cause, Interruption},
    proxy::ability::{Feature, TABLE},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// A fenced block of a document.
struct Block {
    place: String,
    /// `yaml`, `yaml host`, `console`.
    kind: String,
    text: String,
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: Vec<_> = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root.join(name)).into();
    let tasks = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    found.extend(tasks.filter(|path| path.extension().is_some_and(|ending| ending == "md")));
    found.sort();
    found
}

fn blocks(document: &Path) -> Vec<Block> {
    let text = fs::read_to_string(document).unwrap();
    let name = document.file_name().unwrap().to_string_lossy();
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (line, content) in text.lines().enumerate() {
        match (content.strip_prefix("```"), open.take()) {
            (Some(kind), None) => {
                open =
                    Some(Block { place: format!("{name}:{}", line + 1), kind: kind.to_owned(), text: String::new() });
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.text += content;
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{name}: a block stays open");
    blocks
}

#[test]
fn every_manifest_in_the_documents_is_valid() {
    let mut seen = 0;
    for document in documents() {
        let mut base = String::new();
        for block in blocks(&document) {
            let environment = match block.kind.as_str() {
                "yaml" => "production",
                "yaml staging" => "staging",
                _ => continue,
            };
            let path = format!("environments/{environment}/web.yaml");
            // A manifest that extends stands below the one it extends.
            let base_path = "environments/_base/web.yaml".to_owned();
            let files = BTreeMap::from([(path, block.text.clone()), (base_path, base)]);
            let loaded = manifest::load(&files, &environment.parse().unwrap(), "environments");
            for (app, result) in loaded.apps {
                assert!(result.is_ok(), "{}: {app}: {:#?}", block.place, result.err());
            }
            base = block.text;
            seen += 1;
        }
    }
    assert!(seen > 10, "only {seen} manifests were found");
}

#[test]
fn every_host_file_in_the_documents_is_valid() {
    let all = documents().iter().flat_map(|document| blocks(document)).collect::<Vec<_>>();
    let host_files: Vec<_> = all.iter().filter(|block| block.kind == "yaml host").collect();
    assert!(host_files.len() > 2);
    for block in host_files {
        let read = host::read("reconcile.yaml", &block.text);
        assert!(read.is_ok(), "{}: {:#?}", block.place, read.err());
    }
}

#[test]
fn every_command_in_the_documents_is_understood() {
    let mut seen = 0;
    for block in documents().iter().flat_map(|document| blocks(document)).filter(|block| block.kind == "console") {
        for command in block.text.lines().filter_map(|line| line.strip_prefix("$ reconcile")) {
            let words = std::iter::once("reconcile".to_owned()).chain(words(command));
            match arguments::parse(words.map(Into::into)) {
                Ok(arguments::Request::Run(_)) => seen += 1,
                Ok(arguments::Request::NotYet(name)) => panic!("{}: `{name}` is not supported yet", block.place),
                Err(error) => panic!("{}: {error}", block.place),
            }
        }
    }
    assert!(seen > 20, "only {seen} commands were found");
}

#[test]
fn the_page_on_plans_explains_every_word_of_a_plan() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reading-a-plan.md")).unwrap();
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let shown = page.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(readme.contains(shown), "the README's plan, which an engine printed, is another one");
    let cells = |word: &str| page.contains(&format!("\n| `{word}` |"));
    for mark in ["+", "+/-", "-/+", "~", "-", ">"] {
        assert!(cells(mark), "`{mark}` is not explained");
    }
    let words = [
        serde_json::to_value([
            Cause::Commit,
            Cause::Drift,
            Cause::Image,
            Cause::Secret,
            Cause::Rollback,
            Cause::Manual,
        ]),
        serde_json::to_value([Interruption::None, Interruption::Brief, Interruption::Stopped]),
    ];
    for word in words.into_iter().flat_map(|words| words.unwrap().as_array().unwrap().clone()) {
        assert!(cells(word.as_str().unwrap()), "{word} is not explained");
    }
}

#[test]
fn the_page_on_routes_tells_who_can_do_what() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/routes.md")).unwrap();
    let drivers = [DriverName::Nginx, DriverName::NginxProxy, DriverName::Caddy, DriverName::Traefik];
    for (feature, able) in TABLE {
        let asked = match feature {
            // Without a proxy there is no driver that could.
            Feature::Route => continue,
            Feature::H2c => "backend: h2c",
            Feature::UnverifiedHttps => "backend: https",
            Feature::RedirectFrom => "redirect_from",
            Feature::Timeouts => "timeouts",
            Feature::RateLimit => "rate_limit",
            Feature::Exempt => "rate_limit.exempt",
            Feature::BasicAuth => "basic_auth",
            Feature::Acme => "mode: acme",
            Feature::Internal => "mode: internal",
            Feature::Files => "mode: files",
            Feature::Modern => "policy: modern",
        };
        let row = page.lines().find(|line| line.starts_with(&format!("| `{asked}` | "))).expect(asked);
        let cells: Vec<&str> = row.trim_matches('|').split('|').skip(1).map(str::trim).collect();
        let expected: Vec<bool> = drivers.iter().map(|driver| able.contains(driver)).collect();
        assert_eq!(cells.iter().map(|cell| *cell != "–").collect::<Vec<_>>(), expected, "{row}");
    }
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            let there = file.is_empty() || file.contains("://") || document.parent().unwrap().join(file).exists();
            assert!(there, "{}: {link} leads nowhere", document.display());
        }
    }
}

/// The words of a command line: quotes keep spaces.
fn words(line: &str) -> Vec<String> {
    let line = line.split(" #").next().unwrap();
    let parts = line.split('"').enumerate();
    parts
        .flat_map(|(at, part)| {
            if at % 2 == 1 { vec![part.to_owned()] } else { part.split_whitespace().map(str::to_owned).collect() }
        })
        .collect()
}
