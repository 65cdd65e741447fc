//! An archive of a folder (tar: ustar, with pax headers for what it has no room for), as a stream. A file that becomes shorter
//! while it is read is an error, and not an archive with a hole.

use super::{PorterError, file, tree};
use crate::value::VolumeGlob;
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, File, Metadata},
    io::{self, ErrorKind, Read, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

const BLOCK: u64 = 512;
/// The largest numbers of octal fields of seven and eleven digits.
const SEVEN: u64 = 0o7_777_777;
const ELEVEN: u64 = 0o77_777_777_777;

/// Writes the archive of a folder; paths in it begin with `./`.
pub(super) fn write(root: &Path, exclude: &[VolumeGlob], to: &mut dyn Write) -> Result<(), PorterError> {
    let mut archive = Archive { root, exclude, to, linked: BTreeMap::new() };
    archive.add(Path::new(""))?;
    archive.put(&[0; 1024])?;
    archive.to.flush().map_err(PorterError::Output)
}

struct Archive<'a> {
    root: &'a Path,
    exclude: &'a [VolumeGlob],
    to: &'a mut dyn Write,
    /// The first name of files that have several, by device and number.
    linked: BTreeMap<(u64, u64), PathBuf>,
}

/// What is told of an entry.
struct Entry<'a> {
    kind: u8,
    size: u64,
    link: &'a [u8],
}

impl Archive<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), PorterError> {
        self.to.write_all(bytes).map_err(PorterError::Output)
    }

    /// Adds what is at a path below the root, and all below it.
    fn add(&mut self, path: &Path) -> Result<(), PorterError> {
        if self.exclude.iter().any(|glob| path.to_str().is_some_and(|path| !path.is_empty() && glob.means(path))) {
            return Ok(());
        }
        let real = if path.as_os_str().is_empty() { self.root.to_owned() } else { self.root.join(path) };
        let metadata = match fs::symlink_metadata(&real) {
            // Whoever writes the volume removed it since the folder was read.
            Err(error) if error.kind() == ErrorKind::NotFound && !path.as_os_str().is_empty() => return Ok(()),
            metadata => metadata.map_err(file("read", &real))?,
        };
        let kind = metadata.file_type();
        if kind.is_dir() {
            self.head(path, &metadata, &Entry { kind: b'5', size: 0, link: b"" })?;
            return self.folder(path, &real);
        }
        let first = (metadata.dev(), metadata.ino());
        if metadata.nlink() > 1 {
            if let Some(other) = self.linked.get(&first).cloned() {
                let link = name_of(&other, false);
                return self.head(path, &metadata, &Entry { kind: b'1', size: 0, link: &link });
            }
            self.linked.insert(first, path.to_owned());
        }
        if kind.is_file() {
            self.file(path, &real)
        } else if kind.is_symlink() {
            let link = fs::read_link(&real).map_err(file("read", &real))?;
            self.head(path, &metadata, &Entry { kind: b'2', size: 0, link: link.as_os_str().as_bytes() })
        } else if kind.is_fifo() {
            self.head(path, &metadata, &Entry { kind: b'6', size: 0, link: b"" })
        } else {
            // A socket is made by who listens there; devices are none of an app's data.
            Ok(())
        }
    }

    fn folder(&mut self, path: &Path, real: &Path) -> Result<(), PorterError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(real).map_err(file("read", real))? {
            names.push(entry.map_err(file("read", real))?.file_name());
        }
        // What a restore that was killed left is none of the app's data.
        names.retain(|name| name != tree::ROOM);
        names.sort();
        names.iter().try_for_each(|name| self.add(&path.join(name)))
    }

    fn file(&mut self, path: &Path, real: &Path) -> Result<(), PorterError> {
        let mut open = match File::open(real) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            open => open.map_err(file("open", real))?,
        };
        // Of the file that is open, whatever has its name by now.
        let metadata = open.metadata().map_err(file("read", real))?;
        let size = metadata.len();
        self.head(path, &metadata, &Entry { kind: b'0', size, link: b"" })?;
        let written = io::copy(&mut (&mut open).take(size), &mut Output(self.to)).map_err(|error| told(error, real))?;
        if written < size {
            return Err(PorterError::Short { path: real.to_owned(), missing: size - written });
        }
        self.pad(size)
    }

    fn pad(&mut self, size: u64) -> Result<(), PorterError> {
        let over = usize::try_from(size.next_multiple_of(BLOCK) - size).unwrap_or(0);
        self.put([0; 512].get(..over).unwrap_or_default())
    }

    fn head(&mut self, path: &Path, metadata: &Metadata, entry: &Entry<'_>) -> Result<(), PorterError> {
        let name = name_of(path, entry.kind == b'5');
        let mut more = Vec::new();
        for (key, value) in [("path", name.as_slice()), ("linkpath", entry.link)] {
            if value.len() > 100 {
                record(&mut more, key, value);
            }
        }
        let owners = [("uid", metadata.uid()), ("gid", metadata.gid())].map(|(key, id)| (key, u64::from(id), SEVEN));
        for (key, value, most) in owners.into_iter().chain([("size", entry.size, ELEVEN)]) {
            if value > most {
                record(&mut more, key, value.to_string().as_bytes());
            }
        }
        let seconds = metadata.mtime();
        if seconds < 0 || metadata.mtime_nsec() != 0 {
            record(&mut more, "mtime", time(seconds, metadata.mtime_nsec()).as_bytes());
        }
        if !more.is_empty() {
            let size = u64::try_from(more.len()).unwrap_or(0);
            let pax = Entry { kind: b'x', size, link: b"" };
            self.put(&block(b"./PaxHeader", metadata, &pax))?;
            self.put(&more)?;
            self.pad(size)?;
        }
        self.put(&block(&name, metadata, entry))
    }
}

