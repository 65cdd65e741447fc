//! Volumes back as they were in a copy: what the app itself answers, and what is whole after whatever happens on the way.

use crate::world::{World, kills, until};
use std::{collections::BTreeSet, fs};

stories! {
    both:
        a_restored_volume_is_as_it_was_in_the_copy_and_what_was_there_is_a_copy_too,
        a_host_that_is_new_has_the_data_before_its_first_pass;
    docker_and_nightly_podman:
        an_app_that_is_not_well_with_other_files_has_its_old_ones_again,
        a_restore_of_files_that_is_killed_leaves_all_of_the_old_or_all_of_the_new,
        another_environment_takes_its_data_from_the_copies_of_this_one;
    docker:
        where_there_is_no_room_nothing_is_stopped;
}

/// Serves its volume.
const MANIFEST: &str = r#"
volumes: {files: {}}
services:
  app:
    image: bb:1
    user: "0"
    command: [sh, -c, "[ -e /www/index.html ] || echo first > /www/index.html; exec httpd -f -p 8080 -h /www"]
    volumes: ["files:/www"]
    healthcheck: {test: [CMD-SHELL, "test -e /www/index.html"], interval: 500ms, retries: 1}
    rollout: {healthy_deadline: 25s}
    stop_grace_period: 0s
backup:
  before_deploy: never
  items: [{name: files, type: volume, volume: files, exclude: ["tmp/**"]}]
"#;

impl World {
    fn with_files(&self) {
        self.push("shop", MANIFEST);
        self.converge();
        self.answers("shop", "app", "first");
    }

    fn sh(&self, line: &str) -> String {
        self.one("shop", "app").exec(&["sh", "-euc", line]).trim().to_owned()
    }

    fn kept_files(&self) -> String {
        let made = self.run(&["backup", "run", "shop", "--output", "json"]).expect(0).json();
        made[0]["copy"]["id"].as_str().unwrap().to_owned()
    }

    fn tree(&self) -> String {
        self.sh("cd /www; find . ! -path './tmp*' -exec stat -c '%n %F %a %u:%g %Y %s' {} + | sed 's,^. directory.*,.,' | sort; cat a/one; readlink link")
    }
}

fn a_restored_volume_is_as_it_was_in_the_copy_and_what_was_there_is_a_copy_too(world: &World) {
    world.with_files();
    world.sh(
        "cd /www; echo before > index.html; mkdir -p tmp a/b; echo cached > tmp/x; echo one > a/one; ln -s a/one link; \
         ln a/one a/twin; chown 33:44 a/one; chmod 4640 a/one; chmod 0555 a/b; touch -d @981173106 a/one a/b index.html; \
         touch -d @981173107 a; chmod 1750 .; chown 33:44 .",
    );
    let before = world.tree();
    let id = world.kept_files();
    world.sh("cd /www; echo after > index.html; rm -r a; mkdir a; echo two > a/two; echo new > new; chmod 0755 .");
    let shown = world.run(&["restore", "shop", "files", "--dry-run"]).expect(0);
    shown.says(&format!("copy `{id}` is right"));
    assert_eq!(world.answer("shop", "app"), "after");

    let told = world.run(&["restore", "shop", "files"]).expect(0);
    told.says(&format!("copy `{id}` is in place"));
    world.answers("shop", "app", "before");
    assert_eq!((world.tree(), world.sh("ls -A /www | sort | xargs")), (before, "a index.html link".to_owned()));
    assert_eq!(world.sh("stat -c '%a %u:%g' /www; stat -c %h /www/a/twin"), "1750 33:44\n2");
    world.is_synced();

    // And back to what was there, with what copies leave out.
    let listed = world.run_alone(&["backup", "list", "--output", "json"]).expect(0).json();
    let safety =
        listed.as_array().unwrap().iter().find(|listed| listed["copy"]["pinned"] == true).expect("a safety copy");
    let safety = safety["copy"]["id"].as_str().unwrap();
    told.says(&format!("what was there before is copy `{safety}`"));
    world.run(&["restore", "shop", "files", safety]).expect(0);
    world.answers("shop", "app", "after");
    assert_eq!(world.sh("cat /www/tmp/x /www/a/two /www/new; stat -c %a /www"), "cached\ntwo\nnew\n755");
}

fn an_app_that_is_not_well_with_other_files_has_its_old_ones_again(world: &World) {
    world.with_files();
    let broken = MANIFEST.replace("[ -e /www/index.html ] || echo first > /www/index.html; ", "");
    world.push("shop", &broken);
    world.converge();
    world.sh("mv /www/index.html /www/other");
    let bad = world.kept_files();
    world.sh("mv /www/other /www/index.html; echo good > /www/index.html; mkdir /www/more; echo x > /www/more/x");
    until("the app is well again", 60, || world.run(&["status", "--output", "json"]).stdout.contains("Healthy"));
    let told = world.run(&["restore", "shop", "files", &bad]).expect(1);
    told.says("the app was not well with copy").says("the old bytes are in place again");
    world.answers("shop", "app", "good");
    assert_eq!(world.sh("ls -A /www; cat /www/more/x"), "index.html\nmore\nx");
}

/// So many files that their names take a while to change, each with a word in it.
const MANY: &str = "cd /www; i=0; while [ $i -lt 3000 ]; do echo WORD > f$i; i=$((i+1)); done";

