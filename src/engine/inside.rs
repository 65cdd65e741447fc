//! A program that is run in a container, beside the one that the container is for.

use std::time::Duration;

/// What is run: words as they are, no shell between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInside {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How long it may take in all.
    pub within: Duration,
    /// How many bytes it may say.
    pub at_most: usize,
}

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RanInside {
    /// Its exit code; 126 or 127 where there is no such program.
    pub code: i64,
    /// What it said, on both streams.
    pub said: String,
}

impl RunInside {
    /// A program that answers soon, and says no more than a configuration: 60 s and 16 MiB.
    #[must_use]
    pub fn briefly(command: &[&str]) -> Self {
        let command = command.iter().map(|&word| word.to_owned()).collect();
        Self { command, within: Duration::from_secs(60), at_most: 16 << 20 }
    }
}
