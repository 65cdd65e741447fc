//! The line, once through: plan, converge, change, roll back, hold, resume, remove.

use crate::world::{SLEEPER, World, app};
use std::collections::BTreeSet;

stories! {
    both:
        a_plan_tells_what_converging_then_does,
        only_the_changed_service_is_replaced_and_its_field_is_named,
        a_rollback_is_held_until_resume,
        an_app_that_left_the_repository_goes_and_its_volume_stays;
    docker:
        the_first_line_of_a_plan_names_engine_and_revision,
        an_emptied_environment_is_kept_until_it_is_said_otherwise,
        an_app_whose_file_is_misplaced_stays_and_the_file_is_named,
        a_suspended_app_is_left_as_it_is,
        apps_fail_and_succeed_each_for_itself;
}

fn two_services(greeting: &str) -> String {
    format!(
        r#"
volumes: {{data: {{}}}}
services:
  store:
    image: bb:1
    command: {SLEEPER}
    volumes: ["data:/data"]
    rollout: {{min_healthy_time: 0s}}
  web:
    image: bb:1
    command: [sh, -c, "mkdir -p /www; echo $GREETING > /www/index.html; exec httpd -f -p 8080 -h /www"]
    env: {{GREETING: {greeting}}}
    depends_on: {{store: {{condition: service_started}}}}
    healthcheck: {{http: {{path: /index.html, port: 8080}}, interval: 1s}}
    stop_grace_period: 1s
    rollout: {{drain: 0s, healthy_deadline: 30s}}
"#
    )
}

fn an_app_whose_file_is_misplaced_stays_and_the_file_is_named(world: &World) {
    for name in ["api", "shop", "web"] {
        world.app(name, &sleeper());
    }
    world.commit("three apps");
    world.converge();
    let shop = world.one("shop", "one");
    let file = |ending: &str| format!("environments/{}/shop.{ending}", world.name);
    world.git(&["mv", &file("yaml"), &file("yml")]);
    world.commit("shop: renamed by mistake");
    let report = app(&world.fails().json(), "shop").clone();
    let (summary, hint) = (report["error"]["summary"].to_string(), report["error"]["hint"].to_string());
    assert!(summary.contains(&file("yml")) && summary.contains("nothing is removed"), "{report:#}");
    assert!(hint.contains("rename it to `shop.yaml`") && hint.contains("--max-deletes 1"), "{report:#}");
    assert_eq!(world.one("shop", "one"), shop, "the app was removed");
    // Whoever means it says so.
    world.run(&["--max-deletes", "1"]).expect(1);
    assert_eq!(world.running("shop", "one"), Vec::<String>::new());
}

fn sleeper() -> String {
    format!("services: {{one: {{image: bb:1, command: {SLEEPER}, rollout: {{min_healthy_time: 0s}}}}}}\n")
}

fn a_plan_tells_what_converging_then_does(world: &World) {
    world.push("web", &two_services("one"));
    let plan = world.run(&["--dry-run", "--detailed-exitcode", "--output", "json"]).expect(2).json();
    assert_eq!(plan["status"], "OutOfSync");
    assert_eq!(plan["revision"], format!("main@sha1:{}", world.git(&["rev-parse", "HEAD"])));
    assert_eq!(app(&plan, "web")["outcome"], serde_json::Value::Null);
    assert_eq!(world.everything(), Vec::<String>::new(), "a dry run made a container");
    assert!(!world.state().exists(), "a dry run wrote its state");

    let done = world.converge().json();
    assert_eq!(app(&done, "web")["outcome"], "Succeeded", "{done:#}");
    assert_eq!(app(&done, "web")["changes"], app(&plan, "web")["changes"], "other changes than the plan told");
    assert_eq!(world.answer("web", "web"), "one");

    world.run(&["--dry-run", "--detailed-exitcode"]).expect(0).says("In sync.");
    world.run(&["--dry-run", "--app", "wob"]).expect(1).says("there is no app `wob`").says("did you mean `web`?");
    let nobodys = format!("{}-x", world.name);
    world.run_in(&nobodys, &["--dry-run"]).expect(1).says(&format!("there is no environment `{nobodys}`"));
    world.is_synced();
}

fn only_the_changed_service_is_replaced_and_its_field_is_named(world: &World) {
    world.push("web", &two_services("one"));
    world.converge();
    let store = world.one("web", "store");

    world.push("web", &two_services("two"));
    let plan = world.plan();
    let changes = &app(&plan, "web")["changes"];
    assert_eq!(world.changes(), ["service/web replace commit"]);
    let wanted = serde_json::json!({"path": "services.web.env.GREETING", "before": "one", "after": "two"});
    assert!(changes[0]["fields"].as_array().unwrap().contains(&wanted), "{changes:#}");
    assert_eq!(changes[0]["order"], "start-first");

    world.converge();
    assert_eq!(world.answer("web", "web"), "two");
    assert_eq!(world.one("web", "store"), store, "the untouched service has another container");
    world.is_synced();

    world.commit("nothing that touches the app");
    assert_eq!(world.changes(), Vec::<String>::new());
}

