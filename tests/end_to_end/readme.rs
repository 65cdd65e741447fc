//! What the README and the documents show of `environments/demo` is what the binary prints of it on an engine.

use crate::world::World;
use std::{fs, path::Path};

stories! {
    both:
        the_readme_shows_the_plan_that_is_printed;
    docker:
        the_rollback_page_shows_the_failed_push_that_is_printed;
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The first picture in a document: its first line, and the rest.
fn picture(document: &str) -> (String, String) {
    let text = read(document);
    let shown = text.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a picture");
    parts(shown)
}

fn parts(text: &str) -> (String, String) {
    let (first, rest) = text.trim().split_once('\n').expect("more than a line");
    (first.to_owned(), rest.to_owned())
}

/// The demo has converged; then one word of it is another.
fn demo_with(world: &World, word: &str, other: &str) {
    let manifest = read("environments/demo/web.yaml");
    world.push("web", &manifest);
    world.converge();
    let changed = manifest.replace(word, other);
    assert_ne!(changed, manifest);
    world.push("web", &changed);
}

fn the_readme_shows_the_plan_that_is_printed(world: &World) {
    demo_with(world, "GREETING: hello", "GREETING: good morning");
    let (shown, printed) = (picture("README.md"), parts(&world.run(&["--dry-run"]).expect(0).stdout));
    assert_eq!(printed.1, shown.1, "printed, and shown in the README");
    assert_eq!(form(&printed.0), form(&shown.0), "printed, and shown in the README");
}

fn the_rollback_page_shows_the_failed_push_that_is_printed(world: &World) {
    demo_with(world, "httpd -f", "htpd -f");
    let printed = parts(&world.run(&[]).expect(1).stdout).1;
    let (first, rest) = picture("docs/rollback.md");
    // How often it died before somebody looked is chance.
    let told = |text: &str| {
        let text = text.replace(&world.name, "demo");
        let text = ["was restarted", "exited with 127"]
            .iter()
            .fold(text, |text, seen| text.replace(seen, "is being restarted"));
        let text = text.replace("` is being restarted", "` died and is being restarted");
        let mut lines: Vec<String> =
            without_digits(&text, "`demo-web-web-").lines().map(|line| line.trim_end().to_owned()).collect();
        lines.dedup();
        lines
    };
    assert_eq!(told(printed.trim()), told(&format!("{first}\n{rest}")), "printed, and shown in docs/rollback.md");
}

/// A container's name ends in digits that depend on the environment's name.
fn without_digits(text: &str, before: &str) -> String {
    let mut parts = text.split(before);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |whole, part| format!("{whole}{before}{}", &part[8..]))
}

/// The first line without what each host and repository says otherwise.
fn form(line: &str) -> Vec<&str> {
    let (words, commit) = line.rsplit_once("@sha1:").expect("a commit");
    assert!(commit.len() == 40 && commit.chars().all(|digit| digit.is_ascii_hexdigit()), "{line}");
    let words: Vec<&str> = words.split(' ').collect();
    let [engine, _version, at, _address, on, _host, _environment, from, source] = words.as_slice() else {
        panic!("{line}")
    };
    assert!(["docker", "podman"].contains(engine), "{line}");
    vec![at, on, from, source.rsplit_once('@').expect("a branch").1]
}
