//! Entries, folders, holds and what is kept of the past.

use crate::{
    kin::{app, at, back, close, environment, fail, fresh, manifest, new, open, succeed},
    picture::{automatic, key, manual},
};
use reconcile::record::{
    Close, Delivered, Documents, NewEntry, Outcome, RecordError, StateDir, Suspension,
    target::{Target, previous, target},
};
use serde_json::json;
use std::{collections::BTreeMap, fs};

#[tokio::test]
async fn nothing_is_known_of_an_app_at_first() {
    let (_directory, state) = fresh().await;
    let ledger = state.ledger();
    assert_eq!(ledger.app(&environment(), &app()).await.unwrap(), Default::default());
    assert_eq!(ledger.apps(&environment()).await.unwrap(), vec![]);
    assert_eq!(ledger.applied(&environment(), &app(), "20.10").await.unwrap(), Default::default());
    let missing = ledger.stored_manifest(&environment(), &app(), 1).await.unwrap_err();
    assert_eq!(missing.to_string(), "`production/web` has no revision 1");
    let missing = ledger.close(&environment(), &app(), 7, close(Outcome::Failed, false, false)).await.unwrap_err();
    assert!(matches!(missing, RecordError::NoRevision { number: 7, .. }));
}

#[tokio::test]
async fn a_revision_is_recorded_and_survives_a_restart() {
    let (_directory, state) = fresh().await;
    let path = state.path().to_owned();
    assert_eq!(succeed(&state.ledger(), new("a")).await, 1);
    drop(state);

    let state = StateDir::open(&path).await.unwrap();
    let recorded = state.ledger().app(&environment(), &app()).await.unwrap();
    let entry = &recorded.entries[0];
    assert_eq!((entry.number, &entry.key, entry.outcome), (1, &key("a"), Some(Outcome::Succeeded)));
    assert!(entry.stable && !entry.condemned);
    assert_eq!(state.ledger().stored_manifest(&environment(), &app(), 1).await.unwrap(), manifest("a"));
    let applied = state.ledger().applied(&environment(), &app(), "20.10").await.unwrap();
    assert_eq!((applied.number, applied.manifest), (Some(1), Some(manifest("a"))));
    assert_eq!(state.ledger().apps(&environment()).await.unwrap(), vec![app()]);
}

#[tokio::test]
async fn the_folder_of_a_revision_holds_each_document_and_each_attempt() {
    let (_directory, state) = fresh().await;
    let ledger = state.ledger();
    let number = open(&ledger, new("a")).await;
    for outcome in [Outcome::Blocked, Outcome::Succeeded] {
        ledger.close(&environment(), &app(), number, close(outcome, false, false)).await.unwrap();
    }
    let folder = state.path().join("revisions/production/web/1");
    let mut names: Vec<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["manifest.yaml", "outcome-1.json", "outcome-2.json", "plan.json", "spec.json"]);
    let text = |name| fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&text("outcome-1.json")).unwrap(),
        json!({"outcome": "Blocked"})
    );
    let newest = ledger.stored_outcome(&environment(), &app(), number).await.unwrap();
    assert_eq!(newest, Some(json!({"outcome": "Succeeded"})));
    assert_eq!(ledger.stored_outcome(&environment(), &app(), number + 1).await.unwrap(), None);
    assert_eq!(
        text("manifest.yaml"),
        "services:\n  web:\n    image: app:1\n    env:\n      VERSION: a\n      ODD: \"no\"\n      PORT: \"0080\"\n"
    );
}

#[tokio::test]
async fn a_pass_that_is_tried_again_makes_no_second_entry() {
    let (_directory, state) = fresh().await;
    let ledger = state.ledger();
    assert_eq!(open(&ledger, new("a")).await, 1);
    assert_eq!(open(&ledger, new("a")).await, 1, "killed before it was closed");
    ledger.close(&environment(), &app(), 1, close(Outcome::Blocked, false, false)).await.unwrap();
    assert_eq!(open(&ledger, new("a")).await, 1, "the engine was away");
    assert_eq!(open(&ledger, new("b")).await, 2);
    assert_eq!(ledger.app(&environment(), &app()).await.unwrap().entries.len(), 2);
}

#[tokio::test]
async fn what_was_delivered_is_known_until_all_containers_have_something_else() {
    let (_directory, state) = fresh().await;
    let (ledger, environment, app) = (state.ledger(), environment(), app());
    let with = |digest: &str| Delivered {
        host_key: Some("k".to_owned()),
        digests: BTreeMap::from([("db/password".to_owned(), digest.to_owned())]),
    };
    let known = async || ledger.app(&environment, &app).await.unwrap().entries.pop().unwrap().delivered();
    open(&ledger, NewEntry { delivered: Some(with("1")), ..new("a") }).await;
    assert_eq!(known().await, [with("1")]);
    open(&ledger, NewEntry { delivered: Some(with("2")), ..new("a") }).await;
    assert_eq!(known().await, [with("1"), with("2")], "the first attempt's container may still be there");
    ledger.will_deliver(&environment, &app, 1, with("1")).await.unwrap();
    assert_eq!(known().await, [with("2"), with("1")]);
    ledger.was_delivered(&environment, &app, 1, with("3")).await.unwrap();
    assert_eq!(known().await, [with("3")]);
}

