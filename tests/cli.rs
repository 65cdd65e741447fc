//! The real binary without an engine: words, exit codes, streams, and what is written where.

#[path = "cli/place.rs"]
mod place;
#[path = "cli/validating.rs"]
mod validating;

use place::{Place, Said, WEB};
use std::{fs, path::Path, process::Command};

#[test]
fn a_usage_error_exits_with_1_because_2_means_pending_changes() {
    let place = Place::new();
    place.run(&["--no-such-flag"]).is(1).complains("--no-such-flag");
    place.run(&["statsu"]).is(1).complains("status");
    place.run(&["--dry-run", "status"]).is(1).complains("belongs to converging");
    place.run(&["--detailed-exitcode"]).is(1).complains("--dry-run");
}

#[test]
fn help_and_version_are_results() {
    let place = Place::new();
    assert!(place.run(&["--help"]).is(0).out.contains("rollback"));
    assert!(place.run(&["rollback", "--help"]).is(0).out.contains("--until-commit"));
    assert!(place.run(&["--version"]).is(0).out.starts_with("reconcile "));
}

#[test]
fn what_is_not_built_yet_is_refused_by_name() {
    let place = Place::with_repository();
    for words in [vec!["diff", "web"], vec!["logs", "web", "-f"], vec!["stop", "web"], vec!["stop", "--help"]] {
        place.run(&words).is(1).complains(&format!("`{}` is not supported yet", words[0]));
    }
    place.run(&["--dry-run", "--out", "plan.json"]).is(1).complains("`--out` is not supported yet");
    place.run(&["--dry-run", "--explain"]).is(1).complains("`--explain` is not supported yet");
    assert!(!place.path("plan.json").exists());
}

#[test]
fn a_repository_that_init_made_is_valid() {
    let place = Place::new();
    let said = place.run(&["init", "--environment", "staging", "--app", "shop", "--output", "json"]).is(0);
    assert_eq!(said.json()["created"][0], "environments/staging/shop.yaml");
    assert!(place.run(&["validate"]).is(0).out.contains("1 valid app"));
    place.run(&["schema", "--check"]).is(0);
    for file in [".gitlab-ci.yml", ".github/workflows/preview.yml"] {
        let text = fs::read_to_string(place.path(file)).unwrap();
        assert!(text.contains("reconcile validate") && text.contains("--output markdown"), "{file}");
        let read: Result<serde_json::Value, _> = serde_yaml::from_str(&text);
        assert!(read.is_ok(), "{file}: {read:?}");
    }
    let patterns: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(place.path("renovate.json")).unwrap()).unwrap();
    assert!(patterns["docker-compose"]["managerFilePatterns"][0].as_str().unwrap().contains("environments"));
}

#[test]
fn init_never_overwrites_a_file() {
    let place = Place::new();
    place.write(".gitlab-ci.yml", "mine: true\n");
    place.write(WEB, "services: {}\n");
    let said = place.run(&["init"]).is(0);
    assert!(said.out.contains("kept .gitlab-ci.yml: it is there already"), "{}", said.out);
    assert_eq!(fs::read_to_string(place.path(".gitlab-ci.yml")).unwrap(), "mine: true\n");
    assert_eq!(fs::read_to_string(place.path(WEB)).unwrap(), "services: {}\n");
    assert!(place.path("renovate.json").exists());
}

#[test]
fn git_is_compared_with_git_without_an_engine() {
    let place = Place::with_repository();
    place.edit(WEB, "128m", "256m");
    place.edit(WEB, "nginx:1.28.0", "nginx:1.29.0");
    place.write("environments/staging/api.yaml", "services: {api: {image: \"api:1\"}}\n");
    place.commit("web: newer");
    let said = place.run(&["--dry-run", "--against", "HEAD~1", "--output", "json"]).is(0);
    let reports: Vec<serde_json::Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [production, staging] = reports.as_slice() else { panic!("{}", said.out) };
    let changes = &production["apps"][0]["changes"];
    assert_eq!(changes.as_array().unwrap().len(), 1, "{changes:#}");
    let change = &changes[0];
    assert_eq!((&change["resource"], &change["action"]), (&"service/web".into(), &"replace".into()));
    assert_eq!((&change["order"], &change["interruption"]), (&"stop-first".into(), &"brief".into()));
    let image = &change["fields"][0];
    assert_eq!((&image["before"], &image["after"]), (&"nginx:1.28.0".into(), &"nginx:1.29.0".into()));
    assert_eq!(staging["summary"]["create"], 2, "the service and its network: {staging:#}");
    place.run(&["--dry-run", "--against", "HEAD~1", "--detailed-exitcode"]).is(2);
    place.run(&["--dry-run", "--against", "HEAD", "--detailed-exitcode"]).is(0);
    assert!(!place.path("state").exists(), "a comparison wrote something");
}

