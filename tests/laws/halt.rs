//! Halting: what failed is stopped and kept, and nothing else is touched.

use crate::{
    draw::perform,
    lives::LIVES,
    one::{Leftovers, MODES},
};
use reconcile::{
    observed::{Baseline, Life, Readiness},
    plan::{Step, halt},
};

#[test]
fn a_halt_stops_what_is_not_proved_and_removes_nothing() {
    for mode in MODES {
        let leftovers = Leftovers::of(mode);
        for first in LIVES {
            for second in LIVES {
                let Some(world) = leftovers.world([first, second], ["own", "by hand"], 2) else { continue };
                let mut observed = world.observed.clone();
                let plan = halt(&world.observed);
                assert!(plan.steps.iter().all(|it| matches!(it.step, Step::Stop { .. })), "{}", world.title);
                for planned in &plan.steps {
                    let (name, _) = planned.step.about().unwrap();
                    let proved = matches!(observed.containers[name].readiness, Readiness::Ready | Readiness::Failing);
                    assert!(!proved, "{}: {}", world.title, planned.step);
                    perform(&mut observed, &world.desired, &planned.step);
                }
                assert!(halt(&observed).steps.is_empty(), "{}: a halt after a halt", world.title);
                let still_tried = observed
                    .containers
                    .values()
                    .any(|it| it.life == Life::Running && it.readiness == Readiness::Unproven);
                assert!(!still_tried, "{}", world.title);
                assert_eq!(observed.containers.len(), world.observed.containers.len(), "{}", world.title);
            }
        }
    }
}

#[test]
fn what_was_ready_before_and_was_started_again_is_not_what_failed() {
    let mut seen = 0;
    for mode in MODES {
        let leftovers = Leftovers::of(mode);
        for life in LIVES {
            let Some(world) = leftovers.world([life, life], ["own", "by hand"], 2) else { continue };
            let mut observed = world.observed.clone();
            let ids: Vec<String> = observed.containers.values().map(|it| it.id.clone()).collect();
            for id in ids {
                observed.applied.baselines.insert(id, Baseline { started_at: None, projection: None });
            }
            let failed = |name: &str| matches!(observed.containers[name].readiness, Readiness::Failed(_));
            for planned in &halt(&observed).steps {
                let (name, _) = planned.step.about().unwrap();
                assert!(failed(name), "{}: {}", world.title, planned.step);
            }
            seen += halt(&world.observed).steps.len();
        }
    }
    assert!(seen > 0, "no world here has anything to stop");
}