#[tokio::test]
async fn an_entry_of_an_earlier_release_was_delivered_what_made_it() {
    let (_directory, state) = fresh().await;
    let (ledger, mut old) = (state.ledger(), new("a"));
    old.key.secrets.insert("db/password".to_owned(), "1".to_owned());
    open(&ledger, old.clone()).await;
    let entry = ledger.app(&environment(), &app()).await.unwrap().entries.remove(0);
    assert_eq!(entry.delivered(), [Delivered { host_key: None, digests: old.key.secrets }]);
    assert!(!serde_json::to_string(&entry).unwrap().contains("delivered"), "it is read by that release");
}

#[tokio::test]
async fn a_world_that_fails_a_stable_revision_leaves_it_stable() {
    let (_directory, state) = fresh().await;
    let ledger = state.ledger();
    succeed(&ledger, new("a")).await;
    ledger.close(&environment(), &app(), 1, close(Outcome::Blocked, false, false)).await.unwrap();
    let entry = ledger.app(&environment(), &app()).await.unwrap().entries.remove(0);
    assert!(entry.stable);
    ledger.close(&environment(), &app(), 1, close(Outcome::Failed, false, true)).await.unwrap();
    let entry = ledger.app(&environment(), &app()).await.unwrap().entries.remove(0);
    assert!(!entry.stable && entry.condemned, "and one that fails by its own fault is not");
}

#[tokio::test]
async fn a_failed_head_is_gone_back_from_held_and_resumed() {
    let (_directory, state) = fresh().await;
    let (ledger, environment, app) = (state.ledger(), environment(), app());
    succeed(&ledger, new("a")).await;
    let failed = open(&ledger, new("b")).await;
    let hold = Some(automatic(Some(1), "b"));
    let outcome = Close { hold, ..close(Outcome::RolledBack, false, true) };
    ledger.close(&environment, &app, failed, outcome).await.unwrap();
    assert_eq!(target(&key("b"), &ledger.app(&environment, &app).await.unwrap()), Target::Revision(1));

    assert_eq!(succeed(&ledger, back("a", 1)).await, 3, "the rollback is an entry of its own");
    assert_eq!(target(&key("b"), &ledger.app(&environment, &app).await.unwrap()), Target::Revision(1));
    assert_eq!(target(&key("c"), &ledger.app(&environment, &app).await.unwrap()), Target::Head);

    ledger.resume(&environment, &app).await.unwrap();
    let resumed = ledger.app(&environment, &app).await.unwrap();
    assert_eq!(resumed.hold, None);
    assert_eq!(target(&key("b"), &resumed), Target::Head);
    assert_eq!(open(&ledger, new("b")).await, 4);
    assert_eq!(ledger.app(&environment, &app).await.unwrap().entries[3].restores, Some(2), "it is revision 2 again");
}

#[tokio::test]
async fn two_rollbacks_go_back_twice() {
    let (_directory, state) = fresh().await;
    let (ledger, environment, app) = (state.ledger(), environment(), app());
    for letter in ["a", "b", "c"] {
        succeed(&ledger, new(letter)).await;
    }
    for (expected, letter) in [(2, "b"), (1, "a")] {
        assert_eq!(previous(&ledger.app(&environment, &app).await.unwrap()), Some(expected));
        ledger.hold(&environment, &app, manual(expected)).await.unwrap();
        assert_eq!(target(&key("c"), &ledger.app(&environment, &app).await.unwrap()), Target::Revision(expected));
        succeed(&ledger, back(letter, expected)).await;
    }
    assert_eq!(previous(&ledger.app(&environment, &app).await.unwrap()), None);
}

#[tokio::test]
async fn a_condemned_revision_that_a_person_names_is_tried_once_more() {
    let (_directory, state) = fresh().await;
    let (ledger, environment, app) = (state.ledger(), environment(), app());
    fail(&ledger, new("a")).await;
    succeed(&ledger, new("b")).await;
    ledger.hold(&environment, &app, manual(1)).await.unwrap();
    assert_eq!(target(&key("b"), &ledger.app(&environment, &app).await.unwrap()), Target::Revision(1));
    fail(&ledger, back("a", 1)).await;
    assert_eq!(target(&key("b"), &ledger.app(&environment, &app).await.unwrap()), Target::Stay);

    ledger.hold(&environment, &app, automatic(Some(1), "b")).await.unwrap();
    assert_eq!(target(&key("b"), &ledger.app(&environment, &app).await.unwrap()), Target::Stay, "the tool's own word");
}

