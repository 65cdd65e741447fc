//! Things of which a host has only one: names, published ports, what two apps would write.

use crate::{
    desired::{
        Context, Desired,
        names::{object, stem},
        resolve,
        route::{Route, Tls},
        spec::{MountSource, PublishedPort},
    },
    manifest::App,
    value::{AppName, EnvironmentName, VolumeSource},
    yaml::{Diagnostic, Place},
};
use std::{collections::BTreeMap, path::Path};

/// All apps of all environments that share a host.
pub type Apps<'a> = BTreeMap<EnvironmentName, BTreeMap<AppName, &'a App>>;

/// Something an app takes for itself.
struct Claim<'a> {
    app: &'a App,
    place: Place,
    /// What is taken, as engines tell it apart.
    thing: Thing,
    /// What wants it: `service web`.
    by: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Thing {
    /// The names of all that an app has begin so.
    Stem(String),
    /// A container, network or volume.
    Object(&'static str, String),
    Port(PublishedPort),
    /// A volume or host path that is written; `shared` where the manifest says that others may.
    Written {
        source: MountSource,
        shared: bool,
    },
    /// A host path that is only read.
    Read(String),
    /// A name that the proxy answers to.
    Host(HostClaim),
}

/// A host, and what of it is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HostClaim {
    host: String,
    /// None is the whole host: it redirects elsewhere.
    path: Option<String>,
    tls: Tls,
}

impl HostClaim {
    fn clash(&self, other: &Self) -> Option<String> {
        let Self { host, .. } = self;
        if *host != other.host {
            return None;
        }
        match (&self.path, &other.path) {
            (None, None) => Some(format!("both redirect `{host}`")),
            (None, Some(_)) | (Some(_), None) => Some(format!("one answers to `{host}`, and the other redirects it")),
            (Some(a), Some(b)) if a == b => Some(format!("both answer to `{host}{}`", a.trim_end_matches('/'))),
            // A host has one certificate and one answer to plain HTTP.
            (Some(_), Some(_)) if self.tls != other.tls => {
                Some(format!("both answer to `{host}`, and secure it differently"))
            }
            (Some(_), Some(_)) => None,
        }
    }
}

impl Thing {
    /// Why two apps cannot both have this; none where they can.
    fn clash(&self, other: &Self) -> Option<String> {
        match (self, other) {
            (Self::Stem(a), Self::Stem(b)) if a == b => Some(format!("both would name their things `{a}…`")),
            (Self::Object(kind, a), Self::Object(other, b)) if kind == other && a == b => {
                Some(format!("both would have the {kind} `{a}`"))
            }
            (Self::Port(a), Self::Port(b)) if overlap(a, b) => {
                Some(format!("both publish port {}/{} of the host", a.host, a.protocol))
            }
            (Self::Written { source: a, shared: first }, Self::Written { source: b, shared: second })
                if !(*first && *second) && same_place(a, b) =>
            {
                Some(match a {
                    MountSource::Volume(name) => format!("both write the volume `{name}`"),
                    MountSource::Bind(path) => format!("both write below `{path}` of the host"),
                })
            }
            (Self::Written { source: MountSource::Bind(folder), .. }, Self::Read(path))
            | (Self::Read(path), Self::Written { source: MountSource::Bind(folder), .. })
                if path != folder && is_below(path, folder) =>
            {
                Some(format!("`{path}` lies below `{folder}`, where the other app could put a link to anywhere"))
            }
            (Self::Host(a), Self::Host(b)) => a.clash(b),
            (
                Self::Stem(_) | Self::Object(..) | Self::Port(_) | Self::Written { .. } | Self::Read(_) | Self::Host(_),
                _,
            ) => None,
        }
    }

    const fn remedy(&self) -> &'static str {
        match self {
            Self::Stem(_) => "rename one of the two files or environments",
            Self::Object(..) => "give one of them another name",
            Self::Port(_) => "choose another port of the host, or another address",
            Self::Written { source: MountSource::Volume(_), .. } => {
                "give each app a volume of its own, or write `shared: true` at the volume in both"
            }
            Self::Written { source: MountSource::Bind(_), .. } => {
                "give each app a path of its own, or mount the same path with `:ro` in one of them"
            }
            Self::Read(_) => "mount the same path in both, or one that no other app writes",
            Self::Host(_) => "give one of them another host or `path`, or both the same `tls`",
        }
    }
}

