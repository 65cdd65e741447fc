//! When a certificate is renewed.

use super::{Facts, attempts::later, wanted::CertificateName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// When an authority wants a certificate renewed (RFC 9773).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The certificate's fingerprint: the window of another says nothing.
    pub fingerprint: String,
    pub start: Timestamp,
    pub end: Timestamp,
}

/// When a certificate is renewed: within the window its authority gives, or when two thirds of its life are nearly
/// over. The name spreads what would else be asked for at once, and spreads it before the last third, in which a
/// certificate counts as [expiring](super::Standing::Expiring).
#[must_use]
pub fn renewal(name: &CertificateName, facts: &Facts, window: Option<&Window>) -> Timestamp {
    let (begin, life) = (facts.not_before, life(facts));
    let two_thirds = later(begin, life / 3 * 2);
    match window.filter(|window| window.fingerprint == facts.fingerprint) {
        Some(Window { start, end, .. }) => {
            let latest = later(begin, life / 10 * 9);
            let end = if *start < two_thirds { (*end).min(two_thirds) } else { *end };
            later(*start, between(*start, end).mul_f64(name.share())).min(latest)
        }
        None => {
            let spread = life.mul_f64(0.01 + 0.05 * name.share());
            later(begin, (life / 3 * 2).saturating_sub(spread))
        }
    }
}

/// How long a certificate is good.
pub(super) fn life(facts: &Facts) -> Duration {
    between(facts.not_before, facts.not_after)
}

/// From one time to another; nothing where that lies before it.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
