//! Mistakes, and what is said about each: `line:column: what is wrong (what next)`.

use super::{mistake_table::CASES, production};
use crate::yaml::Diagnostic;

fn told(problem: &Diagnostic) -> String {
    let place = &problem.place;
    let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{}:{}: {}{hint}", place.line, place.column, problem.message)
}

fn mistakes(text: &str) -> Vec<String> {
    let mut loaded = production(&[("environments/production/web.yaml", text)]);
    let problems = loaded.apps.remove("web").unwrap().err().unwrap_or_default();
    problems.iter().map(told).collect()
}

#[test]
fn every_mistake_is_told_at_its_place_with_what_to_write_instead() {
    for (text, expected) in CASES {
        let said = mistakes(text.strip_prefix('\n').unwrap());
        assert_eq!(said, *expected, "{text}");
    }
}
