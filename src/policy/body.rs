//! What a container is made of and what it may do: image, privileges, capabilities, devices.

use super::{Denial, Subject, confinement::weakened};
use crate::{
    desired::ContainerSpec,
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
    let covered = |image: &ImageReference| {
        // An engine takes the name `sha256` with a digest as tag for the id of any image it has, wherever that is from.
        image.repository() != "sha256" && policy.registries.iter().any(|glob| glob.covers(image))
    };
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
            Addable::Service(service) => service.names(&subject.app.environment, &subject.app.app, subject.name()),
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
