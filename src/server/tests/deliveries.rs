//! What comes twice, and what comes too often.

use crate::server::{
    Hook, HookError,
    delivery::{Bucket, Seen},
    hook::Verdict,
    signature::Marks,
};
use hyper::HeaderMap;
use jiff::Timestamp;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

const SECRET: &str = "a secret of sixteen or more";

fn delivery(id: usize) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-gitlab-token", SECRET.parse().unwrap());
    headers.insert("idempotency-key", id.to_string().parse().unwrap());
    headers
}

#[tokio::test]
async fn a_delivery_nudges_once_and_only_once() {
    let nudge = Arc::new(Notify::new());
    let hook = Hook::new(SECRET.into(), Arc::clone(&nudge)).unwrap();
    let hear = |headers| hook.hear(&headers, b"", Timestamp::UNIX_EPOCH, Instant::now());
    let was_nudged = || async { tokio::time::timeout(Duration::ZERO, nudge.notified()).await.is_ok() };
    assert_eq!(hear(HeaderMap::new()), Verdict::Refused);
    assert!(!was_nudged().await, "a refused delivery nudged");
    assert_eq!(hear(delivery(1)), Verdict::Nudged);
    assert!(was_nudged().await, "a delivery did not nudge");
    assert_eq!(hear(delivery(1)), Verdict::Repeated);
    assert!(!was_nudged().await, "a repeated delivery nudged");
    // Many are one nudge: there is only one thing to do.
    assert_eq!((hear(delivery(2)), hear(delivery(3))), (Verdict::Nudged, Verdict::Nudged));
    assert!(was_nudged().await && !was_nudged().await);
}

#[test]
fn who_comes_too_often_is_put_off_and_heard_later() {
    let hook = Hook::new(SECRET.into(), Arc::new(Notify::new())).unwrap();
    let begin = Instant::now();
    let hear = |id, after| hook.hear(&delivery(id), b"", Timestamp::UNIX_EPOCH, begin + Duration::from_secs(after));
    let taken = (0..100).take_while(|id| hear(*id, 0) == Verdict::Nudged).count();
    assert_eq!(taken, 20);
    assert_eq!(hear(taken, 0), Verdict::TooMany);
    assert_eq!(hear(taken, 3), Verdict::Nudged, "what was put off is not taken for repeated");
    let next = (taken + 1..).take_while(|id| hear(*id, 3) == Verdict::Nudged).count();
    assert_eq!(next, 2, "one for each second");
}

#[test]
fn a_bucket_that_was_long_idle_is_full_and_not_fuller() {
    let begin = Instant::now();
    let mut bucket = Bucket::full(begin);
    let day = begin + Duration::from_secs(86_400);
    assert_eq!((0..100).take_while(|_| bucket.take(day)).count(), 20);
    // A clock that steps back gives nothing and breaks nothing.
    assert!(!bucket.take(begin));
    assert!(bucket.take(day + Duration::from_secs(1)));
    // Asking more often than it fills keeps nothing back.
    assert!(!bucket.take(day + Duration::from_millis(1600)));
    assert!(bucket.take(day + Duration::from_millis(2200)));
}

#[test]
fn what_is_remembered_is_bounded_and_the_oldest_goes_first() {
    let marks = |number: u32| {
        let mut mark = [0; 32];
        mark[..4].copy_from_slice(&number.to_be_bytes());
        Marks(vec![mark])
    };
    let mut seen = Seen::default();
    for number in 0..2049 {
        assert!(!seen.knows(&marks(number)));
        seen.remember(marks(number));
        // What is known already takes no place.
        seen.remember(marks(number));
    }
    assert!(!seen.knows(&marks(0)));
    assert!((1..2049).all(|number| seen.knows(&marks(number))));
}

#[test]
fn a_secret_that_can_be_guessed_is_none() {
    let short = Hook::new("fifteen letters".into(), Arc::new(Notify::new()));
    assert!(matches!(short, Err(HookError::Short)));
}
