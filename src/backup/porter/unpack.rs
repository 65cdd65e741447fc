//! An archive made into files again: of what [`super::archive`] writes, owners, modes and times included. What has another
//! form is refused, and so is every path that leads out of the folder.

use super::{PorterError, file};
use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, UTIME_OMIT, mknodat, utimensat};
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{self, Read},
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, lchown, symlink},
    },
    path::{Component, Path, PathBuf},
};

const BLOCK: usize = 512;
/// No head of ours has more beside it.
const LONGEST: u64 = 64 * 1024;

/// What an archive tells of an entry.
#[derive(Debug, Default)]
struct Entry {
    kind: u8,
    path: PathBuf,
    link: PathBuf,
    size: u64,
    owner: (u32, u32),
    mode: u32,
    /// Seconds since 1970, and nanoseconds after them.
    changed: (i64, i64),
}

/// What a pax head says of the entry after it.
#[derive(Debug, Default)]
struct More {
    path: Option<PathBuf>,
    link: Option<PathBuf>,
    size: Option<u64>,
    uid: Option<u32>,
    gid: Option<u32>,
    changed: Option<(i64, i64)>,
}

/// Makes the files of an archive in an empty folder, to its end.
///
/// # Errors
/// It is cut off or of another form; the disk.
pub(super) fn unpack(from: &mut dyn Read, into: &Path) -> Result<(), PorterError> {
    let mut folders = BTreeSet::from([PathBuf::new()]);
    // What is put into a folder changes its time, and what may not be written cannot be filled.
    let mut made: Vec<Entry> = Vec::new();
    while let Some(entry) = next(from)? {
        place(from, into, &entry, &mut folders)?;
        match entry.kind {
            b'5' => made.push(entry),
            // It is the other's.
            b'1' => {}
            _ => dress(&into.join(&entry.path), &entry)?,
        }
    }
    made.iter().rev().try_for_each(|entry| dress(&joined(into, &entry.path), entry))
}

/// A path without a slash at its end, which is another name for a link's target.
fn joined(into: &Path, path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { into.to_owned() } else { into.join(path) }
}

fn wrong(why: impl Into<String>) -> PorterError {
    PorterError::Archive { why: why.into() }
}

fn read(from: &mut dyn Read, bytes: &mut [u8]) -> Result<(), PorterError> {
    from.read_exact(bytes).map_err(|error| wrong(format!("it is cut off: {error}")))
}

/// The next entry with what stands before it; none at the end.
fn next(from: &mut dyn Read) -> Result<Option<Entry>, PorterError> {
    let mut more = More::default();
    loop {
        let mut block = [0; BLOCK];
        read(from, &mut block)?;
        if block.iter().all(|byte| *byte == 0) {
            read(from, &mut block)?;
            return if block.iter().all(|byte| *byte == 0) { Ok(None) } else { Err(wrong("its end is not one")) };
        }
        let entry = head(&block, std::mem::take(&mut more))?;
        if entry.kind != b'x' {
            return Ok(Some(entry));
        }
        if entry.size > LONGEST {
            return Err(wrong("a head is too long"));
        }
        let size = usize::try_from(entry.size).unwrap_or(0);
        let mut text = vec![0; size.next_multiple_of(BLOCK)];
        read(from, &mut text)?;
        more = records(text.get(..size).unwrap_or_default()).ok_or_else(|| wrong("a head cannot be read"))?;
    }
}

fn head(block: &[u8; BLOCK], more: More) -> Result<Entry, PorterError> {
    let field = |from: usize, length: usize| {
        let field = block.get(from..from + length).unwrap_or_default();
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(length);
        field.get(..end).unwrap_or_default()
    };
    let number = |from: usize, length: usize| -> Result<u64, PorterError> {
        let digits = std::str::from_utf8(field(from, length)).ok().map(str::trim);
        let number = digits.and_then(|digits| u64::from_str_radix(digits, 8).ok());
        number.ok_or_else(|| wrong("a number cannot be read"))
    };
    let id = |from: usize| number(from, 8).map(|id| u32::try_from(id).unwrap_or(u32::MAX));
    let kind = block.get(156).copied().unwrap_or(0);
    let path = more.path.unwrap_or_else(|| PathBuf::from(OsStr::from_bytes(field(0, 100))));
    Ok(Entry {
        kind,
        path: if kind == b'x' { PathBuf::new() } else { inside(&path)? },
        link: more.link.unwrap_or_else(|| PathBuf::from(OsStr::from_bytes(field(157, 100)))),
        size: more.size.map_or_else(|| number(124, 12), Ok)?,
        owner: (more.uid.map_or_else(|| id(108), Ok)?, more.gid.map_or_else(|| id(116), Ok)?),
        mode: u32::try_from(number(100, 8)?).unwrap_or(0) & 0o7777,
        changed: match more.changed {
            Some(changed) => changed,
            None => (i64::try_from(number(136, 12)?).unwrap_or(0), 0),
        },
    })
}

