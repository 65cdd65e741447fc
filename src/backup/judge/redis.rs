//! A Redis dump (RDB): its head, and the checksum at its end (CRC-64, Jones).

use super::Judge;

const MAGIC: &[u8] = b"REDIS";
/// Jones' polynomial, its bits reversed.
const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;
const TABLE: [u64; 256] = table();

// A table cannot be indexed otherwise while the program is compiled; every index is below 256.
#[allow(clippy::indexing_slicing)]
const fn table() -> [u64; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ POLYNOMIAL } else { value >> 1 };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
}

/// The checksum of all but the last eight bytes, which should be it.
#[derive(Default)]
pub(in crate::backup) struct Dump {
    head: Vec<u8>,
    tail: Vec<u8>,
    checksum: u64,
    last: u8,
}

impl Judge for Dump {
    fn take(&mut self, bytes: &[u8]) {
        let missing = 9_usize.saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(missing));
        self.tail.extend(bytes);
        let over = self.tail.len().saturating_sub(8);
        for byte in self.tail.drain(..over) {
            let index = usize::try_from((self.checksum ^ u64::from(byte)) & 0xff).unwrap_or(0);
            self.checksum = TABLE.get(index).copied().unwrap_or(0) ^ (self.checksum >> 8);
            self.last = byte;
        }
    }

    fn end(self: Box<Self>) -> Result<(), String> {
        let version = self.head.get(5..9).and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u32>().ok());
        if !self.head.starts_with(MAGIC) || version.is_none() {
            return Err("it is no dump of Redis".to_owned());
        }
        let told = self.tail.iter().rev().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        if self.last != 0xff || self.tail.len() < 8 {
            return Err("it is cut off: its end is missing".to_owned());
        }
        // A server that was told to leave checksums out writes 0.
        if told == self.checksum || told == 0 { Ok(()) } else { Err("its checksum is wrong".to_owned()) }
    }
}
