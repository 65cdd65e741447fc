//! Containers, as a list and as an inspection tell them.

use super::{body, image_id, labels, list, text, text_or_empty, texts};
use crate::{
    desired::{
        delivery::Sealed,
        label,
        spec::{Adjustable, Protocol, PublishedPort},
    },
    engine::view::{Detail, Health, Summary},
    observed::{Abilities, Endpoint, Life, projection::Projection},
    secret::{Fingerprint, SecretValue},
};
use jiff::Timestamp;
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap, net::IpAddr};

/// A container of a list.
pub fn summary(said: &Value) -> Summary {
    Summary {
        id: text_or_empty(&said["Id"]),
        name: texts(&said["Names"]).next().map(bare_name).unwrap_or_default(),
        labels: labels(&said["Labels"]),
        image_id: image_id(&said["ImageID"]),
        life: life(said["State"].as_str().unwrap_or_default(), exit_code_in(&said["Status"])),
        ports: list(&said["Ports"]).iter().filter_map(listed_port).collect(),
        networks: super::entries(&said["NetworkSettings"]["Networks"]).map(|(name, _)| name.clone()).collect(),
    }
}

/// A container of an inspection.
pub fn detail(said: &Value, abilities: Abilities) -> Detail {
    let secret_env = secret_env(said);
    let said = &without_secrets(said);
    let (state, id) = (&said["State"], text_or_empty(&said["Id"]));
    let endpoints = endpoints(said, &id);
    Detail {
        name: bare_name(text_or_empty(&said["Name"])),
        labels: labels(&said["Config"]["Labels"]),
        image_id: image_id(&said["Image"]),
        life: life(state["Status"].as_str().unwrap_or_default(), state["ExitCode"].as_i64()),
        created_at: time(&said["Created"]).unwrap_or(Timestamp::UNIX_EPOCH),
        started_at: time(&state["StartedAt"]),
        finished_at: time(&state["FinishedAt"]),
        restarts: said["RestartCount"].as_u64().and_then(|count| count.try_into().ok()).unwrap_or_default(),
        oom: state["OOMKilled"].as_bool().unwrap_or_default(),
        exit_code: state["ExitCode"].as_i64(),
        start_error: text(&state["Error"]),
        health: health(&state["Health"]["Status"]),
        pid: state["Pid"].as_u64().filter(|pid| *pid > 0).and_then(|pid| pid.try_into().ok()),
        namespace_of: said["HostConfig"]["NetworkMode"]
            .as_str()
            .and_then(|mode| mode.strip_prefix("container:"))
            .map(str::to_owned),
        secret_env,
        adjustable: abilities.adjusts.then(|| adjustable(&said["HostConfig"])),
        body: body::body(said, &endpoints),
        projection: Projection::of(said, abilities),
        endpoints,
        id,
    }
}

/// What tells the values of variables that hold secrets, by the container's own label. Of several of one name a process
/// sees the first.
fn secret_env(said: &Value) -> BTreeMap<String, Fingerprint> {
    let mut found = BTreeMap::new();
    let Some(text) = said["Config"]["Labels"][label::SECRETS].as_str() else { return found };
    let variables = Sealed::from_label(text).variables;
    for (name, value) in list(&said["Config"]["Env"]).iter().filter_map(|entry| entry.as_str()?.split_once('=')) {
        if variables.contains(name) && !found.contains_key(name) {
            let value = SecretValue::new(value.as_bytes().to_vec());
            found.extend(Fingerprint::of(&value).map(|fingerprint| (name.to_owned(), fingerprint)));
        }
    }
    found
}

/// The values of variables that hold secrets, by the label of the container whose inspection it is.
pub fn secrets(said: &Value) -> BTreeMap<String, SecretValue> {
    let Some(sealed) = said["Config"]["Labels"][label::SECRETS].as_str() else { return BTreeMap::new() };
    let variables = Sealed::from_label(sealed).variables;
    let entries = list(&said["Config"]["Env"]).iter().filter_map(|entry| entry.as_str()?.split_once('='));
    let secrets = entries.filter(|(name, _)| variables.contains(*name));
    secrets.map(|(name, value)| (name.to_owned(), SecretValue::new(value.as_bytes().to_vec()))).collect()
}

