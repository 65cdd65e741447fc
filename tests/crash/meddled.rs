//! Somebody else is on the host: hand-made changes between and during steps delay, and never prevent.

use crate::rig::{Rig, Watch, app, manifest};
use reconcile::{
    engine::model::{Call, Fate, Faults, When, World, faults},
    observed::Life,
    record::Outcome,
};
use std::sync::{Arc, Mutex};

/// Draws what somebody does; the same for the same seed.
struct Hand(u64);

impl Hand {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides
    }

    fn meddle(&mut self, world: &mut World) {
        let ids: Vec<String> = world.containers.keys().cloned().collect();
        if ids.is_empty() {
            return;
        }
        let id = ids[self.roll(ids.len())].clone();
        let deed = self.roll(7);
        let number = self.roll(1_000);
        let container = world.containers.get_mut(&id).unwrap();
        match deed {
            0 => drop(world.containers.remove(&id)),
            1 if container.life.is_up() => container.life = Life::Exited(137),
            2 if container.life == Life::Running => container.life = Life::Paused,
            3 => container.name = format!("renamed-{number}"),
            4 => container.endpoints.clear(),
            5 if !container.life.is_up() => {
                world.networks.retain(|network| network.name != "test-app");
            }
            6 => container.spec.privileged = true,
            _ => {}
        }
    }
}

async fn meddled(seed: u64) {
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    rig.pass(&app(&manifest(1)), watch.faults()).await;
    let desired = app(&manifest(2));
    let (hand, model) = (Arc::new(Mutex::new((Hand(seed), 4))), rig.model.clone());
    let seen = watch.clone();
    let faults: Faults = Arc::new(move |when, call: &Call| {
        seen.look(when, call);
        let mut hand = hand.lock().unwrap();
        if call.effect && when == When::Before && hand.1 > 0 && hand.0.roll(3) == 0 {
            hand.1 -= 1;
            model.by_hand(|world| hand.0.meddle(world));
        }
        Fate::Go
    });
    let mut last = rig.try_pass(&desired, faults).await;
    for _ in 0..4 {
        last = rig.try_pass(&desired, watch.faults()).await;
        if last.as_ref().is_some_and(|report| report.outcome == Some(Outcome::Succeeded) && report.error.is_none()) {
            break;
        }
    }
    let last = last.unwrap();
    if last.outcome == Some(Outcome::Succeeded) {
        rig.assert_converged(&desired, &format!("seed {seed}")).await;
    } else {
        // A container that was killed while it was being proved cannot be told from one that died: its app is held.
        let says_why = last.error.is_some() || last.held.is_some();
        assert!(says_why, "seed {seed}: neither in sync nor a word why: {last:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn meddling_delays_and_never_prevents() {
    let seeds = std::env::var("CRASH_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(150_u64);
    for seed in 0..seeds {
        // Said before, so that a failure anywhere inside tells its seed.
        eprintln!("seed {seed}");
        meddled(seed).await;
    }
    drop(faults::none());
}

/// Once the last step is done and before the pass looks at what it did, somebody takes away what it made.
#[tokio::test(start_paused = true)]
async fn what_a_hand_undoes_at_the_end_of_a_pass_is_done_again_and_no_fault_of_the_revision() {
    let rig = Rig::new();
    let watch = Watch::on(&rig);
    rig.pass(&app(&manifest(1)), watch.faults()).await;
    let desired = app(&manifest(2));
    let (model, made) = (rig.model.clone(), desired.services["web"].container_name.clone());
    let once = Arc::new(Mutex::new(true));
    let seen = watch.clone();
    let faults: Faults = Arc::new(move |when, call: &Call| {
        seen.look(when, call);
        let mut once = once.lock().unwrap();
        // Names of images come after all else.
        if *once && when == When::After && call.name == "tag" {
            *once = false;
            model.by_hand(|world| world.containers.retain(|_, container| container.name != made));
        }
        Fate::Go
    });
    let report = rig.pass(&desired, faults).await;
    assert_eq!(report.outcome, Some(Outcome::Succeeded), "{report:?}");
    rig.assert_converged(&desired, "undone at the end").await;
}
