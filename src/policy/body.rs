//! What a container is made of and what it may do: image, privileges, capabilities, devices.

use super::{Denial, Subject};
use crate::{
    desired::{ContainerSpec, spec::Network},
    host::Policy,
    value::{Addable, Capability, ImageReference},
};

/// What both engines give every container: to add it back after `cap_drop: [ALL]` gives nothing away.
const USUAL_CAPABILITIES: [&str; 11] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

pub(super) fn image(policy: &Policy, subject: &Subject<'_>, spec: &ContainerSpec) -> Vec<Denial> {
    let deny = |rule, message, allow| Denial { field: subject.field("image"), rule, message, allow };
    let image = spec.image.parse::<ImageReference>();
    let mut denials = Vec::new();
    let repository = image.as_ref().map_or_else(|_| spec.image.clone(), ImageReference::full_repository);
    // A reference that cannot be read comes from nowhere that is allowed.
    let covered = |image: &ImageReference| policy.registries.iter().any(|glob| glob.covers(image));
    if !policy.registries.is_empty() && !image.as_ref().is_ok_and(covered) {
        let message = format!("images may not come from `{repository}`");
        denials.push(deny("policy.registries", message, Some(format!("registries: [\"{repository}\"]"))));
    }
    if policy.require_digest && image.ok().and_then(|image| image.digest().map(drop)).is_none() {
        let message = format!("`{}` names no digest (`@sha256:…`), and this host requires one", spec.image);
        denials.push(deny("policy.require_digest", message, Some("require_digest: false".to_owned())));
    }
    denials
}

pub(super) fn privileges(policy: &Policy, subject: &Subject<'_>, spec: &ContainerSpec) -> Vec<Denial> {
    let mut denials = Vec::new();
    let may_add = |name: &str| {
        policy.cap_add.iter().any(|allowed| match allowed {
            Addable::Capability(capability) => capability.to_string() == name,
            Addable::Service(service) => service.names(subject.environment, subject.app, subject.name()),
        })
    };
    // Engines read `cap_sys_admin` and `SYS_ADMIN` alike, so they are judged alike.
    let added = spec.cap_add.iter().map(|raw| raw.parse::<Capability>().map_or(raw.clone(), |name| name.to_string()));
    for name in added.filter(|name| !USUAL_CAPABILITIES.contains(&name.as_str()) && !may_add(name)) {
        denials.push(Denial {
            field: subject.field("cap_add"),
            rule: "policy.cap_add",
            message: format!("capability `{name}` may not be added"),
            allow: Some(format!("cap_add: [{name}]")),
        });
    }
    if !subject.is_named_by(&policy.privileged) {
        let weakened = weakened(spec).map(|(field, message)| subject.denied(field, "policy.privileged", message));
        denials.extend(weakened);
    }
    if !subject.is_named_by(&policy.devices) {
        let devices =
            spec.devices.iter().map(|device| ("devices", format!("device `{}` may not be used", device.host)));
        let gpus = spec.gpus.iter().map(|_| ("gpus", "the host's GPUs may not be used".to_owned()));
        let denied = devices.chain(gpus).map(|(field, message)| subject.denied(field, "policy.devices", message));
        denials.extend(denied);
    }
    denials
}

/// All that takes away from what keeps a container in.
fn weakened(spec: &ContainerSpec) -> impl Iterator<Item = (&'static str, String)> {
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
    // The engine, which is root, would connect to it and write what the container says.
    let logging = spec.logging.iter().flat_map(|logging| logging.options.iter());
    let sockets = logging.filter(|(_, value)| value.starts_with("unix")).map(|(option, value)| {
        ("logging", format!("`{option}: {value}` writes to a socket of the host, which counts as privileged"))
    });
    privileged.into_iter().chain(options).chain(kernel).chain(sockets)
}

/// An allow-list: engines add options that loosen faster than a list of them would grow.
fn is_harmless_option(option: &str) -> bool {
    let (key, value) = option.split_once(['=', ':']).unwrap_or((option, ""));
    match key {
        "no-new-privileges" | "mask" => true,
        "seccomp" => value == "builtin",
        "apparmor" => value == "docker-default" || value == "containers-default",
        _ => false,
    }
}

/// Settings of the kernel that each container has for itself.
fn is_namespaced(name: &str, with_host_network: bool) -> bool {
    // The kernel reads `kernel/msgmax` and `kernel.msgmax` alike.
    let name = name.replace('/', ".");
    let ipc = [
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
    ];
    ipc.contains(&name.as_str()) || name.starts_with("fs.mqueue.") || (name.starts_with("net.") && !with_host_network)
}
