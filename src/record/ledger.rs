//! The ledger: every app's history, holds, suspensions and what was learned of its containers.

use super::{
    AppLedger, Close, Documents, Event, Hold, IntentWatch, Learned, NewEntry, NonConvergence, RecordError, Suspension,
};
use crate::{
    observed::{Applied, JobKey},
    value::{AppName, EnvironmentName, JobName, ServiceName},
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

type Answer<T> = Result<T, RecordError>;

/// The ledger of all apps; cheap to clone.
#[derive(Clone)]
pub struct Ledger {}

impl Ledger {
    /// What decides an app's target: entries oldest first, hold, suspension. Empty when nothing was recorded.
    pub async fn app(&self, environment: &EnvironmentName, app: &AppName) -> Answer<AppLedger> {
        todo!("{environment} {app}")
    }
    /// The apps of an environment that have any record.
    pub async fn apps(&self, environment: &EnvironmentName) -> Answer<Vec<AppName>> {
        todo!("{environment}")
    }
    /// What the ledger knows of `Applied`: number and merged manifest of the entry in force, baselines (their
    /// projection only where `engine_version` gave it), jobs done, pulls. The rest is at its default.
    pub async fn applied(&self, environment: &EnvironmentName, app: &AppName, engine_version: &str) -> Answer<Applied> {
        todo!("{environment} {app} {engine_version}")
    }
    /// Opens an entry before its first effect and tells its number. The newest entry of the same revision and the same
    /// `restores` is taken again, so a pass that was killed or is tried again makes no second one.
    pub async fn open(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        new: NewEntry,
        documents: Documents<'_>,
    ) -> Answer<u32> {
        todo!("{environment} {app} {new:?} {documents:?}")
    }
    /// Adds image ids that became known after `open` (a pull), so that the entry's images can be kept.
    pub async fn resolved(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        number: u32,
        images: &BTreeMap<String, String>,
    ) -> Answer<()> {
        todo!("{environment} {app} {number} {images:?}")
    }
    /// Records how an attempt at an entry ended.
    pub async fn close(&self, environment: &EnvironmentName, app: &AppName, number: u32, close: Close) -> Answer<()> {
        todo!("{environment} {app} {number} {close:?}")
    }
    /// The merged manifest of an entry, as it was recorded.
    pub async fn stored_manifest(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        number: u32,
    ) -> Answer<serde_json::Value> {
        todo!("{environment} {app} {number}")
    }
    /// Holds an app; an earlier hold is replaced.
    pub async fn hold(&self, environment: &EnvironmentName, app: &AppName, hold: Hold) -> Answer<()> {
        todo!("{environment} {app} {hold:?}")
    }
    /// Ends a hold; with `lift_condemnations` the app's condemned revisions may be tried again.
    pub async fn release(&self, environment: &EnvironmentName, app: &AppName, lift_condemnations: bool) -> Answer<()> {
        todo!("{environment} {app} {lift_condemnations}")
    }
    /// Suspends an app; an earlier suspension is replaced.
    pub async fn suspend(&self, environment: &EnvironmentName, app: &AppName, suspension: Suspension) -> Answer<()> {
        todo!("{environment} {app} {suspension:?}")
    }
    /// What `reconcile resume` does: ends suspension and hold, lifts condemnations, forgets what did not settle.
    pub async fn resume(&self, environment: &EnvironmentName, app: &AppName) -> Answer<()> {
        todo!("{environment} {app}")
    }
    /// Remembers what a container looked like when it was accepted.
    pub async fn learn(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        container_id: &str,
        learned: Learned,
    ) -> Answer<()> {
        todo!("{environment} {app} {container_id} {learned:?}")
    }
    /// Forgets all containers of the app but these.
    pub async fn forget_others(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        container_ids: &BTreeSet<String>,
    ) -> Answer<()> {
        todo!("{environment} {app} {container_ids:?}")
    }
    /// Remembers that a job ran and exited 0.
    pub async fn job_done(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        job: &JobName,
        key: &JobKey,
        at: Timestamp,
    ) -> Answer<()> {
        todo!("{environment} {app} {job} {key:?} {at}")
    }
    /// Remembers when a reference was last pulled for an app.
    pub async fn pulled(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        reference: &str,
        at: Timestamp,
    ) -> Answer<()> {
        todo!("{environment} {app} {reference} {at}")
    }
    /// Notes something that happened without a new revision. The newest 200 of an app are kept.
    pub async fn event(&self, environment: &EnvironmentName, app: &AppName, event: Event) -> Answer<()> {
        todo!("{environment} {app} {event:?}")
    }
    /// The newest events of an app, newest first.
    pub async fn events(&self, environment: &EnvironmentName, app: &AppName, newest: u32) -> Answer<Vec<Event>> {
        todo!("{environment} {app} {newest}")
    }
    /// Records that a revision does not settle; none forgets it.
    pub async fn set_nonconvergence(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        found: Option<NonConvergence>,
    ) -> Answer<()> {
        todo!("{environment} {app} {found:?}")
    }
    /// The revision of an app that did not settle, if any.
    pub async fn nonconvergence(&self, environment: &EnvironmentName, app: &AppName) -> Answer<Option<NonConvergence>> {
        todo!("{environment} {app}")
    }
    /// Removes entries and folders beyond the newest `revisions`, never those in force, held, or the newest stable.
    pub async fn retain(&self, environment: &EnvironmentName, app: &AppName, revisions: usize) -> Answer<()> {
        todo!("{environment} {app} {revisions}")
    }
    /// The images to keep: of the revision in force, the held one, and the newest stable ones, `images` in all or as
    /// many as those are. Number of the original to service to image id.
    pub async fn kept_images(
        &self,
        environment: &EnvironmentName,
        app: &AppName,
        images: usize,
    ) -> Answer<BTreeMap<u32, BTreeMap<ServiceName, String>>> {
        todo!("{environment} {app} {images}")
    }
    /// A watch on what other processes write from now on.
    pub async fn intents(&self) -> Answer<IntentWatch> {
        todo!()
    }
}