#[tokio::test]
async fn release_lifts_condemnations_only_when_asked() {
    let (_directory, state) = fresh().await;
    let (ledger, environment, app) = (state.ledger(), environment(), app());
    fail(&ledger, new("a")).await;
    for (lift, expected) in [(false, Target::Nothing), (true, Target::Head)] {
        ledger.hold(&environment, &app, automatic(None, "a")).await.unwrap();
        ledger.release(&environment, &app, lift).await.unwrap();
        let ledger = ledger.app(&environment, &app).await.unwrap();
        assert_eq!((ledger.hold.clone(), target(&key("a"), &ledger)), (None, expected));
    }
}

#[tokio::test]
async fn a_suspension_ends_with_its_time_or_with_resume() {
    let (_directory, state) = fresh().await;
    let (ledger, environment, app) = (state.ledger(), environment(), app());
    let suspension = Suspension { by: "ada".to_owned(), reason: None, until: Some(at(60)) };
    ledger.suspend(&environment, &app, suspension.clone()).await.unwrap();
    let suspended = ledger.app(&environment, &app).await.unwrap();
    assert_eq!(suspended.suspended_at(at(59)), Some(&suspension));
    assert_eq!(suspended.suspended_at(at(60)), None);
    ledger.resume(&environment, &app).await.unwrap();
    assert_eq!(ledger.app(&environment, &app).await.unwrap().suspended, None);
}

#[tokio::test]
async fn an_altered_manifest_is_noticed() {
    let (_directory, state) = fresh().await;
    let ledger = state.ledger();
    succeed(&ledger, new("a")).await;
    let path = state.path().join("revisions/production/web/1/manifest.yaml");
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("app:1", "evil:1")).unwrap();
    let error = ledger.stored_manifest(&environment(), &app(), 1).await.unwrap_err();
    assert!(matches!(error, RecordError::Altered { .. }), "{error:?}");
    assert!(error.to_string().contains("is not what was recorded: its sha256 is "), "{error}");
    let applied = ledger.applied(&environment(), &app(), "20.10").await.unwrap();
    assert_eq!((applied.number, applied.manifest), (Some(1), None), "the host is still planned from");
}

#[tokio::test]
async fn a_large_manifest_is_kept() {
    let (_directory, state) = fresh().await;
    let services: BTreeMap<String, _> = (0..2000)
        .map(|n| (format!("service-{n}"), json!({"image": format!("app:{n}"), "env": {"A": "x".repeat(80)}})))
        .collect();
    let manifest = json!({"services": services});
    let empty = json!({});
    let documents = Documents { manifest: &manifest, spec: &empty, plan: &empty };
    let number = state.ledger().open(&environment(), &app(), new("a"), documents).await.unwrap();
    assert_eq!(state.ledger().stored_manifest(&environment(), &app(), number).await.unwrap(), manifest);
}

