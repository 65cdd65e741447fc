//! What each write does to the world, and when it is refused: the post-conditions of Docker 20.10.

use super::{
    gone, life,
    world::{Container, Script, World},
};
use crate::{
    desired::spec::{Adjustable, MountSource, Network, PublishedPort},
    engine::{
        Answer, CreateContainer, CreateNetwork, EngineError, NetworkView, PullFault, RanInside, RunInside, VolumeView,
    },
    observed::{Endpoint, Life},
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What the kill's exit code is.
const KILLED: i64 = 137;
/// Docker's exit code for a start that failed.
const NOT_STARTED: i64 = 128;

pub fn refused(doing: &str, status: u16, message: impl Into<String>) -> EngineError {
    EngineError::Refused { doing: doing.to_owned(), status, message: message.into() }
}

fn the<'a>(world: &'a mut World, id: &str, doing: &str) -> Answer<&'a mut Container> {
    world.find_mut(id).ok_or_else(|| gone("container", doing))
}

pub fn pull(world: &mut World, reference: &str) -> Answer<()> {
    let Some((id, image)) = world.registry.get(reference).cloned() else {
        let message = "manifest unknown".to_owned();
        return Err(EngineError::NotPulled { fault: PullFault::Unknown, message });
    };
    world.images.entry(id.clone()).or_insert(image);
    world.name_image(&id, reference);
    Ok(())
}

pub fn tag(world: &mut World, image_id: &str, tag: &str) -> Answer<()> {
    let Some((id, _)) = world.image(image_id) else { return Err(gone("image", &format!("tag image `{tag}`"))) };
    let id = id.clone();
    world.name_image(&id, tag);
    Ok(())
}

pub fn untag(world: &mut World, tag: &str) -> Answer<()> {
    let doing = format!("untag image `{tag}`");
    let Some((id, image)) = world.image(tag) else { return Err(gone("image", &doing)) };
    let (id, last) = (id.clone(), image.references.len() == 1);
    let used = world.containers.values().any(|container| container.image_id == id);
    match (last, used) {
        (true, true) => return Err(refused(&doing, 409, "a container uses the image")),
        (true, false) => drop(world.images.remove(&id)),
        (false, _) => {
            if let Some(image) = world.images.get_mut(&id) {
                image.references.remove(tag);
            }
        }
    }
    Ok(())
}

/// An image without a name.
pub fn import(world: &mut World) -> String {
    let id = world.next_id();
    let id = world.add_image(&id, Script::serves());
    if let Some(image) = world.images.get_mut(&id) {
        image.references.clear();
    }
    id
}

pub fn create_network(world: &mut World, network: &CreateNetwork) -> Answer<String> {
    if world.networks.iter().any(|there| there.name == network.name) {
        return Err(refused(&format!("create network `{}`", network.name), 409, "it exists already"));
    }
    let id = world.next_id();
    world.networks.push(NetworkView {
        id: id.clone(),
        name: network.name.clone(),
        labels: network.labels.clone(),
        internal: network.internal,
    });
    Ok(id)
}

pub fn remove_network(world: &mut World, id: &str) -> Answer<()> {
    let doing = format!("remove network `{id}`");
    let Some(name) = world.networks.iter().find(|view| view.id == id).map(|view| view.name.clone()) else {
        return Err(gone("network", &doing));
    };
    if world.containers.values().any(|container| container.life.is_up() && container.endpoints.contains_key(&name)) {
        return Err(refused(&doing, 403, "it has active endpoints"));
    }
    world.networks.retain(|view| view.id != id);
    Ok(())
}

pub fn create_volume(world: &mut World, name: &str, labels: &BTreeMap<String, String>) {
    if !world.volumes.iter().any(|volume| volume.name == name) {
        world.volumes.push(VolumeView { name: name.to_owned(), labels: labels.clone() });
    }
}

pub fn create(world: &mut World, wanted: &CreateContainer, now: Timestamp) -> Answer<String> {
    let doing = format!("create container `{}`", wanted.name);
    if world.find(&wanted.name).is_some() {
        return Err(refused(&doing, 409, "the name is in use"));
    }
    if world.image(&wanted.image_id).is_none() {
        return Err(gone("image", &doing));
    }
    if let Network::Service(_) = wanted.spec.network
        && wanted.namespace_of.as_ref().and_then(|other| world.find(other)).is_none()
    {
        return Err(gone("container", &doing));
    }
    for mount in &wanted.spec.mounts {
        match &mount.source {
            MountSource::Volume(name) => create_volume(world, name, &BTreeMap::new()),
            MountSource::Bind(_) => {}
        }
    }
    let container = world.made_from(wanted, now);
    let id = container.id.clone();
    world.containers.insert(id.clone(), container);
    Ok(id)
}

