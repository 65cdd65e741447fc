//! The image of containers beside volumes: the tool's own program and the libraries that it is loaded with, and nothing else.
//! It is made of the program that runs, on the host and in a container alike, so both are of one release; no registry and no
//! build is asked.

use crate::{
    backup::BackupError,
    engine::{Engine, EngineError},
};
use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};
use tokio::sync::mpsc::{self, Sender};

/// Where the program is in it.
pub const PROGRAM: &str = "/reconcile";
/// Where its libraries are: in one folder, whatever the host's own layout.
pub const LIBRARIES: &str = "/lib";

/// How the image's name begins.
const REPOSITORY: &str = "reconcile.local/porter:";
/// The program that runs, also when its file was replaced meanwhile.
const OURSELVES: &str = "/proc/self/exe";
const BUFFER: usize = 256 * 1024;

/// A file of the image: where it is here, and its path there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    from: PathBuf,
    to: String,
}

/// The image's id; made where the engine does not have it yet.
pub(super) async fn id<E: Engine>(engine: &E) -> Result<String, BackupError> {
    let failed = |source: EngineError| BackupError::Container {
        doing: "cannot make the image of containers beside volumes".to_owned(),
        source: source.into(),
    };
    let tag = tag().map_err(|source| BackupError::File { doing: "read", path: OURSELVES.into(), source })?;
    if let Some(image) = engine.image(&tag).await.map_err(failed)? {
        return Ok(image.id);
    }
    let parts = tokio::task::spawn_blocking(parts)
        .await
        .map_err(|error| BackupError::Source { why: error.to_string() })?
        .map_err(|source| BackupError::File { doing: "read", path: OURSELVES.into(), source })?;
    let (sender, archive) = mpsc::channel(4);
    // An archive that is cut off is no image, so nobody needs to hear of it beside the engine.
    tokio::task::spawn_blocking(move || send(&parts, &sender));
    let id = engine.import(archive).await.map_err(failed)?;
    engine.tag(&id, &tag).await.map_err(failed)?;
    forget_others(engine, &tag).await;
    match engine.image(&tag).await.map_err(failed)? {
        Some(image) => Ok(image.id),
        None => Ok(id),
    }
}

/// Takes the names off images of programs of before, each as large as this one.
async fn forget_others<E: Engine>(engine: &E, tag: &str) {
    let images = engine.images().await.unwrap_or_default();
    let names = images.iter().flat_map(|image| &image.references);
    for other in names.filter(|name| name.starts_with(REPOSITORY) && name.as_str() != tag) {
        // One that a container is made of stays.
        if let Err(error) = engine.untag(other).await {
            tracing::debug!(%error, image = %other, "an image of before is left");
        }
    }
}

/// The image's name: another for each program.
fn tag() -> io::Result<String> {
    let program = std::fs::metadata(OURSELVES)?;
    let (version, size, changed) = (env!("CARGO_PKG_VERSION"), program.size(), program.mtime());
    Ok(format!("{REPOSITORY}{version}-{size:x}-{changed:x}-{:x}", program.mtime_nsec()))
}

/// The program and what it is loaded with, as its loader tells; one that is linked whole needs nothing.
fn parts() -> io::Result<Vec<Part>> {
    let told = Command::new(OURSELVES).arg("--version").env_clear().env("LD_TRACE_LOADED_OBJECTS", "1").output()?;
    let mut parts = vec![Part { from: OURSELVES.into(), to: PROGRAM.to_owned() }];
    parts.extend(String::from_utf8_lossy(&told.stdout).lines().filter_map(library));
    Ok(parts)
}

/// `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)`, and the loader itself: `/lib64/ld-linux-x86-64.so.2 (0x…)`, which has to
/// be where the program looks for it.
fn library(line: &str) -> Option<Part> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match *words.as_slice() {
        [name, "=>", path, ..] if path.starts_with('/') => {
            Some(Part { from: path.into(), to: format!("{LIBRARIES}/{name}") })
        }
        [path, at] if path.starts_with('/') && at.starts_with('(') => {
            Some(Part { from: path.into(), to: path.to_owned() })
        }
        _ => None,
    }
}

/// Sends the parts as an archive. Where the engine takes no more there is nothing left to do.
fn send(parts: &[Part], to: &Sender<Vec<u8>>) {
    let sent = parts.iter().try_for_each(|part| send_part(part, to));
    let ended = sent.and_then(|()| hand(to, vec![0; 1024]));
    if let Err(error) = ended {
        tracing::warn!(%error, "the image of containers beside volumes was not sent whole");
    }
}

fn hand(to: &Sender<Vec<u8>>, bytes: Vec<u8>) -> io::Result<()> {
    to.blocking_send(bytes).map_err(|_| io::ErrorKind::BrokenPipe.into())
}

fn send_part(part: &Part, to: &Sender<Vec<u8>>) -> io::Result<()> {
    let mut file = File::open(&part.from)?;
    let size = file.metadata()?.len();
    hand(to, head(&part.to, size))?;
    let mut left = size;
    while left > 0 {
        let mut buffer = vec![0; BUFFER.min(usize::try_from(left).unwrap_or(BUFFER))];
        file.read_exact(&mut buffer)?;
        left = left.saturating_sub(u64::try_from(buffer.len()).unwrap_or(left));
        hand(to, buffer)?;
    }
    hand(to, vec![0; usize::try_from(size.next_multiple_of(512) - size).unwrap_or(0)])
}

/// The head of an entry (ustar) that everybody may read and run.
fn head(path: &str, size: u64) -> Vec<u8> {
    let name = Path::new(path).strip_prefix("/").unwrap_or(Path::new(path)).to_string_lossy().into_owned();
    let mut head = vec![0; 512];
    let mut set = |at: usize, bytes: &[u8]| {
        for (cell, byte) in head.iter_mut().skip(at).zip(bytes) {
            *cell = *byte;
        }
    };
    set(0, name.as_bytes());
    set(100, b"0000755\x000000000\x000000000\x00");
    set(124, format!("{size:011o}\0").as_bytes());
    set(136, b"00000000000\x00        0");
    set(257, b"ustar\x0000");
    let sum: u64 = head.iter().map(|byte| u64::from(*byte)).sum();
    for (cell, byte) in head.iter_mut().skip(148).zip(format!("{sum:06o}\0 ").bytes()) {
        *cell = byte;
    }
    head
}

#[cfg(test)]
mod tests {
    use super::{Part, head, library};

    #[test]
    fn what_the_loader_tells_is_understood() {
        let part = |from: &str, to: &str| Some(Part { from: from.into(), to: to.to_owned() });
        let libc = "/lib/x86_64-linux-gnu/libc.so.6";
        assert_eq!(library(&format!("\tlibc.so.6 => {libc} (0x00007f8ea5f3e000)")), part(libc, "/lib/libc.so.6"));
        let loader = "/lib64/ld-linux-x86-64.so.2";
        assert_eq!(library(&format!("\t{loader} (0x00007f8ea6765000)")), part(loader, loader));
        for line in ["\tlinux-vdso.so.1 (0x00007f8ea6763000)", "reconcile 0.1.0", "", "\tlibx.so => not found"] {
            assert_eq!(library(line), None, "{line}");
        }
    }

    #[test]
    fn an_entry_has_the_head_that_tar_reads() {
        let mut judge = crate::backup::judge("volume");
        judge.take(&head("/lib/libc.so.6", 3));
        judge.take(&[[1, 2, 3].as_slice(), &[0; 509], &[0; 1024]].concat());
        assert_eq!(judge.end(), Ok(()));
    }
}
