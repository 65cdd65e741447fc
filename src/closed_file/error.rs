//! Why a file that should be closed to others is not read. Nothing that stands in it is shown.

use std::{
    borrow::Cow,
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

/// Which file, and what is wrong with it.
#[derive(Debug)]
pub struct ClosedFileError {
    /// What it is: `the age identity`.
    pub what: String,
    pub path: PathBuf,
    pub unfit: Unfit,
}

/// What is wrong with a file.
#[derive(Debug)]
pub enum Unfit {
    Missing,
    Unreadable(io::Error),
    /// A link where none is followed.
    Link,
    /// A folder, a pipe, a device, a socket.
    NotRegular,
    /// Somebody else could change it.
    Foreign {
        owner: u32,
        ourselves: u32,
    },
    /// Others can read or change what nobody else may know.
    Open {
        mode: u32,
    },
    /// Others can change what is believed.
    Changeable {
        mode: u32,
    },
    TooLong {
        most: u64,
    },
    /// It was longer at the end of the reading than at its beginning.
    Growing,
    NotText,
}

impl From<io::Error> for Unfit {
    fn from(error: io::Error) -> Self {
        use rustix::io::Errno;
        match Errno::from_io_error(&error) {
            Some(Errno::NOENT | Errno::NOTDIR) => Self::Missing,
            Some(Errno::LOOP) => Self::Link,
            // A socket, or a device that nobody drives.
            Some(Errno::NXIO | Errno::NODEV | Errno::ISDIR) => Self::NotRegular,
            Some(_) | None => Self::Unreadable(error),
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is not there"),
            Self::Unreadable(_) => f.write_str("cannot be read"),
            Self::Link => f.write_str("is a link, or lies behind one, and none is followed there"),
            Self::NotRegular => f.write_str("is no regular file"),
            Self::Foreign { owner, .. } => write!(f, "belongs to user {owner}, who could change it"),
            Self::Open { mode } => write!(f, "is open to others (mode {mode:04o})"),
            Self::Changeable { mode } => write!(f, "can be changed by others than its owner (mode {mode:04o})"),
            Self::TooLong { most } => write!(f, "is longer than {most} bytes"),
            Self::Growing => f.write_str("is being written"),
            Self::NotText => f.write_str("is no text"),
        }
    }
}

impl ClosedFileError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let path = quoted(&self.path);
        match &self.unfit {
            Unfit::Open { .. } => Some(format!("`chmod 600 {path}`")),
            Unfit::Changeable { .. } => Some(format!("`chmod go-w {path}`")),
            Unfit::Foreign { ourselves, .. } => Some(format!("`chown {ourselves} {path}`")),
            Unfit::Link => Some("put the file itself there".to_owned()),
            Unfit::Missing
            | Unfit::Unreadable(_)
            | Unfit::NotRegular
            | Unfit::TooLong { .. }
            | Unfit::Growing
            | Unfit::NotText => None,
        }
    }
}

/// As a shell reads it.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    shlex::try_quote(&text).map_or_else(|_| text.to_string(), Cow::into_owned)
}

impl fmt::Display for ClosedFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}` {}", self.what, self.path.display(), self.unfit)
    }
}

impl Error for ClosedFileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.unfit {
            Unfit::Unreadable(error) => Some(error),
            Unfit::Missing
            | Unfit::Link
            | Unfit::NotRegular
            | Unfit::Foreign { .. }
            | Unfit::Open { .. }
            | Unfit::Changeable { .. }
            | Unfit::TooLong { .. }
            | Unfit::Growing
            | Unfit::NotText => None,
        }
    }
}
