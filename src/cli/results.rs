//! Standard output: results and nothing else. Standard error: the rest.

use super::{Complaint, arguments::Output};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// Writes a result; colours only where the stream can show them. A reader that went away (`| head`) is no error.
///
/// # Errors
/// The stream cannot be written for another reason, a full disk say.
pub fn print(text: &str) -> Result<(), Complaint> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes to standard error. There is nobody left to tell where that fails, and whatever goes on goes on.
pub fn tell(text: &str) {
    let mut err = anstream::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Writes a report in the form that was asked for; `text` and `markdown` are made only when needed.
///
/// # Errors
/// As [`print()`].
pub fn report(
    form: Output,
    report: &impl Serialize,
    text: impl FnOnce() -> String,
    markdown: impl FnOnce() -> String,
) -> Result<(), Complaint> {
    match form {
        Output::Text => print(&text()),
        Output::Json => print(&format!("{}\n", crate::show::json(report)?)),
        Output::Markdown => print(&markdown()),
    }
}

/// Columns of the terminal that results go to; none where they go elsewhere, which never wraps.
#[must_use]
pub fn width() -> Option<usize> {
    let out = io::stdout();
    if !out.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(&out).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}
