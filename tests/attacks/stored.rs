//! A revision from before the policy: it ran here, and it is not brought back.

use crate::{
    rig::Rig,
    row::{HARMLESS, Way, denials, permissive, rendered, strict},
    table::ATTACKS,
};
use reconcile::{
    engine::{
        NetworkView,
        model::{Script, faults},
    },
    record::{Hold, HoldUntil, Outcome},
};

fn back_to(revision: u32) -> Hold {
    Hold {
        revision: Some(revision),
        by: "somebody".to_owned(),
        reason: "it was better".to_owned(),
        until: HoldUntil::Resume,
        at: jiff::Timestamp::UNIX_EPOCH,
    }
}

#[tokio::test(start_paused = true)]
async fn a_revision_from_before_the_policy_is_not_brought_back() {
    let mut tried = 0;
    for attack in ATTACKS {
        let desired = rendered(&Way::Plain.files(attack)).unwrap();
        let mut rig = Rig::new();
        let image = desired.services[attack.service].spec.image.clone();
        rig.model.by_hand(|world| {
            world.add_image(&image, Script::serves());
            for name in ["host", "shared"] {
                let id = name.repeat(16);
                world.networks.push(NetworkView { id, name: name.to_owned(), ..NetworkView::default() });
            }
        });
        rig.host_file = permissive();
        if !denials(&permissive(), &desired).is_empty() {
            // No line of a host file ever allowed it.
            continue;
        }
        let before = rig.pass(&desired, faults::none()).await;
        assert_eq!(before.outcome, Some(Outcome::Succeeded), "{}: {before:?}", attack.what);
        let harmless = format!("services: {{{}: {{{HARMLESS}}}}}\n", attack.service);
        let harmless = rendered(&[("environments/test/app.yaml".to_owned(), harmless)].into()).unwrap();
        rig.host_file = strict();
        let after = rig.pass(&harmless, faults::none()).await;
        assert_eq!(after.outcome, Some(Outcome::Succeeded), "{}: {after:?}", attack.what);
        let runs = || rig.model.by_hand(|world| world.containers.keys().cloned().collect::<Vec<_>>());
        let here = runs();

        rig.ledger().await.hold(&desired.environment, &desired.app, back_to(1)).await.unwrap();
        let back = rig.pass(&harmless, faults::none()).await;
        assert_eq!(back.outcome, Some(Outcome::Blocked), "{}: {back:?}", attack.what);
        let summary = back.error.unwrap().summary;
        assert!(summary.contains(&format!("(`{}`)", attack.rule)), "{}: {summary}", attack.what);
        assert_eq!(runs(), here, "{}", attack.what);
        tried += 1;
    }
    assert!(tried > 40, "only {tried} of {} could ever run", ATTACKS.len());
}
