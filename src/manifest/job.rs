//! One-shot containers beside a service.

use super::{
    Command,
    form::{is_default, is_seconds, seconds},
};
use crate::value::{Duration, ServiceName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A one-shot container with the image, environment, networks and volumes of a service.
///
/// It runs once for each distinct service, image and job: a rollback does not run it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Job")]
pub struct Job {
    /// The service it belongs to.
    #[schemars(title = "Service", example = &"gateway")]
    pub service: ServiceName,
    /// What it runs; exit code 0 is success.
    #[schemars(title = "Command", example = ["alembic", "upgrade", "head"])]
    pub command: Command,
    /// `pre_sync`: after the service's dependencies hold and before it changes. `post_sync`: after it is healthy.
    /// Default: pre_sync.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "When", example = &"post_sync")]
    pub when: When,
    /// How long it may run. Default: 10m.
    #[serde(default = "seconds::<600>", skip_serializing_if = "is_seconds::<600>")]
    #[schemars(title = "Timeout", example = &"30m")]
    pub timeout: Duration,
}

/// When a job runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum When {
    #[default]
    PreSync,
    PostSync,
}
