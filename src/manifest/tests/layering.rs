//! Files over files, services over services.

use super::{files, production, told};
use crate::manifest::{EnvironmentValue, load};
use crate::yaml::Node;

const BASE: &str = "\
networks: {backend: {internal: true}}
services:
  web:
    image: web:1
    env: {A: base, B: base}
    ports: ['80:80', '81:81']
    healthcheck: {tcp: {port: 80}}
";

fn layered(patch: &str) -> crate::manifest::App {
    let mut loaded = production(&[("environments/_base/web.yaml", BASE), ("environments/production/web.yaml", patch)]);
    assert_eq!(loaded.other, []);
    loaded.apps.remove("web").unwrap().unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn refused(texts: &[(&str, &str)]) -> Vec<String> {
    let problems = production(texts).apps.remove("web").unwrap().unwrap_err();
    problems.iter().map(|problem| format!("{}:{}", problem.place.file, told(problem))).collect()
}

#[test]
fn mappings_merge_lists_replace_and_null_removes() {
    let app = layered(
        "extends: ../_base/web.yaml\nservices:\n  web:\n    env: {B: own}\n    ports: ['90:90']\n    healthcheck: null\n",
    );
    let web = &app.manifest.services["web"];
    let env: Vec<String> = web.env.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    assert_eq!(env, ["A=base", "B=own"]);
    assert_eq!(web.ports.len(), 1);
    assert_eq!(web.healthcheck, None);
}

#[test]
fn every_value_keeps_the_place_it_was_written_at() {
    let app = layered("extends: ../_base/web.yaml\nservices:\n  web:\n    env: {B: own}\n");
    let place = |path: &[&str]| app.place(path).to_string();
    assert_eq!(place(&["services", "web", "env", "A"]), "environments/_base/web.yaml:5:14");
    assert_eq!(place(&["services", "web", "env", "B"]), "environments/production/web.yaml:4:14");
    assert_eq!(place(&["services", "web", "ports", "1"]), "environments/_base/web.yaml:6:22");
}

#[test]
fn an_error_in_the_base_is_told_there() {
    let base = BASE.replace("image: web:1", "image: Web:1");
    let said = refused(&[
        ("environments/_base/web.yaml", &base),
        ("environments/production/web.yaml", "extends: ../_base/web.yaml\nservices:\n  web: {networks: [backnd]}\n"),
    ]);
    assert_eq!(
        said,
        [
            "environments/_base/web.yaml:4:12: `Web:1` is not an image reference: a repository's name has no capital \
             letters (for example `nginx:1.27`)",
            "environments/production/web.yaml:3:20: network `backnd` is not declared (did you mean `backend`? else \
             declare it at the top of the app: `networks: {backnd: {}}`)",
        ]
    );
}

#[test]
fn a_service_extends_another_of_its_file_and_null_removes_there_too() {
    let app = layered(
        "extends: ../_base/web.yaml\nservices:\n  worker: {extends: {service: web}, ports: null, env: {A: null, C: own}}\n",
    );
    let worker = &app.manifest.services["worker"];
    assert_eq!(worker.image.to_string(), "web:1");
    assert_eq!(worker.ports, []);
    let env: Vec<String> = worker.env.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    assert_eq!(env, ["B=base", "C=own"]);
    assert_eq!(app.manifest.services["web"].ports.len(), 2);
}

#[test]
fn a_volume_or_network_with_nothing_after_it_is_one_with_defaults() {
    let app = layered(
        "extends: ../_base/web.yaml\nvolumes:\n  data:\nservices:\n  web: {volumes: ['data:/d'], networks: {backend: }}\n",
    );
    assert!(app.manifest.volumes.contains_key("data"));
    assert!(app.manifest.services["web"].networks.as_ref().unwrap().0.contains_key("backend"));
}

#[test]
fn what_cannot_be_extended_is_told_by_name() {
    let extends = |path: &str| format!("extends: {path}\nservices: {{}}\n");
    let said = refused(&[
        ("environments/production/web.yaml", &extends("../_base/wbe.yaml")),
        ("environments/_base/web.yaml", BASE),
    ]);
    assert_eq!(
        said,
        ["environments/production/web.yaml:1:10: `../_base/wbe.yaml` is not there: no file \
          `environments/_base/wbe.yaml` (did you mean `../_base/web.yaml`?)"]
    );
    for outside in ["../../secrets/web.yaml", "/etc/passwd", "https://example.com/web.yaml", "../../../x.yaml"] {
        let said = refused(&[("environments/production/web.yaml", &extends(outside)), ("secrets/web.yaml", BASE)]);
        let expected = format!("`{outside}` leaves `environments/`: a manifest extends only files in it");
        assert_eq!(said, [format!("environments/production/web.yaml:1:10: {expected}")]);
    }
    let said = refused(&[
        ("environments/production/web.yaml", &extends("../_base/a.yaml")),
        ("environments/_base/a.yaml", &extends("b.yaml")),
        ("environments/_base/b.yaml", &extends("./a.yaml")),
    ]);
    assert_eq!(
        said,
        ["environments/_base/b.yaml:1:10: files extend one another in a circle: `environments/_base/a.yaml` → \
          `environments/_base/b.yaml` → `environments/_base/a.yaml`"]
    );
}

#[test]
fn four_files_may_stand_below_one_another_and_not_five() {
    let chain = |length: usize| {
        let mut texts = vec![("environments/production/web.yaml".to_owned(), "extends: ../_base/1.yaml\n".to_owned())];
        for n in 1..length {
            texts.push((format!("environments/_base/{n}.yaml"), format!("extends: {}.yaml\n", n + 1)));
        }
        texts.push((format!("environments/_base/{length}.yaml"), BASE.to_owned()));
        load(&texts.into_iter().collect(), &"production".parse().unwrap(), "environments").apps.remove("web").unwrap()
    };
    assert!(chain(4).is_ok());
    let problems = chain(5).unwrap_err();
    assert_eq!(
        problems.iter().map(told).collect::<Vec<_>>(),
        ["1:10: more than 4 files extend one another: lay some of them together"]
    );
    assert_eq!(&*problems[0].place.file, "environments/_base/4.yaml");
}

#[test]
fn misplaced_files_are_told_what_to_do() {
    let loaded = production(&[
        ("README.md", "x"),
        ("environments/README.md", "x"),
        ("environments/web.yaml", "x"),
        ("environments/production/.hidden.yaml", "x"),
        ("environments/production/README.txt", "x"),
        ("environments/production/web.yml", "x"),
        ("environments/production/notes.txt", "x"),
        ("environments/production/eu/web.yaml", "x"),
        ("environments/production/Web.yaml", "x"),
        ("environments/staging/web.yml", "x"),
        ("environments/Test/web.yaml", "x"),
        ("environments/_base/web.yml", "x"),
        ("environments/_base/other.yaml", "services: {web: {imag: x}}"),
        ("secrets/a.yaml", "x"),
    ]);
    assert!(loaded.apps.is_empty());
    let said: Vec<String> =
        loaded.other.iter().map(|problem| format!("{}:{}", problem.place.file, told(problem))).collect();
    assert_eq!(
        said,
        [
            "environments/Test/web.yaml:1:1: `Test` is not an environment name: use a-z, 0-9, `-` and `_`, begin and end \
             with a letter or digit, at most 40 characters; rename the folder",
            "environments/_base/web.yml:1:1: manifests end in `.yaml`: rename it to `web.yaml`",
            "environments/production/Web.yaml:1:1: `Web` is not an app name: use a-z, 0-9, `-` and `_`, begin and end \
             with a letter or digit, at most 40 characters; rename the file",
            "environments/production/eu/web.yaml:1:1: an environment has no sub-folders: move it to \
             `environments/production/web.yaml`",
            "environments/production/notes.txt:1:1: `notes.txt` is no manifest: move it out of \
             `environments/production`",
            "environments/production/web.yml:1:1: manifests end in `.yaml`: rename it to `web.yaml`",
            "environments/web.yaml:1:1: `web.yaml` stands in no environment: move it to \
             `environments/<environment>/web.yaml`, or to another folder if it is no manifest",
            "environments/_base/other.yaml:1:18: unknown key `imag` in `services.web` (did you mean `image`?)",
        ]
    );
}

#[test]
fn the_folder_of_the_environments_may_have_another_name() {
    let texts = files(&[
        ("deploy/hosts/production/web.yaml", "extends: ../_base/web.yaml\n"),
        ("deploy/hosts/_base/web.yaml", BASE),
    ]);
    assert!(load(&texts, &"production".parse().unwrap(), "deploy/hosts").apps["web"].is_ok());
    let at_the_top = files(&[("production/web.yaml", BASE)]);
    assert!(load(&at_the_top, &"production".parse().unwrap(), "").apps["web"].is_ok());
}

/// Keeps `Node` in the signature of the room: the merged tree is what policy asks for places.
#[test]
fn the_merged_tree_has_no_extends_left() {
    let app = layered("extends: ../_base/web.yaml\nservices:\n  two: {extends: {service: web}, ports: ['1:1']}\n");
    let tree: &Node = &app.tree;
    assert_eq!(tree.get("extends"), None);
    assert_eq!(tree.get("services").and_then(|services| services.get("two")).and_then(|two| two.get("extends")), None);
}

/// The text of a variable that holds no secret.
fn text(value: &EnvironmentValue) -> &str {
    match value {
        EnvironmentValue::Text(text) => text,
        EnvironmentValue::Secret(_) | EnvironmentValue::Template(_) => panic!("{value:?}"),
    }
}
