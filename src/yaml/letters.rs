//! Characters that make a reader see something else than the machine does.

use super::{Diagnostic, Place};
use std::sync::Arc;

/// True for control characters but line feed and tab, for bidi controls, and for what breaks a line unseen.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        '\u{2028}' | '\u{2029}' | '\u{feff}' => true,
        _ => c.is_control(),
    }
}

/// The first hidden character of each line, comments included: an editor shows them to nobody.
///
/// A byte order mark at the start and the carriage return of a Windows line end are let through.
pub(super) fn judge(file: &Arc<str>, text: &str) -> Vec<Diagnostic> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = (1..).zip(text.split('\n'));
    let found = lines.filter_map(|(line, content)| {
        let content = content.strip_suffix('\r').unwrap_or(content);
        let (column, c) = (1..).zip(content.chars()).find(|(_, c)| is_hidden(*c))?;
        let place = Place { file: Arc::clone(file), line, column };
        let message = format!("the hidden character U+{:04X} stands here", u32::from(c));
        Some(Diagnostic::new(&place, message).with_hint("remove it"))
    });
    found.take(10).collect()
}
