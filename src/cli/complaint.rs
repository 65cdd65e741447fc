//! An error on its way to the user: its chain of causes, and what to do about it.

use crate::yaml::Diagnostic;
use anstyle::AnsiColor;
use std::{error::Error, fmt};

/// What is told on standard error before the command exits with 1.
#[derive(Debug)]
pub struct Complaint {
    error: Box<dyn Error + Send + Sync>,
    hint: Option<String>,
}

/// A fault of the command's own, without a cause beneath.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Said(String);

/// What was being done, with what came in between.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
struct About {
    doing: String,
    source: Box<dyn Error + Send + Sync>,
}

impl Complaint {
    /// In our own words.
    pub fn says(message: impl Into<String>) -> Self {
        Said(message.into()).into()
    }

    /// In our own words, with the cause.
    pub fn about(doing: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        About { doing: doing.into(), source: source.into() }.into()
    }

    /// Everything that is wrong with files, each with its place.
    pub fn of_diagnostics(message: &str, problems: &[Diagnostic]) -> Self {
        let blocks: Vec<String> = problems.iter().map(Diagnostic::block).collect();
        Self::says(format!("{message}\n{}", blocks.join("\n")))
    }

    /// A command or flag whose room is not built.
    pub fn not_yet(name: &str) -> Self {
        Self::says(format!("`{name}` is not supported yet"))
    }

    /// In one line for a log, causes after a colon; and the hint.
    pub fn in_a_line(&self) -> (String, Option<String>) {
        let mut line = self.error.to_string();
        let mut cause = self.error.source();
        while let Some(error) = cause {
            line = format!("{line}: {error}");
            cause = error.source();
        }
        (crate::show::escape::plain(&line.replace('\n', " ")), self.hint.clone())
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<Option<String>>) -> Self {
        Self { hint: hint.into().or(self.hint), ..self }
    }
}

// `Complaint` is no `Error` itself, so that any error can become one by `?`.
impl<E: Error + Send + Sync + 'static> From<E> for Complaint {
    fn from(error: E) -> Self {
        Self { error: Box::new(error), hint: None }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let red = AnsiColor::Red.on_default().bold();
        writeln!(f, "{red}error:{red:#} {}", lines(&self.error.to_string()))?;
        let mut cause = self.error.source();
        while let Some(error) = cause {
            writeln!(f, "  caused by: {}", lines(&error.to_string()))?;
            cause = error.source();
        }
        match &self.hint {
            Some(hint) => writeln!(f, "hint: {}", lines(hint)),
            None => Ok(()),
        }
    }
}

/// Errors of ours may have several lines; each is harmless for itself.
fn lines(text: &str) -> String {
    text.lines().map(crate::show::escape::plain).collect::<Vec<_>>().join("\n  ")
}
