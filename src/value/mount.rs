//! What is mounted into a container: volumes, host paths, memory.

use super::{
    ResourceKey,
    text::{BadValue, text_form},
};
use std::{fmt, str::FromStr};

const MOUNT: &str = "a volume";
const PATH: &str = "an absolute path";
const TMPFS: &str = "a tmpfs";

/// What is wrong with a path that should be absolute and plain.
fn path_problem(path: &str) -> Option<&'static str> {
    if !path.starts_with('/') {
        return Some("a path begins with `/`");
    }
    if path.split('/').any(|part| part == ".." || part == ".") {
        return Some("a path has no `.` and `..` in it");
    }
    if path.contains("//") {
        return Some("write one `/` between two names");
    }
    None
}

/// Without the slash that some write at the end.
fn trimmed(path: &str) -> String {
    match path.trim_end_matches('/') {
        "" => "/".to_owned(),
        path => path.to_owned(),
    }
}

/// A path that begins with `/` and goes nowhere but down.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AbsolutePath(String);

impl AbsolutePath {
    /// A path of our own, which is known to be one.
    pub(crate) fn fixed(path: &'static str) -> Self {
        Self(path.to_owned())
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AbsolutePath {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match path_problem(text) {
            Some(reason) => Err(BadValue::new(PATH, text, reason)),
            None => Ok(Self(trimmed(text))),
        }
    }
}

impl fmt::Display for AbsolutePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(AbsolutePath, "path", "Absolute path", "^/", ["/srv/app"]);

/// What a mount shows: a volume by its key in the manifest, or a path of the host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VolumeSource {
    Volume(ResourceKey),
    Path(AbsolutePath),
}

impl fmt::Display for VolumeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Volume(key) => key.fmt(f),
            Self::Path(path) => path.fmt(f),
        }
    }
}

/// A volume or host path in a container: Compose's short form, `pgdata:/data` or `/srv/conf:/conf:ro`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VolumeMount {
    pub source: VolumeSource,
    /// Where it is seen in the container.
    pub target: AbsolutePath,
    /// Without the right to write.
    pub read_only: bool,
}

impl FromStr for VolumeMount {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: String| BadValue::new(MOUNT, text, reason);
        let mut parts = text.split(':');
        let source = parts.next().unwrap_or_default();
        let Some(target) = parts.next() else {
            return Err(bad(if text.starts_with('/') {
                format!("give it a name that lasts: `data:{text}`, and `data: {{}}` below `volumes` of the app")
            } else {
                "write `name:/path` or `/host/path:/path`".to_owned()
            }));
        };
        let mode = parts.next();
        if parts.next().is_some() {
            return Err(bad("write `source:/path` or `source:/path:ro`".to_owned()));
        }
        let read_only = match mode {
            None | Some("rw") => false,
            Some("ro") => true,
            Some(other) => return Err(bad(format!("`{other}` is not supported: write `ro`, `rw` or nothing"))),
        };
        let target_path = target.parse().map_err(|_| {
            let reason = path_problem(target).unwrap_or_default();
            bad(format!("`{target}` is no path in the container: {reason}"))
        })?;
        if target == "/" {
            return Err(bad("nothing can be mounted over the whole container".to_owned()));
        }
        let source = if source.starts_with(['.', '~']) {
            let name = source.rsplit('/').find(|part| !part.is_empty() && part.parse::<ResourceKey>().is_ok());
            let name = name.unwrap_or("data");
            return Err(bad(format!(
                "there is no checkout on the host that `{source}` could be in: write a path of the host, \
                 `/srv/{name}:{target}`, or a named volume, `{name}:{target}`"
            )));
        } else if source.starts_with('/') {
            let path = source.parse().map_err(|_| {
                let reason = path_problem(source).unwrap_or_default();
                bad(format!("`{source}` is no path of the host: {reason}"))
            })?;
            VolumeSource::Path(path)
        } else if source.contains('/') {
            return Err(bad(format!("a path of the host begins with `/`: write `/{source}:{target}`")));
        } else {
            VolumeSource::Volume(source.parse().map_err(|error: super::BadName| bad(error.to_string()))?)
        };
        Ok(Self { source, target: target_path, read_only })
    }
}

impl fmt::Display for VolumeMount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.target)?;
        if self.read_only { f.write_str(":ro") } else { Ok(()) }
    }
}

text_form!(
    VolumeMount,
    "volume",
    "Volume or host path",
    "^(/[^:]*|[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?):/[^:]+(:(ro|rw))?$",
    ["pgdata:/var/lib/postgresql/data", "/srv/conf:/conf:ro"]
);

/// Memory that looks like a directory: `/tmp`, `/run:size=64m,mode=1777`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TmpfsMount {
    /// Where it is seen in the container.
    pub target: AbsolutePath,
    /// As mount(8) writes them, comma separated; empty for none.
    pub options: String,
}

impl FromStr for TmpfsMount {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let (target, options) = text.split_once(':').unwrap_or((text, ""));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"=,_-%".contains(&byte);
        match path_problem(target) {
            Some(reason) => Err(BadValue::new(TMPFS, text, reason)),
            None if !options.bytes().all(plain) => {
                Err(BadValue::new(TMPFS, text, "write options as in `/tmp:size=64m,mode=1777`"))
            }
            None => Ok(Self { target: AbsolutePath(trimmed(target)), options: options.to_owned() }),
        }
    }
}

impl fmt::Display for TmpfsMount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.target.fmt(f)?;
        if self.options.is_empty() { Ok(()) } else { write!(f, ":{}", self.options) }
    }
}

text_form!(TmpfsMount, "tmpfs", "Temporary directory in memory", "^/[^:]*(:[A-Za-z0-9=,_%-]*)?$", ["/tmp:size=64m"]);
