//! Makes text that others wrote harmless on a terminal and in a merge request's comment.
//!
//! Manifests, commits and container logs can carry escape sequences and characters that turn the reading direction;
//! shown raw, they could hide or forge what a plan says (research, trust §5).

use crate::yaml::letters::is_hidden;
use std::fmt::Write;

/// The longest value shown in a field; JSON always has it whole.
const LONGEST: usize = 200;

/// The text with every control and direction character written out, so that it stays on one line and says what it is.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            hidden if is_hidden(hidden) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(hidden));
            }
            harmless => out.push(harmless),
        }
    }
    out
}

/// JSON in which the characters that JSON itself lets through are written out too. Only its texts can hold them.
#[must_use]
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

/// A line of the log, whose writer has disarmed escape sequences and set its own colours.
#[must_use]
pub fn log(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for character in line.chars() {
        if is_hidden(character) && character != '\u{1b}' {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

/// As [`plain`], cut in the middle when it is long.
#[must_use]
pub fn short(text: &str) -> String {
    let text = plain(text);
    let length = text.chars().count();
    if length <= LONGEST {
        return text;
    }
    let head: String = text.chars().take(LONGEST * 2 / 3).collect();
    let tail: String = text.chars().skip(length - LONGEST / 4).collect();
    format!("{head} … {tail}")
}

/// As [`short`], and inert inside an HTML element such as `<pre>`, where markdown is not read.
#[must_use]
pub fn html(text: &str) -> String {
    short(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// As [`html`], and inert inside a cell of a markdown table: no border, emphasis, code, link, mention or reference.
#[must_use]
pub fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in html(text).chars() {
        match character {
            '|' | '*' | '_' | '`' | '[' | ']' | '@' | '~' | '\\' | '$' => {
                let _ = write!(out, "&#{};", u32::from(character));
            }
            harmless => out.push(harmless),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{cell, json, log, plain, short};

    #[test]
    fn escape_sequences_and_direction_marks_are_written_out() {
        assert_eq!(plain("a\u{1b}[31mred\u{9b}x"), "a\\u{1b}[31mred\\u{9b}x");
        assert_eq!(plain("user\u{202e}txt.exe\u{2066}"), "user\\u{202e}txt.exe\\u{2066}");
        assert_eq!(plain("two\nlines\r\n\tend"), "two\\nlines\\r\\n\\tend");
        assert_eq!(plain("grün → 日本"), "grün → 日本");
    }

    #[test]
    fn a_cell_cannot_be_left_or_become_a_tag() {
        let cell = cell("</pre><script>|@all #1 `x`");
        assert!(!cell.contains(['<', '>', '|', '@', '`']), "{cell}");
    }

    #[test]
    fn json_stays_the_same_json_and_acts_on_no_terminal() {
        let text = serde_json::to_string(&["a\u{9b}2J \u{202e}b\u{1b}\n", "grün"]).unwrap();
        let escaped = json(&text);
        assert_eq!(escaped, r#"["a\u009b2J \u202eb\u001b\n","grün"]"#);
        assert_eq!(serde_json::from_str::<Vec<String>>(&escaped).unwrap(), ["a\u{9b}2J \u{202e}b\u{1b}\n", "grün"]);
    }

    #[test]
    fn a_line_of_the_log_keeps_only_its_own_colours() {
        assert_eq!(
            log("\u{1b}[32mINFO\u{1b}[0m a\u{202e}b\u{9b}\r\n"),
            "\u{1b}[32mINFO\u{1b}[0m a\\u{202e}b\\u{9b}\\u{d}\n"
        );
    }

    #[test]
    fn a_long_value_keeps_its_ends() {
        let long = format!("begin{}end", "x".repeat(1000));
        let shown = short(&long);
        assert!(shown.starts_with("begin") && shown.ends_with("end") && shown.chars().count() < 220);
    }
}
