//! Secrets where everybody sees them who may inspect a container.

use super::{Denial, Subject};
use crate::{desired::ContainerSpec, host::Policy, observed::Role};

/// Variables with secrets in them. A job has those of its service, of which the service tells.
pub(super) fn variables(policy: &Policy, subject: &Subject<'_>, spec: &ContainerSpec) -> Vec<Denial> {
    let (false, Role::Service(_)) = (policy.secret_env, subject.role) else { return Vec::new() };
    let denied = spec.secret_env.iter().map(|(variable, value)| {
        let secrets: Vec<String> = value.text.secrets().into_iter().map(|name| format!("`{name}`")).collect();
        Denial {
            field: subject.field(&format!("env.{variable}")),
            rule: "policy.secret_env",
            message: format!(
                "variable `{variable}` would show secret {} to everybody who may inspect the container",
                secrets.join(", ")
            ),
            allow: Some("secret_env: true".to_owned()),
        }
    });
    denied.collect()
}
