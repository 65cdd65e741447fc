//! Dumps in SQL, whose last lines say that they are whole.

use super::Judge;

/// So much of the end is looked at: the last words stand on the last lines.
const TAIL: usize = 512;
/// How `pg_dump -Fc` begins: its end says nothing, the server's own tool reads it all.
const CUSTOM: &[u8] = b"PGDMP";

/// The beginning and the end.
pub(super) struct Trailer {
    words: &'static [&'static str],
    may_be_custom: bool,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Trailer {
    pub(super) const fn of(words: &'static [&'static str]) -> Self {
        Self { words, may_be_custom: false, head: Vec::new(), tail: Vec::new() }
    }

    pub(super) const fn of_postgres() -> Self {
        let words = &["PostgreSQL database cluster dump complete", "PostgreSQL database dump complete"];
        Self { words, may_be_custom: true, head: Vec::new(), tail: Vec::new() }
    }
}

impl Judge for Trailer {
    fn take(&mut self, bytes: &[u8]) {
        let missing = CUSTOM.len().saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(missing));
        let newest = bytes.len().saturating_sub(TAIL);
        self.tail.extend(bytes.get(newest..).unwrap_or_default());
        let over = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..over);
    }

    fn end(self: Box<Self>) -> Result<(), String> {
        if self.may_be_custom && self.head == CUSTOM {
            return Ok(());
        }
        let end = String::from_utf8_lossy(&self.tail).into_owned();
        if self.words.iter().any(|words| end.contains(words)) {
            Ok(())
        } else {
            Err("it is cut off: the line that a whole dump ends with is missing".to_owned())
        }
    }
}
