//! Words that say when something is done: pull an image, start a container again.

use super::{
    Duration,
    text::{BadValue, text_form},
};
use std::{fmt, str::FromStr};

/// When an image is pulled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PullPolicy {
    /// When the engine does not have it.
    #[default]
    Missing,
    /// Once for each revision.
    Always,
    /// Not at all.
    Never,
    /// When the last pull is older than this.
    Every(std::time::Duration),
}

const DAY: u64 = 86_400_000;

impl FromStr for PullPolicy {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: &str| BadValue::new("a pull policy", text, reason);
        match text {
            "missing" => Ok(Self::Missing),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            "daily" => Ok(Self::Every(Duration::from_millis(DAY).into())),
            "weekly" => Ok(Self::Every(Duration::from_millis(7 * DAY).into())),
            "if_not_present" => Err(bad("write `missing`, which means the same")),
            "build" => Err(bad("images are not built here: build and push it in CI, and name it in `image`")),
            _ => match text.strip_prefix("every_").map(str::parse::<Duration>) {
                Some(Ok(period)) if period > Duration::default() => Ok(Self::Every(period.into())),
                Some(Ok(_)) => Err(bad("the period must be longer than 0s")),
                Some(Err(error)) => Err(bad(&error.to_string())),
                None => Err(bad("write `missing`, `always`, `never`, `daily`, `weekly` or `every_12h`")),
            },
        }
    }
}

impl fmt::Display for PullPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::Always => f.write_str("always"),
            Self::Never => f.write_str("never"),
            Self::Every(period) => {
                let millis = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
                write!(f, "every_{}", Duration::from_millis(millis))
            }
        }
    }
}

text_form!(
    PullPolicy,
    "pull-policy",
    "Pull policy",
    "^(missing|always|never|daily|weekly|every_([0-9]+(ms|s|m|h|d))+)$",
    ["missing", "always", "daily", "every_12h"]
);

/// When the engine starts a container again by itself, in Compose's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    No,
    Always,
    /// Up to so many times; 0 is without limit.
    OnFailure(u32),
    #[default]
    UnlessStopped,
}

impl FromStr for Restart {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || {
            let reason = "write `unless-stopped`, `always`, `on-failure`, `on-failure:3` or `no`";
            BadValue::new("a restart policy", text, reason)
        };
        Ok(match text {
            "no" => Self::No,
            "always" => Self::Always,
            "unless-stopped" => Self::UnlessStopped,
            "on-failure" => Self::OnFailure(0),
            _ => {
                let times = text.strip_prefix("on-failure:").ok_or_else(bad)?;
                Self::OnFailure(times.parse().map_err(|_| bad())?)
            }
        })
    }
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => f.write_str("no"),
            Self::Always => f.write_str("always"),
            Self::UnlessStopped => f.write_str("unless-stopped"),
            Self::OnFailure(0) => f.write_str("on-failure"),
            Self::OnFailure(times) => write!(f, "on-failure:{times}"),
        }
    }
}

text_form!(
    Restart,
    "restart",
    "Restart policy",
    "^(no|always|unless-stopped|on-failure(:[0-9]{1,9})?)$",
    ["unless-stopped", "on-failure:3", "no"]
);
