//! The folders that nginx-proxy reads, as this host sees them.

use super::{Settings, files, files::Files, words};
use crate::{
    desired::route::TlsMode,
    proxy::{ProxyError, Served, Site, SiteName, whole_file},
};
use std::{collections::BTreeMap, fs, io, os::unix::fs::PermissionsExt, path::PathBuf};

/// What its workers read too, who are another user.
const OPEN: u32 = 0o644;
/// What its master alone reads, as root.
const CLOSED: u32 = 0o600;

/// A file as it should be.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    pub bytes: Vec<u8>,
    pub mode: u32,
}

/// Files by their paths.
pub type Folder = BTreeMap<PathBuf, Content>;

/// Where the tool notes what it wrote for an app. The contract knows no file that begins so.
pub fn model_file(settings: &Settings, name: &SiteName) -> PathBuf {
    settings.vhost_dir.join(format!(".reconcile-{}.{}.json", name.environment, name.app))
}

/// Every file of an app but the model, with its locations as they are given.
///
/// # Errors
/// Users or certificates cannot be read.
pub fn wanted(
    settings: &Settings,
    name: &SiteName,
    site: &Site,
    files: &Files,
    locations: BTreeMap<String, String>,
) -> Result<Folder, ProxyError> {
    let open = |text: String| Content { bytes: text.into_bytes(), mode: OPEN };
    let mut folder: Folder =
        locations.into_iter().map(|(file, text)| (settings.vhost_dir.join(file), open(text))).collect();
    if let (Some(directory), Some(counted)) = (&settings.conf_dir, &files.counted) {
        folder
            .insert(directory.join(format!("reconcile-{}.{}.conf", name.environment, name.app)), open(counted.clone()));
    }
    for served in site.routes.values() {
        guard(settings, name, served, &mut folder)?;
        certify(settings, name, served, &mut folder)?;
    }
    Ok(folder)
}

/// Who may ask, for each host of a route.
fn guard(settings: &Settings, name: &SiteName, served: &Served, folder: &mut Folder) -> Result<(), ProxyError> {
    let Some(users) = &served.users else { return Ok(()) };
    let bytes = [files::mark(name).into_bytes(), whole_file::read(users)?.unwrap_or_default()].concat();
    for host in &served.route.hosts {
        let file = settings.htpasswd_dir.join(files::users_file(host, &served.route));
        folder.insert(file, Content { bytes: bytes.clone(), mode: OPEN });
    }
    Ok(())
}

/// The certificate of a route. Services that share their hosts share it: the first of them has it.
fn certify(settings: &Settings, name: &SiteName, served: &Served, folder: &mut Folder) -> Result<(), ProxyError> {
    let (Some(certificate), TlsMode::Internal | TlsMode::Files { .. }) = (&served.certificate, &served.route.tls.mode)
    else {
        return Ok(());
    };
    let base = words::certificate(name, &served.route);
    for (ending, from, mode) in [("crt", &certificate.chain, OPEN), ("key", &certificate.key, CLOSED)] {
        // Text before the first block of a PEM file is nobody's.
        let bytes = [files::mark(name).into_bytes(), whole_file::read(from)?.unwrap_or_default()].concat();
        folder.entry(settings.certs_dir.join(format!("{base}.{ending}"))).or_insert(Content { bytes, mode });
    }
    Ok(())
}

/// Every file of an app that is there, but the model.
///
/// # Errors
/// A folder cannot be read.
pub fn there(settings: &Settings, name: &SiteName) -> Result<Folder, ProxyError> {
    let (mark, mut folder) = (files::mark(name), Folder::new());
    let all = [
        Some(&settings.vhost_dir),
        Some(&settings.htpasswd_dir),
        Some(&settings.certs_dir),
        settings.conf_dir.as_ref(),
    ];
    for directory in all.into_iter().flatten() {
        let failed = |source| ProxyError::Files { doing: format!("read `{}`", directory.display()), source };
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            // What goes away meanwhile, or is a folder, is not ours.
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            if !metadata.is_file() {
                continue;
            }
            match whole_file::read(&path)? {
                Some(bytes) if bytes.starts_with(mark.as_bytes()) => {
                    folder.insert(path, Content { bytes, mode: metadata.permissions().mode() & 0o777 });
                }
                Some(_) | None => {}
            }
        }
    }
    Ok(folder)
}

/// Files that should be the app's and are somebody else's.
///
/// # Errors
/// One cannot be read.
pub fn foreign(wanted: &Folder, name: &SiteName) -> Result<Option<ProxyError>, ProxyError> {
    let mark = files::mark(name);
    for path in wanted.keys() {
        let Some(bytes) = whole_file::read(path)? else { continue };
        if bytes.starts_with(mark.as_bytes()) {
            continue;
        }
        let text = String::from_utf8_lossy(&bytes);
        let whose = text.strip_prefix("# reconcile ").and_then(|rest| rest.split(": ").next());
        let (whose, hint) = match whose.filter(|_| files::is_ours(&text)) {
            Some(app) => (format!("that of `{app}`"), format!("remove the route from one of `{name}` and `{app}`")),
            None => (
                "somebody else's".to_owned(),
                "say in the manifest what stands in it (`headers`, `max_body`, `timeouts`, `tls.hsts` …), and remove it"
                    .to_owned(),
            ),
        };
        return Ok(Some(ProxyError::Unfit { what: format!("`{}` is {whose}", path.display()), hint }));
    }
    Ok(None)
}

/// Brings the files of an app from one state to another: whether files came or went, and whether others changed.
///
/// # Errors
/// A file cannot be written or removed.
pub fn put(before: &Folder, after: &Folder) -> Result<Written, ProxyError> {
    let mut written = Written::default();
    for (path, content) in after {
        match before.get(path) {
            Some(there) if there == content => continue,
            Some(_) => written.changed = true,
            None => written.came_or_went = true,
        }
        whole_file::write(path, &content.bytes, content.mode)?;
    }
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        whole_file::remove(path)?;
        written.came_or_went = true;
    }
    Ok(written)
}

/// What was done to files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The template asks which files there are: it has to be rendered anew.
    pub came_or_went: bool,
    pub changed: bool,
}
