//! Signatures that others made: published examples, and `openssl dgst -sha256 -hmac`.

use crate::server::signature::{Marks, judge};
use hyper::{HeaderMap, header::HeaderName};
use jiff::Timestamp;
use proptest::prelude::*;

/// GitHub's documentation shows this secret, body and signature.
const EVERYBODY: &str = "It's a Secret to Everybody";
const HELLO: &[u8] = b"Hello, World!";
const HELLO_SIGNED: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

/// printf '%s' '{"ref":"refs/heads/main"}' | openssl dgst -sha256 -hmac "a secret of sixteen or more"
const SECRET: &str = "a secret of sixteen or more";
const PUSH: &[u8] = br#"{"ref":"refs/heads/main"}"#;
const PUSH_SIGNED: &str = "4eb7894ff67a54676c6dbdce39713d899d853b3ae0c8e23c25f92aa152ed8d79";
/// printf '%s' 'id-7.1763683200.{"ref":"refs/heads/main"}' | openssl dgst -sha256 -hmac "…" -binary | base64
const PUSH_STANDARD: &str = "v1,0tbiRbULwmV/WZXLtrBidzu+vgeUOz0oMy02Z05tES8=";
const PUSHED_AT: i64 = 1_763_683_200;

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    let mut headers = HeaderMap::new();
    for (name, value) in pairs.iter().map(pair) {
        headers.append(name, value);
    }
    headers
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn judged(secret: &str, pairs: &[(&str, &str)], body: &[u8]) -> Option<Marks> {
    judge(secret, &headers(pairs), body, at(PUSHED_AT))
}

#[test]
fn a_signature_over_the_body_is_taken_from_each_forge() {
    let hub = format!("sha256={HELLO_SIGNED}");
    assert!(judged(EVERYBODY, &[("X-Hub-Signature-256", &hub)], HELLO).is_some());
    assert!(judged(SECRET, &[("X-Hub-Signature-256", &format!("sha256={PUSH_SIGNED}"))], PUSH).is_some());
    assert!(judged(SECRET, &[("X-Gitea-Signature", PUSH_SIGNED)], PUSH).is_some());
    assert!(judged(SECRET, &[("X-Forgejo-Signature", PUSH_SIGNED)], PUSH).is_some());
}

#[test]
fn what_is_not_signed_rightly_is_refused() {
    let upper = HELLO_SIGNED.to_uppercase();
    let table: &[(&str, &str, &[u8])] = &[
        ("x-hub-signature-256", HELLO_SIGNED, HELLO),
        ("x-hub-signature-256", "sha256=", HELLO),
        ("x-hub-signature-256", "sha256=757107ea", HELLO),
        ("x-hub-signature-256", "sha256=é57107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e1", HELLO),
        ("x-hub-signature", "sha1=757107ea0eb2509fc211221cce984b8a37570b6d", HELLO),
        ("x-gitea-signature", HELLO_SIGNED, b"Hello, World?"),
        ("x-gitea-signature", HELLO_SIGNED, b""),
        ("x-forgejo-signature", &format!("sha256={HELLO_SIGNED}"), HELLO),
        ("x-gitlab-token", "It's a secret to everybody", HELLO),
        ("x-gitlab-token", "", HELLO),
        ("authorization", EVERYBODY, HELLO),
    ];
    for (name, value, body) in table {
        assert_eq!(judged(EVERYBODY, &[(name, value)], body), None, "{name}: {value}");
    }
    assert_eq!(judged(EVERYBODY, &[], HELLO), None);
    assert_eq!(judged("another secret of 16", &[("x-gitea-signature", HELLO_SIGNED)], HELLO), None);
    // The letters of hex are the sender's choice.
    assert!(judged(EVERYBODY, &[("x-gitea-signature", &upper)], HELLO).is_some());
}

#[test]
fn the_first_proof_decides_alone() {
    let right = format!("sha256={HELLO_SIGNED}");
    let wrong = format!("sha256={PUSH_SIGNED}");
    let table: &[(&[(&str, &str)], bool)] = &[
        // Forgejo sends all of them; a wrong one of its own is not made good by another.
        (&[("x-forgejo-signature", PUSH_SIGNED), ("x-gitea-signature", HELLO_SIGNED)], false),
        (&[("x-forgejo-signature", HELLO_SIGNED), ("x-hub-signature-256", &wrong)], true),
        (&[("x-gitea-signature", PUSH_SIGNED), ("x-hub-signature-256", &right)], false),
        (&[("x-hub-signature-256", &wrong), ("x-gitlab-token", EVERYBODY)], false),
        (&[("webhook-signature", "v1,xx"), ("x-gitlab-token", EVERYBODY)], false),
        // Twice is not once.
        (&[("x-gitea-signature", HELLO_SIGNED), ("x-gitea-signature", HELLO_SIGNED)], false),
        (&[("x-gitlab-token", EVERYBODY)], true),
    ];
    for (pairs, taken) in table {
        assert_eq!(judged(EVERYBODY, pairs, HELLO).is_some(), *taken, "{pairs:?}");
    }
}

