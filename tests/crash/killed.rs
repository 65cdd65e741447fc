//! Killed before and after every effect: the next pass goes on.

use crate::rig::{Rig, Watch, app, manifest};
use reconcile::{engine::model::When, record::Outcome};

/// From nothing, or from the first version, to `to`; killed at every place in turn.
async fn killed_everywhere(from: Option<u8>, to: u8) {
    let desired = app(&manifest(to));
    for side in [When::Before, When::After] {
        for nth in 1.. {
            let rig = Rig::new();
            let watch = Watch::on(&rig);
            if let Some(from) = from {
                let report = rig.pass(&app(&manifest(from)), watch.faults()).await;
                assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
            }
            let before = watch.jobs_started();
            let told = format!("{from:?} to {to}, killed {side:?} effect {nth}");
            let killed = rig.killed(&desired, nth, side, &watch).await;
            let report = rig.pass(&desired, watch.faults()).await;
            assert_eq!(report.outcome, Some(Outcome::Succeeded), "{told}: {report:?}");
            let runs = watch.jobs_started() - before;
            assert!((1..=2).contains(&runs), "{told}: the job ran {runs} times");
            rig.assert_converged(&desired, &told).await;
            assert_eq!(watch.jobs_started() - before, runs, "{told}: the job ran again after its success was recorded");
            if !killed {
                assert!(nth > 5, "hardly anything was done");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_deploy_killed_anywhere_goes_on() {
    killed_everywhere(None, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollout_killed_anywhere_goes_on() {
    killed_everywhere(Some(1), 2).await;
}
