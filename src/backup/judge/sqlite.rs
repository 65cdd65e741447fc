//! A SQLite database: its head, and as many pages as the head says.

use super::Judge;

const MAGIC: &[u8] = b"SQLite format 3\0";

/// The first hundred bytes, and how many there were.
#[derive(Default)]
pub(super) struct Pages {
    head: Vec<u8>,
    bytes: u64,
}

impl Judge for Pages {
    fn take(&mut self, bytes: &[u8]) {
        let missing = 100_usize.saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(missing));
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }

    fn end(self: Box<Self>) -> Result<(), String> {
        if self.head.len() < 100 || !self.head.starts_with(MAGIC) {
            return Err("it is no SQLite database".to_owned());
        }
        let number = |from: usize, to: usize| {
            self.head
                .get(from..to)
                .unwrap_or_default()
                .iter()
                .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte))
        };
        let page = match number(16, 18) {
            1 => 65_536,
            page => page,
        };
        let expected = page.saturating_mul(number(28, 32));
        if expected == self.bytes {
            Ok(())
        } else {
            Err(format!("it has {} bytes, and its head says {expected}", self.bytes))
        }
    }
}
