//! Amounts of memory and of processor time.

use super::text::{BadValue, text_form};
use std::{fmt, str::FromStr};

const SIZE: &str = "a size";
const CPUS: &str = "a number of processors";

/// An amount of bytes; `k`, `m`, `g` and `t` are powers of 1,024, as Compose has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

impl Size {
    /// So many bytes.
    #[must_use]
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The amount in bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// The amount for people, binary and with one digit after the point: `1.2 MiB`.
    #[must_use]
    pub fn rounded(self) -> String {
        let mut tenths = self.0.saturating_mul(10);
        let mut unit = "B";
        for larger in ["KiB", "MiB", "GiB", "TiB"] {
            if tenths < 10_240 {
                break;
            }
            tenths /= 1024;
            unit = larger;
        }
        if unit == "B" { format!("{} B", self.0) } else { format!("{}.{} {unit}", tenths / 10, tenths % 10) }
    }
}

impl FromStr for Size {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: &str| BadValue::new(SIZE, text, reason);
        let shape = "write a whole number and a unit, as in `512m`, `2g` or `10MiB`";
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        if number.is_empty() {
            return Err(bad(shape));
        }
        if unit.starts_with('.') {
            return Err(bad("write a whole number of the next smaller unit, `1536m` for one and a half `g`"));
        }
        let shift = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 10,
            "m" | "mb" | "mib" => 20,
            "g" | "gb" | "gib" => 30,
            "t" | "tb" | "tib" => 40,
            _ => return Err(bad(shape)),
        };
        let largest = u64::MAX.unbounded_shr(shift + 1);
        match number.parse::<u64>() {
            Ok(count) if count <= largest => Ok(Self(count << shift)),
            Ok(_) | Err(_) => Err(bad("it is more than an engine can count")),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shift, unit) = [(40, "t"), (30, "g"), (20, "m"), (10, "k")]
            .into_iter()
            .find(|(shift, _)| self.0 != 0 && self.0.is_multiple_of(1 << shift))
            .unwrap_or((0, "b"));
        write!(f, "{}{unit}", self.0 >> shift)
    }
}

text_form!(
    Size,
    "size",
    "Size",
    "^[0-9]+([kKmMgGtT]([iI]?[bB])?|[bB])?$",
    ["512m", "2g", "10MiB"],
    (["string", "integer"])
);

/// A number of processors, in billionths as engines count them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cpus(u64);

impl Cpus {
    /// So many billionths of a processor.
    #[must_use]
    pub const fn from_billionths(billionths: u64) -> Self {
        Self(billionths)
    }

    /// The amount in billionths of a processor.
    #[must_use]
    pub const fn billionths(self) -> u64 {
        self.0
    }
}

impl FromStr for Cpus {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = || BadValue::new(CPUS, text, "write a number like `2` or `0.5`, at most nine digits after the point");
        let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
        let digits =
            |part: &str, most| !part.is_empty() && part.len() <= most && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole, 6) || !fraction.is_none_or(|fraction| digits(fraction, 9)) {
            return Err(bad());
        }
        let whole: u64 = whole.parse().map_err(|_| bad())?;
        let fraction: u64 = format!("{:0<9}", fraction.unwrap_or("")).parse().map_err(|_| bad())?;
        Ok(Self(whole * 1_000_000_000 + fraction))
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / 1_000_000_000)?;
        let fraction = format!("{:09}", self.0 % 1_000_000_000);
        match fraction.trim_end_matches('0') {
            "" => Ok(()),
            digits => write!(f, ".{digits}"),
        }
    }
}

text_form!(Cpus, "cpus", "Processors", "^[0-9]{1,6}(\\.[0-9]{1,9})?$", ["2", "0.5"], (["string", "number"]));
