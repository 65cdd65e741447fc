//! Tells which step is under way, for whoever looks on. What is told has no effect on the pass.

use crate::{
    apply::StepError,
    desired::Desired,
    observed::Effect,
    plan::Step,
    show::progress::{Words, words},
};
use std::time::{Duration, Instant};

/// The target of what is told.
pub const TARGET: &str = "reconcile::progress";

/// A step under way. One that is let go of tells its end too.
pub struct UnderWay {
    app: String,
    /// Tells one step from others.
    key: String,
    words: Option<Words>,
    since: Instant,
}

impl UnderWay {
    /// Tells that a step begins.
    #[must_use]
    pub fn begin(desired: &Desired, step: &Step) -> Self {
        let app = desired.app.to_string();
        let key = format!("{}/{app}: {step}", desired.environment);
        let words = words(step);
        if let Some(Words { doing, long, .. }) = &words {
            tracing::info!(target: TARGET, stage = "begins", step = key, long, "{app}: {doing}");
        }
        Self { app, key, words, since: Instant::now() }
    }

    /// Tells how it ended.
    pub fn end(mut self, effect: &Result<Effect, StepError>) {
        let Some(Words { doing, done, .. }) = self.words.take() else { return };
        let failed = match effect {
            Ok(Effect::Failed(_)) | Err(_) => true,
            Ok(Effect::Done | Effect::Ready | Effect::Ended | Effect::Pulled(_) | Effect::Made { .. }) => false,
        };
        self.tell(&if failed { format!("failed {doing}") } else { done });
    }

    fn tell(&self, said: &str) {
        let (app, took) = (&self.app, took(self.since.elapsed()));
        tracing::info!(target: TARGET, stage = "ends", step = self.key, "{app}: {said}{took}");
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(Words { doing, .. }) = self.words.take() {
            self.tell(&format!("left off {doing}"));
        }
    }
}

/// ` (3 s)`, where it took long enough to be told.
fn took(time: Duration) -> String {
    if time < Duration::from_secs(1) { String::new() } else { format!(" ({} s)", time.as_secs()) }
}