fn overlap(a: &PublishedPort, b: &PublishedPort) -> bool {
    let met = a.address == b.address || a.address.is_unspecified() || b.address.is_unspecified();
    met && a.address.is_ipv4() == b.address.is_ipv4() && a.host == b.host && a.protocol == b.protocol
}

/// Whether a path is the folder, or lies in it.
fn is_below(path: &str, folder: &str) -> bool {
    Path::new(path).starts_with(folder)
}

fn same_place(a: &MountSource, b: &MountSource) -> bool {
    match (a, b) {
        (MountSource::Volume(a), MountSource::Volume(b)) => a == b,
        (MountSource::Bind(a), MountSource::Bind(b)) => is_below(a, b) || is_below(b, a),
        (MountSource::Volume(_), MountSource::Bind(_)) | (MountSource::Bind(_), MountSource::Volume(_)) => false,
    }
}

/// Everything that two apps, or two services of one app, would both take.
///
/// Each of the two gets an error that names the place of the other.
#[must_use]
pub fn cross_check(all: &Apps<'_>) -> Vec<(EnvironmentName, AppName, Diagnostic)> {
    let claims: Vec<Claim<'_>> = all.values().flat_map(BTreeMap::values).flat_map(|app| claims(app)).collect();
    let mut buckets: BTreeMap<String, Vec<&Claim<'_>>> = BTreeMap::new();
    for claim in &claims {
        buckets.entry(bucket(&claim.thing)).or_default().push(claim);
    }
    let mut problems = Vec::new();
    for group in buckets.values() {
        clashes(group, &mut problems);
    }
    problems.sort_by(|a, b| (&a.0, &a.1, &a.2.place).cmp(&(&b.0, &b.1, &b.2.place)));
    problems.dedup();
    problems
}

