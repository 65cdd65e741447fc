//! Spans of time: `500ms`, `30s`, `1h30m`, `1d`.

use super::text::{BadValue, text_form};
use std::{fmt, str::FromStr};

const KIND: &str = "a duration";

/// Longest first, as they must be written.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A span of time, to the millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

impl Duration {
    /// A span of so many milliseconds.
    #[must_use]
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds)
    }

    /// A span of so many seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Its length in milliseconds.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Its length in seconds, rounded up: engines count whole seconds, and less than asked would be wrong.
    #[must_use]
    pub const fn whole_seconds(self) -> u64 {
        self.0.div_ceil(1_000)
    }
}

impl From<Duration> for std::time::Duration {
    fn from(duration: Duration) -> Self {
        Self::from_millis(duration.0)
    }
}

impl FromStr for Duration {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: String| BadValue::new(KIND, text, reason);
        if text.is_empty() {
            return Err(bad("write a number and a unit, as in `30s`".to_owned()));
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad(format!("it has no unit: write `{text}s` for seconds, `{text}m` for minutes")));
        }
        if text.contains('.') {
            return Err(bad("write whole numbers, as in `1s500ms` or `1h30m`".to_owned()));
        }
        let mut rest = text;
        let mut units = UNITS.iter();
        let mut total = 0_u64;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at(digits);
            let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, next) = tail.split_at(letters);
            if number.is_empty() || unit.is_empty() {
                return Err(bad("write numbers with units, as in `500ms`, `30s`, `5m`, `1h30m` or `1d`".to_owned()));
            }
            if digits > 9 {
                return Err(bad(format!("`{number}` is too long a number")));
            }
            let Some((_, length)) = units.find(|(name, _)| *name == unit) else {
                return Err(bad("units are `d`, `h`, `m`, `s`, `ms`, each once, the longest first".to_owned()));
            };
            total += number.parse::<u64>().map_err(|error| bad(error.to_string()))? * length;
            rest = next;
        }
        Ok(Self(total))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut left = self.0;
        for (unit, length) in UNITS {
            if left >= length {
                write!(f, "{}{unit}", left / length)?;
                left %= length;
            }
        }
        Ok(())
    }
}

text_form!(
    Duration,
    "duration",
    "Duration",
    "^(?=[0-9])([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?([0-9]{1,9}ms)?$",
    ["500ms", "30s", "5m", "1h30m", "1d"]
);
