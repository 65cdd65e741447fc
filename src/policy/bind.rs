//! Paths of the host inside containers.

use super::{Denial, Subject};
use crate::{
    desired::{ContainerSpec, spec::MountSource},
    host::Policy,
};
use std::path::Path;

/// Why a path of the host may not be bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindDenied {
    #[error("`{0}` is no absolute path without `.` and `..`")]
    NotPlain(String),
    #[error("`{path}` is or holds the engine's socket `{socket}`: whoever has it is root of the host")]
    EngineSocket { path: String, socket: String },
    #[error("`{path}` would show `{protected}`, which no container may see")]
    Protected { path: String, protected: String },
    #[error("`{0}` is below none of the host's data roots")]
    OutsideDataRoots(String),
    #[error("`{path}` may only be mounted read-only: `{root}` is a data root with `:ro`")]
    ReadOnly { path: String, root: String },
}

impl BindDenied {
    fn rule(&self) -> &'static str {
        match self {
            Self::EngineSocket { .. } => "policy.engine_socket",
            Self::NotPlain(_) | Self::Protected { .. } | Self::OutsideDataRoots(_) | Self::ReadOnly { .. } => {
                "policy.data_roots"
            }
        }
    }
}

/// Sockets by which an engine is commanded, wherever it puts them.
const SOCKETS: [&str; 4] = ["docker.sock", "podman.sock", "containerd.sock", "crio.sock"];
/// Where engines put them when nobody says otherwise.
const USUAL_SOCKETS: [&str; 4] =
    ["/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock", "/run/crio/crio.sock"];

/// Where this tool keeps what is its own, wherever else it was told to: settings and secrets, locks, the ledger.
const OURS: [&str; 3] = ["/etc/reconcile", "/run/reconcile", "/var/lib/reconcile"];

/// Judges one path of the host; `with_socket` is the right to the engine's socket.
///
/// # Errors
/// The first rule that forbids it, the gravest before the others.
pub fn judge(
    policy: &Policy,
    path: &str,
    read_only: bool,
    with_socket: bool,
    protected_paths: &[String],
) -> Result<(), BindDenied> {
    let Some(plain) = plain(path) else { return Err(BindDenied::NotPlain(path.to_owned())) };
    for protected in protected(protected_paths) {
        // One that is not absolute protects nothing that could be bound.
        let Some(protected) = self::plain(protected) else { continue };
        let is_same = plain == protected;
        if is_engine_socket(&protected) || protected.ends_with(".sock") {
            if is_same && with_socket {
                return Ok(());
            }
            if is_below(&protected, &plain) {
                return Err(BindDenied::EngineSocket { path: path.to_owned(), socket: protected });
            }
        } else if is_below(&protected, &plain) || is_below(&plain, &protected) {
            return Err(BindDenied::Protected { path: path.to_owned(), protected });
        }
    }
    if is_engine_socket(&plain) {
        let denied = BindDenied::EngineSocket { path: path.to_owned(), socket: plain };
        return if with_socket { Ok(()) } else { Err(denied) };
    }
    judge_roots(policy, path, &plain, read_only)
}

/// What no container may see, and the sockets that only some may: the usual ones, and those of this host.
pub(super) fn protected(told: &[String]) -> impl Iterator<Item = &str> {
    USUAL_SOCKETS.into_iter().chain(OURS).chain(told.iter().map(String::as_str))
}

/// The data root that a path lies in, and the rest of it (`""`, `/app/db`).
pub(super) fn below_its_root(policy: &Policy, path: &str) -> Option<(String, String)> {
    let path = plain(path)?;
    let roots = policy.data_roots.iter().filter_map(|root| plain(root.path.as_str()));
    let root = roots.filter(|root| is_below(&path, root)).max_by_key(String::len)?;
    let rest = path.strip_prefix(root.trim_end_matches('/'))?.to_owned();
    Some((root, rest))
}