fn a_restore_of_files_that_is_killed_leaves_all_of_the_old_or_all_of_the_new(world: &World) {
    world.with_files();
    world.sh(&MANY.replace("WORD", "before"));
    world.kept_files();
    world.sh(&MANY.replace("WORD", "after"));
    let porters =
        || world.engine.ask(&["ps", "-aq", "--filter", &format!("label=reconcile.porter={0}/{0}/shop", world.name)]);
    let words = || world.sh("cd /www; ls | grep -c '^f[0-9]'; cat f* | sort -u; ls -A | grep -c reconcile || true");
    let mut found = BTreeSet::new();
    // Killed at different moments, by how many containers beside the volume there have been; and what goes on in one of them
    // with it, as when a host goes down.
    for moment in 1..=kills(4) {
        let mut started = world.start(&["restore", "shop", "files"]);
        let mut seen = BTreeSet::new();
        until("it is under way", 60, || {
            seen.extend(porters().lines().map(str::to_owned));
            seen.len() >= moment || started.is_over()
        });
        started.kill();
        for porter in porters().lines() {
            world.engine.try_ask(&["rm", "-f", porter]);
        }
        world.converge();
        let told = words();
        assert!(["3000\nbefore\n0", "3000\nafter\n0"].contains(&told.as_str()), "{told} after a kill at {moment}");
        found.insert(told);
        world.sh(&MANY.replace("WORD", "after"));
    }
    assert!(found.contains("3000\nafter\n0"), "{found:?}");
    world.run(&["restore", "shop", "files"]).expect(0);
    assert_eq!((words().as_str(), porters().as_str()), ("3000\nbefore\n0", ""));
}

fn a_host_that_is_new_has_the_data_before_its_first_pass(world: &World) {
    let copies = world.scratch("usb").join("copies");
    let place = format!("backup: {{repositories: {{local: {{type: local, path: {}}}}}}}\n", copies.display());
    world.host(&place);
    world.with_files();
    world.sh("echo before > /www/index.html");
    let id = world.kept_files();
    let volume = format!("{}-shop_files", world.name);
    // Nothing but the copies comes to the new host.
    world.engine.ask(&[&["rm", "-f"], &world.everything().iter().map(String::as_str).collect::<Vec<_>>()[..]].concat());
    world.engine.ask(&["volume", "rm", &volume]);
    fs::remove_dir_all(world.state()).unwrap();

    world.run(&["restore", "shop", "files", "--dry-run"]).expect(0).says(&format!("copy `{id}` is right"));
    assert!(!world.engine.ask(&["volume", "ls", "-q"]).lines().any(|name| name == volume), "a dry run makes no volume");
    let told = world.run(&["restore", "shop", "files"]).expect(0);
    told.says(&format!("copy `{id}` is in place.")).says("no container of the app uses it yet");
    let labels = world.engine.ask(&["volume", "inspect", "--format", "{{json .Labels}}", &volume]);
    assert!(labels.contains(&format!("\"reconcile.installation\":\"{}\"", world.name)), "{labels}");
    let plan = world.changes();
    assert!(!plan.iter().any(|change| change.starts_with("volume/")), "{plan:?}");
    world.converge();
    world.answers("shop", "app", "before");
    world.is_synced();
}

fn another_environment_takes_its_data_from_the_copies_of_this_one(world: &World) {
    world.with_files();
    world.sh("echo production > /www/index.html");
    let id = world.kept_files();
    let staging = format!("{}-s", world.name);
    world.put(format!("environments/{staging}/shop.yaml"), MANIFEST);
    world.commit("staging");
    world.run_in(&staging, &["--output", "json"]).expect(0);
    let answer = || {
        let running = world.engine.list(&staging, "shop", "reconcile.service=app");
        world.engine.ask(&["exec", &running[0], "cat", "/www/index.html"])
    };
    assert_eq!(answer(), "first");
    let none = world.run_in(&staging, &["restore", "shop", "files"]).expect(1);
    none.says("there is no verified copy of");
    let from = format!("{}/shop", world.name);
    let told = world.run_in(&staging, &["restore", "shop", "files", "--from", &from]).expect(0);
    told.says(&format!("{staging}/shop/files: copy `{id}` is in place"));
    assert_eq!((answer().as_str(), world.answer("shop", "app").as_str()), ("production", "production"));
    // What was there before is a copy of this environment, and none of the other's.
    let listed = world.run_in(&staging, &["backup", "list", "--output", "json"]).expect(0).json();
    let all = listed.as_array().unwrap();
    assert_eq!((all.len(), &all[0]["copy"]["pinned"]), (1, &true.into()), "{listed}");
    let safety = all[0]["copy"]["id"].as_str().unwrap();
    world.run_in(&staging, &["restore", "shop", "files", safety]).expect(0);
    assert_eq!(answer(), "first");
}

fn where_there_is_no_room_nothing_is_stopped(world: &World) {
    // A volume of few bytes, as a disk that is full is.
    let volume = format!("{}-small", world.name);
    let options = ["--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=3m"];
    world.engine.ask(&[&["volume", "create", "--label", &world.label()], &options[..], &[&volume]].concat());
    let manifest = MANIFEST.replace("files: {}", &format!("files: {{external: true, name: {volume}}}"));
    world.push("shop", &manifest);
    world.converge();
    world.sh("head -c 2000000 /dev/urandom > /www/large");
    world.kept_files();
    let started = world.one("shop", "app").started_at();
    let told = world.run(&["restore", "shop", "files"]).expect(1);
    told.says("the volume has room for");
    assert_eq!(
        (world.one("shop", "app").started_at(), world.sh("ls -A /www | xargs")),
        (started, "index.html large".to_owned())
    );
}
