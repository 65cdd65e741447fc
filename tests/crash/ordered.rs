//! Apps that depend on others: who comes after whom, who waits for whom, and what a kill in between leaves.

use crate::rig::{Rig, named};
use reconcile::{
    desired::Desired,
    engine::model::{Call, Fate, Faults, Script, When, faults},
    observed::Life,
    pass::{Asker, Mode, Standing, Wish},
    record::{Outcome, Suspension},
    show::report::{AppReport, HealthWord, Status},
    value::AppId,
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// An app with one service and what it depends on.
fn depending(name: &str, image: &str, others: &[&str]) -> Desired {
    let healthcheck = json!({"test": ["CMD", "true"]});
    let service = json!({"image": image, "healthcheck": healthcheck, "rollout": {"healthy_deadline": "1m"}});
    named(name, &json!({"services": {"it": service}, "sync": {"depends_on": others}}))
}

fn db(version: u8) -> Desired {
    depending("db", &format!("db:{version}"), &[])
}

fn web(image: &str) -> Desired {
    depending("web", image, &["db"])
}

fn as_asked(_: &mut Wish) {}

fn only(app: &str) -> impl FnOnce(&mut Wish) {
    let app = app.parse().unwrap();
    move |wish| wish.apps = [app].into()
}

/// Writes down every effect as `what app`.
fn written() -> (Faults, Arc<Mutex<Vec<String>>>) {
    let effects: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&effects);
    let faults: Faults = Arc::new(move |when, call: &Call| {
        if call.effect && when == When::After {
            seen.lock().unwrap().push(format!("{} {}", call.name, call.about));
        }
        Fate::Go
    });
    (faults, effects)
}

fn outcomes(reports: &BTreeMap<String, AppReport>) -> Vec<(&str, Outcome)> {
    reports.iter().map(|(app, report)| (app.as_str(), report.outcome.unwrap())).collect()
}

fn error(report: &AppReport) -> &str {
    &report.error.as_ref().unwrap_or_else(|| panic!("{report:?}")).summary
}

/// The apps that have a running container.
fn running(rig: &Rig) -> Vec<String> {
    rig.model.by_hand(|world| {
        let up = world.containers.values().filter(|it| it.life == Life::Running);
        let mut apps: Vec<String> = up.map(|it| it.labels["reconcile.app"].clone()).collect();
        apps.sort();
        apps
    })
}

