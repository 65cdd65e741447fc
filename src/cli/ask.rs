//! Asks before something is done.

use crate::pass::Ending;
use std::io::{self, BufRead, IsTerminal, Write};

/// True where somebody sits who can be asked: both ends are terminals.
#[must_use]
pub fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Asks, and takes only a yes for a yes; a signal is a no.
///
/// # Errors
/// The terminal is gone.
pub async fn confirms(question: &str, ending: &mut Ending) -> io::Result<bool> {
    {
        let mut out = io::stdout().lock();
        write!(out, "{question} [y/N] ")?;
        out.flush()?;
    }
    // A thread of its own reads, because a read from a terminal cannot be given up.
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    tokio::select! {
        answer = answer => Ok(is_yes(&answer.map_err(io::Error::other)??)),
        _ = ending.changed() => Ok(false),
    }
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_a_yes_is_a_yes() {
        assert!(super::is_yes("y\n") && super::is_yes(" Yes \n"));
        assert!(!super::is_yes("\n") && !super::is_yes("") && !super::is_yes("yep") && !super::is_yes("no"));
    }
}