fn a_rollback_is_held_until_resume(world: &World) {
    world.push("web", &two_services("one"));
    world.converge();
    world.push("web", &two_services("two"));
    world.converge();

    let look = world.run(&["rollback", "web", "--dry-run", "--output", "json"]).expect(0).json();
    assert_eq!(app(&look, "web")["changes"][0]["cause"], "rollback", "{look:#}");
    assert_eq!(world.answer("web", "web"), "two", "a dry run rolled back");

    world.run(&["rollback", "web"]).expect(0);
    assert_eq!(world.answer("web", "web"), "one");
    let held = world.converge().json();
    assert_eq!(world.answer("web", "web"), "one", "a pass left the hold");
    assert_eq!(app(&held, "web")["held"]["revision"], 1, "{held:#}");
    assert_eq!(app(&held, "web")["status"], "OutOfSync");

    world.run(&["resume", "web"]).expect(0);
    world.converge();
    assert_eq!(world.answer("web", "web"), "two");

    let history = world.run(&["history", "web", "--output", "json"]).expect(0).json();
    let entries = history.as_array().unwrap();
    let numbers: Vec<_> = entries.iter().map(|entry| entry["number"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a > b) && numbers.len() >= 3, "newest first: {history:#}");
    let causes: BTreeSet<_> = entries.iter().map(|entry| entry["cause"].as_str().unwrap()).collect();
    assert!(causes.contains("commit") && causes.contains("rollback"), "{history:#}");
}

fn an_app_that_left_the_repository_goes_and_its_volume_stays(world: &World) {
    world.app("web", &two_services("one"));
    world.app("two", &sleeper());
    world.app("three", &sleeper());
    world.commit("three apps");
    world.converge();

    world.git(&["rm", "-q", &format!("environments/{}/web.yaml", world.name)]);
    world.commit("web is gone");
    let deletes = world.changes();
    assert!(deletes.iter().all(|change| change.contains(" delete ")) && !deletes.is_empty(), "{deletes:?}");
    world.converge();
    assert_eq!(world.running("web", "web").len() + world.running("web", "store").len(), 0);
    assert_eq!((world.running("two", "one").len(), world.running("three", "one").len()), (1, 1));
    let volume = world.engine.ask(&["volume", "ls", "-q", "--filter", &format!("name={}-web_data", world.name)]);
    assert_eq!(volume, format!("{}-web_data", world.name), "a volume was removed");
}

fn the_first_line_of_a_plan_names_engine_and_revision(world: &World) {
    world.push("web", &sleeper());
    let plan = world.run(&["--dry-run"]).expect(0);
    let first = plan.stdout.lines().next().unwrap_or_default().to_lowercase();
    let revision = world.git(&["rev-parse", "HEAD"]);
    assert!(first.contains("docker") && first.contains("main@sha1:") && first.contains(&revision[..7]), "{first}");
    assert!(plan.stdout.contains("Plan: 2 to create, 0 to replace, 0 to delete."), "{}", plan.stdout);
}

fn an_emptied_environment_is_kept_until_it_is_said_otherwise(world: &World) {
    world.app("two", &sleeper());
    world.app("three", &sleeper());
    world.commit("two apps");
    world.converge();
    world.git(&["rm", "-qr", "environments"]);
    world.commit("all gone");
    world.run(&[]).expect(1).says("--allow-empty");
    assert_eq!((world.running("two", "one").len(), world.running("three", "one").len()), (1, 1));
    world.run(&["--allow-empty"]).expect(0);
    assert_eq!(world.everything(), Vec::<String>::new());
}

fn a_suspended_app_is_left_as_it_is(world: &World) {
    world.push("web", &two_services("one"));
    world.converge();
    world.run(&["suspend", "web", "--reason", "a look at it"]).expect(0);
    world.push("web", &two_services("two"));
    world.converge();
    assert_eq!(world.answer("web", "web"), "one");
    world.run(&["status"]).expect(0).says("a look at it");
    world.run(&["resume", "web"]).expect(0);
    world.converge();
    assert_eq!(world.answer("web", "web"), "two");
}

fn apps_fail_and_succeed_each_for_itself(world: &World) {
    world.app("good", &sleeper());
    world.app("bad", &sleeper().replace("bb:1", "bb:404"));
    world.commit("one of two is good");
    let report = world.fails().json();
    assert_eq!(app(&report, "good")["outcome"], "Succeeded", "{report:#}");
    assert_eq!(app(&report, "bad")["outcome"], "Blocked", "{report:#}");
    assert_eq!(app(&report, "bad")["error"]["blame"], "world", "{report:#}");
    assert_eq!(world.running("good", "one").len(), 1);
}
