//! One row for each attack and for each allowance.

mod binds;
mod bodies;
mod exposures;
mod places;
mod routes;
mod secrets;

use super::{Denial, Subject, judge};
use crate::{
    desired::{ContainerSpec, Desired, resolve_stored},
    host,
    observed::Role,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PROTECTED: [&str; 2] = ["/opt/state", "/opt/engine/api.sock"];

/// What the policy says of `production/gateway/web`, whose external network is `shared`.
fn judged(policy: &str, spec: ContainerSpec) -> Vec<Denial> {
    asked(policy, spec, Role::Service("web".parse().unwrap()), false)
}

fn asked(policy: &str, spec: ContainerSpec, role: Role, internal_only: bool) -> Vec<Denial> {
    let host = host::read("h.yaml", &format!("policy: {{{policy}}}\n")).expect(policy);
    let subject = Subject { app: &gateway(internal_only), role: &role, protected_paths: &PROTECTED.map(str::to_owned) };
    judge(&host.settings.policy, &subject, &spec)
}

/// `web`, `proxy`, `inner`, which is `internal_only`, `agent` on the host's network and `beside` it; a job of `web`; networks of every kind.
fn gateway(internal_only: bool) -> Desired {
    app(&json!({
        "services": {
            "web": {"image": "a", "internal_only": internal_only},
            "proxy": {"image": "a"},
            "inner": {"image": "a", "internal_only": true},
            "agent": {"image": "a", "network_mode": "host"},
            "beside": {"image": "a", "network_mode": "service:agent"},
        },
        "jobs": {"migrate": {"service": "web", "command": ["migrate"]}},
        "networks": {
            "backend": {"internal": true},
            "shared": {"external": true},
            "lan": {"driver": "macvlan", "name": "lan"},
            "plain": {"driver": "bridge", "name": "plain"},
        },
    }))
}

fn app(manifest: &Value) -> Desired {
    let (environment, app) = ("production".parse().unwrap(), "gateway".parse().unwrap());
    resolve_stored(&environment, &app, manifest, &BTreeMap::new()).unwrap()
}

/// `field: message (rule) → allow`, a line each.
fn told(denials: &[Denial]) -> String {
    let line = |denial: &Denial| format!("{denial} → {}", denial.allow.as_deref().unwrap_or("nothing"));
    denials.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_plain_container_needs_nothing_of_the_host() {
    let spec = ContainerSpec {
        image: "nginx:1".to_owned(),
        user: Some("1000".to_owned()),
        read_only: true,
        ..ContainerSpec::default()
    };
    assert_eq!(told(&judged("", spec)), "");
}

#[test]
fn a_denial_names_the_line_that_would_allow_it() {
    let text = "installation: a\npolicy:\n  require_digest: false\n  privileged:\n    - production/other/agent\n";
    let host = host::read("/etc/reconcile/reconcile.yaml", text).unwrap();
    let spec = ContainerSpec { image: "a".to_owned(), privileged: true, ..ContainerSpec::default() };
    let denial = judged("", spec).remove(0);
    let remedy = denial.remedy(&host).unwrap();
    let expected =
        "to allow it, set `privileged: [production/gateway/web]` below `policy` in /etc/reconcile/reconcile.yaml:5:5";
    assert_eq!(remedy, expected);
    let nowhere = denial.remedy(&host::Host::default()).unwrap();
    assert_eq!(nowhere, "to allow it, set `privileged: [production/gateway/web]` below `policy` in the host file");
}
