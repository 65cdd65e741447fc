//! A past as long as wanted: revisions in the ledger that no engine ever saw.

use reconcile::{
    desired::Desired,
    plan::Cause,
    record::{
        Close, Documents, Ledger, NewEntry, Outcome, RecordError,
        entry::{Provenance, RevisionKey},
    },
};
use serde_json::json;
use std::collections::BTreeMap;

/// Records so many revisions of an app, each one a manifest of its own that ended well.
///
/// # Errors
/// The ledger cannot be written.
pub async fn record(ledger: &Ledger, desired: &Desired, revisions: usize) -> Result<(), RecordError> {
    for number in 0..revisions {
        let new = NewEntry {
            restores: None,
            key: RevisionKey {
                manifest: format!("{number:064x}"),
                images: BTreeMap::from([("bb:1".to_owned(), "sha256:1".to_owned())]),
                secrets: BTreeMap::new(),
            },
            digests: BTreeMap::new(),
            delivered: None,
            origin: Provenance {
                commit: format!("{number:040x}"),
                author: "bench".into(),
                subject: format!("the change {number}"),
                at: jiff::Timestamp::UNIX_EPOCH,
                cause: Cause::Commit,
                by: "bench".into(),
                reason: None,
            },
        };
        let (spec, plan) = (json!(desired), json!([]));
        let documents = Documents { manifest: &desired.manifest, spec: &spec, plan: &plan };
        let number = ledger.open(&desired.environment, &desired.app, new, documents).await?;
        let close =
            Close { outcome: Outcome::Succeeded, stable: true, condemned: false, hold: None, detail: json!({}) };
        ledger.close(&desired.environment, &desired.app, number, close).await?;
    }
    Ok(())
}