/// Writes on, and says of an error that it was the output's.
struct Output<'a>(&'a mut dyn Write);

/// Marks an error as the output's.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct OutputError(io::Error);

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(|error| io::Error::other(OutputError(error)))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn told(error: io::Error, real: &Path) -> PorterError {
    if error.get_ref().is_some_and(|inner| inner.is::<OutputError>()) {
        PorterError::Output(error)
    } else {
        file("read", real)(error)
    }
}

fn name_of(path: &Path, is_folder: bool) -> Vec<u8> {
    let end: &[u8] = if is_folder && !path.as_os_str().is_empty() { b"/" } else { b"" };
    [b"./", OsStr::as_bytes(path.as_os_str()), end].concat()
}

/// Seconds since 1970 with their parts, as pax writes them.
fn time(seconds: i64, nanoseconds: i64) -> String {
    // Parts count forward from the second before.
    let (seconds, parts) = if seconds < 0 && nanoseconds > 0 {
        (seconds + 1, 1_000_000_000 - nanoseconds)
    } else {
        (seconds, nanoseconds)
    };
    let sign = if seconds == 0 && parts != nanoseconds { "-" } else { "" };
    format!("{sign}{seconds}.{parts:09}")
}

/// A record of pax: its own length, a key, a value.
fn record(to: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    to.extend(format!("{length} {key}=").bytes());
    to.extend(value);
    to.push(b'\n');
}

