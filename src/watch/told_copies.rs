//! What the daemon tells of copies: a run that fails once, and its end.

use super::told::Told;
use crate::{notice::Tidings, value::AppId};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// What was said of apps whose copies fail, without figures: those change from try to try.
#[derive(Debug, Default)]
pub struct Uncopied(Mutex<BTreeMap<AppId, String>>);

impl Told {
    /// A run of an app's copies failed; it is tried again after a wait, or else at its next time.
    pub fn not_copied(&self, app: &AppId, why: &str, wait: Option<Duration>) {
        let seconds = wait.map(|wait| wait.as_secs());
        tracing::warn!(environment = %app.environment, app = %app.app, seconds, "copies failed: {why}");
        let words: String = why.chars().filter(|c| !c.is_ascii_digit()).collect();
        let before = self.uncopied.0.lock().unwrap_or_else(PoisonError::into_inner).insert(app.clone(), words.clone());
        if before.as_ref() != Some(&words) {
            self.say(Tidings::not_copied(app, why, Timestamp::now()));
        }
    }

    /// A run of an app's copies went well.
    pub fn copied(&self, app: &AppId) {
        if self.uncopied.0.lock().unwrap_or_else(PoisonError::into_inner).remove(app).is_some() {
            self.say(Tidings::copied(app, Timestamp::now()));
        }
    }

    /// What came of copies in a drill was not well.
    pub fn not_restored(&self, app: &AppId, why: &str) {
        tracing::warn!(environment = %app.environment, app = %app.app, "a drill failed: {why}");
        self.say(Tidings::not_restored(app, why, Timestamp::now()));
    }

    /// Nobody makes copies of an app any more.
    pub fn no_copies(&self, app: &AppId) {
        self.uncopied.0.lock().unwrap_or_else(PoisonError::into_inner).remove(app);
    }
}
