//! Plans that are wrong on purpose: a law that catches none of them would be no law.

use crate::{
    draw::{World, app, settled},
    law::{Broken, Law, serves},
    lives,
    one::{Leftovers, MODES, manifest, one},
    walk::{Planner, hold, walk},
};
use reconcile::{
    desired::{Desired, Order},
    observed::{Life, Observed, Role},
    plan::{Plan, Planned, Step, plan},
};
use serde_json::json;

/// A handful of worlds in which every mutant shows.
fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for mode in MODES {
        for life in ["created", "unproven", "ready", "exited 1"] {
            let mut observed = crate::one::host(&settled(&one(mode, 1, "app:1")), life, "own");
            worlds.push(World {
                title: format!("{mode} {life}"),
                desired: one(mode, 2, "app:1"),
                observed: observed.clone(),
            });
            worlds.push(World {
                title: format!("{mode} {life} same"),
                desired: one(mode, 1, "app:1"),
                observed: observed.clone(),
            });
            lives::network(&mut observed, "test-app", "absent");
            worlds.push(World { title: format!("{mode} {life} no network"), desired: one(mode, 2, "app:1"), observed });
        }
        worlds.extend(Leftovers::of(mode).world(["ready", "ready"], ["own", "next"], 2));
    }
    let both = |body: u8| {
        let mut manifest = manifest("stop-first", body, "app:1");
        manifest["services"]["db"] = json!({"image": "db:1", "env": {"V": body.to_string()}});
        manifest["services"]["web"]["depends_on"] = json!({"db": {"condition": "service_healthy"}});
        manifest["jobs"] = json!({"migrate": {"service": "web", "command": ["migrate"]}});
        app(&manifest)
    };
    let mut drifted = settled(&both(1));
    drifted.containers.values_mut().for_each(|container| lives::live(container, "exited 1"));
    let mut left = both(1);
    left.sync.self_heal = false;
    let mut gone = one("stop-first", 1, "app:1");
    gone.sync.prune = false;
    let mut back = settled(&both(1));
    back.applied.rollback = true;
    let on_ports = |db: u16, web: u16| {
        let service = |port: u16| json!({"image": "app:1", "ports": [format!("{port}:80")]});
        app(&json!({"services": {"db": service(db), "web": service(web)}}))
    };
    let (before, desired) = (on_ports(8001, 8002), on_ports(8002, 8001));
    worlds.push(World { title: "ports are swapped".to_owned(), desired, observed: settled(&before) });
    worlds.push(World { title: "both change".to_owned(), desired: both(2), observed: settled(&both(1)) });
    worlds.push(World { title: "on the way back".to_owned(), desired: both(2), observed: back });
    worlds.push(World { title: "drift is left".to_owned(), desired: left, observed: drifted });
    worlds.push(World { title: "gone is left".to_owned(), desired: gone, observed: settled(&both(1)) });
    worlds
}

/// The first law that a planner breaks.
fn caught(planner: Planner) -> Option<Broken> {
    worlds().iter().find_map(|world| walk(world, planner).err())
}

/// Every law that a planner breaks in any world.
fn laws_broken(planner: Planner) -> Vec<Law> {
    let mut broken: Vec<Law> =
        worlds().iter().filter_map(|world| walk(world, planner).err()).map(|it| it.law).collect();
    broken.sort();
    broken.dedup();
    broken
}

/// The plan less some steps; what waited for them waits for what they waited for.
pub fn without(mut plan: Plan, gone: impl Fn(&Step) -> bool) -> Plan {
    while let Some(place) = plan.steps.iter().position(|planned| gone(&planned.step)) {
        let Planned { after: inherited, .. } = plan.steps.remove(place);
        for planned in &mut plan.steps {
            if planned.after.contains(&place) {
                planned.after.extend(&inherited);
            }
            planned.after.retain(|before| *before != place);
            planned.after.iter_mut().filter(|before| **before > place).for_each(|before| *before -= 1);
            planned.after.sort_unstable();
            planned.after.dedup();
        }
    }
    plan
}

/// The plan with some steps waiting for less.
pub fn hasty(mut plan: Plan, hasty: impl Fn(&Step) -> bool, missed: impl Fn(&Step) -> bool) -> Plan {
    let steps: Vec<Step> = plan.steps.iter().map(|planned| planned.step.clone()).collect();
    for planned in plan.steps.iter_mut().filter(|planned| hasty(&planned.step)) {
        planned.after.retain(|before| !missed(&steps[*before]));
    }
    plan
}

fn is_await(step: &Step) -> bool {
    matches!(step, Step::Await { .. })
}

fn is_start(step: &Step) -> bool {
    matches!(step, Step::Start { .. })
}

fn is_stop(step: &Step) -> bool {
    matches!(step, Step::Stop { .. })
}

fn is_remove(step: &Step) -> bool {
    matches!(step, Step::Remove { .. })
}

fn forgets_to_await(desired: &Desired, observed: &Observed) -> Plan {
    without(plan(desired, observed), is_await)
}

fn stops_before_ready(desired: &Desired, observed: &Observed) -> Plan {
    hasty(plan(desired, observed), is_stop, is_await)
}

fn starts_before_stop(desired: &Desired, observed: &Observed) -> Plan {
    hasty(plan(desired, observed), is_start, is_stop)
}

fn ignores_exited(desired: &Desired, observed: &Observed) -> Plan {
    let mut seen = observed.clone();
    for container in seen.containers.values_mut().filter(|container| matches!(container.life, Life::Exited(_))) {
        container.life = Life::Running;
    }
    plan(desired, &seen)
}

