//! A copy's way from its source to a file with a final name. Nothing half-made ever has one.

use super::{
    BackupError, Copy, CopyId, Draft, Judge, Level, Of, Piece, Place, Verdict, Verified,
    copy::{FORMAT, ending},
    driver::Trim,
    flow::{Flow, Handing},
    limit::{self, Limited},
    packing::{Packing, Summing},
    place::free_id,
    verifying::compare,
};
use crate::{desired::backup::Compression, secret::age::Recipient, value::AgeRecipient};
use jiff::Timestamp;
use std::io::{self, Write};
use tokio::sync::mpsc::Sender;

/// How a copy is made, whatever it is of.
#[derive(Clone, Debug)]
pub struct Making {
    /// Whose it is.
    pub of: Of,
    /// The word of the manifest: `sqlite`.
    pub kind: String,
    pub compression: Compression,
    pub sealed_for: Vec<AgeRecipient>,
    /// What flows by is judged, and not only what was written.
    pub judges_content: bool,
    /// The content's length of the newest good copy: one under half of it is suspect.
    pub before: Option<u64>,
    /// No rule removes it.
    pub pinned: bool,
    /// The revision before whose rollout it is made.
    pub before_revision: Option<u32>,
    pub taken_at: Timestamp,
}

/// Somebody who reads a whole copy before it has a name, and says whether it is right.
pub struct Reader {
    /// Who hands the bytes on.
    pub to: Sender<Vec<u8>>,
    pub verdict: Verdict,
}

impl Reader {
    fn read(self, copy: impl FnOnce(&mut dyn Write) -> Result<(), BackupError>) -> Result<(), BackupError> {
        let Self { to, verdict } = self;
        // Who has read enough to know that it is wrong hears no more; that is told below.
        let copied = copy(&mut Handing(to));
        let broke_off = || Err("the program that reads it broke off".to_owned());
        match (copied, limit::wait(verdict)?.unwrap_or_else(|_| broke_off())) {
            (Err(error @ BackupError::Altered { .. }), _) => Err(error),
            (_, Err(why)) => Err(BackupError::Content { why }),
            (copied, Ok(())) => copied,
        }
    }
}

/// Writes what flows into a place, and verifies it by reading it again. Blocks: a thread of its own is asked.
///
/// # Errors
/// The source failed, broke off, is empty or damaged; the place. Nothing of it is left then.
pub fn store(
    place: &dyn Place,
    making: &Making,
    flow: Flow,
    judge: Box<dyn Judge>,
    reader: Option<Reader>,
) -> Result<Copy, BackupError> {
    let ending = ending(&making.kind, making.compression, !making.sealed_for.is_empty());
    let id = free_id(place, &making.of, making.taken_at)?;
    let file = format!("{id}.{ending}");
    // Nobody knows it before, but it seldom doubles.
    let expected = making.before.map(|before| before.saturating_mul(2));
    let draft = place.begin(&making.of, &file, expected)?;
    // What is sealed cannot be read again here, and what has a name already is judged: both are read before.
    let is_read_after = making.sealed_for.is_empty() && place.is_near();
    let (before, after) = if is_read_after { (None, reader) } else { (reader, None) };
    let (copied, draft) = write(draft, making, flow, judge, before)?;
    let copy = Copy { id, file, ..copied };
    // What is read here is what a restore would read.
    let compared = |into: &mut dyn Write| compare(draft.read_back()?, &draft.path(), &copy, None, into);
    match after {
        Some(reader) => reader.read(compared)?,
        None => compared(&mut io::sink())?,
    }
    draft.settle(&copy)?;
    Ok(copy)
}

/// Has a place take over a copy of another, file and record, verified there as well.
///
/// # Errors
/// Either place; the file of the other is not what was written.
pub fn take_over(place: &dyn Place, other: &dyn Place, copy: &Copy) -> Result<(), BackupError> {
    let mut from = Limited(other.open(copy)?);
    let mut draft = place.begin(&Of::copy(copy), &copy.file, Some(copy.stored.bytes))?;
    let path = draft.path();
    io::copy(&mut from, &mut draft).map_err(BackupError::file("write", &path))?;
    draft.finish()?;
    compare(draft.read_back()?, &path, copy, None, &mut io::sink())?;
    draft.settle(copy)
}

/// Writes until the source says that it is whole, and finishes what is written where all who judge it find it right.
fn write(
    draft: Box<dyn Draft>,
    making: &Making,
    mut flow: Flow,
    mut judge: Box<dyn Judge>,
    reader: Option<Reader>,
) -> Result<(Copy, Box<dyn Draft>), BackupError> {
    let path = draft.path();
    let recipients = making.sealed_for.iter().map(|recipient| recipient.as_str().parse::<Recipient>());
    let recipients: Vec<Recipient> = recipients
        .collect::<Result<_, _>>()
        .map_err(|error| BackupError::Sealing { path: path.clone(), source: error.into() })?;
    let failed = || BackupError::file("write", &path);
    let mut trim = (making.kind == "redis").then(Trim::default);
    let mut writer = Summing::new(Packing::begin(&path, Summing::new(draft), making.compression, &recipients)?);
    loop {
        match flow.blocking_recv() {
            Some(Piece::Bytes(bytes)) => {
                let bytes = match &mut trim {
                    Some(trim) => trim.pass(bytes),
                    None => bytes,
                };
                judge.take(&bytes);
                writer.write_all(&bytes).map_err(failed())?;
                if let Some(reader) = &reader {
                    // Who has read enough to know that it is wrong hears no more; the verdict tells.
                    let _ = limit::wait(reader.to.send(bytes));
                }
            }
            Some(Piece::Whole) => {
                let rest = trim.take().map_or_else(Vec::new, Trim::end);
                judge.take(&rest);
                writer.write_all(&rest).map_err(failed())?;
                break;
            }
            Some(Piece::Failed(why)) => return Err(BackupError::Source { why }),
            None => return Err(BackupError::Source { why: "it broke off".to_owned() }),
        }
    }
    let (content, packing) = writer.end();
    let (stored, mut draft) = packing.finish().map_err(failed())?.end();
    if content.bytes == 0 {
        return Err(BackupError::Empty);
    }
    if let Some(reader) = reader {
        reader.read(|_| Ok(()))?;
    }
    let level = if making.judges_content {
        judge.end().map_err(|why| BackupError::Content { why })?;
        Level::Content
    } else {
        Level::Checksum
    };
    draft.finish()?;
    let halved = making.before.filter(|before| content.bytes < before / 2);
    let suspect = halved.map(|before| format!("{} bytes, and the one before had {before}", content.bytes));
    let copy = Copy {
        format: FORMAT,
        id: CopyId::taken(making.taken_at, 0),
        environment: making.of.environment.clone(),
        app: making.of.app.clone(),
        item: making.of.item.clone(),
        kind: making.kind.clone(),
        taken_at: making.taken_at,
        file: String::new(),
        content,
        stored,
        compression: making.compression,
        sealed_for: making.sealed_for.clone(),
        verified: Some(Verified { at: Timestamp::now(), level }),
        suspect,
        pinned: making.pinned,
        before_revision: making.before_revision,
        taken_by: format!("reconcile {}", env!("CARGO_PKG_VERSION")),
        drilled: None,
    };
    Ok((copy, draft))
}
