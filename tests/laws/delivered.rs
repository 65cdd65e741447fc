//! Services with secrets and configs, and everything that can become of their files.

use crate::{
    draw::{World, settled},
    law::Law,
    lives::{self, LIVES},
    walk::{Planner, hold, walk},
};
use reconcile::{
    desired::{Context, Desired, KnownSecrets, delivery::Kind, resolve_again},
    observed::Observed,
    plan::{Action, Cause, Plan, Planned, Step, plan},
};
use serde_json::{Value, json};

/// A web server with a secret of each kind, a variable with one in it, and a config; and a job beside it.
fn manifest(start_first: bool, content: &str) -> Value {
    let mut web = json!({
        "image": "app:1",
        "secrets": [
            {"source": "restart", "env": "RESTART_FILE"},
            {"source": "signal", "on_change": "signal"},
            {"source": "none", "on_change": "none"},
        ],
        "env": {"URL": {"template": "x:${secret:variable}"}},
        "configs": [{"source": "ini", "target": "/etc/app.ini"}],
    });
    if start_first {
        web["healthcheck"] = json!({"http": {"path": "/", "port": 80}});
    }
    json!({
        "secrets": {"restart": {}, "signal": {}, "none": {}, "variable": {}},
        "configs": {"ini": {"content": content}},
        "services": {"web": web},
        "jobs": {"migrate": {"service": "web", "command": ["migrate"]}},
    })
}

/// The app with values whose digests these letters stand for, under a host key.
fn app(manifest: &Value, values: [char; 4], host_key: &str) -> Desired {
    let names = ["restart", "signal", "none", "variable"];
    let digests = names
        .iter()
        .zip(values)
        .map(|(name, letter)| (("web".parse().unwrap(), name.parse().unwrap()), letter.to_string().repeat(32)));
    let secrets = KnownSecrets { host_key: Some(host_key.to_owned()), digests: digests.collect() };
    let context = Context { secrets, ..Context::default() };
    resolve_again(&"test".parse().unwrap(), &"app".parse().unwrap(), manifest, &context).unwrap()
}

const NOW: [char; 4] = ['a', 'a', 'a', 'a'];

/// What may have become of the files while nobody looked.
const FATES: &[&str] = &["there", "gone", "one gone", "tampered", "put right", "signal due", "left over"];

fn befall(observed: &mut Observed, fate: &str) {
    match fate {
        "there" => {}
        "gone" => observed.deliveries.clear(),
        "one gone" => observed.deliveries.values_mut().for_each(|it| drop(it.files.pop_first())),
        "tampered" => {
            let files = observed.deliveries.values_mut().flat_map(|it| it.files.values_mut());
            files.for_each(|file| file.digest = Some("f".repeat(32)));
        }
        // Whoever laid the file again was killed before it made another container.
        "put right" => observed.containers.values_mut().for_each(|it| it.old_configs = it.started_at.is_some()),
        "signal due" => observed.deliveries.values_mut().for_each(|it| it.signal_due = true),
        "left over" => {
            let other = "secrets/service.web/0123456789abcdef".parse().unwrap();
            observed.deliveries.insert(other, Default::default());
        }
        other => panic!("`{other}` is no fate"),
    }
}

fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for start_first in [true, false] {
        let before = manifest(start_first, "a=1");
        for (title, to) in [
            ("nothing", app(&before, NOW, "k1")),
            ("restart", app(&before, ['b', 'a', 'a', 'a'], "k1")),
            ("signal", app(&before, ['a', 'b', 'a', 'a'], "k1")),
            ("none", app(&before, ['a', 'a', 'b', 'a'], "k1")),
            ("variable", app(&before, ['a', 'a', 'a', 'b'], "k1")),
            ("all", app(&before, ['b', 'b', 'b', 'b'], "k1")),
            ("the key", app(&before, ['b', 'b', 'b', 'b'], "k2")),
            ("the config", app(&manifest(start_first, "a=2"), NOW, "k1")),
            ("no files any more", crate::draw::app(&json!({"services": {"web": {"image": "app:1"}}}))),
        ] {
            for life in LIVES {
                // A life that leads to nothing of its own is seen with one fate.
                let all = ["created", "ready", "paused", "restarting", "exited 1"].contains(life);
                for fate in FATES.iter().take(if all { FATES.len() } else { 1 }) {
                    let mut observed = settled(&app(&before, NOW, "k1"));
                    observed.containers.values_mut().for_each(|container| {
                        if matches!(container.role, reconcile::observed::Role::Service(_)) {
                            lives::live(container, life);
                        }
                    });
                    befall(&mut observed, fate);
                    let title = format!("start-first {start_first}, {title} changes, {life}, {fate}");
                    worlds.push(World { title, desired: to.clone(), observed });
                }
            }
        }
    }
    worlds
}