/// Each claim is told of once, with the first that it clashes with: a thousand that want one thing are not compared, and
/// not told, pair by pair.
fn clashes(group: &[&Claim<'_>], problems: &mut Vec<(EnvironmentName, AppName, Diagnostic)>) {
    let mut different: Vec<(&Claim<'_>, bool)> = Vec::new();
    for second in group {
        let clash = different.iter_mut().find_map(|(first, told)| {
            let clash = compared(first, second).then(|| first.thing.clash(&second.thing)).flatten()?;
            Some((*first, told, clash))
        });
        if let Some((first, told, clash)) = clash {
            if !std::mem::replace(told, true) {
                problems.push(problem(first, second, &clash));
            }
            problems.push(problem(second, first, &clash));
        }
        let same = |(first, _): &(&Claim<'_>, bool)| first.thing == second.thing && is_one_app(first, second);
        // The claims of an app come one after the other.
        if !different.iter().rev().any(same) {
            different.push((second, false));
        }
    }
}

fn is_one_app(first: &Claim<'_>, second: &Claim<'_>) -> bool {
    first.app.environment == second.app.environment && first.app.name == second.app.name
}

/// Only claims of one bucket can clash, so that a thousand apps are not compared pair by pair.
fn bucket(thing: &Thing) -> String {
    match thing {
        Thing::Stem(name) => format!("stem {name}"),
        Thing::Object(kind, name) => format!("{kind} {name}"),
        Thing::Port(port) => format!("port {}/{}", port.host, port.protocol),
        Thing::Written { source: MountSource::Volume(name), .. } => format!("volume {name}"),
        Thing::Written { source: MountSource::Bind(_), .. } | Thing::Read(_) => "path".to_owned(),
        Thing::Host(claim) => format!("host {}", claim.host),
    }
}

/// Services of one app may write one volume, and have one app's name.
fn compared(first: &Claim<'_>, second: &Claim<'_>) -> bool {
    let same = is_one_app(first, second);
    let one_stem = || stem(&first.app.environment, &first.app.name) == stem(&second.app.environment, &second.app.name);
    match first.thing {
        Thing::Stem(_) | Thing::Written { .. } | Thing::Read(_) => !same,
        // Apps of one stem are told so once, not for each of their things.
        Thing::Object(..) => same || !one_stem(),
        Thing::Port(_) | Thing::Host(_) => true,
    }
}

fn problem(claim: &Claim<'_>, other: &Claim<'_>, clash: &str) -> (EnvironmentName, AppName, Diagnostic) {
    let App { environment, name, .. } = other.app;
    let message = format!("{clash}: {}, and {} of `{environment}/{name}` ({})", claim.by, other.by, other.place);
    let problem = Diagnostic::new(&claim.place, message).with_hint(claim.thing.remedy());
    (claim.app.environment.clone(), claim.app.name.clone(), problem)
}

fn claims(app: &App) -> Vec<Claim<'_>> {
    let desired = resolve(app, &Context::default());
    let claim = |path: &[&str], by: String, thing| Claim { app, place: app.place(path).clone(), thing, by };
    let mut claims = vec![claim(&[], "the app".to_owned(), Thing::Stem(stem(&app.environment, &app.name)))];
    for (key, volume) in app.manifest.volumes.iter().filter(|(_, volume)| !volume.external) {
        let made = object(&app.environment, &app.name, key);
        let name = volume.name.as_ref().map_or(made, ToString::to_string);
        // Two apps that share a volume may both declare it; who writes it is judged apart.
        if volume.name.is_none() {
            claims.push(claim(&["volumes", key.as_str()], format!("volume `{key}`"), Thing::Object("volume", name)));
        }
    }
    for (name, network) in desired.networks.iter().filter(|(_, network)| !network.external) {
        let by = format!("network `{}`", network.key);
        claims.push(claim(&["networks", &network.key], by, Thing::Object("network", name.clone())));
    }
    claims.extend(services(app, &desired));
    claims
}

fn services<'a>(app: &'a App, desired: &Desired) -> Vec<Claim<'a>> {
    let mut claims = Vec::new();
    for (name, service) in &app.manifest.services {
        let Some(resolved) = desired.services.get(name) else { continue };
        let by = || format!("service `{name}`");
        let mut claim = |path: &[&str], thing| {
            let place = app.place(&[&["services", name.as_str()], path].concat()).clone();
            claims.push(Claim { app, place, thing, by: by() });
        };
        claim(&["container_name"], Thing::Object("container", resolved.container_name.clone()));
        for (index, mapping) in service.ports.iter().enumerate() {
            let (address, protocol) = (mapping.address(), mapping.protocol());
            for (host, container) in mapping.pairs() {
                let port = PublishedPort { address, host, container, protocol };
                claim(&["ports", &index.to_string()], Thing::Port(port));
            }
        }
        for (index, mount) in service.volumes.iter().enumerate() {
            let shared = match &mount.source {
                VolumeSource::Volume(key) => app.manifest.volumes.get(key).is_some_and(|volume| volume.shared),
                VolumeSource::Path(_) => false,
            };
            let source = resolved.spec.mounts.iter().find(|m| m.target == mount.target.as_str());
            let thing = match (source.map(|mount| mount.source.clone()), mount.read_only) {
                (Some(source), false) => Thing::Written { source, shared },
                (Some(MountSource::Bind(path)), true) => Thing::Read(path),
                (Some(MountSource::Volume(_)), true) | (None, _) => continue,
            };
            claim(&["volumes", &index.to_string()], thing);
        }
        for (field, index, thing) in resolved.route.iter().flat_map(hosts) {
            claim(&["proxy", field, &index.to_string()], thing);
        }
    }
    claims
}

/// The hosts of a route: those it answers to below its path, and those it redirects.
fn hosts(route: &Route) -> Vec<(&'static str, usize, Thing)> {
    let claim = |host: &String, path| Thing::Host(HostClaim { host: host.clone(), path, tls: route.tls.clone() });
    let answered = route.hosts.iter().map(|host| claim(host, Some(route.path.clone())));
    let redirected = route.redirect_from.iter().map(|host| claim(host, None));
    let answered = answered.enumerate().map(|(index, thing)| ("hosts", index, thing));
    answered.chain(redirected.enumerate().map(|(index, thing)| ("redirect_from", index, thing))).collect()
}
