//! What may happen to the app without being asked, and when.

use super::form::{is_default, is_yes, yes};
use crate::{
    desired,
    value::{AppPath, Duration, Schedule, TimeZoneName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What may happen to the app without being asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Sync")]
pub struct Sync {
    /// `watch` applies new revisions and repairs drift. Without it only a manual run does, and `watch` tells that the
    /// app is out of sync. Default: true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    #[schemars(title = "Automated", example = false)]
    pub automated: bool,
    /// Drift, which is what somebody changed on the host by hand, is repaired. Default: true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    #[schemars(title = "Self-heal", example = false)]
    pub self_heal: bool,
    /// Services and networks that are gone from the manifest are removed; volumes never are. Default: true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    #[schemars(title = "Prune", example = false)]
    pub prune: bool,
    /// Apps that must be in sync and well before this one is changed: `app`, or `environment/app` for one of another
    /// environment on this host. Default: none.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Depends on", example = ["database", "staging/proxy"])]
    pub depends_on: Vec<AppPath>,
    /// The app is left exactly as it is. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Suspend", example = true)]
    pub suspend: bool,
    /// When the app may be changed: while no window that denies is active, and where any allows, while one of them is.
    /// Default: always.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(
        title = "Windows",
        example = serde_json::json!([{"kind": "deny", "schedule": "0 8 * * 1-5", "duration": "10h", "timezone": "Europe/Berlin"}])
    )]
    pub windows: Vec<Window>,
}

impl Default for Sync {
    fn default() -> Self {
        Self {
            automated: true,
            self_heal: true,
            prune: true,
            depends_on: Vec::new(),
            suspend: false,
            windows: Vec::new(),
        }
    }
}

/// A span of time that comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Window", extend("x-refused" = {
    "timeZone": "`timeZone` is written `timezone` here",
    "manualSync": "`manualSync` means nothing here: write `manual`",
    "applications": "`applications` is not needed: a window stands in the manifest of the app it is for; remove the line",
}))]
pub struct Window {
    /// What it does while it is active: `deny` keeps the app as it is, whatever else allows a change; where there is an
    /// `allow`, the app is kept as it is outside of it.
    #[schemars(title = "Kind", example = &"deny")]
    pub kind: WindowKind,
    /// When it begins, as five fields of cron: minute, hour, day of the month, month, day of the week. Where both days
    /// are given, a day of either kind counts.
    #[schemars(title = "Schedule", example = &"0 8 * * 1-5")]
    pub schedule: Schedule,
    /// How long it is active, from `1m` to `366d`.
    #[schemars(title = "Duration", example = &"10h")]
    pub duration: Duration,
    /// The time zone of the schedule, by its IANA name. Default: UTC.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(title = "Time zone", example = &"Europe/Berlin")]
    pub timezone: TimeZoneName,
    /// A manual run passes although this window keeps the app closed; each window that does must say so. Default: true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    #[schemars(title = "Manual", example = false)]
    pub manual: bool,
}

/// What a window does while it is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum WindowKind {
    Allow,
    Deny,
}

impl From<&Window> for desired::Window {
    fn from(window: &Window) -> Self {
        let Window { kind, schedule, duration, timezone, manual } = window.clone();
        let kind = match kind {
            WindowKind::Allow => desired::WindowKind::Allow,
            WindowKind::Deny => desired::WindowKind::Deny,
        };
        Self { kind, schedule, duration, timezone, manual }
    }
}
