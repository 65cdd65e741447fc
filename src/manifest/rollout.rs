//! How a change of a service is rolled out.

use super::form::{count, is_count, is_default, is_seconds, seconds};
use crate::{desired::FailureAction, value::Duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a change of a service is rolled out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Rollout")]
pub struct Rollout {
    /// Which container comes first. `auto` is `start-first` when the service has an http or tcp probe and no
    /// published port, no writable volume, no gpus, devices or host network; else `stop-first`. Default: auto.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Order", example = &"stop-first")]
    pub order: OrderChoice,
    /// How many containers of the service are replaced at a time. Default: 1.
    #[serde(default = "count::<1>", skip_serializing_if = "is_count::<1>")]
    #[schemars(title = "Side by side", example = 1, range(min = 1))]
    pub max_parallel: u32,
    /// How long a new container may take to become healthy, from its start. Default: 5m.
    #[serde(default = "seconds::<300>", skip_serializing_if = "is_seconds::<300>")]
    #[schemars(title = "Healthy deadline", example = &"2m")]
    pub healthy_deadline: Duration,
    /// How long a new container must have been up and healthy before it counts. Default: 0s with a healthcheck, 5s
    /// without one.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Minimum healthy time", example = &"10s")]
    pub min_healthy_time: Option<Duration>,
    /// What happens to a revision that fails: `rollback` goes back to the last good one, `halt` leaves everything as
    /// it is until someone acts. Default: rollback.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "On failure", example = &"halt")]
    pub on_failure: OnFailure,
    /// How long an old container is kept after traffic has left it; for services behind a proxy only. Default: 10s.
    #[serde(default = "seconds::<10>", skip_serializing_if = "is_seconds::<10>")]
    #[schemars(title = "Drain", example = &"30s")]
    pub drain: Duration,
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            order: OrderChoice::default(),
            max_parallel: count::<1>(),
            healthy_deadline: seconds::<300>(),
            min_healthy_time: None,
            on_failure: OnFailure::default(),
            drain: seconds::<10>(),
        }
    }
}

/// Which container comes first, or the choice left to the tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum OrderChoice {
    #[default]
    Auto,
    StartFirst,
    StopFirst,
}

/// What happens to a revision that fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum OnFailure {
    #[default]
    Rollback,
    Halt,
}

impl From<OnFailure> for FailureAction {
    fn from(word: OnFailure) -> Self {
        match word {
            OnFailure::Rollback => Self::Rollback,
            OnFailure::Halt => Self::Halt,
        }
    }
}
