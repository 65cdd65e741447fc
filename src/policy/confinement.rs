//! All that takes away from what keeps a container in. Each list here is of what is harmless: engines add options that
//! loosen faster than a list of those would grow.

use crate::desired::{ContainerSpec, spec::Logging, spec::Network};

/// Settings of the kernel that each container has for itself.
const OWN_SETTINGS: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];
/// Mount options that say how large memory is, whose, and what may be done there by who is in the container anyway.
const TMPFS_OPTIONS: [&str; 15] = [
    "size",
    "mode",
    "uid",
    "gid",
    "nr_inodes",
    "nr_blocks",
    "rw",
    "ro",
    "exec",
    "noexec",
    "nosuid",
    "nodev",
    "noatime",
    "nodiratime",
    "relatime",
];
/// Drivers that keep the output themselves, or send it over the network.
const LOG_DRIVERS: [&str; 8] = ["json-file", "local", "journald", "k8s-file", "none", "syslog", "gelf", "fluentd"];
/// Options of theirs that only say how much, and in which words.
const LOG_OPTIONS: [&str; 20] = [
    "max-size",
    "max-file",
    "compress",
    "mode",
    "max-buffer-size",
    "labels",
    "labels-regex",
    "env",
    "env-regex",
    "tag",
    "syslog-facility",
    "syslog-format",
    "gelf-compression-type",
    "gelf-compression-level",
    "gelf-tcp-max-reconnect",
    "gelf-tcp-reconnect-delay",
    "fluentd-async",
    "fluentd-buffer-limit",
    "fluentd-retry-wait",
    "fluentd-max-retries",
];
/// Options that name who gets the output.
const LOG_ADDRESSES: [&str; 3] = ["syslog-address", "gelf-address", "fluentd-address"];
/// How somebody on the network is reached.
const LOG_TRANSPORTS: [&str; 4] = ["tcp://", "udp://", "tcp+tls://", "tls://"];

/// What of a body weakens it: the field, and how.
pub(super) fn weakened(spec: &ContainerSpec) -> impl Iterator<Item = (&'static str, String)> {
    let privileged = spec.privileged.then(|| ("privileged", "a privileged container is root of the host".to_owned()));
    let options = spec.security_opt.iter().filter(|option| !is_harmless_option(option)).map(|option| {
        ("security_opt", format!("`{option}` may weaken what keeps the container in, which counts as privileged"))
    });
    let with_host = spec.network == Network::Host;
    let kernel = spec
        .sysctls
        .keys()
        .filter(move |name| !is_namespaced(name, with_host))
        .map(|name| ("sysctls", format!("`{name}` is a setting of the whole host, which counts as privileged")));
    let groups = spec.group_add.iter().filter(|group| *group == "keep-groups").map(|group| {
        ("group_add", format!("`{group}` gives it the groups of who runs the engine, which counts as privileged"))
    });
    let memory = spec.tmpfs.iter().flat_map(|(target, options)| {
        let strange = options.split(',').filter(|option| !option.is_empty() && !is_harmless_in_memory(option));
        strange.map(move |option| ("tmpfs", format!("`{option}` at `{target}` counts as privileged")))
    });
    let logging = spec.logging.iter().flat_map(output);
    privileged.into_iter().chain(options).chain(kernel).chain(groups).chain(memory).chain(logging)
}

/// The engine, which is root, opens what the options name and writes there what the container says.
fn output(logging: &Logging) -> impl Iterator<Item = (&'static str, String)> {
    let driver = (!LOG_DRIVERS.contains(&logging.driver.as_str())).then(|| {
        let driver = &logging.driver;
        format!("what driver `{driver}` does with the host is not known here, which counts as privileged")
    });
    let options = logging.options.iter().filter(|(option, value)| !is_harmless_in_log(option, value));
    let options = options.map(|(option, value)| {
        format!("`{option}: {value}` may reach files and sockets of the host, which counts as privileged")
    });
    driver.into_iter().chain(options).map(|message| ("logging", message))
}

fn is_harmless_option(option: &str) -> bool {
    let (key, value) = option.split_once(['=', ':']).unwrap_or((option, ""));
    match key {
        // `false` takes back what the engine gives everyone.
        "no-new-privileges" => matches!(value, "" | "true"),
        "mask" => true,
        "seccomp" => value == "builtin",
        "apparmor" => value == "docker-default" || value == "containers-default",
        _ => false,
    }
}

fn is_namespaced(name: &str, with_host_network: bool) -> bool {
    // The kernel reads `kernel/msgmax` and `kernel.msgmax` alike.
    let name = name.replace('/', ".");
    OWN_SETTINGS.contains(&name.as_str())
        || name.starts_with("fs.mqueue.")
        || (name.starts_with("net.") && !with_host_network)
}

fn is_harmless_in_memory(option: &str) -> bool {
    TMPFS_OPTIONS.contains(&option.split_once('=').map_or(option, |(key, _)| key))
}

fn is_harmless_in_log(option: &str, value: &str) -> bool {
    let to_network = || LOG_TRANSPORTS.iter().any(|transport| value.starts_with(transport));
    LOG_OPTIONS.contains(&option) || LOG_ADDRESSES.contains(&option) && to_network()
}