/// The inspection without the values of variables that hold secrets, by the container's own label: from here on nobody
/// has them.
fn without_secrets(said: &Value) -> Cow<'_, Value> {
    let Some(text) = said["Config"]["Labels"][label::SECRETS].as_str() else { return Cow::Borrowed(said) };
    let variables = Sealed::from_label(text).variables;
    if variables.is_empty() {
        return Cow::Borrowed(said);
    }
    let mut said = said.clone();
    for entry in said["Config"]["Env"].as_array_mut().into_iter().flatten() {
        if let Some((name, _)) = entry.as_str().and_then(|entry| entry.split_once('='))
            && variables.contains(name)
        {
            *entry = Value::String(format!("{name}=(secret)"));
        }
    }
    Cow::Owned(said)
}

/// Both engines' words for the stages of a container's life.
pub(super) fn life(word: &str, exit_code: Option<i64>) -> Life {
    match (word, exit_code) {
        ("created" | "configured" | "initialized", _) => Life::Created,
        ("running", _) => Life::Running,
        ("paused", _) => Life::Paused,
        ("restarting", _) => Life::Restarting,
        ("stopping" | "stopped", _) => Life::Stopping,
        ("exited", Some(code)) => Life::Exited(code),
        ("removing", _) => Life::Removing,
        ("dead", _) => Life::Dead,
        (other, _) => Life::Unknown(other.to_owned()),
    }
}

/// `Exited (3) 2 minutes ago`
fn exit_code_in(status: &Value) -> Option<i64> {
    let (code, _) = status.as_str()?.strip_prefix("Exited (")?.split_once(')')?;
    code.parse().ok()
}

fn bare_name(name: String) -> String {
    name.strip_prefix('/').map_or_else(|| name.clone(), str::to_owned)
}

/// A port of a list; one without a host's port is only exposed.
fn listed_port(said: &Value) -> Option<PublishedPort> {
    let number = |value: &Value| value.as_u64().and_then(|port| u16::try_from(port).ok());
    Some(PublishedPort {
        address: address(&said["IP"]),
        host: number(&said["PublicPort"]).filter(|port| *port > 0)?,
        container: number(&said["PrivatePort"])?,
        protocol: protocol(said["Type"].as_str().unwrap_or_default()),
    })
}

/// No address is every address.
pub(super) fn address(value: &Value) -> IpAddr {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or(IpAddr::from([0, 0, 0, 0]))
}

pub(super) fn protocol(word: &str) -> Protocol {
    match word {
        "udp" => Protocol::Udp,
        "sctp" => Protocol::Sctp,
        _ => Protocol::Tcp,
    }
}

/// A time; engines say year 1 for one that has not come.
fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok().filter(|time: &Timestamp| *time > Timestamp::UNIX_EPOCH)
}

fn health(word: &Value) -> Option<Health> {
    match word.as_str()? {
        "starting" => Some(Health::Starting),
        "healthy" => Some(Health::Healthy),
        "unhealthy" => Some(Health::Unhealthy),
        _ => None,
    }
}

fn endpoints(said: &Value, id: &str) -> BTreeMap<String, Endpoint> {
    // At the first start the engines put the id's first twelve digits after the aliases, and Docker the host name after
    // those.
    let asked_for = |alias: &String| id.get(..12) != Some(alias.as_str());
    super::entries(&said["NetworkSettings"]["Networks"])
        .map(|(name, place)| {
            let address = ["IPAddress", "GlobalIPv6Address"].iter().find_map(|key| place[*key].as_str()?.parse().ok());
            let endpoint = Endpoint {
                network_id: text_or_empty(&place["NetworkID"]),
                aliases: texts(&place["Aliases"]).take_while(asked_for).collect(),
                address,
            };
            (name.clone(), endpoint)
        })
        .collect()
}

pub(super) fn adjustable(host: &Value) -> Adjustable {
    Adjustable {
        restart: body::restart(&host["RestartPolicy"]),
        memory: super::limit(&host["Memory"]),
        memory_reservation: super::limit(&host["MemoryReservation"]),
        nano_cpus: super::limit(&host["NanoCpus"]),
        cpuset: text(&host["CpusetCpus"]),
        pids_limit: host["PidsLimit"].as_i64().filter(|limit| *limit > 0),
    }
}
