//! Every life of a container × every write of the `Engine` trait, on Docker, on Podman and on the model.
//!
//! The laws are proved on the model; they hold for the real engines as far as the model does what they do. Where one
//! of them differs, `differences.rs` names it, and a difference that is gone must leave the table. Both engines must be
//! there with image `bb:1`.

mod differences;
mod lives;
mod subjects;
mod things;
mod writes;

use differences::{Difference, difference};
use futures_util::{StreamExt, stream};
use lives::LifeCase;
use reconcile::engine::Engine;
use std::collections::BTreeMap;
use subjects::{Hand, Place, docker, model, podman};
use writes::Write;

/// Cases side by side on one engine: mostly they wait.
const SIDE_BY_SIDE: usize = 5;

/// What each write does to a container in one life, in words.
async fn outcomes<E: Engine>(engine: &E, hand: &Hand, life: LifeCase, run: &str) -> BTreeMap<&'static str, String> {
    let place = Place::prepare(engine, hand, run).await;
    let outcomes = stream::iter(Write::ALL.iter().copied())
        .map(|write| {
            let place = &place;
            async move { (write.word(), write.outcome(engine, hand, place, life).await) }
        })
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    place.clear(engine, hand).await;
    outcomes
}

async fn agrees<E: Engine>(name: &str, engine: E, hand: Hand, life: LifeCase) {
    let run = format!("rec-conf-{}-{}", name.to_lowercase(), life.word());
    let theirs = outcomes(&engine, &hand, life, &run).await;
    let (model, model_hand) = model();
    // Nobody waits for what the model does.
    tokio::time::pause();
    let ours = outcomes(&model, &model_hand, life, &run).await;
    let mut wrong = Vec::new();
    for (write, theirs) in &theirs {
        let named = difference(name, life.word(), write);
        let why = named.map_or_else(String::new, |named| format!(" ({})", named.why));
        let agrees = named.map_or(ours[write] == *theirs, |named| named.names(theirs));
        if !agrees {
            let expected = named.map_or(ours[write].as_str(), |named| named.theirs);
            wrong.push(format!("{} × {write}: expected `{expected}`{why}, {name} `{theirs}`", life.word()));
        } else if named.is_some_and(Difference::is_certain) && ours[write] == *theirs {
            wrong.push(format!("{} × {write}: the named difference is none{why}", life.word()));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

macro_rules! lives {
    ($($life:ident: $docker:ident, $podman:ident;)*) => {
        $(
            #[tokio::test]
            async fn $docker() {
                let (engine, hand) = docker().await;
                agrees("Docker", engine, hand, LifeCase::$life).await;
            }
            #[tokio::test]
            async fn $podman() {
                let (engine, hand) = podman().await;
                agrees("Podman", engine, hand, LifeCase::$life).await;
            }
        )*
    };
}

lives! {
    Created: docker_and_the_model_agree_on_created_containers, podman_and_the_model_agree_on_created_containers;
    Running: docker_and_the_model_agree_on_running_containers, podman_and_the_model_agree_on_running_containers;
    Paused: docker_and_the_model_agree_on_paused_containers, podman_and_the_model_agree_on_paused_containers;
    Restarting: docker_and_the_model_agree_on_crashing_containers, podman_and_the_model_agree_on_crashing_containers;
    Stopping: docker_and_the_model_agree_on_stopping_containers, podman_and_the_model_agree_on_stopping_containers;
    Stopped: docker_and_the_model_agree_on_stopped_containers, podman_and_the_model_agree_on_stopped_containers;
    Ended: docker_and_the_model_agree_on_ended_containers, podman_and_the_model_agree_on_ended_containers;
    Gone: docker_and_the_model_agree_on_removed_containers, podman_and_the_model_agree_on_removed_containers;
}
