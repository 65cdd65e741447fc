//! Copies in a bucket: a real server of S3's protocol that knows keys, and a way to it that breaks where a test wants it to.

#[path = "s3/looking.rs"]
mod looking;
#[path = "s3/proxy.rs"]
mod proxy;
#[path = "s3/server.rs"]
mod server;

use jiff::Timestamp;
use proxy::{Fate, Proxy};
use reconcile::{
    backup::{
        AnyPlace, BackupError, Copy, Fault, Flow, Limit, Local, Making, Of, Piece, flow::IN_HAND, judge, place, store,
        take_over, verify,
    },
    desired::backup::Compression,
    host::{Repository, S3},
};
use server::Server;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{
    sync::{mpsc, watch},
    task::spawn_blocking,
};

fn of() -> Of {
    Of { environment: "production".parse().unwrap(), app: "web".parse().unwrap(), item: "db".parse().unwrap() }
}

fn making(taken_at: &str) -> Making {
    Making {
        of: of(),
        kind: "exec".to_owned(),
        compression: Compression::None,
        sealed_for: Vec::new(),
        judges_content: true,
        before: None,
        pinned: false,
        before_revision: None,
        taken_at: taken_at.parse().unwrap(),
    }
}

/// What S3 cannot hold in one part.
fn content() -> Vec<u8> {
    (0..5_000_000_u32).flat_map(u32::to_le_bytes).collect()
}

fn flow(pieces: Vec<Piece>) -> Flow {
    let (sender, receiver) = mpsc::channel(IN_HAND);
    tokio::spawn(async move {
        for piece in pieces {
            let _ = sender.send(piece).await;
        }
    });
    receiver
}

fn whole(bytes: &[u8]) -> Flow {
    flow(bytes.chunks(100_000).map(|chunk| Piece::Bytes(chunk.to_vec())).chain([Piece::Whole]).collect())
}

/// A place as the host file tells it, by way of a proxy.
struct World {
    server: Server,
    proxy: Proxy,
    folder: TempDir,
}

impl World {
    async fn begin() -> Self {
        let server = spawn_blocking(Server::begin).await.unwrap();
        let proxy = Proxy::begin(server.port);
        Self { server, proxy, folder: tempfile::tempdir().unwrap() }
    }

    fn place(&self) -> AnyPlace {
        self.place_with(|settings| settings)
    }

    fn place_with(&self, change: impl FnOnce(S3) -> S3) -> AnyPlace {
        let file = self.folder.path().join("secret");
        fs::write(&file, &self.server.secret).unwrap();
        closed(&file);
        let settings = S3 {
            endpoint: Some(format!("http://127.0.0.1:{}", self.proxy.port).parse().unwrap()),
            region: "us-east-1".to_owned(),
            bucket: "copies".parse().unwrap(),
            prefix: Some("hosts/web1".parse().unwrap()),
            access_key_id: self.server.key.clone(),
            secret_access_key_file: file.to_str().unwrap().parse().unwrap(),
        };
        place::open(&"bucket".parse().unwrap(), &Repository::S3(change(settings)))
    }

    /// All objects and all uploads that are under way, as another client sees them.
    fn there(&self) -> Vec<String> {
        self.server.asked("for o in s3.list_objects_v2(Bucket='copies').get('Contents', []): print(o['Key'])\nfor u in s3.list_multipart_uploads(Bucket='copies').get('Uploads', []): print('upload of', u['Key'])")
    }
}

fn closed(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

async fn stored(place: &AnyPlace, taken_at: &str, flow: Flow) -> Result<Copy, BackupError> {
    let (place, making) = (Arc::clone(place), making(taken_at));
    spawn_blocking(move || store(place.as_ref(), &making, flow, judge("exec"), None)).await.unwrap()
}

/// Asks a place, which blocks.
async fn asked<T: Send + 'static>(place: &AnyPlace, ask: impl FnOnce(AnyPlace) -> T + Send + 'static) -> T {
    let place = Arc::clone(place);
    spawn_blocking(move || ask(place)).await.unwrap()
}