#[test]
fn a_preview_without_an_engine_judges_the_policy_of_a_host_file_and_says_where_it_cannot() {
    let place = Place::with_repository();
    place.edit(WEB, "\"8080:80\"", "\"*:8080:80\"");
    place.commit("web: for everybody");
    let preview = ["--dry-run", "--against", "HEAD~1"];
    let unjudged = "no host policy was judged";
    assert_eq!(place.run(&preview).is(0).out.matches(unjudged).count(), 1);
    assert!(place.run(&[&preview[..], &["--output", "markdown"]].concat()).is(0).out.contains(unjudged));
    let said = place.run(&[&preview[..], &["--output", "json"]].concat()).is(0);
    said.complains(unjudged);
    assert_eq!(said.json()["apps"][0]["error"], serde_json::Value::Null);

    place.write("host.yaml", "policy:\n  publish: [\"10.8.0.1:*\"]\n");
    let judged = [&preview[..], &["--config", "host.yaml"]].concat();
    let said = place.run(&judged).is(1);
    assert!(said.out.contains(&format!("{WEB}:9:")) && said.out.contains("policy.publish"), "{}", said.out);
    assert!(said.out.contains("host.yaml:2:12") && !said.out.contains(unjudged), "{}", said.out);
    let report = place.run(&[&judged[..], &["--output", "json"]].concat()).is(1).json();
    let error = &report["apps"][0]["error"];
    assert_eq!((&error["blame"], &error["service"]), (&"world".into(), &"web".into()), "{report:#}");
    place.write("host.yaml", "policy: {publish: [\"0.0.0.0:8080\", \"[::]:8080\"]}\n");
    assert!(!place.run(&judged).is(0).out.contains(unjudged));
}

#[test]
fn a_name_that_nobody_has_is_an_error_and_not_in_sync() {
    let place = Place::with_repository();
    let preview = |words: &[&str]| place.run(&[&["--dry-run", "--against", "HEAD"], words].concat());
    let said = preview(&["--app", "wob"]).is(1);
    said.complains("there is no app `wob`");
    said.complains("did you mean `web`?");
    let said = preview(&["--environment", "prodution"]).is(1);
    said.complains("there is no environment `prodution`");
    said.complains("did you mean `production`?");
    assert_eq!(said.out, "");
    preview(&["--environment", "prodution", "--allow-empty"]).is(0);
    // Nothing was asked of a host, so nothing is said of its health.
    assert!(!preview(&["--app", "web"]).is(0).out.contains("Unknown"));
    // The engine is not even asked for a service that no manifest has.
    place.run(&["--dry-run", "--replace", "web/db"]).is(1).complains("there is no service of `web` called `db`");
}

#[test]
fn limits_alone_are_an_update_and_a_removed_app_is_deleted() {
    let place = Place::with_repository();
    place.edit(WEB, "128m", "256m");
    let said = place.run(&["--dry-run", "--against", "HEAD", "--worktree", "--output", "json"]).is(0);
    assert_eq!(said.json()["apps"][0]["changes"][0]["action"], "update");
    fs::remove_file(place.path(WEB)).unwrap();
    let said = place.run(&["--dry-run", "--against", "HEAD", "--worktree", "--output", "json"]).is(0);
    let report = said.json();
    let actions: Vec<_> = report["apps"][0]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (&change["resource"], &change["action"]))
        .collect();
    assert!(actions.contains(&(&"service/web".into(), &"delete".into())), "{actions:?}");
    assert!(!actions.iter().any(|(resource, _)| resource.as_str().unwrap().starts_with("volume/")), "{actions:?}");
}

#[test]
fn a_merge_requests_comment_says_what_is_invalid() {
    let place = Place::with_repository();
    place.edit(WEB, "mem_limit", "mem_limits");
    let said = place.run(&["--dry-run", "--against", "HEAD", "--worktree", "--output", "markdown"]).is(1);
    assert!(said.out.contains("**1 failed**") && said.out.contains(&format!("{WEB}:")), "{}", said.out);
    assert!(!said.out.contains('\u{1b}'));
    said.complains("mem_limits");
}

#[test]
fn an_engine_that_is_away_is_one_clear_error() {
    let place = Place::with_repository();
    let said = place.run(&["--dry-run"]).is(1);
    said.complains("no engine answers at `unix:///nobody/is/there.sock`");
    said.complains("hint: ");
    assert!(said.out.is_empty() && !place.path("state").exists());
}

#[test]
fn a_flag_wins_over_its_variable() {
    let place = Place::with_repository();
    let elsewhere = [("RECONCILE_SOURCE", "/nowhere"), ("RECONCILE_OUTPUT", "json")];
    place.run_with(&["--dry-run", "--against", "HEAD"], &elsewhere).is(1).complains("/nowhere");
    let said = place.run_with(&["--dry-run", "--against", "HEAD", "--source", "."], &elsewhere).is(0);
    assert_eq!(said.json()["environment"], "production");
    place.run_with(&["status"], &[("RECONCILE_ENVIRONMENT", "Not A Name")]).is(1).complains("Not A Name");
}