fn block(name: &[u8], metadata: &Metadata, entry: &Entry<'_>) -> [u8; 512] {
    let mut block = [0; 512];
    let mut set = |at: usize, bytes: &[u8]| {
        for (cell, byte) in block.iter_mut().skip(at).zip(bytes) {
            *cell = *byte;
        }
    };
    let fits = |value: u64, most: u64| if value > most { 0 } else { value };
    let seconds = u64::try_from(metadata.mtime()).unwrap_or(0);
    set(0, name.get(..100).unwrap_or(name));
    set(100, format!("{:07o}\0", metadata.mode() & 0o7777).as_bytes());
    set(108, format!("{:07o}\0", fits(metadata.uid().into(), SEVEN)).as_bytes());
    set(116, format!("{:07o}\0", fits(metadata.gid().into(), SEVEN)).as_bytes());
    set(124, format!("{:011o}\0", fits(entry.size, ELEVEN)).as_bytes());
    set(136, format!("{:011o}\0", fits(seconds, ELEVEN)).as_bytes());
    set(148, b"        ");
    set(156, &[entry.kind]);
    set(157, entry.link.get(..100).unwrap_or(entry.link));
    set(257, b"ustar\x0000");
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    for (cell, byte) in block.iter_mut().skip(148).zip(format!("{sum:06o}\0 ").bytes()) {
        *cell = byte;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::write;
    use crate::backup::{judge, porter::PorterError};
    use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

    fn archived(folder: &Path, exclude: &[&str]) -> Vec<u8> {
        let exclude: Vec<_> = exclude.iter().map(|glob| glob.parse().unwrap()).collect();
        let mut archive = Vec::new();
        write(folder, &exclude, &mut archive).unwrap();
        let mut judge = judge("volume");
        judge.take(&archive);
        judge.end().unwrap();
        archive
    }

    fn run(line: &str, at: &Path) -> String {
        let output = Command::new("sh").args(["-euc", line]).current_dir(at).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[test]
    fn tar_makes_of_an_archive_what_was_archived() {
        let (folder, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let deep = "d".repeat(90) + "/" + &"e".repeat(90);
        let make = format!(
            "mkdir -p '{deep}' empty 'with space' && printf hello > '{deep}/file' && : > nothing && printf 'a\\0b' > \
             'with space/ünï' && ln -s ../'{deep}'/file link && ln nothing twin && mkfifo pipe && chmod 4751 nothing && \
             head -c 100000 /dev/zero > zeros && touch -d '1969-12-31T23:00:00.5Z' zeros && ln -s \"$(printf 'l%.0s' $(seq 150))\" long"
        );
        run(&make, folder.path());
        let owned = Command::new("chown").args(["3000000:70"]).arg(folder.path().join("zeros")).status().unwrap();
        assert!(owned.success());
        fs::write(into.path().join("a.tar"), archived(folder.path(), &[])).unwrap();
        run("mkdir out && tar -C out -xpf a.tar", into.path());
        let told = "find . -printf '%P %y %m %U:%G %T@ %n %l\\n' | sort";
        assert_eq!(run(told, &into.path().join("out")).replace("  ", " "), run(told, folder.path()).replace("  ", " "));
        let same = format!("diff -r --no-dereference -x pipe out '{}'", folder.path().display());
        assert_eq!(run(&same, into.path()), "");
    }

    #[test]
    fn what_is_excluded_is_left_out_with_all_below_it() {
        let folder = tempfile::tempdir().unwrap();
        run("mkdir -p tmp/a keep/tmp && touch tmp/a/b keep/c.log keep/tmp/d x.log", folder.path());
        let archive = folder.path().with_extension("tar");
        fs::write(&archive, archived(folder.path(), &["tmp", "**/*.log"])).unwrap();
        let listed = run(&format!("tar -tf '{}' | sort", archive.display()), folder.path());
        fs::remove_file(archive).unwrap();
        assert_eq!(listed, "./\n./keep/\n./keep/tmp/\n./keep/tmp/d\n");
    }

    /// Cuts a file off while it is read.
    struct Cutting<'a>(&'a Path, usize);

    impl std::io::Write for Cutting<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.1 += bytes.len();
            if self.1 > 200_000 {
                fs::OpenOptions::new().write(true).open(self.0)?.set_len(250_000)?;
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_file_that_becomes_shorter_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shrinking");
        fs::write(&file, vec![1; 3_000_000]).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let written = write(folder.path(), &[], &mut Cutting(&file, 0));
        assert!(matches!(written, Err(PorterError::Short { missing, .. }) if missing > 2_000_000), "{written:?}");
    }
}
