//! Wakes a running pass when another process wrote its intent.

use super::RecordError;

/// Tells when another process (or another `StateDir`) wrote to the ledger.
pub struct IntentWatch {}

impl IntentWatch {
    /// Resolves when somebody else wrote since the watch was made or this last resolved. Safe to drop and ask again.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn changed(&mut self) -> Result<(), RecordError> {
        todo!()
    }

    /// Tells at once whether somebody else wrote since then: what a pass asks between two steps.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn has_changed(&mut self) -> Result<bool, RecordError> {
        todo!()
    }
}