#[test]
fn an_empty_variable_says_nothing() {
    let place = Place::with_repository();
    let names = [
        "CONFIG",
        "SOURCE",
        "REF",
        "ENVIRONMENT",
        "ENGINE",
        "STATE_DIR",
        "OUTPUT",
        "LOG_FORMAT",
        "VERBOSE",
        "NO_COLOR",
    ];
    let names = names.map(|name| format!("RECONCILE_{name}"));
    let variables: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let said = place.run_with(&["--dry-run", "--against", "HEAD"], &variables).is(0);
    assert!(said.out.ends_with("In sync.\n"), "{}", said.out);
    place.run_with(&["history", "--state-dir", "state"], &variables).is(0);
}

#[test]
fn the_brakes_are_flags_only() {
    let help = Place::new().run(&["--help"]).out;
    for brake in ["ALLOW_EMPTY", "MAX_DELETES", "YES", "DRY_RUN"] {
        assert!(!help.contains(&format!("RECONCILE_{brake}")), "{brake} has a variable");
    }
}

#[test]
fn a_reader_of_the_errors_who_went_away_ends_nothing() {
    let place = Place::with_repository();
    place.write(WEB, "servces: {}\n");
    for (words, out) in [(&["validate"][..], "1 problem.\n"), (&["--no-such-flag"], ""), (&["status"], "")] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_reconcile"));
        command.current_dir(place.path(".")).args(words).env_clear().env("HOME", place.path(".")).stderr(writer);
        let said = Said::from(command.env("DOCKER_HOST", "unix:///nobody/is/there.sock").output().unwrap()).is(1);
        assert_eq!(said.out, out, "{words:?}");
    }
}

#[test]
fn environments_of_several_hosts_may_publish_the_same_port_and_those_of_one_may_not() {
    let place = Place::new();
    for environment in ["one", "two"] {
        let web = "services: {web: {image: \"web:1\", ports: [\"443:443\"]}}\n";
        place.write(&format!("environments/{environment}/web.yaml"), web);
    }
    place.run(&["validate"]).is(1).complains("environments/two/web.yaml:1:");
    place.write("host.yaml", "environments: [one]\n");
    place.run(&["validate", "--config", "host.yaml"]).is(0);
    place.write("host.yaml", "environments: [one, two]\n");
    place.run(&["validate", "--config", "host.yaml"]).is(1).complains("443");
}

#[test]
fn several_environments_want_one_named() {
    let place = Place::with_repository();
    place.write("environments/staging/web.yaml", "services: {web: {image: \"web:1\"}}\n");
    place.commit("web: staging");
    let said = place.run(&["history"]).is(1);
    said.complains("`production`, `staging`");
    said.complains("--environment");
    place.run(&["history", "--environment", "staging"]).is(0);
}

#[test]
fn a_wrong_host_file_stops_everything() {
    let place = Place::with_repository();
    place.write("host.yaml", "drift: sometimes\n");
    place.run(&["--config", "host.yaml", "history"]).is(1).complains("host.yaml:1:8");
    place.run(&["--config", "none.yaml", "history"]).is(1).complains("none.yaml");
}

#[test]
fn reading_makes_nothing_and_a_wish_is_recorded() {
    let place = Place::with_repository();
    assert_eq!(place.run(&["history", "--output", "json"]).is(0).json(), serde_json::json!([]));
    place.run(&["suspend", "wob"]).is(1).complains("did you mean `web`?");
    place.run(&["rollback", "web"]).is(1).complains("no stable revision");
    place.run(&["show", "web", "1"]).is(1).complains("has no revision 1");
    assert!(!place.path("state").exists());
    place
        .run(&["suspend", "web", "--for", "2h", "--reason", "a look"])
        .is(0)
        .complains("production/web is suspended until");
    place.run(&["suspend", "web", "--for", "soon"]).is(1).complains("soon");
    place.run(&["resume", "--all"]).is(0).complains("production/web follows the branch again");
    assert!(Path::new(&place.path("state")).join("state.db").exists());
}

#[test]
fn a_stale_generated_file_is_shown_with_the_command_that_writes_it() {
    let place = Place::with_repository();
    place.edit("schema/manifest.schema.json", "reconcile manifest", "old title");
    let said = place.run(&["schema", "--check"]).is(1);
    assert!(said.out.contains("old title") && said.out.contains("+"), "{}", said.out);
    said.complains("hint: reconcile schema --write");
    place.run(&["schema", "--write"]).is(0);
    place.run(&["schema", "--check"]).is(0);
    assert_eq!(
        place.run(&["schema"]).is(0).out,
        fs::read_to_string(place.path("schema/manifest.schema.json")).unwrap()
    );
}

#[test]
fn what_is_generated_in_this_repository_is_as_the_code_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (path, content) in reconcile::cli::documents() {
        let found = fs::read_to_string(root.join(path)).unwrap_or_default();
        let stale = reconcile::show::difference(path, &found, &content);
        assert!(stale.is_none(), "{}\nwrite it anew: cargo run -- schema --write", stale.unwrap_or_default());
    }
}
