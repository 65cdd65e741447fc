//! What this host has for copies of apps' data: where they lie, and what is noted of them in its state directory.

use super::{AnyPlace, Remembered};
use std::path::{Path, PathBuf};

/// A host's places and notes.
#[derive(Debug)]
pub struct Depot {
    /// Where copies lie.
    pub places: Vec<AnyPlace>,
    /// Where it is noted what runs and restores have begun on data.
    pub begun: PathBuf,
    /// What is remembered of runs and drills.
    pub remembered: Remembered,
}

impl Depot {
    /// These places, and the notes in a state directory.
    #[must_use]
    pub fn new(state_dir: &Path, places: Vec<AnyPlace>) -> Self {
        Self { places, begun: state_dir.join("restores"), remembered: Remembered::under(state_dir) }
    }
}