/// The example that the specification of Standard Webhooks gives.
#[test]
fn the_published_example_of_standard_webhooks_holds() {
    let headers = headers(&[
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ]);
    let judged = |secret: &str, body: &[u8], second| judge(secret, &headers, body, at(second)).is_some();
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let body = br#"{"test": 2432232314}"#;
    assert!(judged(secret, body, 1_614_265_330));
    assert!(judged(secret, body, 1_614_265_330 + 300) && judged(secret, body, 1_614_265_330 - 300));
    assert!(!judged(secret, body, 1_614_265_330 + 301) && !judged(secret, body, 1_614_265_330 - 301));
    assert!(!judged(secret, br#"{"test": 2432232315}"#, 1_614_265_330));
    assert!(!judged("whsec_not base64 at all", body, 1_614_265_330));
    assert!(!judged("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", body, 1_614_265_330));
}

#[test]
fn a_plain_secret_signs_standard_webhooks_too_and_one_of_several_signatures_is_enough() {
    let several = format!("v1,AAAA v1a,{PUSH_STANDARD} {PUSH_STANDARD}");
    let taken = |id: &str, time: &str, signature: &str| {
        let pairs = [("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", signature)];
        judged(SECRET, &pairs, PUSH).is_some()
    };
    assert!(taken("id-7", "1763683200", PUSH_STANDARD));
    assert!(taken("id-7", "1763683200", &several));
    assert!(!taken("id-8", "1763683200", PUSH_STANDARD));
    assert!(!taken("id-7", "1763683201", PUSH_STANDARD));
    assert!(!taken("id-7", "", PUSH_STANDARD) && !taken("", "1763683200", PUSH_STANDARD));
    assert!(!taken("id-7", "-9223372036854775808", PUSH_STANDARD));
    assert!(!taken("id-7", "1763683200", &PUSH_STANDARD.replace("v1,", "v2,")));
    assert!(judged(SECRET, &[("webhook-signature", PUSH_STANDARD), ("webhook-id", "id-7")], PUSH).is_none());
}

#[test]
fn a_delivery_is_known_by_its_id_and_by_what_was_signed() {
    let gitea =
        |id: &str| judged(SECRET, &[("x-gitea-signature", PUSH_SIGNED), ("x-gitea-delivery", id)], PUSH).unwrap();
    let (one, other) = (gitea("1"), gitea("2"));
    assert_eq!((one.0.len(), other.0.len()), (2, 2));
    assert_eq!(one.0[1], other.0[1], "a new id over the same body is the same delivery");
    let token = |pairs: &[(&str, &str)]| {
        let all: Vec<_> = [("x-gitlab-token", SECRET)].into_iter().chain(pairs.iter().copied()).collect();
        judged(SECRET, &all, PUSH).unwrap()
    };
    assert_eq!(token(&[]).0, Vec::<[u8; 32]>::new());
    assert_eq!(token(&[("idempotency-key", "k"), ("x-gitlab-event-uuid", "u")]), token(&[("idempotency-key", "k")]));
    assert_ne!(token(&[("x-gitlab-event-uuid", "u")]), token(&[("x-gitlab-event-uuid", "v")]));
}

proptest! {
    #[test]
    fn whatever_is_presented_without_the_secret_is_refused(
        pairs in prop::collection::vec(
            (
                prop::sample::select(vec![
                    "x-forgejo-signature", "x-gitea-signature", "x-hub-signature-256", "webhook-signature", "webhook-id",
                    "webhook-timestamp", "x-gitlab-token", "x-github-delivery",
                ]),
                prop_oneof![
                    "(sha256=)?[0-9a-fA-F]{0,70}", "(v1,[A-Za-z0-9+/=]{0,50} ?){0,4}", "-?[0-9]{0,20}", "[ -~]{0,40}",
                    Just(PUSHED_AT.to_string()),
                ],
            ),
            0..6,
        ),
        body in prop::collection::vec(any::<u8>(), 0..64),
        secret in prop_oneof![Just(SECRET.to_owned()), "whsec_[A-Za-z0-9+/=]{0,40}"],
    ) {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        prop_assert_eq!(judged(&secret, &pairs, &body), None);
    }
}
