//! Each call refused once, or answered too late: the world's fault, and the next pass converges.

use crate::rig::{Rig, Watch, app, manifest};
use reconcile::{
    blame::Blame,
    engine::{
        EngineError,
        model::{Call, Fate, Faults, When},
    },
    record::Outcome,
};
use std::sync::{Arc, Mutex};

async fn failing_once(late: bool) {
    let desired = app(&manifest(2));
    for nth in 1.. {
        let rig = Rig::new();
        let watch = Watch::on(&rig);
        rig.pass(&app(&manifest(1)), watch.faults()).await;
        let failed: Arc<Mutex<Option<Call>>> = Arc::default();
        let (count, note, seen) = (Arc::new(Mutex::new(0)), Arc::clone(&failed), watch.clone());
        let faults: Faults = Arc::new(move |when, call: &Call| {
            seen.look(when, call);
            // Late: it was done, and nobody heard. Refused: it was not.
            if when != if late { When::After } else { When::Before } {
                return Fate::Go;
            }
            let mut count = count.lock().unwrap();
            *count += 1;
            if *count != nth {
                return Fate::Go;
            }
            *note.lock().unwrap() = Some(call.clone());
            Fate::Fail(if late {
                EngineError::Late { doing: call.name.to_owned(), seconds: 60 }
            } else {
                EngineError::Refused { doing: call.name.to_owned(), status: 500, message: "out of order".to_owned() }
            })
        });
        let report = rig.try_pass(&desired, faults).await;
        let Some(call) = failed.lock().unwrap().clone() else {
            assert!(nth > 20, "hardly anything was asked");
            return;
        };
        let told = format!("late {late}, call {nth}: {call:?}");
        if let Some(report) = report {
            // What it did to a container is seen there, whatever was answered.
            if late && ["stop", "remove", "rename"].contains(&call.name) {
                assert_eq!(report.outcome, Some(Outcome::Succeeded), "{told}: {report:?}");
            }
            match report.outcome {
                Some(Outcome::Succeeded) => {}
                Some(Outcome::Blocked) => {
                    assert_eq!(
                        report.error.as_ref().map(|error| error.blame),
                        Some(Blame::World),
                        "{told}: {report:?}"
                    );
                }
                other => panic!("{told}: {other:?}: {report:?}"),
            }
        }
        let ledger = rig.ledger().await.app(&desired.environment, &desired.app).await.unwrap();
        assert!(ledger.entries.iter().all(|entry| !entry.condemned), "{told}: condemned");
        let next = rig.pass(&desired, watch.faults()).await;
        assert_eq!(next.outcome, Some(Outcome::Succeeded), "{told}: {next:?}");
        rig.assert_converged(&desired, &told).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_blocks_and_condemns_nothing() {
    failing_once(false).await;
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_blocks_and_condemns_nothing() {
    failing_once(true).await;
}