pub fn start(world: &mut World, id: &str, now: Timestamp) -> Answer<()> {
    let doing = format!("start container `{id}`");
    let container = the(world, id, &doing)?.clone();
    match &container.life {
        Life::Running | Life::Restarting | Life::Stopping => return Ok(()),
        Life::Paused => return Err(refused(&doing, 409, "it is paused: unpause it")),
        Life::Removing | Life::Dead | Life::Unknown(_) => return Err(refused(&doing, 409, "it is being removed")),
        Life::Created | Life::Exited(_) => {}
    }
    let obstacle = obstacle(world, &container);
    let container = the(world, id, &doing)?;
    if let Some((status, message)) = obstacle {
        container.exit_code = Some(NOT_STARTED);
        container.start_error = Some(message.clone());
        if let Life::Exited(_) = container.life {
            container.life = Life::Exited(NOT_STARTED);
        }
        return Err(refused(&doing, status, message));
    }
    container.life = Life::Running;
    container.started_at = Some(now);
    container.start_error = None;
    container.exit_code = Some(0);
    container.oom = false;
    container.restarts = 0;
    container.stopped_by_hand = false;
    Ok(())
}

/// What keeps a container from starting.
fn obstacle(world: &World, container: &Container) -> Option<(u16, String)> {
    if let Some(missing) = container.endpoints.keys().find(|name| world.network_id(name).is_empty()) {
        return Some((404, format!("network {missing} not found")));
    }
    if let Some(other) = &container.namespace_of {
        let runs = world.find(other).is_some_and(|other| other.life == Life::Running);
        if !runs {
            return Some((409, "the container whose network it shares does not run".to_owned()));
        }
    }
    let taken = |port: &&PublishedPort| {
        let up = world.containers.values().filter(|other| other.id != container.id && other.life.is_up());
        world.held_ports.contains(&port.host)
            || up.into_iter().any(|other| other.spec.ports.iter().any(|held| clash(held, port)))
    };
    let port = container.spec.ports.iter().find(taken)?;
    Some((500, format!("Bind for {}:{} failed: port is already allocated", port.address, port.host)))
}

fn clash(one: &PublishedPort, other: &PublishedPort) -> bool {
    one.host == other.host
        && one.protocol == other.protocol
        && (one.address == other.address || one.address.is_unspecified() || other.address.is_unspecified())
}

/// Sends the signal; tells how long the process takes and with what code it ends.
pub fn stop(world: &mut World, id: &str, grace: Duration) -> Answer<(Duration, i64)> {
    let container = the(world, id, &format!("stop container `{id}`"))?;
    container.stopped_by_hand = true;
    let up = container.life.is_up();
    let container = container.clone();
    let (takes, code) = world.script(&container).on_stop;
    Ok(match (up, takes <= grace) {
        (false, _) => (Duration::ZERO, 0),
        (true, true) => (takes, code),
        (true, false) => (grace, KILLED),
    })
}

/// The stop's end. False when it was over already.
pub fn stopped(world: &mut World, id: &str, code: i64, now: Timestamp) -> bool {
    let Some(container) = world.find_mut(id).filter(|container| container.life.is_up()) else { return false };
    // One that waits for its restart has ended by itself: its own code stays.
    let code = if container.life == Life::Restarting { container.exit_code.unwrap_or(code) } else { code };
    life::end(container, code, now);
    true
}

pub fn remove(world: &mut World, id: &str) -> Answer<()> {
    let doing = format!("remove container `{id}`");
    let container = the(world, id, &doing)?;
    if container.life.is_up() {
        return Err(refused(&doing, 409, "it is running"));
    }
    let id = container.id.clone();
    world.containers.remove(&id);
    Ok(())
}

pub fn rename(world: &mut World, id: &str, name: &str) -> Answer<()> {
    let doing = format!("rename container `{id}` to `{name}`");
    let container = the(world, id, &doing)?;
    let (own, restarting) = (container.id.clone(), container.life == Life::Restarting);
    match world.find(name) {
        Some(holder) if holder.id == own => Err(refused(&doing, 400, "it has that name")),
        Some(_) => Err(refused(&doing, 409, "the name is in use")),
        None if restarting => Err(refused(&doing, 500, "it is restarting")),
        None => {
            name.clone_into(&mut the(world, id, &doing)?.name);
            Ok(())
        }
    }
}