#[test]
fn files_are_there_before_anybody_starts_and_until_everybody_is_gone() {
    hold(worlds(), plan);
}

/// The plan for a change of some values, on a host in sync.
fn rotated(values: [char; 4], host_key: &str) -> Plan {
    let manifest = manifest(true, "a=1");
    plan(&app(&manifest, values, host_key), &settled(&app(&manifest, NOW, "k1")))
}

#[test]
fn what_a_change_does_is_the_secrets_to_say() {
    for (values, action, steps) in [
        (NOW, None, vec![]),
        // What the job was given that is over is withdrawn: it does not run again, and nobody reads it.
        (
            ['b', 'a', 'a', 'a'],
            Some(Action::Replace),
            vec!["create", "deliver", "remove", "start", "stop", "withdraw", "withdraw"],
        ),
        (['a', 'b', 'a', 'a'], Some(Action::Update), vec!["deliver", "signal", "withdraw"]),
        (['a', 'a', 'b', 'a'], Some(Action::Update), vec!["deliver", "withdraw"]),
        // A variable is in the body: the folder of files stays the same.
        (['a', 'a', 'a', 'b'], Some(Action::Replace), vec!["create", "remove", "start", "stop"]),
    ] {
        let plan = rotated(values, "k1");
        assert_eq!(plan.changes.first().map(|change| change.action), action, "{values:?}: {:?}", plan.changes);
        assert!(plan.changes.iter().all(|change| change.cause == Cause::Secret), "{values:?}: {:?}", plan.changes);
        let mut words: Vec<String> = plan.steps.iter().map(|it| it.step.to_string()).collect();
        words.retain(|word| !word.starts_with("await") && !word.starts_with("rename"));
        let mut words: Vec<&str> = words.iter().map(|word| word.split(' ').next().unwrap()).collect();
        words.sort_unstable();
        assert_eq!(words, steps, "{values:?}");
    }
    let renewed = rotated(['b', 'b', 'b', 'b'], "k2");
    assert_eq!(renewed.changes[0].cause, Cause::Secret);
    assert_eq!(renewed.changes[0].fields[0].path, "secrets");
}

/// What befalls the one config of a running service, and what is done.
#[test]
fn a_config_that_was_changed_by_hand_is_put_right_with_its_container() {
    for start_first in [true, false] {
        let desired = app(&manifest(start_first, "a=1"), NOW, "k1");
        for fate in ["tampered", "put right"] {
            let mut observed = settled(&desired);
            befall(&mut observed, fate);
            observed.deliveries.retain(|delivery, it| {
                // The secrets are as they were.
                let secrets = delivery.kind == Kind::Secrets;
                secrets.then(|| *it = settled(&desired).deliveries[delivery].clone());
                true
            });
            let drawn = plan(&desired, &observed);
            let [change] = &drawn.changes[..] else { panic!("{:?}", drawn.changes) };
            assert_eq!((change.action, change.cause), (Action::Replace, Cause::Drift), "{fate}");
            assert!(change.fields[0].path.starts_with("services.web.configs"), "{:?}", change.fields);
            let mut left = desired.clone();
            left.sync.self_heal = false;
            // What nobody reads goes all the same.
            let withdraws = |it: &Planned| matches!(it.step, Step::Withdraw { .. });
            assert!(plan(&left, &observed).steps.iter().all(withdraws), "{fate}: drift is to be left");
        }
    }
}

#[test]
fn plans_without_care_for_files_are_caught() {
    let never: Planner = |desired, observed| {
        let mut drawn = plan(desired, observed);
        let gone: Vec<usize> =
            (0..drawn.steps.len()).filter(|at| matches!(drawn.steps[*at].step, Step::Deliver { .. })).collect();
        for at in gone.into_iter().rev() {
            drawn.steps.remove(at);
            for planned in &mut drawn.steps {
                planned.after.retain(|before| *before != at);
                planned.after.iter_mut().filter(|before| **before > at).for_each(|before| *before -= 1);
            }
        }
        drawn
    };
    let at_once: Planner = |desired, observed| {
        let mut drawn = plan(desired, observed);
        for planned in &mut drawn.steps {
            if matches!(planned.step, Step::Withdraw { .. } | Step::Signal { .. }) {
                planned.after.clear();
            }
        }
        drawn
    };
    let in_place: Planner = |desired, observed| {
        let mut seen = observed.clone();
        seen.containers.values_mut().for_each(|it| it.old_configs = false);
        plan(desired, &seen)
    };
    for planner in [never, at_once, in_place] {
        let found =
            worlds().iter().filter_map(|world| walk(world, planner).err()).any(|it| it.law == Law::FindsItsFiles);
        assert!(found, "a plan that is wrong on purpose is not caught");
    }
}