fn whole_text(error: &BackupError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

const FIRST: &str = "2026-11-28T02:30:00Z";
const SECOND: &str = "2026-11-29T02:30:00Z";

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_in_a_bucket_is_whole_listed_read_back_and_removed() {
    let world = World::begin().await;
    let place = world.place();
    let bytes = content();
    let copy = stored(&place, FIRST, whole(&bytes)).await.unwrap();
    assert_eq!(copy.stored.bytes, 20_000_000);
    let folder = "hosts/web1/production/web/db";
    assert_eq!(world.there(), [format!("{folder}/20261128T023000Z.json"), format!("{folder}/20261128T023000Z.out")]);
    // Another client reads the same bytes.
    let sum = world.server.asked(&format!(
        "import hashlib; print(hashlib.sha256(s3.get_object(Bucket='copies', Key='{folder}/20261128T023000Z.out')['Body'].read()).hexdigest())"
    ));
    assert_eq!(sum, std::slice::from_ref(&copy.stored.sha256));
    let second = stored(&place, FIRST, whole(b"of the same second")).await.unwrap();
    assert_eq!(second.id.as_str(), "20261128T023000Z-1");
    let third = stored(&place, SECOND, whole(b"newer")).await.unwrap();
    let listed = asked(&place, |place| (place.items().unwrap(), place.copies(&of()).unwrap())).await;
    assert_eq!((listed.0, listed.1.copies), (vec![of()], vec![third.clone(), second, copy.clone()]));
    assert_eq!(listed.1.faults.len(), 0);
    let newest = asked(&place, |place| place.newest(&of(), &Copy::is_good).unwrap()).await;
    assert_eq!(newest, Some(third));

    let wanted = copy.clone();
    let verified = asked(&place, move |place| verify(place.as_ref(), &wanted, None, judge("exec"))).await.unwrap();
    assert!(verified.is_good());

    // From the bucket to a folder, and from there to another bucket's prefix.
    let local: AnyPlace = Arc::new(Local { name: "local".parse().unwrap(), root: world.folder.path().join("backups") });
    let other = world.place_with(|settings| S3 { prefix: Some("other".parse().unwrap()), ..settings });
    let (from, to, taken) = (Arc::clone(&place), Arc::clone(&local), copy.clone());
    spawn_blocking(move || take_over(to.as_ref(), from.as_ref(), &taken)).await.unwrap().unwrap();
    assert_eq!(fs::read(local.path(&copy)).unwrap(), bytes);
    let (to, taken) = (Arc::clone(&other), copy.clone());
    spawn_blocking(move || take_over(to.as_ref(), local.as_ref(), &taken)).await.unwrap().unwrap();
    let listed = asked(&other, |place| place.copies(&of()).unwrap().copies).await;
    assert_eq!(listed, std::slice::from_ref(&copy));

    // What was changed there is told, and counts no longer.
    world.server.asked(
        "s3.put_object(Bucket='copies', Key='other/production/web/db/20261128T023000Z.out', Body=b'x' * 20000000)",
    );
    let wanted = copy.clone();
    let told = asked(&other, move |place| verify(place.as_ref(), &wanted, None, judge("exec"))).await.unwrap_err();
    assert!(told.to_string().contains("is not what was written"), "{told}");
    assert_eq!(asked(&other, |place| place.newest(&of(), &Copy::is_good).unwrap()).await, None);

    let gone = copy.clone();
    asked(&other, move |place| place.remove(&gone)).await.unwrap();
    assert!(!world.there().iter().any(|key| key.starts_with("other/")), "{:?}", world.there());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_on_its_way_leaves_nothing_and_costs_no_copy() {
    let world = World::begin().await;
    let place = world.place();
    let before = stored(&place, FIRST, whole(&content())).await.unwrap();
    let there = world.there();
    // A source that fails when parts of it are there already.
    let mut pieces: Vec<Piece> = content().chunks(1_000_000).map(|chunk| Piece::Bytes(chunk.to_vec())).collect();
    pieces.push(Piece::Failed("`dump` exited with 1".to_owned()));
    let told = stored(&place, SECOND, flow(pieces)).await.unwrap_err();
    assert_eq!(told.to_string(), "the source failed: `dump` exited with 1");
    assert_eq!(world.there(), there);
    assert_eq!(stored(&place, SECOND, whole(b"")).await.unwrap_err().to_string(), "the source is empty");
    assert_eq!(world.there(), there);

    type Wanted = fn(&proxy::Request) -> bool;
    let table: [(&str, Wanted, Fate, Fault); 6] = [
        ("the second part is cut", |request| request.has("partNumber=2"), Fate::Cut(3_000_000), Fault::Away),
        ("parts are refused", |request| request.has("partNumber=2"), Fate::Answer(503), Fault::Declined),
        ("the key lost a right", |request| request.has("partNumber=2"), Fate::Answer(403), Fault::Refused),
        (
            "it cannot be finished",
            |request| request.method == "POST" && request.has("uploadId="),
            Fate::Answer(503),
            Fault::Declined,
        ),
        (
            "it cannot be read back",
            |request| request.method == "GET" && request.has(".out"),
            Fate::Answer(503),
            Fault::Declined,
        ),
        (
            "the record cannot be written",
            |request| request.method == "PUT" && request.has(".json"),
            Fate::Answer(503),
            Fault::Declined,
        ),
    ];
    for (name, wanted, fate, expected) in table {
        world.proxy.breaks(wanted, fate);
        let told = stored(&place, SECOND, whole(&content())).await.unwrap_err();
        assert!(
            matches!(&told, BackupError::Remote { fault, .. } if *fault == expected),
            "{name}: {}",
            whole_text(&told)
        );
        assert!(told.hint().is_some(), "{name}");
        world.proxy.heals();
        assert_eq!(world.there(), there, "{name}");
        assert!(!whole_text(&told).contains(&world.server.secret));
    }
    assert_eq!(asked(&place, |place| place.copies(&of()).unwrap().copies).await, [before]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_for_a_moment_is_asked_for_again() {
    let world = World::begin().await;
    let place = world.place();
    for fate in [Fate::Cut(1_000_000), Fate::Answer(503), Fate::Answer(500)] {
        world.proxy.breaks_once(|request| request.has("partNumber=2"), fate);
        let copy = stored(&place, SECOND, whole(&content())).await.unwrap();
        assert_eq!(world.proxy.broken(), 1);
        world.proxy.breaks_once(|request| request.method == "GET" && request.has(".out"), Fate::CutAnswer(500_000));
        let wanted = copy.clone();
        asked(&place, move |place| verify(place.as_ref(), &wanted, None, judge("exec"))).await.unwrap();
        assert_eq!(world.proxy.broken(), 1);
    }
}

/// What a kill leaves: requests that were made before it, and none after.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_left_in_a_bucket_is_put_away_by_the_next() {
    let world = World::begin().await;
    let place = world.place();
    let before = stored(&place, FIRST, whole(&content())).await.unwrap();
    let there = world.there();
    type Wanted = fn(&proxy::Request) -> bool;
    let steps: [Wanted; 4] = [
        |request| request.has("partNumber=2"),
        |request| request.method == "POST" && request.has("uploadId="),
        |request| request.method == "GET" && request.has(".out"),
        |request| request.method == "PUT" && request.has(".json"),
    ];
    for step in steps {
        // From then on nothing passes, what would clean up included.
        world.proxy.dies(step);
        stored(&place, SECOND, whole(&content())).await.unwrap_err();
        world.proxy.heals();
        assert_ne!(world.there(), there);
        assert_eq!(asked(&place, |place| place.copies(&of()).unwrap().copies).await, std::slice::from_ref(&before));
        asked(&place, |place| place.sweep(&of())).await.unwrap();
        assert_eq!(world.there(), there);
    }
    // In the middle of a removal: it counts no longer, and goes with the next sweep.
    for step in [(|request| request.method == "DELETE" && request.has(".json")) as Wanted, |request| {
        request.method == "DELETE" && request.has(".out")
    }] {
        let copy = stored(&place, SECOND, whole(b"short")).await.unwrap();
        world.proxy.dies(step);
        asked(&place, move |place| place.remove(&copy)).await.unwrap_err();
        world.proxy.heals();
        asked(&place, |place| place.sweep(&of())).await.unwrap();
        assert_eq!(world.there(), there);
    }
    // What nobody of ours began is not touched.
    world.server.asked("s3.put_object(Bucket='copies', Key='hosts/web1/production/web/db/notes.txt', Body=b'mine')");
    asked(&place, |place| place.sweep(&of())).await.unwrap();
    assert_eq!(world.there().len(), there.len() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_a_bucket_or_an_endpoint_that_is_wrong_is_told_with_what_to_do() {
    let world = World::begin().await;
    let at = Timestamp::now().to_string();
    let wrong = world.folder.path().join("wrong");
    fs::write(&wrong, "not+the+secret\n").unwrap();
    closed(&wrong);
    let open = world.folder.path().join("open");
    fs::write(&open, "known").unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let file = |path: &Path| path.to_str().unwrap().parse().unwrap();
    let away = format!("http://127.0.0.1:{}", server::free_port());
    let table: [(AnyPlace, &str, &str); 5] = [
        (
            world.place_with(|settings| S3 { secret_access_key_file: file(&wrong), ..settings }),
            "the key is refused",
            "see `access_key_id`",
        ),
        (
            world.place_with(|settings| S3 { access_key_id: "AKIANOBODY".to_owned(), ..settings }),
            "the key is refused",
            "see `access_key_id`",
        ),
        (
            world.place_with(|settings| S3 { bucket: "no-such-bucket".parse().unwrap(), ..settings }),
            "there is no such bucket",
            "make the bucket",
        ),
        (
            world.place_with(|settings| S3 { endpoint: Some(away.parse().unwrap()), ..settings }),
            "the endpoint does not answer",
            "see `endpoint`",
        ),
        (
            world.place_with(|settings| S3 { secret_access_key_file: file(&open), ..settings }),
            "the secret of the key of place `bucket` is not known",
            "chmod",
        ),
    ];
    for (place, expected, hint) in table {
        let told = stored(&place, &at, whole(b"data")).await.unwrap_err();
        let listed = asked(&place, |place| place.newest(&of(), &Copy::is_good)).await.unwrap_err();
        for told in [told, listed] {
            let text = whole_text(&told);
            assert!(text.contains(expected), "{text}");
            assert!(told.hint().is_some_and(|told| told.contains(hint)), "{text}: {:?}", told.hint());
            assert!(!text.contains("not+the+secret") && !text.contains(&world.server.secret), "{text}");
        }
    }
    // Whoever saw the newest copy before knows it while nobody answers.
    let place = world.place();
    let copy = stored(&place, FIRST, whole(b"data")).await.unwrap();
    let newest = |place: AnyPlace| place.newest(&of(), &Copy::is_good);
    assert_eq!(asked(&place, newest).await.unwrap(), Some(copy.clone()));
    world.proxy.breaks(|request| request.method == "GET", Fate::Answer(503));
    assert_eq!(asked(&place, newest).await.unwrap(), Some(copy));
    asked(&world.place(), newest).await.unwrap_err();
    world.proxy.heals();
    // A new secret counts at once.
    let place = world.place_with(|settings| S3 { secret_access_key_file: file(&wrong), ..settings });
    stored(&place, &at, whole(b"data")).await.unwrap_err();
    fs::write(&wrong, &world.server.secret).unwrap();
    stored(&place, &at, whole(b"data")).await.unwrap();
}

/// Whatever a run waits for when it is asked to end, or its time is over: nothing of it stays, and nobody waits for the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_may_go_on_no_longer_waits_for_no_answer_and_ends_its_upload() {
    let world = World::begin().await;
    let place = world.place();
    let before = stored(&place, FIRST, whole(&content())).await.unwrap();
    let there = world.there();
    type Wanted = fn(&proxy::Request) -> bool;
    let steps: [Wanted; 6] = [
        |request| request.has("delimiter="),
        |request| request.method == "POST" && request.has("uploads"),
        |request| request.has("partNumber=2"),
        |request| request.method == "POST" && request.has("uploadId="),
        |request| request.method == "GET" && request.has(".out"),
        |request| request.method == "PUT" && request.has(".json"),
    ];
    for (step, is_asked) in steps.into_iter().zip([true, false].into_iter().cycle()) {
        world.proxy.breaks(step, Fate::Silence);
        let (asker, ending) = watch::channel(false);
        let limit = Limit::begin(Duration::from_secs(if is_asked { 3600 } else { 3 }), Some(ending));
        let (place, making, flow) = (Arc::clone(&place), making(SECOND), whole(&content()));
        let runs = limit.apart(move || store(place.as_ref(), &making, flow, judge("exec"), None));
        let asks = async {
            while is_asked && world.proxy.broken() == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            asker.send_replace(is_asked);
            Instant::now()
        };
        let (ran, asked) = tokio::join!(runs, asks);
        assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
        match ran {
            Err(BackupError::Asked) => assert!(is_asked),
            Err(BackupError::Late { seconds: 3 }) => assert!(!is_asked),
            ran => panic!("{ran:?}"),
        }
        world.proxy.heals();
        assert_eq!(world.there(), there);
    }
    assert_eq!(asked(&place, |place| place.copies(&of()).unwrap().copies).await, [before]);
}