#[tokio::test]
async fn what_decides_is_kept_however_old_and_the_rest_goes() {
    let (_directory, state) = fresh().await;
    let (ledger, environment, app) = (state.ledger(), environment(), app());
    let letters = ["a", "b", "c", "d", "e", "f", "g", "h"];
    succeed(&ledger, new("a")).await;
    succeed(&ledger, new("b")).await;
    for letter in &letters[2..] {
        fail(&ledger, new(letter)).await;
    }
    ledger.hold(&environment, &app, automatic(Some(1), "h")).await.unwrap();
    ledger.retain(&environment, &app, 3).await.unwrap();
    let numbers = |ledger: reconcile::record::AppLedger| -> Vec<u32> {
        ledger.entries.into_iter().map(|entry| entry.number).collect()
    };
    assert_eq!(numbers(ledger.app(&environment, &app).await.unwrap()), [1, 2, 6, 7, 8]);
    let mut folders: Vec<u32> = fs::read_dir(state.path().join("revisions/production/web"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().parse().unwrap())
        .collect();
    folders.sort_unstable();
    assert_eq!(folders, [1, 2, 6, 7, 8]);
    ledger.release(&environment, &app, false).await.unwrap();
    ledger.retain(&environment, &app, 0).await.unwrap();
    assert_eq!(numbers(ledger.app(&environment, &app).await.unwrap()), [2, 8], "never less than one");
    assert_eq!(open(&ledger, new("i")).await, 9);
}

#[tokio::test]
async fn what_is_in_force_the_newest_stable_one_and_the_last_head_are_kept() {
    let (_directory, state) = fresh().await;
    let (ledger, environment, app) = (state.ledger(), environment(), app());
    let numbers = async || {
        let recorded = ledger.app(&environment, &app).await.unwrap();
        recorded.entries.into_iter().map(|entry| entry.number).collect::<Vec<_>>()
    };
    succeed(&ledger, new("a")).await;
    let unproved = open(&ledger, new("b")).await;
    ledger.close(&environment, &app, unproved, close(Outcome::Succeeded, false, false)).await.unwrap();
    fail(&ledger, new("c")).await;
    fail(&ledger, new("d")).await;
    ledger.retain(&environment, &app, 1).await.unwrap();
    assert_eq!(numbers().await, [1, 2, 4]);

    for (letter, original) in [("a", 1), ("b", 2), ("a", 1)] {
        succeed(&ledger, back(letter, original)).await;
    }
    ledger.retain(&environment, &app, 1).await.unwrap();
    assert_eq!(numbers().await, [1, 4, 7], "or the failed head would be forgotten and tried again");
    assert_eq!(target(&key("d"), &ledger.app(&environment, &app).await.unwrap()), Target::Revision(1));
}

#[tokio::test]
async fn the_original_of_a_rollback_in_force_is_kept() {
    let (_directory, state) = fresh().await;
    let (ledger, environment, app) = (state.ledger(), environment(), app());
    for letter in ["a", "b", "c"] {
        succeed(&ledger, new(letter)).await;
    }
    succeed(&ledger, back("a", 1)).await;
    for letter in ["d", "e"] {
        fail(&ledger, new(letter)).await;
    }
    ledger.retain(&environment, &app, 1).await.unwrap();
    let kept = ledger.app(&environment, &app).await.unwrap();
    assert_eq!(kept.entries.iter().map(|entry| entry.number).collect::<Vec<_>>(), [1, 4, 6]);
    assert_eq!(target(&key("e"), &kept), Target::Revision(1));
    assert_eq!(ledger.stored_manifest(&environment, &app, 1).await.unwrap(), manifest("a"));
}

#[tokio::test]
async fn images_are_kept_for_the_newest_stable_revisions_and_for_the_held_one() {
    let (_directory, state) = fresh().await;
    let (ledger, environment, app) = (state.ledger(), environment(), app());
    let kept = async |images| {
        let kept = ledger.kept_images(&environment, &app, images).await.unwrap();
        kept.into_iter()
            .map(|(number, services)| format!("{number} {}", services.into_values().collect::<Vec<_>>().join(" ")))
            .collect::<Vec<_>>()
    };
    assert_eq!(kept(3).await, Vec::<String>::new());
    for letter in ["a", "b", "c", "d"] {
        succeed(&ledger, new(letter)).await;
    }
    fail(&ledger, new("e")).await;
    assert_eq!(kept(3).await, ["2 sha256:b", "3 sha256:c", "4 sha256:d"]);
    assert_eq!(kept(0).await, ["4 sha256:d"]);
    ledger.hold(&environment, &app, manual(1)).await.unwrap();
    assert_eq!(kept(2).await, ["1 sha256:a", "4 sha256:d"]);
    succeed(&ledger, back("a", 1)).await;
    assert_eq!(kept(2).await, ["1 sha256:a", "4 sha256:d"], "a rollback's images are those of its original");
}

#[tokio::test]
async fn an_image_id_that_became_known_later_is_kept_too() {
    let (_directory, state) = fresh().await;
    let (ledger, environment, app) = (state.ledger(), environment(), app());
    let mut unknown = new("a");
    unknown.key.images.clear();
    let number = succeed(&ledger, unknown).await;
    assert_eq!(ledger.kept_images(&environment, &app, 3).await.unwrap()[&1].len(), 0);
    ledger.resolved(&environment, &app, number, &key("a").images).await.unwrap();
    assert_eq!(ledger.kept_images(&environment, &app, 3).await.unwrap()[&1].values().collect::<Vec<_>>(), ["sha256:a"]);
    assert_eq!(ledger.app(&environment, &app).await.unwrap().entries[0].key, key("a"));
}

#[tokio::test]
async fn apps_and_environments_do_not_mix() {
    let (_directory, state) = fresh().await;
    let ledger = state.ledger();
    succeed(&ledger, new("a")).await;
    let (staging, other) = ("staging".parse().unwrap(), "other".parse().unwrap());
    for (environment, app) in [(&staging, &app()), (&environment(), &other)] {
        assert_eq!(ledger.app(environment, app).await.unwrap(), Default::default());
        ledger.hold(environment, app, manual(1)).await.unwrap();
    }
    assert_eq!(ledger.app(&environment(), &app()).await.unwrap().hold, None);
    assert_eq!(ledger.apps(&environment()).await.unwrap(), vec![other, app()]);
    assert_eq!(ledger.apps(&staging).await.unwrap(), vec![app()]);
}
