//! What is to be done about a certificate now.

use super::{Attempts, Fault, Held, Origin, Wanted, renewal};
use jiff::Timestamp;

/// What is to be done about a certificate now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// It is obtained, because of this.
    Now(String),
    /// It is good, and its authority may be asked when it wants it renewed.
    Ask,
    /// It is good; look again then.
    Hold { until: Timestamp },
    /// It would be obtained, but the last time failed with this: not before then.
    Wait { until: Timestamp, why: String },
    /// Somebody else puts the files there.
    Given,
}

/// What is to be done about a certificate now. Where one is held that is good for every name, nothing is ordered before
/// it is to be renewed; where one is to be ordered, not before the last failure allows it.
#[must_use]
pub fn due(now: Timestamp, held: &Held, wanted: &Wanted, attempts: &Attempts) -> Due {
    match wanted.origin() {
        Origin::Files { .. } => return Due::Given,
        Origin::Acme | Origin::Internal => {}
    }
    let reason = match held.good(now, wanted) {
        // Its authority's clock and this machine's disagree: another would begin no sooner.
        Err(Fault::NotYet(from)) => return Due::Hold { until: from },
        Err(fault) => fault.to_string(),
        Ok(pair) => {
            let renewed = renewal(wanted.name(), &pair.facts, attempts.window.as_ref());
            if now < renewed {
                return match (wanted.origin(), attempts.ask_after) {
                    (Origin::Acme, Some(again)) if now < again => Due::Hold { until: renewed.min(again) },
                    (Origin::Acme, Some(_) | None) => Due::Ask,
                    (Origin::Internal | Origin::Files { .. }, _) => Due::Hold { until: renewed },
                };
            }
            format!("the certificate is over at {} and is to be renewed", pair.facts.not_after)
        }
    };
    match attempts.waits(now) {
        None => Due::Now(reason),
        Some(until) => Due::Wait { until, why: attempts.why.clone().unwrap_or(reason) },
    }
}
