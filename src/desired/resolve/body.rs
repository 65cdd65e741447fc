//! The body of a service's container.

use super::{DEFAULT_NETWORK, Resolving};
use crate::{
    desired::{
        ContainerSpec,
        spec::{Adjustable, Device, EngineCheck, Gpus, Logging, Mount, MountSource, Network, PublishedPort, Ulimit},
    },
    manifest::{self, Command, Healthcheck, Service},
    value::{Cpus, Duration, NetworkMode, PortMapping, ServiceName, Size, VolumeMount, VolumeSource},
};
use std::collections::{BTreeMap, BTreeSet};

impl Resolving<'_> {
    pub(super) fn body(&self, name: &ServiceName, service: &Service) -> ContainerSpec {
        let words = |command: &Option<Command>| command.as_ref().map(|command| command.0.clone());
        ContainerSpec {
            image: service.image.to_string(),
            platform: text(service.platform.as_ref()),
            command: words(&service.command),
            entrypoint: words(&service.entrypoint),
            working_dir: text(service.working_dir.as_ref()),
            user: text(service.user.as_ref()),
            hostname: text(service.hostname.as_ref()),
            init: service.init,
            tty: service.tty,
            stdin_open: service.stdin_open,
            env: super::delivered::variables(service),
            labels: texts(&service.labels),
            network: self.network(name, service),
            ports: service.ports.iter().flat_map(|mapping| published(*mapping)).collect(),
            expose: service.expose.iter().flat_map(|port| port.each()).collect(),
            mounts: self.mounts(&service.volumes),
            tmpfs: service.tmpfs.items.iter().map(|m| (m.target.to_string(), m.options.clone())).collect(),
            healthcheck: service.healthcheck.as_ref().map_or(EngineCheck::Inherit, engine_check),
            adjustable: adjustable(service),
            shm_size: service.shm_size.map(Size::bytes),
            ulimits: service.ulimits.iter().map(|(name, limit)| (name.to_string(), ulimit(*limit))).collect(),
            gpus: service.gpus.as_ref().map(gpus),
            devices: service.devices.iter().map(device).collect(),
            sysctls: service.sysctls.iter().map(|(name, value)| (name.to_string(), value.0.clone())).collect(),
            group_add: strings(&service.group_add),
            read_only: service.read_only,
            cap_drop: service.cap_drop.iter().map(ToString::to_string).collect(),
            cap_add: service.cap_add.iter().map(ToString::to_string).collect(),
            security_opt: strings(&service.security_opt),
            privileged: service.privileged,
            stop_signal: text(service.stop_signal.as_ref()),
            stop_grace_seconds: service.stop_grace_period.map(Duration::whole_seconds),
            extra_hosts: strings(&service.extra_hosts),
            dns: strings(&service.dns.items),
            logging: service.logging.as_ref().map(logging),
            secrets: super::delivered::secret_files(service),
            secret_env: self.secret_variables(name, service),
            configs: self.config_files(service),
            unspoken: BTreeMap::new(),
        }
    }

    fn network(&self, name: &ServiceName, service: &Service) -> Network {
        let alone = |key: &str| (self.network_name(key), BTreeSet::from([name.to_string()]));
        match (&service.networks, &service.network_mode) {
            (_, Some(NetworkMode::Host)) => Network::Host,
            (_, Some(NetworkMode::None)) => Network::None,
            (_, Some(NetworkMode::Service(other))) => Network::Service(other.clone()),
            (None, None) => Network::Networks(BTreeMap::from([alone(DEFAULT_NETWORK)])),
            (Some(networks), None) => Network::Networks(
                networks
                    .0
                    .iter()
                    .map(|(key, attachment)| {
                        let (network, mut aliases) = alone(key.as_str());
                        aliases.extend(attachment.aliases.iter().map(ToString::to_string));
                        (network, aliases)
                    })
                    .collect(),
            ),
        }
    }

    /// In the order of their targets: the order of the file means nothing.
    fn mounts(&self, volumes: &[VolumeMount]) -> Vec<Mount> {
        let mut mounts: Vec<Mount> = volumes
            .iter()
            .map(|mount| Mount {
                source: match &mount.source {
                    VolumeSource::Volume(key) => MountSource::Volume(self.volume_name(key)),
                    VolumeSource::Path(path) => MountSource::Bind(path.to_string()),
                },
                target: mount.target.to_string(),
                read_only: mount.read_only,
            })
            .collect();
        mounts.sort_by(|a, b| a.target.cmp(&b.target));
        mounts
    }
}

fn text(value: Option<&impl ToString>) -> Option<String> {
    value.map(ToString::to_string)
}

fn strings(values: &[impl ToString]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn texts(values: &BTreeMap<String, manifest::Text>) -> BTreeMap<String, String> {
    values.iter().map(|(key, text)| (key.clone(), text.0.clone())).collect()
}

fn published(mapping: PortMapping) -> impl Iterator<Item = PublishedPort> {
    let (address, protocol) = (mapping.address(), mapping.protocol());
    mapping.pairs().map(move |(host, container)| PublishedPort { address, host, container, protocol })
}

fn engine_check(check: &Healthcheck) -> EngineCheck {
    if check.disable || check.is_none_test() {
        return EngineCheck::Disabled;
    }
    check.engine_test().map_or(EngineCheck::Inherit, |test| EngineCheck::Test {
        test: test.to_vec(),
        interval: check.interval.millis(),
        timeout: check.timeout.millis(),
        start_period: check.start_period.millis(),
        retries: check.retries,
    })
}

fn adjustable(service: &Service) -> Adjustable {
    Adjustable {
        restart: service.restart,
        memory: service.mem_limit.map(Size::bytes),
        memory_reservation: service.mem_reservation.map(Size::bytes),
        nano_cpus: service.cpus.map(Cpus::billionths),
        cpuset: text(service.cpuset.as_ref()),
        // Zero and less are without limit, which engines tell by no limit.
        pids_limit: service.pids_limit.filter(|limit| *limit > 0),
    }
}

const fn ulimit(limit: manifest::Limit) -> Ulimit {
    Ulimit { soft: limit.soft, hard: limit.hard }
}

fn gpus(gpus: &manifest::Gpus) -> Gpus {
    match gpus {
        manifest::Gpus::All => Gpus::All,
        manifest::Gpus::Count(count) => Gpus::Count(*count),
        manifest::Gpus::Ids(ids) => Gpus::Ids(ids.clone()),
    }
}

fn device(device: &crate::value::DeviceMapping) -> Device {
    Device { host: device.host.clone(), container: device.container.clone(), permissions: device.permissions.clone() }
}

fn logging(logging: &manifest::Logging) -> Logging {
    Logging { driver: logging.driver.clone(), options: texts(&logging.options) }
}
