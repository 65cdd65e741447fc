//! A tar archive: every head right, every entry as long as its head says, and the two empty blocks at the end.

use super::Judge;

const BLOCK: usize = 512;

/// Where in the archive it is.
#[derive(Default)]
pub(super) struct Archive {
    /// What there is of the next block.
    block: Vec<u8>,
    /// Bytes of the entry in hand that are still to come, padding included.
    left: u64,
    /// Empty blocks since the last entry.
    empty: u32,
    wrong: Option<String>,
    entries: u64,
}

impl Archive {
    fn head(&mut self) {
        let block = std::mem::take(&mut self.block);
        if block.iter().all(|byte| *byte == 0) {
            self.empty += 1;
            return;
        }
        if self.empty > 0 {
            self.wrong = Some("it goes on after its end".to_owned());
            return;
        }
        let told = octal(block.get(148..156).unwrap_or_default());
        let sum: u64 = block
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { u64::from(b' ') } else { u64::from(*byte) })
            .sum();
        if told != Some(sum) {
            self.wrong = Some(format!("the head of entry {} is wrong", self.entries + 1));
            return;
        }
        match size(block.get(124..136).unwrap_or_default()) {
            Some(size) => {
                self.entries += 1;
                self.left = size.div_ceil(512).saturating_mul(512);
            }
            None => self.wrong = Some(format!("the length of entry {} is wrong", self.entries + 1)),
        }
    }
}

fn octal(field: &[u8]) -> Option<u64> {
    let digits: Vec<u8> = field.iter().copied().filter(|byte| !matches!(byte, 0 | b' ')).collect();
    u64::from_str_radix(std::str::from_utf8(&digits).ok()?, 8).ok()
}

/// In octal, or in binary where the first bit says so.
fn size(field: &[u8]) -> Option<u64> {
    match field.first() {
        Some(first) if first & 0x80 != 0 => {
            field.iter().skip(1).try_fold(0_u64, |number, byte| Some(number.checked_mul(256)? | u64::from(*byte)))
        }
        Some(_) | None => octal(field),
    }
}

impl Judge for Archive {
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.wrong.is_none() {
            if self.left > 0 {
                let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                self.left -= u64::try_from(here).unwrap_or(self.left);
                bytes = bytes.get(here..).unwrap_or_default();
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.block.len()));
            self.block.extend(now);
            bytes = later;
            if self.block.len() == BLOCK {
                self.head();
            }
        }
    }

    fn end(self: Box<Self>) -> Result<(), String> {
        match self.wrong {
            Some(wrong) => Err(wrong),
            None if self.left > 0 || !self.block.is_empty() => {
                Err(format!("it is cut off in entry {}: {} bytes of it are missing", self.entries, self.left))
            }
            None if self.empty < 2 => Err("it is cut off: its end is missing".to_owned()),
            None => Ok(()),
        }
    }
}
