//! Whether a webhook comes from somebody who knows the secret. Pure: the clock is handed in.
//!
//! Where several proofs are presented, the first one that this page names decides alone.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use hyper::HeaderMap;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How far the clocks of sender and receiver may be apart, in seconds.
const APART: i64 = 300;

/// What makes a delivery known again: its id, and what was signed where something was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marks(pub Vec<[u8; 32]>);

/// A hex signature of the body in one header, and the id of the delivery in others.
struct OverBody {
    header: &'static str,
    prefix: &'static str,
    ids: &'static [&'static str],
}

/// Forgejo also sends the headers of Gitea and GitHub, and Gitea those of GitHub.
const OVER_BODY: [OverBody; 3] = [
    OverBody { header: "x-forgejo-signature", prefix: "", ids: &["x-forgejo-delivery", "x-gitea-delivery"] },
    OverBody { header: "x-gitea-signature", prefix: "", ids: &["x-gitea-delivery"] },
    OverBody { header: "x-hub-signature-256", prefix: "sha256=", ids: &["x-github-delivery"] },
];

/// Judges a delivery; none: it is refused.
pub fn judge(secret: &str, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Option<Marks> {
    if let Some(scheme) = OVER_BODY.iter().find(|scheme| headers.contains_key(scheme.header)) {
        return over_body(scheme, secret, headers, body);
    }
    if headers.contains_key("webhook-signature") {
        return standard(secret, headers, body, now);
    }
    token(secret, headers)
}

/// The only value of a header; a header that stands there twice says nothing.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn over_body(scheme: &OverBody, secret: &str, headers: &HeaderMap, body: &[u8]) -> Option<Marks> {
    let signature = hex(text(headers, scheme.header)?.strip_prefix(scheme.prefix)?)?;
    mac(secret.as_bytes(), &[body])?.verify_slice(&signature).ok()?;
    // The id is not signed: with a new one, the same body is still the same delivery.
    let ids = scheme.ids.iter().filter_map(|name| text(headers, name)).take(1);
    Some(Marks(ids.map(|id| mark("id", id.as_bytes())).chain([mark("signature", &signature)]).collect()))
}

/// Standard Webhooks, which newer GitLabs speak: `v1,<base64>` over id, time and body, several where keys change.
fn standard(secret: &str, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Option<Marks> {
    let (id, time) = (text(headers, "webhook-id")?, text(headers, "webhook-timestamp")?);
    let at: i64 = time.parse().ok()?;
    if id.is_empty() || at.abs_diff(now.as_second()) > APART.unsigned_abs() {
        return None;
    }
    let key = match secret.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).ok()?,
        None => secret.as_bytes().to_vec(),
    };
    let mut signatures = text(headers, "webhook-signature")?.split(' ').take(8);
    let holds = |signature: &str| {
        let signature = STANDARD.decode(signature.strip_prefix("v1,")?).ok()?;
        let parts = [id.as_bytes(), b".", time.as_bytes(), b".", body];
        mac(&key, &parts)?.verify_slice(&signature).ok()
    };
    signatures.any(|signature| holds(signature).is_some()).then(|| Marks(vec![mark("id", id.as_bytes())]))
}

/// Older GitLabs send the secret itself.
fn token(secret: &str, headers: &HeaderMap) -> Option<Marks> {
    let token = text(headers, "x-gitlab-token")?;
    // Digests have one length, so that not even the secret's length can be measured.
    let same = Sha256::digest(token).ct_eq(&Sha256::digest(secret));
    let id = ["idempotency-key", "x-gitlab-event-uuid"].iter().find_map(|name| text(headers, name));
    bool::from(same).then(|| Marks(id.map(|id| mark("id", id.as_bytes())).into_iter().collect()))
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(mac)
}

fn mark(kind: &str, value: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(kind).chain_update([0]).chain_update(value).finalize().into()
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
