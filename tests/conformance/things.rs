//! Writes about images, networks and volumes: one story, told by each engine in words.

use crate::subjects::{Hand, Place, Work, docker, model, podman};
use reconcile::engine::{CreateNetwork, Engine, PullImage, RanInside, RunInside};
use std::{collections::BTreeMap, time::Duration};

/// Where Podman's story differs: a network with a stopped container on it stays.
const PODMAN: &[(&str, &str)] = &[("remove a network with a stopped container", "refused, there")];

/// Programs that are run in a container, and what they are there for.
const PROGRAMS: [(&str, &[&str]); 3] = [
    ("run a program that says something", &["sh", "-c", "echo no >&2; exit 3"]),
    ("run words as they are", &["echo", "$HOME; `id`", "'\""]),
    ("run a program that is not there", &["/nobody/is/here"]),
];

/// How the model's programs end: as those of the engines do.
fn programs() -> [(Vec<String>, RanInside); 3] {
    let ends = [(3, "no\n"), (0, "$HOME; `id` '\"\n"), (126, "")];
    let word = |words: &&str| (*words).to_owned();
    std::array::from_fn(|index| {
        let (_, words) = PROGRAMS[index];
        let (code, said) = ends[index];
        (words.iter().map(word).collect(), RanInside { code, said: said.to_owned() })
    })
}

async fn story<E: Engine>(engine: &E, hand: &Hand, run: &str) -> Vec<(&'static str, String)> {
    let place = Place::prepare(engine, hand, run).await;
    let mut told = Vec::new();
    let said = |accepted: bool, there: bool| {
        format!("{}, {}", if accepted { "ok" } else { "refused" }, if there { "there" } else { "not there" })
    };
    let network = async |name: &str| engine.networks().await.unwrap().into_iter().find(|network| network.name == name);
    let image = async |name: &str| engine.image(name).await.unwrap();

    let again = CreateNetwork { name: place.own.clone(), internal: false, driver: None, labels: place.mark() };
    let accepted = engine.create_network(&again).await.is_ok();
    told.push(("create a network again", said(accepted, network(&place.own).await.is_some())));

    let other = network(&place.other).await.unwrap().id;
    let accepted = engine.remove_network(&other).await.is_ok();
    told.push(("remove an empty network", said(accepted, network(&place.other).await.is_some())));
    let accepted = engine.remove_network(&other).await.is_ok();
    told.push(("remove a network that is gone", said(accepted, false)));

    let own = network(&place.own).await.unwrap().id;
    engine.remove(&place.taken).await.unwrap();
    let name = format!("{run}-member");
    let id = engine.create(&place.container(engine, &name, Work::Serves).await).await.unwrap();
    Place::rehearse(hand, &id, Work::Serves);
    engine.start(&id).await.unwrap();
    for (what, words) in PROGRAMS {
        let ended = engine.run_inside(&id, &RunInside::briefly(words)).await.unwrap();
        told.push(match ended.code {
            // By their runtimes the engines say the one or the other, and each in its own words.
            126 | 127 => (what, "it cannot be run".to_owned()),
            code => (what, format!("{code}, {:?}", ended.said)),
        });
    }
    let flood = RunInside { at_most: 3, ..RunInside::briefly(PROGRAMS[1].1) };
    told.push(("run one that says too much", said(engine.run_inside(&id, &flood).await.is_ok(), true)));
    let accepted = engine.remove_network(&own).await.is_ok();
    told.push(("remove a network with a running container", said(accepted, network(&place.own).await.is_some())));
    engine.stop(&id, Duration::ZERO).await.unwrap();
    let accepted = engine.remove_network(&own).await.is_ok();
    told.push(("remove a network with a stopped container", said(accepted, network(&place.own).await.is_some())));

    let tag = format!("reconcile.local/{run}/app/web:1");
    let base = image("bb:1").await.unwrap().id;
    let accepted = engine.tag(&base, &tag).await.is_ok();
    told.push(("tag an image", said(accepted, image(&tag).await.is_some_and(|tagged| tagged.id == base))));
    let accepted = engine.untag(&tag).await.is_ok();
    told.push(("untag it", said(accepted, image(&tag).await.is_some())));
    let accepted = engine.untag(&tag).await.is_ok();
    told.push(("untag a name that is gone", said(accepted, image(&tag).await.is_some())));
    let missing = "127.0.0.1:1/nobody/there:1";
    let accepted = engine.pull(&PullImage { reference: missing, platform: None, credentials: None }).await.is_ok();
    told.push(("pull what no registry has", said(accepted, image(missing).await.is_some())));

    let volume = async || engine.volumes().await.unwrap().into_iter().find(|volume| volume.name == run);
    let accepted = engine.create_volume(run, &place.mark()).await.is_ok();
    told.push(("create a volume", said(accepted, volume().await.is_some())));
    let accepted = engine.create_volume(run, &BTreeMap::new()).await.is_ok();
    let kept = volume().await.is_some_and(|volume| volume.labels == place.mark());
    told.push(("create it again with other labels", format!("{}, labels kept: {kept}", said(accepted, true))));
    place.clear(engine, hand).await;
    hand.drop_volume(run).await;
    told
}

async fn expected(run: &str) -> Vec<(&'static str, String)> {
    let (engine, hand) = model();
    engine.by_hand(|world| world.programs.extend(programs()));
    story(&engine, &hand, run).await
}

#[tokio::test]
async fn docker_and_the_model_agree_on_images_networks_and_volumes() {
    let (engine, hand) = docker().await;
    let run = "rec-conf-docker-things";
    assert_eq!(story(&engine, &hand, run).await, expected(run).await);
}

#[tokio::test]
async fn podman_and_the_model_agree_on_images_networks_and_volumes() {
    let (engine, hand) = podman().await;
    let run = "rec-conf-podman-things";
    let mut expected = expected(run).await;
    for (what, outcome) in &mut expected {
        if let Some((_, theirs)) = PODMAN.iter().find(|(named, _)| named == what) {
            assert_ne!(outcome, theirs, "the named difference is none");
            (*theirs).clone_into(outcome);
        }
    }
    assert_eq!(story(&engine, &hand, run).await, expected);
}
