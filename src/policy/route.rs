//! Routes: which hosts an environment may claim, and whether this host's proxy can do what is asked of it.

use super::{Denial, Subject, bind};
use crate::{
    desired::{Route, route::TlsMode, spec::ContainerSpec},
    host::{DriverName, Policy, Proxy},
    observed::Role,
    proxy::ability::{Inability, inabilities},
    value::{EnvironmentName, HostGlob, VirtualHost},
};

/// The route of what the container is for. A job has none.
pub(super) fn of<'a>(subject: &'a Subject<'_>) -> Option<&'a Route> {
    match subject.role {
        Role::Service(name) => subject.app.services.get(name)?.route.as_ref(),
        Role::Job(_) => None,
    }
}

/// The hosts that an environment may not claim, and files of others.
pub(super) fn judge(policy: &Policy, subject: &Subject<'_>) -> Vec<Denial> {
    let Some(route) = of(subject) else { return Vec::new() };
    let environment = &subject.app.environment;
    let lists = [("hosts", &route.hosts), ("redirect_from", &route.redirect_from)];
    let claims = lists.into_iter().flat_map(|(field, hosts)| {
        hosts.iter().enumerate().map(move |(index, host)| (format!("proxy.{field}.{index}"), host))
    });
    let denied = claims.filter_map(|(field, host)| {
        let message = claimed(policy, environment, host)?;
        let allow = Some(format!("hosts: {{\"{host}\": [{environment}]}}"));
        Some(Denial { field: subject.field(&field), rule: "policy.hosts", message, allow })
    });
    denied.chain(files(subject, route)).collect()
}

/// Why an environment may not claim a host; none where it may.
fn claimed(policy: &Policy, environment: &EnvironmentName, host: &str) -> Option<String> {
    if policy.hosts.is_empty() {
        return None;
    }
    // A name that cannot be read is nobody's.
    let name: VirtualHost = match host.parse() {
        Ok(name) => name,
        Err(_) => return Some(format!("`{host}` is no host that could be claimed")),
    };
    let lists = |(_, environments): &(&HostGlob, &Vec<EnvironmentName>)| environments.contains(environment);
    let covering: Vec<_> = policy.hosts.iter().filter(|(glob, _)| glob.covers(&name)).collect();
    let Some(precision) = covering.iter().map(|(glob, _)| glob.precision()).max() else {
        return Some(format!("no line of the policy lets an environment claim `{host}`"));
    };
    let most_precise = covering.iter().filter(|(glob, _)| glob.precision() == precision);
    // Whoever has `*.example.com` is asked for `api.example.com` while nobody else answers there.
    let below = policy.hosts.iter().filter(|(glob, _)| name.is_wildcard() && !glob.covers(&name) && glob.meets(&name));
    let others = most_precise.copied().chain(below).find(|line| !lists(line));
    others.map(|(glob, environments)| {
        let whose: Vec<String> = environments.iter().map(|name| format!("`{name}`")).collect();
        let whose = if whose.is_empty() { "nobody".to_owned() } else { whose.join(", ") };
        format!("environment `{environment}` may not claim `{host}`: `{glob}` is for {whose}")
    })
}

/// A certificate's file is read as root: none may be one of the tool's own.
fn files(subject: &Subject<'_>, route: &Route) -> Vec<Denial> {
    let TlsMode::Files { certificate, key } = &route.tls.mode else { return Vec::new() };
    let closed = |path: &str| bind::protected(subject.protected_paths).any(|folder| bind::is_below(path, folder));
    let denied = [("tls.cert_file", certificate), ("tls.key_file", key)].into_iter().filter(|(_, path)| closed(path));
    denied
        .map(|(field, path)| Denial {
            field: subject.field(field),
            rule: "policy.data_roots",
            message: format!("`{path}` is the tool's own, and no route may use it"),
            allow: None,
        })
        .collect()
}

/// Variables by which proxies that watch the engine know whom to route to.
pub(super) const ROUTING_VARIABLES: [&str; 6] =
    ["VIRTUAL_HOST", "VIRTUAL_HOST_MULTIPORTS", "LETSENCRYPT_HOST", "ACME_HOST", "VIRTUAL_PATH", "SERVER_TOKENS"];
/// Labels by which they do.
pub(super) const ROUTING_LABELS: [&str; 3] = ["traefik.", "caddy", "com.github.nginx-proxy."];

/// What this host's proxy cannot do, and routes that are laid behind its back.
#[must_use]
pub fn routed(policy: &Policy, proxy: &Proxy, subject: &Subject<'_>, spec: &ContainerSpec) -> Vec<Denial> {
    let Some(route) = of(subject) else { return by_hand(policy, proxy, subject, spec) };
    let name = proxy.driver.name();
    inabilities(&proxy.driver, route).iter().map(|inability| unable(subject, name, inability)).collect()
}

fn unable(subject: &Subject<'_>, driver: DriverName, inability: &Inability) -> Denial {
    let Inability { asked, able, missing, .. } = inability;
    let service = subject.name();
    let able: Vec<&str> = able.iter().map(|driver| driver.word()).collect();
    let word = driver.word();
    let (rule, message, allow) = match (missing, able.as_slice()) {
        (Some(setting), _) => (
            "proxy.certresolver",
            format!("driver `{word}` of this host can do `{asked}` for service `{service}` only with `{setting}`"),
            Some(format!("{setting}: letsencrypt")),
        ),
        (None, able) => {
            let who = able.iter().map(|driver| format!("`{driver}`")).collect::<Vec<_>>().join(", ");
            let message = if driver == DriverName::None {
                format!(
                    "service `{service}` asks for a route, and this host has no proxy (driver `none`); it may be one of {who}"
                )
            } else {
                format!("driver `{word}` of this host cannot do `{asked}` for service `{service}`; {who} can")
            };
            ("proxy.driver", message, able.first().map(|driver| format!("driver: {driver}")))
        }
    };
    Denial { field: subject.field(inability.field), rule, message, allow }
}

/// A proxy that watches the engine believes what any container says of itself: where hosts have owners, or such a proxy is
/// this host's, routes are `proxy`'s alone.
fn by_hand(policy: &Policy, proxy: &Proxy, subject: &Subject<'_>, spec: &ContainerSpec) -> Vec<Denial> {
    let watches = match proxy.driver.name() {
        DriverName::NginxProxy | DriverName::Traefik => true,
        DriverName::None | DriverName::Nginx | DriverName::Caddy => false,
    };
    if !watches && policy.hosts.is_empty() {
        return Vec::new();
    }
    let names = spec.env.keys().chain(spec.secret_env.keys());
    let variables = names.filter(|name| ROUTING_VARIABLES.contains(&name.as_str())).map(|name| ("env", name));
    let labels = spec.labels.keys().filter(|label| ROUTING_LABELS.iter().any(|prefix| label.starts_with(prefix)));
    let denied = variables.chain(labels.map(|label| ("labels", label)));
    denied
        .map(|(field, word)| Denial {
            field: subject.field(&format!("{field}.{word}")),
            rule: "policy.hosts",
            message: format!("`{word}` would claim a host behind the policy's back: write `proxy: {{hosts: […]}}`"),
            allow: None,
        })
        .collect()
}
