//! Points in time that come again: five-field cron.

use super::{
    TimeZoneName,
    text::{BadValue, text_form},
};
use croner::{
    Cron, Weekday,
    parser::{CronParser, Seconds, Year},
};
use jiff::{Timestamp, ToSpan, civil};
use std::{fmt, str::FromStr};

#[cfg(test)]
mod tests;

const KIND: &str = "a schedule";

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The fields, each with the names that may stand for its numbers.
const FIELDS: [(&str, &[&str]); 5] =
    [("minute", &[]), ("hour", &[]), ("day of the month", &[]), ("month", &MONTHS), ("day of the week", &WEEKDAYS)];

/// Words for the usual ones.
const WORDS: [(&str, &str); 5] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
];

/// Minutes of the clock on a wall: `0 8 * * 1-5` is eight o'clock from Monday to Friday.
///
/// Where the day of the month and the day of the week are both given, a day of either kind counts. In which time zone
/// the clock hangs is said apart. A fixed time in an hour that the clock skips comes at the end of that hour; one in an
/// hour that the clock shows twice comes the first time only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    cron: Cron,
}

impl Schedule {
    /// The first moment after this one.
    #[must_use]
    pub fn next(&self, zone: &TimeZoneName, after: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_next_occurrence(&after.to_zoned(zone.zone().clone()), false).ok()?;
        Some(found.timestamp())
    }

    /// The last moment that is not after this one.
    #[must_use]
    pub fn last(&self, zone: &TimeZoneName, until: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_previous_occurrence(&until.to_zoned(zone.zone().clone()), true).ok()?;
        Some(found.timestamp())
    }
}

impl FromStr for Schedule {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: String| BadValue::new(KIND, text, reason);
        if text.starts_with('@') {
            let words: Vec<String> = WORDS.iter().map(|(word, _)| format!("`{word}`")).collect();
            let named = WORDS.iter().find(|(word, _)| *word == text);
            let (word, fields) = named.ok_or_else(|| bad(format!("the words are {}", words.join(", "))))?;
            return fields.parse().map(|Self { cron, .. }| Self { text: (*word).to_owned(), cron });
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        if fields.len() != FIELDS.len() {
            let form = "minute, hour, day of the month, month, day of the week, as in `30 2 * * *`";
            return Err(bad(format!("it has {} fields and needs five: {form}", fields.len())));
        }
        for (field, (what, names)) in fields.iter().zip(FIELDS) {
            if let Some(item) = field.split(',').find(|item| !is_item(item, names)) {
                let named = match names {
                    [first, .., last] => format!(", or names from `{first}` to `{last}`"),
                    _ => String::new(),
                };
                let item = if item.is_empty() { "nothing".to_owned() } else { format!("`{item}`") };
                return Err(bad(format!(
                    "{item} is no {what}: write `*`, `5`, `1-5`, `*/15` or `0-30/10`, several with commas{named}"
                )));
            }
        }
        let written = fields.join(" ");
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(&written).map_err(|_| bad(out_of_range(&fields)))?;
        if !has_a_day(&cron) {
            return Err(bad("no month it names has such a day".to_owned()));
        }
        Ok(Self { text: written, cron })
    }
}

/// Whether this is `*`, a number or name, or a range of two, with or without a step.
fn is_item(item: &str, names: &[&str]) -> bool {
    let number = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let point = |text: &str| number(text) || names.contains(&text.to_ascii_lowercase().as_str());
    let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
    let several = range == "*" || range.split_once('-').is_some_and(|(from, to)| point(from) && point(to));
    match step {
        // A step of one point would be that point.
        Some(step) => several && number(step) && step.bytes().any(|digit| digit != b'0'),
        None => several || point(range),
    }
}

/// Whether there is a date at all: a leap year has each that there is.
fn has_a_day(cron: &Cron) -> bool {
    civil::date(2000, 1, 1).series(1.day()).take(366).any(|date| {
        let weekday = Weekday::from_days_from_sunday(date.weekday().to_sunday_zero_offset().unsigned_abs().into());
        let (month, day) = (u32::from(date.month().unsigned_abs()), u32::from(date.day().unsigned_abs()));
        let matches = |found: Result<bool, _>| matches!(found, Ok(true));
        matches(cron.pattern.month_match(month)) && matches(cron.pattern.day_match(2000, month, day, weekday))
    })
}

/// The field that is at fault, found by reading each beside stars.
fn out_of_range(fields: &[&str]) -> String {
    let limits = ["0 to 59", "0 to 23", "1 to 31", "1 to 12", "0 to 7 (0 and 7 are Sunday)"];
    let wrong = (0..fields.len()).find(|wrong| {
        let alone: Vec<&str> =
            fields.iter().enumerate().map(|(at, field)| if at == *wrong { field } else { "*" }).collect();
        CronParser::new().parse(&alone.join(" ")).is_err()
    });
    match wrong.and_then(|wrong| Some((fields.get(wrong)?, FIELDS.get(wrong)?, limits.get(wrong)?))) {
        Some((field, (what, _), limits)) => {
            format!("`{field}` is no {what}: it goes from {limits}, a range from the smaller to the larger")
        }
        None => "write minute, hour, day of the month, month, day of the week".to_owned(),
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

text_form!(
    Schedule,
    "schedule",
    "Schedule",
    r"^(@(hourly|daily|weekly|monthly|yearly)|\s*(\S+\s+){4}\S+\s*)$",
    ["0 8 * * 1-5", "30 2 * * *"]
);
