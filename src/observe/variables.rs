//! Looks at variables that hold secrets: whether a container's are what the secrets of today give, without their values.

use super::Look;
use crate::{
    desired::Desired,
    observed::{Container, Evidence, Observed},
    secret::{Fingerprint, Gathered, template},
};
use std::collections::BTreeSet;

/// Adds to what was observed which variables have other values.
pub fn look(observed: &mut Observed, look: &Look, desired: &Desired, secrets: &Gathered) {
    for container in observed.containers.values_mut() {
        let (Some(detail), Some(body)) = (look.containers.get(&container.id), desired.body_of(&container.role)) else {
            continue;
        };
        for (name, variable) in &body.secret_env {
            let Ok(Some(value)) = template::render(&variable.text, &secrets.values) else { continue };
            if detail.secret_env.get(name) != Fingerprint::of(&value).as_ref() {
                container.other_values.insert(name.clone());
            }
        }
        forget(container, &body.secret_env.keys().collect());
    }
}

/// What a container without our label says of such a variable is its value, and is told to nobody.
fn forget(container: &mut Container, variables: &BTreeSet<&String>) {
    match &mut container.evidence {
        Evidence::Baseline(differences) => {
            let variable = |path: &str| path.strip_prefix("Config.Env.").map(str::to_owned);
            differences.retain(|it| variable(&it.path).is_none_or(|name| !variables.contains(&name)));
        }
        Evidence::Declared(body) => body.env.retain(|name, _| !variables.contains(name)),
        Evidence::Ours => {}
    }
}
