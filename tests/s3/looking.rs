//! Who looks at a bucket while it is silent, or while others change what is in it.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_at_a_bucket_that_is_silent_does_not_wait_long_and_then_not_at_all() {
    let world = World::begin().await;
    let place = world.place();
    let first = stored(&place, FIRST, whole(b"data")).await.unwrap();
    let second = stored(&place, SECOND, whole(b"newer data")).await.unwrap();
    let newest = |place: AnyPlace| place.newest(&of(), &Copy::is_good);
    assert_eq!(asked(&place, newest).await.unwrap(), Some(second.clone()));
    let (listed, unlisted) = (world.place(), world.place());
    assert_eq!(asked(&listed, |place| place.copies(&of()).unwrap().copies.len()).await, 2);

    world.proxy.breaks(|request| request.method == "GET", Fate::Silence);
    let began = Instant::now();
    let told = asked(&listed, |place| place.copies(&of())).await.unwrap_err();
    assert!(matches!(told, BackupError::Remote { fault: Fault::Away, .. }), "{told:?}");
    assert!(whole_text(&told).contains("nothing came within 5 s") && began.elapsed() < Duration::from_secs(30));
    let asked_so_far = world.proxy.broken();
    let again = asked(&listed, |place| place.copies(&of())).await.unwrap_err();
    assert_eq!(whole_text(&again), whole_text(&told));
    asked(&listed, |place| place.items()).await.unwrap_err();
    assert_eq!(world.proxy.broken(), asked_so_far, "it is not asked again at once");
    asked(&unlisted, newest).await.unwrap_err();

    // What was seen is known as far as it was read: the older record was not.
    assert_eq!(asked(&place, newest).await.unwrap(), Some(second.clone()));
    let id = first.id.clone();
    asked(&place, move |place| place.newest(&of(), &|copy| copy.id == id)).await.unwrap_err();
    world.proxy.heals();
    let place = world.place();
    let id = first.id.clone();
    let older = move |place: AnyPlace| place.newest(&of(), &|copy| copy.id == id);
    assert_eq!(asked(&place, older.clone()).await.unwrap(), Some(first.clone()));
    let gone = second.clone();
    asked(&place, move |place| place.remove(&gone)).await.unwrap();
    world.proxy.breaks(|request| request.method == "GET", Fate::Silence);
    // What was removed is not seen any more, and what is left was read.
    assert_eq!(asked(&place, newest).await.unwrap(), Some(first.clone()));
    world.proxy.heals();
    // That there was none is known too.
    let place = world.place();
    asked(&place, move |place| place.remove(&first)).await.unwrap();
    assert_eq!(asked(&place, newest).await.unwrap(), None);
    world.proxy.breaks(|request| request.method == "GET", Fate::Silence);
    assert_eq!(asked(&place, newest).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_noted_about_a_copy_that_a_bucket_loses_meanwhile_brings_nothing_of_it_back() {
    let world = World::begin().await;
    let place = world.place();
    let is_removed = |told: Result<Copy, BackupError>| matches!(told, Err(BackupError::Removed { .. }));
    let make = async |at: &str| stored(&place, at, whole(b"data")).await.unwrap();
    let copy = make(FIRST).await;
    let told = asked(&place, move |place| place.note(&copy, &|_| place.remove(&copy).unwrap())).await;
    assert!(is_removed(told));
    assert_eq!(world.there(), [""; 0]);
    // In the middle of its removal nothing passes for a while.
    let copy = make(FIRST).await;
    let gone = copy.clone();
    world.proxy.dies(|request| request.method == "DELETE" && request.has(".out"));
    asked(&place, move |place| place.remove(&gone)).await.unwrap_err();
    world.proxy.heals();
    let noted = copy.clone();
    assert!(is_removed(asked(&place, move |place| place.note(&noted, &|_| {})).await));
    // Its record is written again by who read it before.
    let again = copy.clone();
    asked(&place, move |place| place.rewrite(&again)).await.unwrap();
    let noted = copy.clone();
    assert!(is_removed(asked(&place, move |place| place.note(&noted, &|_| {})).await));
    assert_eq!(world.there(), [""; 0]);
    // Of one that is there only that is changed.
    let copy = make(FIRST).await;
    let (one, other) = (copy.clone(), copy.clone());
    asked(&place, move |place| place.note(&one, &|copy| copy.suspect = Some("small".to_owned()))).await.unwrap();
    let told = asked(&place, move |place| place.note(&other, &|copy| copy.verified = None)).await.unwrap();
    assert_eq!((told.suspect.as_deref(), told.verified), (Some("small"), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_put_into_a_bucket_hides_no_copy() {
    let world = World::begin().await;
    let place = world.place_with(|settings| S3 { prefix: None, ..settings });
    let copy = stored(&place, FIRST, whole(b"data")).await.unwrap();
    world.server.asked(
        "for k in ['production/web/db/large.json', 'other//x/y/z', 'production/api//x']: s3.put_object(Bucket='copies', Key=k, Body=b'x' * 70000)",
    );
    let found = asked(&place, |place| place.copies(&of()).unwrap()).await;
    assert_eq!(found.copies, std::slice::from_ref(&copy));
    assert!(matches!(found.faults.as_slice(), [BackupError::Record { .. }]), "{:?}", found.faults);
    assert_eq!(asked(&place, |place| place.newest(&of(), &Copy::is_good)).await.unwrap(), Some(copy));
    assert_eq!(asked(&place, |place| place.items()).await.unwrap(), [of()]);
    let of_app = |place: AnyPlace| place.items_of(&of().environment, &of().app).unwrap();
    assert_eq!(asked(&place, of_app).await, [of()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_and_a_region_that_are_wrong_are_told_as_what_they_are() {
    let world = World::begin().await;
    let table = [
        (Fate::Tell(403, "RequestTimeTooSkewed"), "this host's clock is not its clock", "set the clock"),
        (Fate::Tell(301, "PermanentRedirect"), "the bucket is in another region", "`region`"),
    ];
    for (fate, expected, hint) in table {
        world.proxy.breaks(|request| request.method == "GET", fate);
        let told = asked(&world.place(), |place| place.copies(&of())).await.unwrap_err();
        let text = whole_text(&told);
        assert!(text.contains(expected) && told.hint().is_some_and(|told| told.contains(hint)), "{text}");
    }
}
