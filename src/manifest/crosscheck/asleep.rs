//! Services that would wait for ever for one that is kept stopped.

use super::findings::{Findings, place_of_name};
use crate::{
    manifest::{Manifest, Service},
    value::{NetworkMode, ServiceName},
    yaml::Diagnostic,
};

/// What a running service needs and `scale: 0` keeps stopped. A dependency that is not required holds nobody up.
pub(super) fn service(manifest: &Manifest, name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    let asleep = |other: &ServiceName| manifest.services.get(other).is_some_and(|other| other.scale == 0);
    if service.scale == 0 {
        return;
    }
    for (other, _) in service.depends_on.0.iter().filter(|(other, it)| it.required && asleep(other)) {
        let place = place_of_name(findings.tree, &["services", name.as_str(), "depends_on"], other.as_str());
        let message = format!("`{name}` would wait for ever: `{other}` is kept stopped by `scale: 0`");
        let hint = format!(
            "take `scale: 0` off `{other}`, give it to `{name}` too, or write `depends_on: {{{other}: {{required: false}}}}`"
        );
        findings.problems.push(Diagnostic::new(&place, message).with_hint(hint));
    }
    if let Some(NetworkMode::Service(other)) = &service.network_mode
        && asleep(other)
    {
        let message = format!("`{name}` has no network to be in: `{other}` is kept stopped by `scale: 0`");
        let hint = format!("take `scale: 0` off `{other}`, or give it to `{name}` too");
        findings.advise(&["services", name.as_str(), "network_mode"], message, hint);
    }
}
