//! Mistakes, and what is said about each: `line:column: what is wrong (what next)`.

use super::{production, told};

mod backups;
mod delivered;
mod meaning;
mod routes;
mod words;

/// A manifest after an empty line that does not count, and what is said about it.
type Case = (&'static str, &'static [&'static str]);

fn mistakes(text: &str) -> Vec<String> {
    let mut loaded = production(&[("environments/production/web.yaml", text)]);
    let problems = loaded.apps.remove("web").unwrap().err().unwrap_or_default();
    problems.iter().map(told).collect()
}

#[test]
fn every_mistake_is_told_at_its_place_with_what_to_write_instead() {
    for (text, expected) in
        words::CASES.iter().chain(meaning::CASES).chain(delivered::CASES).chain(routes::CASES).chain(backups::CASES)
    {
        let said = mistakes(text.strip_prefix('\n').unwrap());
        assert_eq!(said, *expected, "{text}");
    }
}