fn drops_the_gates(desired: &Desired, observed: &Observed) -> Plan {
    let mut alone = desired.clone();
    alone.services.values_mut().for_each(|service| service.depends_on.clear());
    plan(&alone, observed)
}

fn removes_before_ready(desired: &Desired, observed: &Observed) -> Plan {
    let drawn = plan(desired, observed);
    let serving = |name: &String| observed.containers.get(name).is_some_and(serves);
    let stopped: Vec<Step> = drawn.steps.iter().map(|it| it.step.clone()).filter(is_stop).collect();
    let forced = without(drawn, |step| stopped.contains(step));
    hasty(forced, |step| matches!(step, Step::Remove { container, .. } if serving(container)), |_| true)
}

fn runs_the_job_after_the_start(desired: &Desired, observed: &Observed) -> Plan {
    hasty(
        plan(desired, observed),
        |step| is_start(step) && matches!(step.about(), Some((_, Role::Service(_)))),
        |step| matches!(step, Step::AwaitExit { .. }),
    )
}

fn runs_the_job_beside_the_writer(desired: &Desired, observed: &Observed) -> Plan {
    hasty(plan(desired, observed), |step| is_start(step) && matches!(step.about(), Some((_, Role::Job(_)))), is_stop)
}

fn runs_jobs_on_the_way_back(desired: &Desired, observed: &Observed) -> Plan {
    let mut forward = observed.clone();
    forward.applied.rollback = false;
    plan(desired, &forward)
}

fn stops_before_the_network_is_there(desired: &Desired, observed: &Observed) -> Plan {
    let prepares = |step: &Step| matches!(step, Step::CreateNetwork { .. } | Step::CreateVolume { .. });
    let mut drawn = plan(desired, observed);
    drawn = hasty(drawn, is_stop, |_| true);
    hasty(drawn, is_start, prepares)
}

fn swaps_the_names(desired: &Desired, observed: &Observed) -> Plan {
    let mut drawn = plan(desired, observed);
    for planned in &mut drawn.steps {
        if let Step::Rename { container, to, .. } = &mut planned.step {
            std::mem::swap(container, to);
        }
    }
    drawn
}

fn removes_a_stranger(desired: &Desired, observed: &Observed) -> Plan {
    let mut drawn = plan(desired, observed);
    for planned in drawn.steps.iter_mut() {
        if let Step::Remove { container, .. } = &mut planned.step {
            *container = "postgres-of-somebody".to_owned();
        }
    }
    drawn
}

fn forgets_to_remove(desired: &Desired, observed: &Observed) -> Plan {
    without(plan(desired, observed), is_remove)
}

fn heals_what_is_to_be_left(desired: &Desired, observed: &Observed) -> Plan {
    let mut eager = desired.clone();
    eager.sync.self_heal = true;
    plan(&eager, observed)
}

fn prunes_what_is_to_be_left(desired: &Desired, observed: &Observed) -> Plan {
    let mut eager = desired.clone();
    eager.sync.prune = true;
    plan(&eager, observed)
}

fn takes_every_service_for_start_first(desired: &Desired, observed: &Observed) -> Plan {
    let mut swapped = desired.clone();
    // With jobs this cannot even be said: the job would wait for its writer's end, which waits for the job.
    if desired.jobs.is_empty() {
        swapped.services.values_mut().for_each(|service| service.order = Order::StartFirst);
    }
    plan(&swapped, observed)
}

fn takes_every_service_for_stop_first(desired: &Desired, observed: &Observed) -> Plan {
    let mut swapped = desired.clone();
    swapped.services.values_mut().for_each(|service| service.order = Order::StopFirst);
    plan(&swapped, observed)
}

#[test]
fn the_plan_itself_breaks_nothing_here() {
    hold(worlds(), plan);
}

#[test]
fn every_mutant_is_caught_by_its_law() {
    let mutants: &[(&str, Planner, Law)] = &[
        ("forgets to await", forgets_to_await, Law::Arrives),
        ("stops before ready", stops_before_ready, Law::KeepsServing),
        ("starts before stop", starts_before_stop, Law::OneWriter),
        ("starts on a port that is held", starts_before_stop, Law::OnePort),
        ("ignores exited", ignores_exited, Law::Tail),
        ("drops the gates", drops_the_gates, Law::NeedsFirst),
        ("removes before ready", removes_before_ready, Law::KeepsServing),
        ("runs the job after the start", runs_the_job_after_the_start, Law::JobsInTime),
        ("runs the job beside the writer", runs_the_job_beside_the_writer, Law::OneWriter),
        ("runs jobs on the way back", runs_jobs_on_the_way_back, Law::JobsInTime),
        ("stops before the network is there", stops_before_the_network_is_there, Law::PreparesFirst),
        ("swaps the names", swaps_the_names, Law::OnlyOurs),
        ("removes a stranger", removes_a_stranger, Law::OnlyOurs),
        ("forgets to remove", forgets_to_remove, Law::Arrives),
        ("heals what is to be left", heals_what_is_to_be_left, Law::LeavesDrift),
        ("prunes what is to be left", prunes_what_is_to_be_left, Law::LeavesGone),
        ("takes every service for start-first", takes_every_service_for_start_first, Law::OneWriter),
        ("takes every service for stop-first", takes_every_service_for_stop_first, Law::KeepsServing),
    ];
    for (name, mutant, law) in mutants {
        let broken = laws_broken(*mutant);
        assert!(broken.contains(law), "`{name}` is not caught by {law:?}, but by {broken:?}: {:?}", caught(*mutant));
    }
}
