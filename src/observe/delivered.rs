//! Looks at what was delivered for an app's containers: the files themselves, by their digests.

use super::Look;
use crate::{
    desired::{
        DeliveryName, Desired, FileFacts,
        delivery::{Kind, content_digest},
        spec::{FileAccess, MountSource},
    },
    observed::{Container, Delivered, Evidence, Observed},
    secret::{Gathered, Roots, SecretValue, digest::Place, roots::mark},
};
use jiff::Timestamp;
use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt, path::Path, sync::Arc};
use tokio::task::spawn_blocking;

/// A delivery as it lies there.
struct Lying {
    delivery: DeliveryName,
    files: BTreeMap<String, FileFacts>,
    /// When a process was last to be told of what is in it.
    told_at: Option<Timestamp>,
    /// When the newest of its configs was laid there.
    laid_at: Option<Timestamp>,
}

/// Adds to what was observed what each container is shown, and the deliveries that are there. Files are read on a thread of
/// their own.
pub async fn look(observed: &mut Observed, look: &Look, desired: &Desired, roots: &Roots, secrets: &Arc<Gathered>) {
    name_what_is_shown(observed, look, desired, roots);
    let kinds: Vec<Kind> =
        [Kind::Secrets, Kind::Configs].into_iter().filter(|kind| roots.of(*kind).is_absolute()).collect();
    if kinds.is_empty() {
        return;
    }
    let (desired, roots, secrets) = (desired.clone(), roots.clone(), Arc::clone(secrets));
    let read = move || kinds.into_iter().flat_map(|kind| read(kind, &desired, &roots, &secrets)).collect::<Vec<_>>();
    // A reading that broke down has seen nothing: what is wanted is delivered anew.
    for Lying { delivery, files, told_at, laid_at } in spawn_blocking(read).await.unwrap_or_default() {
        let waits =
            |container: &Container| told_at.is_some_and(|at| container.started_at.is_some_and(|then| then < at));
        let mut shown = observed.containers.values().filter(|container| container.deliveries.contains(&delivery));
        let signal_due = shown.any(waits);
        // One that is yet to come says nothing: somebody set the clock.
        let laid = laid_at.filter(|laid| *laid <= look.now);
        for container in observed.containers.values_mut().filter(|it| it.deliveries.contains(&delivery)) {
            container.old_configs |= laid.zip(container.started_at).is_some_and(|(laid, began)| began < laid);
        }
        observed.deliveries.insert(delivery, Delivered { files, signal_due });
    }
}

fn name_what_is_shown(observed: &mut Observed, look: &Look, desired: &Desired, roots: &Roots) {
    let (environment, app) = (&desired.environment, &desired.app);
    for container in observed.containers.values_mut() {
        let Some(detail) = look.containers.get(&container.id) else { continue };
        for mount in &detail.body.mounts {
            if let MountSource::Bind(path) = &mount.source {
                container.deliveries.extend(roots.delivery(environment, app, path));
            }
        }
        // What is ours is compared by what it holds; what is left is compared with the manifest.
        if let Evidence::Declared(body) = &mut container.evidence {
            body.mounts.retain(|mount| match &mount.source {
                MountSource::Bind(path) => roots.delivery(environment, app, path).is_none(),
                MountSource::Volume(_) => true,
            });
        }
    }
}

fn read(kind: Kind, desired: &Desired, roots: &Roots, secrets: &Gathered) -> Vec<Lying> {
    let (environment, app) = (&desired.environment, &desired.app);
    let lying = |delivery: DeliveryName| {
        let folder = roots.folder(environment, app, &delivery);
        let files = desired.files(&delivery.role, kind).into_keys().filter_map(|file| {
            let facts = facts(&folder.join(&file), &file, &delivery, desired, secrets)?;
            Some((file, facts))
        });
        let files: BTreeMap<String, FileFacts> = files.collect();
        let laid_at =
            files.keys().filter(|_| kind == Kind::Configs).filter_map(|file| changed_at(&folder.join(file))).max();
        Lying { files, told_at: changed_at(&mark(&folder)), laid_at, delivery }
    };
    deliveries(kind, &roots.of_app(kind, environment, app)).into_iter().map(lying).collect()
}

/// The deliveries of a kind in an app's folder.
fn deliveries(kind: Kind, folder: &Path) -> Vec<DeliveryName> {
    let word = match kind {
        Kind::Secrets => "secrets",
        Kind::Configs => "configs",
    };
    let names = |folder: &Path| -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        entries.filter(|entry| entry.path().is_dir()).filter_map(|entry| entry.file_name().into_string().ok()).collect()
    };
    let of_role = |role: String| {
        names(&folder.join(&role)).into_iter().filter_map(move |name| format!("{word}/{role}/{name}").parse().ok())
    };
    names(folder).into_iter().flat_map(of_role).collect()
}

fn changed_at(path: &Path) -> Option<Timestamp> {
    Timestamp::try_from(fs::metadata(path).ok()?.modified().ok()?).ok()
}

/// A file as it is; none where it is not there.
fn facts(path: &Path, file: &str, delivery: &DeliveryName, desired: &Desired, secrets: &Gathered) -> Option<FileFacts> {
    let metadata = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
    // As root: what a file says of its owner holds in the container too. A user's own are everybody's there.
    let (uid, gid) = match rustix::process::geteuid().is_root() {
        true => (metadata.uid(), metadata.gid()),
        false => (0, 0),
    };
    let access = FileAccess { uid, gid, mode: metadata.mode() & 0o7777 };
    let content = SecretValue::new(fs::read(path).ok()?);
    let digest = match delivery.kind {
        Kind::Configs => std::str::from_utf8(content.expose()).ok().map(content_digest),
        Kind::Secrets => {
            let secret = &desired.body_of(&delivery.role)?.secrets.get(file)?.secret;
            let service = &desired.service_of(&delivery.role)?.name;
            let place = Place { environment: &desired.environment, app: &desired.app, service };
            secrets.digest_of(&place, secret, &content)
        }
    };
    Some(FileFacts { digest, access })
}
