//! A container's body as far as an inspection gives it back, in the words of a manifest.
//!
//! What an image brings is mixed in by the engines (command, environment, labels, user …). A shared network
//! (`container:…`) is told by `Detail::namespace_of`; its `network` is empty here.

use super::{container, entries, labels, limit, list, text, text_or_empty, texts};
use crate::{
    desired::spec::{
        ContainerSpec, Device, EngineCheck, Gpus, Logging, Mount, MountSource, Network, PublishedPort, Restart, Ulimit,
    },
    observed::Endpoint,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Options Podman adds to each tmpfs, and the mode we send with each.
const TMPFS_DEFAULTS: &[&str] = &["mode=1777", "rw", "rprivate", "nosuid", "nodev", "tmpcopyup"];

pub fn body(said: &Value, endpoints: &BTreeMap<String, Endpoint>) -> ContainerSpec {
    let (config, host) = (&said["Config"], &said["HostConfig"]);
    let own_hostname = |name: &String| said["Id"].as_str().is_some_and(|id| id.starts_with(name.as_str()));
    ContainerSpec {
        image: text_or_empty(&config["Image"]),
        platform: None,
        command: command(&config["Cmd"]),
        entrypoint: command(&config["Entrypoint"]),
        working_dir: text(&config["WorkingDir"]),
        user: text(&config["User"]),
        hostname: text(&config["Hostname"]).filter(|name| !own_hostname(name)),
        init: host["Init"].as_bool(),
        tty: flag(&config["Tty"]),
        stdin_open: flag(&config["OpenStdin"]),
        env: environment(&config["Env"]),
        labels: labels(&config["Labels"]),
        network: network(host["NetworkMode"].as_str().unwrap_or_default(), endpoints),
        ports: ports(&host["PortBindings"]),
        expose: entries(&config["ExposedPorts"]).map(|(port, _)| port.clone()).collect(),
        mounts: mounts(&said["Mounts"]),
        tmpfs: tmpfs(host),
        healthcheck: healthcheck(&config["Healthcheck"]),
        adjustable: container::adjustable(host),
        shm_size: limit(&host["ShmSize"]),
        ulimits: list(&host["Ulimits"]).iter().filter_map(ulimit).collect(),
        gpus: list(&host["DeviceRequests"]).first().map(gpus),
        devices: list(&host["Devices"]).iter().map(device).collect(),
        sysctls: labels(&host["Sysctls"]),
        group_add: texts(&host["GroupAdd"]).collect(),
        read_only: flag(&host["ReadonlyRootfs"]),
        cap_drop: capabilities(&host["CapDrop"]),
        cap_add: capabilities(&host["CapAdd"]),
        security_opt: texts(&host["SecurityOpt"]).collect(),
        privileged: flag(&host["Privileged"]),
        stop_signal: text(&config["StopSignal"]).map(signal),
        // None at all is another thing than none that is set.
        stop_grace_seconds: config["StopTimeout"].as_u64(),
        extra_hosts: texts(&host["ExtraHosts"]).collect(),
        dns: texts(&host["Dns"]).collect(),
        logging: text(&host["LogConfig"]["Type"])
            .map(|driver| Logging { driver, options: labels(&host["LogConfig"]["Config"]) }),
        // Files are mounts to an engine, and a variable does not tell that a secret is in it.
        secrets: BTreeMap::new(),
        secret_env: BTreeMap::new(),
        configs: BTreeMap::new(),
        unspoken: unspoken(said),
    }
}

fn flag(value: &Value) -> bool {
    value.as_bool().unwrap_or_default()
}

fn command(value: &Value) -> Option<Vec<String>> {
    Some(texts(value).collect::<Vec<_>>()).filter(|words| !words.is_empty())
}

fn environment(value: &Value) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::new();
    for entry in texts(value) {
        // Docker keeps duplicates, and a process sees the first.
        if let Some((key, value)) = entry.split_once('=') {
            environment.entry(key.to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    environment
}

fn network(mode: &str, endpoints: &BTreeMap<String, Endpoint>) -> Network {
    match mode {
        "host" => Network::Host,
        "none" => Network::None,
        shared if shared.starts_with("container:") => Network::Networks(BTreeMap::new()),
        _ => Network::Networks(
            endpoints.iter().map(|(name, endpoint)| (name.clone(), endpoint.aliases.clone())).collect(),
        ),
    }
}

/// A host port that is no number (free choice, a range) is 0, which no manifest can say.
fn ports(bindings: &Value) -> BTreeSet<PublishedPort> {
    let mut ports = BTreeSet::new();
    for (port, bound) in entries(bindings) {
        let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
        for binding in list(bound) {
            ports.insert(PublishedPort {
                address: container::address(&binding["HostIp"]),
                host: binding["HostPort"].as_str().and_then(|port| port.parse().ok()).unwrap_or_default(),
                container: number.parse().unwrap_or_default(),
                protocol: container::protocol(protocol),
            });
        }
    }
    ports
}

/// Volumes and binds by what they show, where and how; mode and propagation are the engines' own (research, engine §2).
fn mounts(said: &Value) -> Vec<Mount> {
    let mount = |mount: &Value| {
        let source = match mount["Type"].as_str()? {
            "volume" => MountSource::Volume(text_or_empty(&mount["Name"])),
            "bind" => MountSource::Bind(text_or_empty(&mount["Source"])),
            _ => return None,
        };
        Some(Mount { source, target: text_or_empty(&mount["Destination"]), read_only: !flag(&mount["RW"]) })
    };
    let mut mounts: Vec<Mount> = list(said).iter().filter_map(mount).collect();
    mounts.sort();
    mounts
}

fn tmpfs(host: &Value) -> BTreeMap<String, String> {
    let spoken = |options: &str| -> String {
        options.split(',').filter(|option| !TMPFS_DEFAULTS.contains(option)).collect::<Vec<_>>().join(",")
    };
    entries(&host["Tmpfs"])
        .map(|(path, options)| (path.clone(), spoken(options.as_str().unwrap_or_default())))
        .chain(
            list(&host["Mounts"])
                .iter()
                .filter(|mount| mount["Type"] == "tmpfs")
                .map(|mount| (text_or_empty(&mount["Target"]), String::new())),
        )
        .collect()
}

fn healthcheck(said: &Value) -> EngineCheck {
    let test: Vec<String> = texts(&said["Test"]).collect();
    let milliseconds = |value: &Value| value.as_u64().unwrap_or_default() / 1_000_000;
    match test.first().map(String::as_str) {
        None => EngineCheck::Inherit,
        Some("NONE") => EngineCheck::Disabled,
        Some(_) => EngineCheck::Test {
            interval: milliseconds(&said["Interval"]),
            timeout: milliseconds(&said["Timeout"]),
            start_period: milliseconds(&said["StartPeriod"]),
            retries: said["Retries"].as_u64().and_then(|retries| retries.try_into().ok()).unwrap_or_default(),
            test,
        },
    }
}

pub(super) fn restart(policy: &Value) -> Restart {
    match policy["Name"].as_str().unwrap_or_default() {
        "always" => Restart::Always,
        "unless-stopped" => Restart::UnlessStopped,
        "on-failure" => {
            let retries = policy["MaximumRetryCount"].as_u64().and_then(|count| count.try_into().ok());
            Restart::OnFailure(retries.unwrap_or_default())
        }
        // `no`, and "" for none was asked.
        _ => Restart::No,
    }
}

/// Podman writes `RLIMIT_NOFILE` for `nofile`.
fn ulimit(said: &Value) -> Option<(String, Ulimit)> {
    let name = said["Name"].as_str()?;
    let name = name.strip_prefix("RLIMIT_").unwrap_or(name).to_lowercase();
    Some((name, Ulimit { soft: said["Soft"].as_i64()?, hard: said["Hard"].as_i64()? }))
}

fn gpus(said: &Value) -> Gpus {
    let ids: Vec<String> = texts(&said["DeviceIDs"]).collect();
    match said["Count"].as_i64() {
        _ if !ids.is_empty() => Gpus::Ids(ids),
        Some(count) => u32::try_from(count).map_or(Gpus::All, Gpus::Count),
        None => Gpus::All,
    }
}

fn device(said: &Value) -> Device {
    Device {
        host: text_or_empty(&said["PathOnHost"]),
        container: text_or_empty(&said["PathInContainer"]),
        permissions: text_or_empty(&said["CgroupPermissions"]),
    }
}

/// `CAP_NET_ADMIN` and `NET_ADMIN` are the same.
fn capabilities(value: &Value) -> BTreeSet<String> {
    texts(value).map(|name| name.strip_prefix("CAP_").map_or_else(|| name.clone(), str::to_owned)).collect()
}

/// Podman writes the number for the name.
fn signal(text: String) -> String {
    let name = match text.as_str() {
        "1" => "HUP",
        "2" => "INT",
        "3" => "QUIT",
        "9" => "KILL",
        "10" => "USR1",
        "12" => "USR2",
        "15" => "TERM",
        "28" => "WINCH",
        other => other.strip_prefix("SIG").unwrap_or(other),
    };
    format!("SIG{name}")
}

/// Rights for which a manifest has no word, where they are not what both engines give to everyone.
fn unspoken(said: &Value) -> BTreeMap<String, String> {
    let host = &said["HostConfig"];
    let words = [
        ("PidMode", &["", "private"][..]),
        ("IpcMode", &["", "private", "shareable"]),
        ("UTSMode", &["", "private"]),
        ("UsernsMode", &[""]),
        ("Cgroup", &[""]),
        ("CgroupParent", &[""]),
        ("VolumeDriver", &[""]),
        ("Runtime", &["", "runc", "crun", "oci", "io.containerd.runc.v2"]),
    ];
    let words = words.into_iter().filter(|(key, usual)| host[*key].as_str().is_some_and(|word| !usual.contains(&word)));
    let lists = ["VolumesFrom", "DeviceCgroupRules", "Links", "StorageOpt"].map(|key| (key, &[][..]));
    let lists = lists.into_iter().filter(|(key, _)| match &host[*key] {
        Value::Array(items) => !items.is_empty(),
        Value::Object(items) => !items.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    });
    let flags = ["PublishAllPorts", "AutoRemove", "OomKillDisable"].map(|key| (key, &[][..]));
    let flags = flags.into_iter().filter(|(key, _)| flag(&host[*key]));
    // An empty list here lifts the mask that hides the kernel's files.
    let masks = ["MaskedPaths", "ReadonlyPaths"].map(|key| (key, &[][..]));
    let masks = masks.into_iter().filter(|(key, _)| host[*key].as_array().is_some_and(Vec::is_empty));
    let shared = list(&said["Mounts"]).iter().filter(|mount| {
        mount["Propagation"].as_str().is_some_and(|word| word.ends_with("shared") || word.ends_with("slave"))
    });
    words
        .chain(lists)
        .chain(flags)
        .chain(masks)
        .map(|(key, _)| (key.to_owned(), host[key].as_str().map_or_else(|| host[key].to_string(), str::to_owned)))
        .chain(shared.map(|mount| {
            (format!("Mounts.{}", text_or_empty(&mount["Destination"])), text_or_empty(&mount["Propagation"]))
        }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_container_that_is_stopped_at_once_is_none_without_a_word_on_it() {
        let grace = |config: Value| body(&json!({"Config": config}), &BTreeMap::new()).stop_grace_seconds;
        assert_eq!(grace(json!({"StopTimeout": 0})), Some(0));
        assert_eq!(grace(json!({"StopTimeout": 7})), Some(7));
        assert_eq!((grace(json!({})), grace(json!({"StopTimeout": null}))), (None, None));
    }
}
