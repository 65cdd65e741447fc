//! `validate`: of what it is asked, by which host file, and how it tells.

use crate::place::{Place, WEB};
use std::fs;

#[test]
fn validate_tells_every_error_with_its_place() {
    let place = Place::with_repository();
    place.write("environments/production/bad.yaml", "services:\n  web:\n    imag: bb:1\n    ports: [\"80:80x\"]\n");
    place.write("environments/production/old.yml", "");
    let said = place.run(&["validate"]).is(1);
    said.complains("environments/production/bad.yaml:3:5: ");
    said.complains("did you mean `image`?");
    said.complains("environments/production/bad.yaml:4:13: ");
    said.complains("rename it to `old.yaml`");
    let problems = place.run(&["validate", "--output", "json"]).is(1).json();
    assert_eq!((&problems[0]["line"], &problems[0]["column"]), (&3.into(), &5.into()), "{problems:#}");
    // Another file's errors are not those that were asked about.
    place.run(&["validate", WEB]).is(0);
    place.run(&["validate", "environments/production/bad.yaml"]).is(1);
    place.write("environments/_base/lonely.yaml", "servces: {}\n");
    place.run(&["validate", WEB]).is(0);
    place.run(&["validate", "environments/_base"]).is(1).complains("lonely.yaml:1:1");
    place.run(&["validate", "no/such/file.yaml"]).is(1).complains("no/such/file.yaml");
}

#[test]
fn validate_finds_the_manifests_wherever_they_are() {
    let manifest = "services: {web: {image: \"web:1\"}}\n";
    let place = Place::new();
    place.run(&["validate"]).is(1).complains("there are no manifests here");
    place.write("hosts/production/web.yaml", manifest);
    place.write("hosts/production/shop.yaml", "extends: ../_base/shop.yaml\n");
    place.write("hosts/_base/shop.yaml", manifest);
    place.write("hosts/staging/web.yaml", "servces: {}\n");
    // The folder of environments, one environment, one file: each by itself.
    place.run(&["validate", "hosts"]).is(1).complains("hosts/staging/web.yaml:1:1: ");
    assert_eq!(place.run(&["validate", "hosts/production"]).is(0).out, "2 valid apps.\n");
    assert_eq!(place.run(&["validate", "hosts/production/shop.yaml"]).is(0).out, "1 valid app.\n");
    let here = place.path("hosts/production");
    assert_eq!(place.run(&["validate", &here.display().to_string()]).is(0).out, "2 valid apps.\n");
    // The host file names the folder; a repository may hold the environments itself.
    place.write("host.yaml", "source: {path: hosts}\n");
    place.run(&["validate", "--config", "host.yaml"]).is(1).complains("hosts/staging/web.yaml:1:1: ");
    place.run(&["validate", "--policy", "host.yaml"]).is(1).complains("hosts/staging/web.yaml:1:1: ");
    let rooted = Place::new();
    rooted.write("production/web.yaml", manifest);
    rooted.write("_base/lonely.yaml", "servces: {}\n");
    rooted.run(&["validate"]).is(1).complains("_base/lonely.yaml:1:1: ");
    // A file alone, in a folder that is called like no environment.
    place.write("My Folder/web.yaml", "services: {web: {imag: \"web:1\"}}\n");
    place.run(&["validate", "My Folder/web.yaml"]).is(1).complains("My Folder/web.yaml:1:18: ");
    place.write("My Folder/web.yaml", manifest);
    place.run(&["validate", "My Folder/web.yaml"]).is(0);
    place.write("lone.yaml", "services: {web: {imag: \"web:1\"}}\n");
    let said = place.run(&["validate", "lone.yaml"]).is(1);
    assert!(said.err.starts_with("lone.yaml:1:18: "), "{}", said.err);
    // Where no environment is, what is misplaced is told all the same.
    let stray = Place::new();
    stray.write("environments/web.yaml", manifest);
    stray.run(&["validate"]).is(1).complains("stands in no environment");
}

#[test]
fn validate_goes_on_after_what_cannot_be_read() {
    let place = Place::with_repository();
    place.write("environments/production/bad.yaml", "servces: {}\n");
    place.write("environments/production/huge.yaml", &"# much\n".repeat(40_000));
    fs::write(place.path("environments/production/binary.yaml"), [0xff, 0xfe, 0, 1]).unwrap();
    std::os::unix::fs::symlink("web.yaml", place.path("environments/production/link.yaml")).unwrap();
    fs::create_dir_all(place.path("environments/production/sub/deep")).unwrap();
    std::os::unix::fs::symlink("/etc", place.path("environments/staging")).unwrap();
    let problems = place.run(&["validate", "--output", "json"]).is(1).json();
    let told: Vec<(String, String)> = problems
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["file"].as_str().unwrap().to_owned(), it["message"].as_str().unwrap().to_owned()))
        .collect();
    let says = |file: &str, words: &str| told.iter().any(|(at, said)| at.ends_with(file) && said.contains(words));
    assert!(says("production/bad.yaml", "servces"), "{told:#?}");
    assert!(says("production/huge.yaml", "280000 bytes long"), "{told:#?}");
    assert!(says("production/binary.yaml", "not UTF-8 text"), "{told:#?}");
    assert!(says("production/link.yaml", "a symbolic link"), "{told:#?}");
    assert!(says("environments/staging", "a symbolic link"), "{told:#?}");
    assert_eq!(told.len(), 5, "{told:#?}");
    let said = place.run(&["validate", "none.yaml", "environments/production/link.yaml", WEB]).is(1);
    said.complains("none.yaml:1:1: this is not readable (there is no such file)");
    said.complains("link.yaml:1:1: this is a symbolic link\n  hint: put the file itself here");
}

#[test]
fn validate_judges_by_a_host_files_policy() {
    let place = Place::with_repository();
    place.edit(WEB, "\"8080:80\"", "\"*:8080:80\"");
    place.run(&["validate"]).is(0);
    place.write("host.yaml", "policy: {publish: []}\n");
    let said = place.run(&["validate", "--policy", "host.yaml"]).is(1);
    said.complains(&format!("{WEB}:9:"));
    said.complains("policy.publish");
    said.complains("host.yaml:1:");
    let said = place.run(&["validate", "--policy", "host.yaml", "--output", "json"]).is(1);
    let told: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let denied = serde_json::json!({
        "environment": "production",
        "app": "web",
        "subject": "service/web",
        "field": "services.web.ports",
        "rule": "policy.publish",
        "message": "port 8080 of the host may not be published on 0.0.0.0",
        "allow": "publish: [\"0.0.0.0:8080\"]",
    });
    assert_eq!((&told[0]["file"], &told[0]["line"], &told[0]["denied"]), (&WEB.into(), &9.into(), &denied), "{told:#}");
    // Without a host file nothing is denied, and a problem of another kind has no such key.
    place.edit(WEB, "\"*:8080:80\"", "\"*:8080:x\"");
    let said = place.run(&["validate", "--policy", "host.yaml", "--output", "json"]).is(1);
    assert!(!said.out.contains("denied"), "{}", said.out);
    place.edit(WEB, "\"*:8080:x\"", "\"*:8080:80\"");
    place.write("host.yaml", "policy: {publish: [\"0.0.0.0:8080\", \"[::]:8080\"]}\n");
    place.run(&["validate", "--policy", "host.yaml"]).is(0);
    place.write("host.yaml", "polcy: {}\n");
    place.run(&["validate", "--policy", "host.yaml"]).is(1).complains("host.yaml:1:1");
}