#[tokio::test(start_paused = true)]
async fn an_app_comes_when_those_it_depends_on_are_well() {
    let rig = Rig::new();
    rig.model.by_hand(|world| world.add_image("db:1", Script::healthy_after(std::time::Duration::from_secs(20))));
    let model = rig.model.clone();
    let watching: Faults = Arc::new(move |when, call: &Call| {
        if when == When::Before && call.name == "create" && call.about.starts_with("test-web") {
            model.by_hand(|world| {
                let db = world.containers.values().find(|it| it.labels["reconcile.app"] == "db").expect("db is there");
                assert!(db.started_at.is_some(), "it is up");
            });
        }
        Fate::Go
    });
    let chain = [depending("front", "side:1", &["web"]), web("web:1"), db(1)];
    let began = tokio::time::Instant::now();
    let reports = rig.run(&chain, watching, as_asked).await;
    assert_eq!(
        outcomes(&reports),
        [("db", Outcome::Succeeded), ("front", Outcome::Succeeded), ("web", Outcome::Succeeded)]
    );
    assert!(began.elapsed().as_secs() >= 20);
    assert_eq!(running(&rig), ["db", "front", "web"]);
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_waited_for_and_nothing_of_those_that_wait_is_touched() {
    let rig = Rig::new();
    rig.model.by_hand(|world| world.add_image("db:1", Script::crashes()));
    let (writing, effects) = written();
    let reports = rig.run(&[db(1), web("web:1"), depending("side", "side:1", &[])], writing, as_asked).await;
    assert_eq!(outcomes(&reports), [("db", Outcome::Failed), ("side", Outcome::Succeeded), ("web", Outcome::Blocked)]);
    assert_eq!(error(&reports["web"]), "waits for `db`, which is OutOfSync and Missing");
    assert!(effects.lock().unwrap().iter().all(|effect| !effect.contains("web")), "{effects:?}");
    // A good revision of the one lets the other go on, which was never condemned.
    let reports = rig.run(&[db(2), web("web:1")], faults::none(), only("db")).await;
    assert_eq!(outcomes(&reports), [("db", Outcome::Succeeded)]);
    let reports = rig.run(&[db(2), web("web:1")], faults::none(), only("web")).await;
    assert_eq!(outcomes(&reports), [("web", Outcome::Succeeded)]);
}

#[tokio::test(start_paused = true)]
async fn an_app_without_changes_stays_in_sync_whatever_it_depends_on() {
    let rig = Rig::new();
    rig.run(&[db(1), web("web:1")], faults::none(), as_asked).await;
    rig.model.by_hand(|world| world.add_image("db:2", Script::crashes()));
    let reports = rig.run(&[db(2), web("web:1")], faults::none(), as_asked).await;
    assert_eq!(outcomes(&reports), [("db", Outcome::RolledBack), ("web", Outcome::Succeeded)]);
    assert_eq!((reports["web"].status, reports["web"].health), (Status::Synced, HealthWord::Healthy));
    // A change of its own waits until the other is where the branch wants it.
    let reports = rig.run(&[db(2), web("side:1")], faults::none(), as_asked).await;
    assert_eq!(outcomes(&reports), [("db", Outcome::Held), ("web", Outcome::Blocked)]);
    assert_eq!(error(&reports["web"]), "waits for `db`, which is OutOfSync and Healthy");
    let reports = rig.run(&[db(3), web("side:1")], faults::none(), as_asked).await;
    assert_eq!(outcomes(&reports), [("db", Outcome::Succeeded), ("web", Outcome::Succeeded)]);
}

#[tokio::test(start_paused = true)]
async fn what_this_run_leaves_out_is_looked_at_and_not_changed() {
    let rig = Rig::new();
    let (writing, effects) = written();
    let reports = rig.run(&[db(1), web("web:1")], writing, only("web")).await;
    assert_eq!(outcomes(&reports), [("web", Outcome::Blocked)]);
    assert_eq!(error(&reports["web"]), "waits for `db`, which is OutOfSync and Missing");
    assert_eq!(*effects.lock().unwrap(), Vec::<String>::new());
    // The plan says so beforehand, and is no error.
    let dry = |wish: &mut Wish| wish.mode = Mode::DryRun;
    let reports = rig.run(&[db(1), web("web:1")], faults::none(), dry).await;
    assert_eq!(
        reports["web"].notes,
        ["waits for `db`, which is OutOfSync and Missing: it is changed when they are in sync and well"]
    );
    assert_eq!((&reports["web"].error, reports["db"].notes.len()), (&None, 0));
}

#[tokio::test(start_paused = true)]
async fn of_another_environment_counts_what_the_caller_knows() {
    let rig = Rig::new();
    let elsewhere = || depending("web", "web:1", &["staging/proxy"]);
    let reports = rig.run(&[elsewhere()], faults::none(), as_asked).await;
    assert_eq!(error(&reports["web"]), "waits for `staging/proxy`, which nobody has looked at in this run");
    let proxy = AppId { environment: "staging".parse().unwrap(), app: "proxy".parse().unwrap() };
    for (health, expected) in [
        (HealthWord::Degraded, Outcome::Blocked),
        (HealthWord::Progressing, Outcome::Blocked),
        (HealthWord::Suspended, Outcome::Succeeded),
    ] {
        let known = Standing { status: Status::Synced, health, suspended: false };
        let knowing = |wish: &mut Wish| wish.known = [(proxy.clone(), known)].into();
        let reports = rig.run(&[elsewhere()], faults::none(), knowing).await;
        assert_eq!(outcomes(&reports), [("web", expected)], "{health:?}: {reports:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_stopped_by_the_branch_is_ready_and_what_somebody_suspended_is_not() {
    let rig = Rig::new();
    let asleep = named("db", &json!({"services": {"it": {"image": "db:1", "scale": 0}}}));
    let reports = rig.run(&[asleep.clone(), web("web:1")], faults::none(), as_asked).await;
    assert_eq!(outcomes(&reports), [("db", Outcome::Succeeded), ("web", Outcome::Succeeded)]);
    let suspension = Suspension { by: "somebody".to_owned(), reason: None, until: None };
    rig.ledger().await.suspend(&asleep.environment, &asleep.app, suspension).await.unwrap();
    let reports = rig.run(&[asleep, web("side:1")], faults::none(), as_asked).await;
    assert_eq!(error(&reports["web"]), "waits for `db`, which is suspended");
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_goes_after_those_that_needed_it() {
    let rig = Rig::new();
    let side = || depending("side", "side:1", &[]);
    rig.run(&[db(1), web("web:1"), side()], faults::none(), as_asked).await;
    let (model, touched) = (rig.model.clone(), Arc::new(Mutex::new(0)));
    let counted = Arc::clone(&touched);
    let watching: Faults = Arc::new(move |when, call: &Call| {
        model.by_hand(|world| {
            let app_of = |about: &str| world.find(about).map(|it| it.labels["reconcile.app"].as_str());
            if when == When::Before && call.effect && app_of(&call.about) == Some("db") {
                *counted.lock().unwrap() += 1;
                assert!(world.containers.values().all(|it| it.labels["reconcile.app"] != "web"), "{call:?}");
            }
        });
        Fate::Go
    });
    let reports = rig.run(&[side()], watching, |wish| wish.max_deletes = Some(10)).await;
    assert_eq!(
        outcomes(&reports),
        [("db", Outcome::Succeeded), ("side", Outcome::Succeeded), ("web", Outcome::Succeeded)]
    );
    assert!(*touched.lock().unwrap() > 0, "nothing was seen");
    assert_eq!(running(&rig), ["side"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_stays_while_a_revision_in_force_needs_it() {
    let rig = Rig::new();
    let side = || depending("side", "side:1", &[]);
    rig.run(&[db(1), web("web:1"), side()], faults::none(), as_asked).await;
    rig.model.by_hand(|world| world.add_image("web:2", Script::crashes()));
    let without = |image: &str| depending("web", image, &[]);
    let reports = rig.run(&[without("web:2"), side()], faults::none(), as_asked).await;
    assert_eq!((reports["web"].outcome, reports["db"].outcome), (Some(Outcome::RolledBack), Some(Outcome::Blocked)));
    assert_eq!(error(&reports["db"]), "waits for `web`, which needs it in the revision in force");
    assert_eq!(running(&rig), ["db", "side", "web"]);
    // The one that does without it comes first, then it goes, in one run.
    let reports = rig.run(&[without("side:1"), side()], faults::none(), as_asked).await;
    assert_eq!((reports["web"].outcome, reports["db"].outcome), (Some(Outcome::Succeeded), Some(Outcome::Succeeded)));
    assert_eq!(running(&rig), ["side", "web"]);
}

#[tokio::test(start_paused = true)]
async fn two_that_are_gone_and_needed_each_other_do_not_wait_for_ever() {
    let rig = Rig::new();
    let side = || depending("side", "side:1", &[]);
    rig.run(&[db(1), web("web:1"), side()], faults::none(), as_asked).await;
    // Web's next revision fails, so that the one in force still needs db when db comes to need web.
    rig.model.by_hand(|world| world.add_image("web:2", Script::crashes()));
    rig.run(&[db(1), depending("web", "web:2", &[]), side()], faults::none(), as_asked).await;
    rig.run(&[depending("db", "db:2", &["side"]), depending("web", "web:2", &[]), side()], faults::none(), as_asked)
        .await;
    let crossed = depending("db", "db:3", &["web"]);
    let web_ready = Standing { status: Status::Synced, health: HealthWord::Healthy, suspended: false };
    let trusting = |wish: &mut Wish| {
        wish.apps = ["db".parse().unwrap()].into();
        wish.known = [(AppId::new(&wish.environment, &"web".parse().unwrap()), web_ready)].into();
    };
    let reports = rig.run(&[crossed, depending("web", "web:2", &[]), side()], faults::none(), trusting).await;
    assert_eq!(outcomes(&reports), [("db", Outcome::Succeeded)]);
    let reports = rig.run(&[side()], faults::none(), |wish| wish.max_deletes = Some(10)).await;
    assert_eq!(
        outcomes(&reports),
        [("db", Outcome::Succeeded), ("side", Outcome::Succeeded), ("web", Outcome::Succeeded)]
    );
    assert_eq!(running(&rig), ["side"]);
}

#[tokio::test(start_paused = true)]
async fn a_kill_anywhere_leaves_no_app_ahead_of_those_it_depends_on() {
    let all = || [depending("front", "side:1", &["web"]), web("web:1"), db(1)];
    for by in [Asker::Person, Asker::Daemon] {
        for nth in 1.. {
            let rig = Rig::new();
            let killed = rig.run_killed(&all(), nth, |wish| wish.by = by).await;
            let up = running(&rig);
            let whole = [vec![], vec!["db"], vec!["db", "web"], vec!["db", "front", "web"]];
            assert!(whole.iter().any(|apps| up == *apps), "killed at {nth}: {up:?}");
            let reports = rig.run(&all(), faults::none(), |wish| wish.by = by).await;
            assert!(reports.values().all(|report| report.outcome == Some(Outcome::Succeeded)), "{nth}: {reports:?}");
            assert_eq!(running(&rig), ["db", "front", "web"]);
            if !killed {
                assert!(nth > 6, "hardly anything was done");
                break;
            }
        }
    }
}