fn judge_roots(policy: &Policy, path: &str, plain_path: &str, read_only: bool) -> Result<(), BindDenied> {
    let roots = policy.data_roots.iter().filter_map(|root| Some((plain(root.path.as_str())?, root.read_only)));
    let roots: Vec<(String, bool)> = roots.collect();
    // The nearest root decides: `/srv` for writing may hold `/srv/conf:ro`.
    let nearest = roots.iter().filter(|(root, _)| is_below(plain_path, root)).max_by_key(|(root, _)| root.len());
    let Some((root, only_reading)) = nearest else { return Err(BindDenied::OutsideDataRoots(path.to_owned())) };
    if read_only {
        return Ok(());
    }
    let refused = |root: &String| Err(BindDenied::ReadOnly { path: path.to_owned(), root: root.clone() });
    if *only_reading {
        return refused(root);
    }
    // Whoever writes a folder writes what is below it.
    match roots.iter().find(|(root, only_reading)| *only_reading && is_below(root, plain_path)) {
        Some((root, _)) => refused(root),
        None => Ok(()),
    }
}

/// The path with single slashes, and by its real name where `/var/run` is only another one for `/run`.
pub(super) fn plain(path: &str) -> Option<String> {
    if !path.starts_with('/') || path.contains('\0') {
        return None;
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.contains(&"..") || parts.contains(&".") {
        return None;
    }
    let parts = parts.strip_prefix(&["var", "run"]).map(|rest| [&["run"], rest].concat()).unwrap_or(parts);
    Some(format!("/{}", parts.join("/")))
}

/// Whether `path` is `folder` or lies in it, by whole names.
pub(super) fn is_below(path: &str, folder: &str) -> bool {
    Path::new(path).starts_with(folder)
}

/// Whether a container with this path of the host can command an engine; `engines` are sockets beside those known by
/// name.
#[must_use]
pub fn shows_engine_socket(path: &str, engines: &[String]) -> bool {
    let Some(plain) = plain(path) else { return false };
    is_engine_socket(&plain) || engines.iter().any(|told| self::plain(told).as_ref() == Some(&plain))
}

fn is_engine_socket(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| SOCKETS.contains(&name))
}

/// The host's paths in a container's body, and whether it can only read them.
pub(super) fn of(spec: &ContainerSpec) -> impl Iterator<Item = (&String, bool)> {
    spec.mounts.iter().filter_map(|mount| match &mount.source {
        MountSource::Bind(path) => Some((path, mount.read_only)),
        MountSource::Volume(_) => None,
    })
}

/// Judges every bind of a container's body by the path that is written.
pub(super) fn mounts(policy: &Policy, subject: &Subject<'_>, spec: &ContainerSpec) -> Vec<Denial> {
    let with_socket = subject.is_named_by(&policy.engine_socket);
    let verdicts = of(spec).map(|(path, read_only)| {
        let verdict = judge(policy, path, read_only, with_socket, subject.protected_paths);
        verdict.err().map(|denied| denial(subject, denied, read_only))
    });
    verdicts.flatten().collect()
}

/// The denial of a bind, with what would allow it.
pub(super) fn denial(subject: &Subject<'_>, denied: BindDenied, read_only: bool) -> Denial {
    let (rule, message) = (denied.rule(), denied.to_string());
    let allow = match denied {
        BindDenied::EngineSocket { path, socket } if plain(&path).as_ref() == Some(&socket) => {
            return subject.denied("volumes", rule, message);
        }
        BindDenied::OutsideDataRoots(path) if read_only => Some(format!("data_roots: [\"{path}:ro\"]")),
        BindDenied::OutsideDataRoots(path) => Some(format!("data_roots: [\"{path}\"]")),
        BindDenied::ReadOnly { root, .. } => Some(format!("data_roots: [\"{root}\"]")),
        BindDenied::EngineSocket { .. } | BindDenied::NotPlain(_) | BindDenied::Protected { .. } => None,
    };
    Denial { field: subject.field("volumes"), rule, message, allow }
}
