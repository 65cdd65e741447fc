//! A container's body in the words of the engine's create call, the same for both engines.

use crate::{
    desired::spec::{
        Adjustable, ContainerSpec, EngineCheck, Gpus, Mount, MountSource, Network, PublishedPort, Restart,
    },
    engine::{Answer, CreateContainer, EngineError},
};
use bollard::models::{
    ContainerCreateBody, ContainerUpdateBody, DeviceMapping, DeviceRequest, EndpointSettings, HealthConfig, HostConfig,
    HostConfigLogConfig, Mount as EngineMount, MountType, NetworkingConfig, PortBinding, PortMap, ResourcesUlimits,
    RestartPolicy, RestartPolicyNameEnum,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The engine's default between stop signal and kill, in seconds. Podman's compat API has 0, so it is always sent.
const GRACE: u64 = 10;
/// The mode every `/tmp` has; Podman makes mode 0 where none is sent.
const TMPFS_MODE: &str = "mode=1777";

/// The create call's body.
///
/// # Errors
/// `Refused` when the container shares another's network and the other is not named.
pub fn create(container: &CreateContainer) -> Answer<ContainerCreateBody> {
    let spec = &container.spec;
    Ok(ContainerCreateBody {
        image: Some(container.image_id.clone()),
        cmd: spec.command.clone(),
        entrypoint: spec.entrypoint.clone(),
        working_dir: spec.working_dir.clone(),
        user: spec.user.clone(),
        hostname: spec.hostname.clone(),
        tty: Some(spec.tty),
        open_stdin: Some(spec.stdin_open),
        env: Some(environment(container)),
        labels: Some(spec.labels.clone().into_iter().chain(container.labels.clone()).collect()),
        exposed_ports: some(exposed(spec)),
        healthcheck: healthcheck(&spec.healthcheck),
        stop_signal: spec.stop_signal.clone(),
        stop_timeout: Some(signed(spec.stop_grace_seconds.unwrap_or(GRACE))),
        host_config: Some(host(spec, network_mode(container)?)),
        networking_config: container.network.as_ref().map(|(name, aliases)| NetworkingConfig {
            endpoints_config: Some(HashMap::from([(name.clone(), endpoint(aliases))])),
        }),
        ..Default::default()
    })
}

/// The variables, those with secrets in them too: from here they go to the engine and nowhere else.
fn environment(container: &CreateContainer) -> Vec<String> {
    let plain = container.spec.env.iter().map(|(key, value)| format!("{key}={value}"));
    let secret =
        container.secret_env.iter().map(|(key, value)| format!("{key}={}", String::from_utf8_lossy(value.expose())));
    plain.chain(secret).collect()
}

fn network_mode(container: &CreateContainer) -> Answer<String> {
    match (&container.spec.network, &container.network, &container.namespace_of) {
        (Network::Host, _, _) => Ok("host".to_owned()),
        (Network::None, _, _) | (Network::Networks(_), None, _) => Ok("none".to_owned()),
        (Network::Networks(_), Some((name, _)), _) => Ok(name.clone()),
        (Network::Service(_), _, Some(other)) => Ok(format!("container:{other}")),
        (Network::Service(service), _, None) => Err(EngineError::Refused {
            doing: format!("create container `{}`", container.name),
            status: 400,
            message: format!("service `{service}`, whose network it shares, has no container"),
        }),
    }
}

fn host(spec: &ContainerSpec, network_mode: String) -> HostConfig {
    let limits = &spec.adjustable;
    HostConfig {
        network_mode: Some(network_mode),
        port_bindings: some(bindings(&spec.ports)),
        mounts: some(spec.mounts.iter().map(mount).collect::<Vec<_>>()),
        tmpfs: some(
            spec.tmpfs.iter().map(|(path, options)| (path.clone(), with_mode(options))).collect::<HashMap<_, _>>(),
        ),
        restart_policy: Some(restart(limits.restart)),
        memory: limits.memory.map(signed),
        memory_reservation: limits.memory_reservation.map(signed),
        nano_cpus: limits.nano_cpus.map(signed),
        cpuset_cpus: limits.cpuset.clone(),
        pids_limit: limits.pids_limit,
        shm_size: spec.shm_size.map(signed),
        init: spec.init,
        ulimits: some(ulimits(spec)),
        device_requests: spec.gpus.as_ref().map(|gpus| vec![gpu_request(gpus)]),
        devices: some(devices(spec)),
        sysctls: some(spec.sysctls.clone().into_iter().collect::<HashMap<_, _>>()),
        group_add: some(spec.group_add.clone()),
        readonly_rootfs: Some(spec.read_only),
        cap_drop: some(spec.cap_drop.iter().cloned().collect::<Vec<_>>()),
        cap_add: some(spec.cap_add.iter().cloned().collect::<Vec<_>>()),
        security_opt: some(spec.security_opt.clone()),
        privileged: Some(spec.privileged),
        extra_hosts: some(spec.extra_hosts.clone()),
        dns: some(spec.dns.clone()),
        log_config: spec.logging.as_ref().map(|logging| HostConfigLogConfig {
            typ: Some(logging.driver.clone()),
            config: some(logging.options.clone().into_iter().collect::<HashMap<_, _>>()),
        }),
        ..Default::default()
    }
}

/// The update call's body. Swap goes with memory as at creation (twice the limit): the engine refuses a memory limit
/// above the swap limit it has.
pub fn update(to: &Adjustable) -> ContainerUpdateBody {
    ContainerUpdateBody {
        restart_policy: Some(restart(to.restart)),
        memory: to.memory.map(signed),
        memory_swap: to.memory.map(|memory| signed(memory.saturating_mul(2))),
        memory_reservation: to.memory_reservation.map(signed),
        nano_cpus: to.nano_cpus.map(signed),
        cpuset_cpus: to.cpuset.clone(),
        pids_limit: to.pids_limit,
        ..Default::default()
    }
}

/// A place on a network under aliases.
pub fn endpoint(aliases: &BTreeSet<String>) -> EndpointSettings {
    EndpointSettings { aliases: some(aliases.iter().cloned().collect::<Vec<_>>()), ..Default::default() }
}

fn exposed(spec: &ContainerSpec) -> Vec<String> {
    let published = spec.ports.iter().map(|port| format!("{}/{}", port.container, port.protocol));
    published.chain(spec.expose.iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn bindings(ports: &BTreeSet<PublishedPort>) -> PortMap {
    let mut map = BTreeMap::<String, Vec<PortBinding>>::new();
    for port in ports {
        let binding = PortBinding { host_ip: Some(port.address.to_string()), host_port: Some(port.host.to_string()) };
        map.entry(format!("{}/{}", port.container, port.protocol)).or_default().push(binding);
    }
    map.into_iter().map(|(port, bindings)| (port, Some(bindings))).collect()
}

/// A bind goes as a mount, too: as a `Binds` entry, the engine would make a missing host path itself.
fn mount(mount: &Mount) -> EngineMount {
    let (typ, source) = match &mount.source {
        MountSource::Volume(name) => (MountType::VOLUME, name),
        MountSource::Bind(path) => (MountType::BIND, path),
    };
    EngineMount {
        typ: Some(typ),
        source: Some(source.clone()),
        target: Some(mount.target.clone()),
        read_only: Some(mount.read_only),
        ..Default::default()
    }
}

fn with_mode(options: &str) -> String {
    if options.is_empty() {
        TMPFS_MODE.to_owned()
    } else if options.split(',').any(|option| option.starts_with("mode=")) {
        options.to_owned()
    } else {
        format!("{options},{TMPFS_MODE}")
    }
}

fn restart(restart: Restart) -> RestartPolicy {
    let (name, retries) = match restart {
        Restart::No => (RestartPolicyNameEnum::NO, 0),
        Restart::Always => (RestartPolicyNameEnum::ALWAYS, 0),
        Restart::OnFailure(retries) => (RestartPolicyNameEnum::ON_FAILURE, i64::from(retries)),
        Restart::UnlessStopped => (RestartPolicyNameEnum::UNLESS_STOPPED, 0),
    };
    RestartPolicy { name: Some(name), maximum_retry_count: Some(retries) }
}

fn healthcheck(check: &EngineCheck) -> Option<HealthConfig> {
    let nanoseconds = |milliseconds: u64| Some(signed(milliseconds.saturating_mul(1_000_000)));
    match check {
        EngineCheck::Inherit => None,
        EngineCheck::Disabled => Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..Default::default() }),
        EngineCheck::Test { test, interval, timeout, start_period, retries } => Some(HealthConfig {
            test: Some(test.clone()),
            interval: nanoseconds(*interval),
            timeout: nanoseconds(*timeout),
            start_period: nanoseconds(*start_period),
            retries: Some(i64::from(*retries)),
            ..Default::default()
        }),
    }
}

fn ulimits(spec: &ContainerSpec) -> Vec<ResourcesUlimits> {
    let limit = |(name, limit): (&String, &crate::desired::spec::Ulimit)| ResourcesUlimits {
        name: Some(name.clone()),
        soft: Some(limit.soft),
        hard: Some(limit.hard),
    };
    spec.ulimits.iter().map(limit).collect()
}

fn gpu_request(gpus: &Gpus) -> DeviceRequest {
    let (count, device_ids) = match gpus {
        Gpus::All => (Some(-1), None),
        Gpus::Count(count) => (Some(i64::from(*count)), None),
        Gpus::Ids(ids) => (None, Some(ids.clone())),
    };
    DeviceRequest { count, device_ids, capabilities: Some(vec![vec!["gpu".to_owned()]]), ..Default::default() }
}

fn devices(spec: &ContainerSpec) -> Vec<DeviceMapping> {
    let mapping = |device: &crate::desired::spec::Device| DeviceMapping {
        path_on_host: Some(device.host.clone()),
        path_in_container: Some(device.container.clone()),
        cgroup_permissions: Some(device.permissions.clone()),
    };
    spec.devices.iter().map(mapping).collect()
}

/// Leaves an empty list or map out of the call.
fn some<T: Default + PartialEq>(value: T) -> Option<T> {
    (value != T::default()).then_some(value)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
