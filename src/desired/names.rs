//! The names of things on the engine: functions of environment, app and what they are, nothing else.

use super::SpecHash;
use crate::value::{AppName, EnvironmentName};
use std::fmt::Display;

/// What every name of an app begins with; its own bridge is named so too.
#[must_use]
pub fn stem(environment: &EnvironmentName, app: &AppName) -> String {
    format!("{environment}-{app}")
}

/// The name of a service's or job's container that no manifest pins.
#[must_use]
pub fn container(environment: &EnvironmentName, app: &AppName, role: &impl Display, hash: &SpecHash) -> String {
    format!("{}-{role}-{}", stem(environment, app), hash.short())
}

/// The name of a declared network or volume that no manifest names.
#[must_use]
pub fn object(environment: &EnvironmentName, app: &AppName, key: &impl Display) -> String {
    format!("{}_{key}", stem(environment, app))
}
