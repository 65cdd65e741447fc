//! Time zones by their names in the IANA database.

use super::text::{BadValue, text_form};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::{fmt, str::FromStr, sync::LazyLock};

/// The database in the binary: a manifest means the same wherever it is read, also where the host has no database.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone: `UTC`, `Europe/Berlin`.
#[derive(Clone, PartialEq, Eq)]
pub struct TimeZoneName {
    name: String,
    zone: TimeZone,
}

impl TimeZoneName {
    /// Its rules.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

impl Default for TimeZoneName {
    fn default() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }
}

impl FromStr for TimeZoneName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        if text == "UTC" {
            return Ok(Self::default());
        }
        if let Some(name) = ZONES.available().find(|name| name.as_str().eq_ignore_ascii_case(text))
            && let Ok(zone) = ZONES.get(name.as_str())
        {
            return Ok(Self { name: name.as_str().to_owned(), zone });
        }
        let likeness = |name: &str| strsim::jaro_winkler(&name.to_ascii_lowercase(), &text.to_ascii_lowercase());
        let near = ZONES.available().map(|name| name.as_str().to_owned());
        let near = near.filter(|name| likeness(name) > 0.85).max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        Err(BadValue::new(
            "a time zone",
            text,
            match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write its IANA name, as in `Europe/Berlin` or `UTC`".to_owned(),
            },
        ))
    }
}

impl fmt::Display for TimeZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for TimeZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimeZoneName({})", self.name)
    }
}

text_form!(TimeZoneName, "time-zone", "Time zone", r"^[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+)*$", ["Europe/Berlin", "UTC"]);
