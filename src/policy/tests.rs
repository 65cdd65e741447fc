//! One row for each attack and for each allowance.

mod binds;
mod bodies;
mod exposures;
mod secrets;

use super::{Denial, Subject, judge};
use crate::{desired::ContainerSpec, host, observed::Role};
use std::collections::BTreeSet;

const PROTECTED: [&str; 2] = ["/opt/state", "/opt/engine/api.sock"];

/// What the policy says of `production/gateway/web`, whose external network is `shared`.
fn judged(policy: &str, spec: ContainerSpec) -> Vec<Denial> {
    asked(policy, spec, Role::Service("web".parse().unwrap()), false)
}

fn asked(policy: &str, spec: ContainerSpec, role: Role, internal_only: bool) -> Vec<Denial> {
    let host = host::read("h.yaml", &format!("policy: {{{policy}}}\n")).expect(policy);
    let subject = Subject {
        environment: &"production".parse().unwrap(),
        app: &"gateway".parse().unwrap(),
        role: &role,
        internal_only,
        external_networks: &BTreeSet::from(["shared".to_owned()]),
        protected_paths: &PROTECTED.map(str::to_owned),
    };
    judge(&host.settings.policy, &subject, &spec)
}

/// `field: message (rule) → allow`, a line each.
fn told(denials: &[Denial]) -> String {
    let line = |denial: &Denial| {
        let allow = denial.allow.as_deref().unwrap_or("nothing");
        format!("{}: {denial} → {allow}", denial.field)
    };
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
