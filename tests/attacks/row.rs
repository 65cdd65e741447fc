//! One attack, and the ways by which it comes to the host.

use crate::rig::Rig;
use reconcile::{
    desired::{Context, Desired, resolve},
    host::{self, Host},
    manifest,
    observed::Role,
    policy::{self, Denial},
};
use std::collections::BTreeMap;

/// Something a manifest asks for that gives the host away.
pub struct Attack {
    pub what: &'static str,
    /// The service that asks.
    pub service: &'static str,
    /// Its fields.
    pub fields: &'static str,
    /// What else is in the manifest.
    pub rest: &'static str,
    /// The rule that refuses it.
    pub rule: &'static str,
}

pub const fn attack(what: &'static str, fields: &'static str, rule: &'static str) -> Attack {
    Attack { what, service: "web", fields, rest: "", rule }
}

/// Where in the repository an attack is written.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// In the app's file.
    Plain,
    /// In a base that a harmless file extends.
    Base,
    /// Over a harmless base.
    Overlay,
    /// In a service that a harmless one extends.
    Service,
    /// With a job that has the service's body.
    Job,
}

pub type Files = BTreeMap<String, String>;

/// A service that asks for nothing.
pub const HARMLESS: &str = "image: web:1";

impl Way {
    pub fn files(self, attack: &Attack) -> Files {
        let Attack { service, fields, rest, .. } = attack;
        let image = if fields.contains("image:") { "" } else { "image: web:1, " };
        let app = |service_text: &str, rest: &str| format!("services:\n  {service}: {{{service_text}}}\n{rest}");
        let bad = format!("{image}{fields}");
        let file = |path: &str, text: String| (path.to_owned(), text);
        match self {
            Self::Plain => [file("environments/test/app.yaml", app(&bad, rest))].into(),
            Self::Base => [
                file("environments/_base/app.yaml", app(&bad, rest)),
                file("environments/test/app.yaml", "extends: ../_base/app.yaml\n".to_owned()),
            ]
            .into(),
            Self::Overlay => [
                file("environments/_base/app.yaml", app(HARMLESS, rest)),
                file("environments/test/app.yaml", format!("extends: ../_base/app.yaml\n{}", app(fields, ""))),
            ]
            .into(),
            Self::Service => {
                let text = format!(
                    "services:\n  from: {{{bad}, scale: 0}}\n  {service}: {{extends: {{service: from}}, scale: 1}}\n{rest}"
                );
                [file("environments/test/app.yaml", text)].into()
            }
            Self::Job => {
                let job = format!("jobs: {{job: {{service: {service}, command: [x]}}}}\n");
                [file("environments/test/app.yaml", app(&bad, &format!("{rest}{job}")))].into()
            }
        }
    }
}

/// What the only app should be, or everything that is wrong with it.
pub fn rendered(files: &Files) -> Result<Desired, String> {
    let mut loaded = manifest::load(files, &"test".parse().unwrap(), "environments");
    let (_, app) = loaded.apps.pop_first().expect("an app");
    let lines = |problems: Vec<reconcile::yaml::Diagnostic>| {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    Ok(resolve::resolve(&app.map_err(lines)?, &Context::default()))
}

/// A host that allows nothing, closes `app/closed`, and takes images from two places only.
pub fn strict() -> Host {
    let text = "policy:\n  never_expose: [app/closed]\n  registries: [web, closed]\n";
    host::read("host.yaml", text).unwrap()
}

/// A host before anybody thought of a policy: all that can be allowed is.
pub fn permissive() -> Host {
    let services = "[app/web, app/closed, app/from, app/job]";
    let text = format!(
        "policy:\n  publish: [\"0.0.0.0:*\", \"[::]:*\"]\n  data_roots: [/]\n  cap_add: [ALL, {}]\n  privileged: {services}\n  \
         devices: {services}\n  network_mode_host: {services}\n  engine_socket: {services}\n",
        services.trim_matches(['[', ']'])
    );
    host::read("before.yaml", &text).unwrap()
}

pub fn denials(host: &Host, desired: &Desired) -> Vec<(Role, Denial)> {
    policy::of_app(desired, &[], |subject, spec| policy::judge(&host.settings.policy, subject, spec))
}

/// No container, network or volume.
pub fn nothing_is_there(rig: &Rig, told: &str) {
    rig.model.by_hand(|world| {
        let names: Vec<&String> = world.containers.values().map(|container| &container.name).collect();
        assert!(names.is_empty(), "{told}: {names:?}");
        let ours = |labels: &BTreeMap<String, String>| labels.contains_key("reconcile.app");
        assert!(!world.networks.iter().any(|network| ours(&network.labels)), "{told}: {:?}", world.networks);
        assert!(!world.volumes.iter().any(|volume| ours(&volume.labels)), "{told}: {:?}", world.volumes);
    });
}