/// A path as one below the folder.
fn inside(path: &Path) -> Result<PathBuf, PorterError> {
    let mut inside = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => inside.push(name),
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(wrong(format!("`{}` leads out of it", path.display())));
            }
        }
    }
    Ok(inside)
}

/// The records of a pax head: `<length> <key>=<value>`, each with a line's end.
fn records(mut text: &[u8]) -> Option<More> {
    let mut more = More::default();
    while !text.is_empty() {
        let space = text.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(text.get(..space)?).ok()?.parse().ok()?;
        let record = text.get(space + 1..length.checked_sub(1)?)?;
        let equals = record.iter().position(|byte| *byte == b'=')?;
        let (key, value) = (record.get(..equals)?, record.get(equals + 1..)?);
        let digits = || std::str::from_utf8(value).ok();
        match key {
            b"path" => more.path = Some(PathBuf::from(OsStr::from_bytes(value))),
            b"linkpath" => more.link = Some(PathBuf::from(OsStr::from_bytes(value))),
            b"size" => more.size = Some(digits()?.parse().ok()?),
            b"uid" => more.uid = Some(digits()?.parse().ok()?),
            b"gid" => more.gid = Some(digits()?.parse().ok()?),
            b"mtime" => more.changed = Some(time(digits()?)?),
            _ => {}
        }
        text = text.get(length..)?;
    }
    Some(more)
}

/// Seconds since 1970 with their parts; parts of what was before count backward there and forward here.
fn time(text: &str) -> Option<(i64, i64)> {
    let (whole, parts) = text.split_once('.').unwrap_or((text, "0"));
    let seconds: i64 = whole.parse().ok()?;
    let nanoseconds: i64 = format!("{parts:0<9}").get(..9)?.parse().ok()?;
    let is_before = whole.starts_with('-') && nanoseconds > 0;
    Some(if is_before { (seconds - 1, 1_000_000_000 - nanoseconds) } else { (seconds, nanoseconds) })
}

/// Makes the entry itself. Its folder has been made by the archive, and so is no link to elsewhere.
fn place(from: &mut dyn Read, into: &Path, entry: &Entry, folders: &mut BTreeSet<PathBuf>) -> Result<(), PorterError> {
    let real = joined(into, &entry.path);
    if entry.path.parent().is_some_and(|parent| !folders.contains(parent)) {
        return Err(wrong(format!("`{}` is in no folder of it", entry.path.display())));
    }
    let failed = || file("make", &real);
    match entry.kind {
        b'5' => {
            if !entry.path.as_os_str().is_empty() {
                DirBuilder::new().mode(0o700).create(&real).map_err(failed())?;
                folders.insert(entry.path.clone());
            }
            Ok(())
        }
        b'0' => {
            let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&real);
            let mut to = opened.map_err(failed())?;
            let written = io::copy(&mut from.take(entry.size), &mut to).map_err(file("write", &real))?;
            if written < entry.size {
                return Err(PorterError::Short { path: real, missing: entry.size - written });
            }
            let over = usize::try_from(entry.size.next_multiple_of(512) - entry.size).unwrap_or(0);
            read(from, vec![0; over].as_mut_slice())
        }
        b'1' => fs::hard_link(into.join(inside(&entry.link)?), &real).map_err(failed()),
        b'2' => symlink(&entry.link, &real).map_err(failed()),
        b'6' => mknodat(CWD, &real, FileType::Fifo, Mode::from_raw_mode(0o600), 0).map_err(|e| failed()(e.into())),
        other => Err(wrong(format!("`{}` is of type {other}", entry.path.display()))),
    }
}

/// Gives it its owner, its mode and its time.
fn dress(real: &Path, entry: &Entry) -> Result<(), PorterError> {
    let failed = || file("give away", real);
    lchown(real, Some(entry.owner.0), Some(entry.owner.1)).map_err(failed())?;
    if entry.kind != b'2' {
        fs::set_permissions(real, Permissions::from_mode(entry.mode)).map_err(failed())?;
    }
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: entry.changed.0, tv_nsec: entry.changed.1 },
    };
    utimensat(CWD, real, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| failed()(error.into()))
}
