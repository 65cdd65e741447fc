//! `on_failure: halt`, killed anywhere: the app stays as it is until somebody acts. What is left running answers for
//! what it was made for, and nothing is removed that could be gone back to.

use crate::rig::{Rig, Watch, app, manifest};
use reconcile::{
    desired::Desired,
    engine::model::{Script, When},
    observed::Life,
    record::Outcome,
    show::report::{HealthWord, Status},
};

fn halting(version: u8) -> Desired {
    let mut manifest = manifest(version);
    manifest["services"]["db"]["rollout"] = serde_json::json!({"on_failure": "halt"});
    app(&manifest)
}

fn life_of(rig: &Rig, name: &str) -> Option<Life> {
    rig.model.by_hand(|world| world.find(name).map(|it| it.life.clone()))
}

#[tokio::test(start_paused = true)]
async fn a_halt_killed_anywhere_removes_nothing_and_serves_as_before() {
    let (first, sick, fixed) = (halting(1), halting(2), halting(3));
    let name = |desired: &Desired, service: &str| desired.services[service].container_name.clone();
    for side in [When::Before, When::After] {
        for nth in 1.. {
            let told = format!("killed {side:?} effect {nth}");
            let rig = Rig::new();
            let watch = Watch::on(&rig);
            rig.pass(&first, watch.faults()).await;
            rig.model.by_hand(|world| world.add_image("db:2", Script::never_healthy()));
            let killed = rig.killed(&sick, nth, side, &watch).await;
            let report = rig.pass(&sick, watch.faults()).await;
            let ended = if killed { &[Outcome::Failed][..] } else { &[Outcome::Held][..] };
            assert!(report.outcome.is_some_and(|it| ended.contains(&it)), "{told}: {report:?}");
            assert!(report.held.is_some() && report.health != HealthWord::Healthy, "{told}: {report:?}");
            // What was there before is there still: stopped where its volume was wanted, serving where it was not.
            assert!(matches!(life_of(&rig, &name(&first, "db")), Some(Life::Exited(_))), "{told}");
            assert_eq!(life_of(&rig, &name(&first, "web")), Some(Life::Running), "{told}");
            let next = life_of(&rig, &name(&sick, "web"));
            assert!(
                matches!(next, None | Some(Life::Created)),
                "{told}: begun before what it needs was ready: {next:?}"
            );
            assert!(life_of(&rig, &name(&sick, "db")).is_some(), "{told}: kept for a look");
            let before = rig.model.by_hand(|world| world.clone());
            let again = rig.pass(&sick, watch.faults()).await;
            assert_eq!((again.outcome, again.status), (Some(Outcome::Held), Status::OutOfSync), "{told}: {again:?}");
            assert!(again.held.is_some(), "{told}: {again:?}");
            assert_eq!(rig.model.by_hand(|world| world.clone()), before, "{told}: touched while held");
            let report = rig.pass(&fixed, watch.faults()).await;
            assert_eq!(report.outcome, Some(Outcome::Succeeded), "{told}: {report:?}");
            rig.assert_converged(&fixed, &told).await;
            if !killed {
                assert!(nth > 5, "hardly anything was done");
                break;
            }
        }
    }
}
