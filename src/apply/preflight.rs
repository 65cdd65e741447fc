//! What can be checked before the first stop: names, ports, links, an image's volumes.

use super::perform::StepError;
use crate::{
    blame::Blame,
    desired::{Desired, DesiredService, label, spec::Protocol, spec::PublishedPort},
    engine::{Answer, Engine, ImageView, Summary},
    observed::{Observed, Role},
    plan::{Obstacle, Plan, Step},
};
use std::{
    collections::BTreeSet,
    net::{SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
};

/// Looks at what others hold, once a plan would make or rename containers: fills in their names and finds what is in the way.
///
/// # Errors
/// The engine does not answer.
pub async fn check<E: Engine>(
    engine: &E,
    installation: &str,
    desired: &Desired,
    observed: &mut Observed,
    plan: &Plan,
) -> Answer<Vec<Obstacle>> {
    let begun: BTreeSet<&Role> = plan.steps.iter().filter_map(|planned| planned.step.begins()).collect();
    let renames = plan.steps.iter().any(|planned| matches!(planned.step, Step::Rename { .. }));
    if begun.is_empty() && !renames {
        return Ok(Vec::new());
    }
    let everyone = engine.containers(&Vec::new()).await?;
    let ours: BTreeSet<&String> = observed.containers.values().map(|container| &container.id).collect();
    // What another pass of this app made since the look is not foreign: a dry run takes no lock.
    let is_ours =
        |summary: &Summary| ours.contains(&summary.id) || label::owned(&summary.labels, installation, desired);
    let foreign: Vec<&Summary> = everyone.iter().filter(|summary| !is_ours(summary)).collect();
    let foreign_names = foreign.iter().map(|summary| summary.name.clone()).collect();
    let mut obstacles = Vec::new();
    let services = desired.services.values().filter(|service| service.running);
    for service in services.filter(|service| begun.contains(&Role::Service(service.name.clone()))) {
        for port in &service.spec.ports {
            if let Some(holder) = foreign
                .iter()
                .find(|summary| summary.life.is_up() && summary.ports.iter().any(|held| held.clashes(port)))
            {
                let (what, hint) = port_words(port, &format!("container `{}`", holder.name));
                obstacles.push(Obstacle {
                    blame: Blame::World,
                    service: Some(service.name.clone()),
                    summary: what,
                    hint: Some(hint),
                });
            } else if !held_by_us(port, observed) && !is_free(port) {
                let (what, hint) = port_words(port, "a process of this host");
                obstacles.push(Obstacle {
                    blame: Blame::World,
                    service: Some(service.name.clone()),
                    summary: what,
                    hint: Some(hint),
                });
            }
        }
        obstacles.extend(of_image(engine, service, observed).await?);
    }
    observed.foreign_names = foreign_names;
    Ok(obstacles)
}

/// What an image says that its service has no answer to.
async fn of_image<E: Engine>(engine: &E, service: &DesiredService, observed: &Observed) -> Answer<Vec<Obstacle>> {
    let Some(image) = observed.images.get(&service.spec.image) else { return Ok(Vec::new()) };
    let Some(view) = engine.image(&image.id).await? else { return Ok(Vec::new()) };
    Ok([uncovered_volume(service, &view), untold_port(service, &view)].into_iter().flatten().collect())
}

/// A route that leaves its port to the image, which exposes none or several.
fn untold_port(service: &DesiredService, view: &ImageView) -> Option<Obstacle> {
    let route = service.route.as_ref().filter(|route| route.port.is_none())?;
    let why = route.port_of(&view.exposed).err()?;
    Some(Obstacle {
        blame: Blame::Revision,
        service: Some(service.name.clone()),
        summary: format!("`proxy` does not say which port it leads to, and image `{}` {why}", service.spec.image),
        hint: Some(format!("write `services.{}.proxy.port`", service.name)),
    })
}

/// An image's `VOLUME` that no volume or tmpfs covers would put data where nobody finds it again.
fn uncovered_volume(service: &DesiredService, view: &ImageView) -> Option<Obstacle> {
    let covered = |path: &String| {
        let trimmed = path.trim_end_matches('/');
        service.spec.mounts.iter().any(|mount| mount.target.trim_end_matches('/') == trimmed)
            || service.spec.tmpfs.keys().any(|target| target.trim_end_matches('/') == trimmed)
    };
    view.volumes.iter().find(|path| !covered(path)).map(|path| Obstacle {
        blame: Blame::Revision,
        service: Some(service.name.clone()),
        summary: format!(
            "image `{}` declares a volume at `{path}`, and the service mounts nothing there",
            service.spec.image
        ),
        hint: Some(format!("mount a volume (`volumes: [\"data:{path}\"]`) or a tmpfs (`tmpfs: [{path}]`) there")),
    })
}

/// Where a path of this host leads once every link in it is followed, also where its end is not there yet; none where
/// nothing of it can be seen. One that ends in a link to nowhere leads to what the link says.
#[must_use]
pub fn path_behind_links(path: &Path) -> Option<PathBuf> {
    if let Ok(real) = path.canonicalize() {
        return Some(real);
    }
    let behind = path_behind_links(path.parent()?)?;
    match path.read_link() {
        Ok(target) => Some(behind.join(target)),
        Err(_) => Some(behind.join(path.file_name()?)),
    }
}

/// The port of a container that could not be started and that somebody else holds.
///
/// # Errors
/// The engine does not answer.
pub async fn taken_port<E: Engine>(engine: &E, ports: &BTreeSet<PublishedPort>, id: &str) -> Answer<Option<StepError>> {
    if ports.is_empty() {
        return Ok(None);
    }
    let everyone = engine.containers(&Vec::new()).await?;
    for port in ports {
        let holder = everyone.iter().find(|summary| {
            summary.id != id && summary.life.is_up() && summary.ports.iter().any(|held| held.clashes(port))
        });
        let holder = match holder {
            Some(summary) => format!("container `{}`", summary.name),
            None if !is_free(port) => "a process of this host".to_owned(),
            None => continue,
        };
        let (what, hint) = port_words(port, &holder);
        return Ok(Some(StepError::Taken { what, hint }));
    }
    Ok(None)
}

fn port_words(port: &PublishedPort, holder: &str) -> (String, String) {
    let address = SocketAddr::new(port.address, port.host);
    (
        format!("port `{address}/{}` is taken by {holder}", port.protocol),
        "free the port, or publish another one".to_owned(),
    )
}

fn held_by_us(port: &PublishedPort, observed: &Observed) -> bool {
    observed
        .containers
        .values()
        .any(|container| container.life.is_up() && container.ports.iter().any(|held| held.clashes(port)))
}

/// True when nobody on this host listens there, as far as binding tells.
fn is_free(port: &PublishedPort) -> bool {
    let address = SocketAddr::new(port.address, port.host);
    let in_use = |error: std::io::Error| error.kind() == std::io::ErrorKind::AddrInUse;
    match port.protocol {
        Protocol::Tcp => !TcpListener::bind(address).is_err_and(in_use),
        Protocol::Udp => !UdpSocket::bind(address).is_err_and(in_use),
        Protocol::Sctp => true,
    }
}