/// A limit that is not named stays as it is, as the engine has it.
pub fn adjust(world: &mut World, id: &str, to: &Adjustable) -> Answer<()> {
    let doing = format!("change the limits of container `{id}`");
    let adjusts = world.adjusts;
    let container = the(world, id, &doing)?;
    if !adjusts {
        return Err(refused(&doing, 404, "page not found"));
    }
    let limits = &mut container.spec.adjustable;
    limits.restart = to.restart;
    limits.memory = to.memory.or(limits.memory);
    limits.memory_reservation = to.memory_reservation.or(limits.memory_reservation);
    limits.nano_cpus = to.nano_cpus.or(limits.nano_cpus);
    limits.pids_limit = to.pids_limit.or(limits.pids_limit);
    if to.cpuset.is_some() {
        limits.cpuset.clone_from(&to.cpuset);
    }
    Ok(())
}

/// Notes the signal; what a process does on it is the script's, and none of them ends by SIGHUP.
pub fn signal(world: &mut World, id: &str, signal: &str) -> Answer<()> {
    let doing = format!("send {signal} to container `{id}`");
    let container = the(world, id, &doing)?;
    // One that is frozen hears it when it goes on.
    if !matches!(container.life, Life::Running | Life::Paused) {
        return Err(refused(&doing, 409, "it is not running"));
    }
    container.signals.push(signal.to_owned());
    Ok(())
}

pub fn run_inside(world: &mut World, id: &str, run: &RunInside) -> Answer<RanInside> {
    let doing = format!("run a program in container `{id}`");
    let ended = world.programs.get(&run.command).cloned().unwrap_or_default();
    let container = the(world, id, &doing)?;
    if container.life != Life::Running {
        return Err(refused(&doing, 409, "it is not running"));
    }
    container.ran.push(run.command.clone());
    if ended.said.len() > run.at_most {
        return Err(EngineError::Garbled { doing, source: "it says too much".into() });
    }
    Ok(ended)
}

pub fn pause(world: &mut World, id: &str) -> Answer<()> {
    let doing = format!("pause container `{id}`");
    let container = the(world, id, &doing)?;
    if container.life != Life::Running {
        return Err(refused(&doing, 409, "it is not running"));
    }
    container.life = Life::Paused;
    Ok(())
}

pub fn unpause(world: &mut World, id: &str) -> Answer<()> {
    let doing = format!("unpause container `{id}`");
    let container = the(world, id, &doing)?;
    if container.life != Life::Paused {
        return Err(refused(&doing, 409, "it is not paused"));
    }
    container.life = Life::Running;
    Ok(())
}

pub fn connect(world: &mut World, id: &str, network: &str, aliases: &BTreeSet<String>) -> Answer<()> {
    let doing = format!("connect container `{id}` to network `{network}`");
    let Some(view) = world.networks.iter().find(|view| view.name == network || view.id == network).cloned() else {
        return Err(gone("network", &doing));
    };
    let container = the(world, id, &doing)?;
    // One that waits for its restart is on no network for the moment.
    let on_it = container.life.is_up() && container.life != Life::Restarting;
    if on_it && container.endpoints.contains_key(&view.name) {
        return Err(refused(&doing, 403, "it is connected already"));
    }
    container.endpoints.insert(view.name, Endpoint { network_id: view.id, aliases: aliases.clone(), address: None });
    Ok(())
}

pub fn disconnect(world: &mut World, id: &str, network: &str) -> Answer<()> {
    let doing = format!("disconnect container `{id}` from network `{network}`");
    let name =
        world.networks.iter().find(|view| view.name == network || view.id == network).map(|view| view.name.clone());
    let Some(name) = name else { return Err(gone("network", &doing)) };
    let container = the(world, id, &doing)?;
    if container.life == Life::Restarting {
        return Err(refused(&doing, 500, "it is restarting"));
    }
    match container.endpoints.remove(&name) {
        Some(_) => Ok(()),
        None => Err(refused(&doing, 500, "it is not connected")),
    }
}

/// Its exit code, once it does not run; as with the real ones, 0 for one that never ran.
pub fn over(world: &World, id: &str) -> Answer<Option<i64>> {
    let container = world.find(id).ok_or_else(|| gone("container", "tell when a container is over"))?;
    Ok(match &container.life {
        Life::Exited(code) => Some(*code),
        Life::Created | Life::Dead => Some(container.exit_code.unwrap_or_default()),
        Life::Running | Life::Paused | Life::Restarting | Life::Stopping | Life::Removing | Life::Unknown(_) => None,
    })
}
