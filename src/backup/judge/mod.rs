//! Whether what flows by is what its source should give: a file for each form, none of which keeps more than a few bytes.

mod archive;
pub(super) mod redis;
mod sqlite;
mod text;

use archive::Archive;
use redis::Dump;
use sqlite::Pages;
use text::Trailer;

/// Looks at bytes as they pass, and says at the end whether they were right.
pub trait Judge: Send {
    /// Some more of it.
    fn take(&mut self, bytes: &[u8]);

    /// The verdict.
    ///
    /// # Errors
    /// What is wrong.
    fn end(self: Box<Self>) -> Result<(), String>;
}

/// Lets everything pass.
struct Anything;

impl Judge for Anything {
    fn take(&mut self, _: &[u8]) {}

    fn end(self: Box<Self>) -> Result<(), String> {
        Ok(())
    }
}

/// The judge of a kind of item, by the word of the manifest. What a command writes may be anything.
#[must_use]
pub fn judge(kind: &str) -> Box<dyn Judge> {
    match kind {
        "sqlite" => Box::new(Pages::default()),
        "volume" => Box::new(Archive::default()),
        "redis" => Box::new(Dump::default()),
        "mysql" => Box::new(Trailer::of(&["-- Dump completed"])),
        "postgres" => Box::new(Trailer::of_postgres()),
        _ => Box::new(Anything),
    }
}
