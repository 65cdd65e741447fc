//! Routes: which hosts an environment may claim, and whether this host's proxy can do what is asked of it.

use super::{Denial, Subject, bind};
use crate::{
    desired::{Route, route::TlsMode},
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
pub const ROUTING_VARIABLES: [&str; 5] =
    ["VIRTUAL_HOST", "VIRTUAL_HOST_MULTIPORTS", "LETSENCRYPT_HOST", "ACME_HOST", "VIRTUAL_PATH"];
/// Labels by which they do.
pub(super) const ROUTING_LABELS: [&str; 3] = ["traefik.", "caddy", "com.github.nginx-proxy."];
/// Variables that nginx-proxy's template writes into its configuration as they stand.
const TEMPLATE_VARIABLES: [&str; 16] = [
    "VIRTUAL_PORT",
    "VIRTUAL_DEST",
    "VIRTUAL_PROTO",
    "VIRTUAL_ROOT",
    "HTTPS_METHOD",
    "HSTS",
    "SSL_POLICY",
    "CERT_NAME",
    "NETWORK_ACCESS",
    "SERVER_TOKENS",
    "ENABLE_HTTP_ON_MISSING_CERT",
    "ACME_HTTP_CHALLENGE_LOCATION",
    "EXTERNAL_HTTP_PORT",
    "EXTERNAL_HTTPS_PORT",
    "LETSENCRYPT_EMAIL",
    "ACME_EMAIL",
];

/// What this host's proxy cannot do, and routes that are laid behind its back.
#[must_use]
pub fn routed(policy: &Policy, proxy: &Proxy, subject: &Subject<'_>) -> Vec<Denial> {
    let name = proxy.driver.name();
    let unable = of(subject).into_iter().flat_map(|route| inabilities(&proxy.driver, route));
    let unable = unable.map(|inability| self::unable(subject, name, &inability));
    unable.chain(by_hand(policy, proxy, subject)).collect()
}

fn unable(subject: &Subject<'_>, driver: DriverName, inability: &Inability) -> Denial {
    let Inability { asked, able, missing, .. } = inability;
    let service = subject.name();
    let able: Vec<&str> = able.iter().map(|driver| driver.word()).collect();
    let word = driver.word();
    let (rule, message, allow) = match (missing, able.as_slice()) {
        (Some(setting), _) => {
            let (rule, example) = match *setting {
                "conf_dir" => ("proxy.conf_dir", "/srv/nginx-proxy/conf.d"),
                _ => ("proxy.certresolver", "letsencrypt"),
            };
            let message =
                format!("driver `{word}` of this host can do `{asked}` for service `{service}` only with `{setting}`");
            (rule, message, Some(format!("{setting}: {example}")))
        }
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
/// this host's, routes are `proxy`'s alone. Asked of the manifest, since what a driver itself says stands in the body.
fn by_hand(policy: &Policy, proxy: &Proxy, subject: &Subject<'_>) -> Vec<Denial> {
    let (watches, has_template) = match proxy.driver.name() {
        DriverName::NginxProxy => (true, true),
        DriverName::Traefik => (true, false),
        DriverName::None | DriverName::Nginx | DriverName::Caddy => (false, false),
    };
    if !watches && policy.hosts.is_empty() {
        return Vec::new();
    }
    let routes = |word: &str| ROUTING_VARIABLES.contains(&word) || has_template && TEMPLATE_VARIABLES.contains(&word);
    let variables = written(subject, "env").filter(|word| routes(word)).map(|word| ("env", word));
    let labels = written(subject, "labels").filter(|label| ROUTING_LABELS.iter().any(|it| label.starts_with(it)));
    let denied = variables.chain(labels.map(|label| ("labels", label)));
    denied
        .map(|(field, word)| Denial {
            field: subject.field(&format!("{field}.{word}")),
            rule: "policy.hosts",
            message: format!("`{word}` speaks to a proxy behind the policy's back: write `proxy: {{hosts: […]}}`"),
            allow: None,
        })
        .collect()
}

/// The keys of a mapping of the service, as the manifest has it; of a job, those of its service.
fn written<'a>(subject: &'a Subject<'_>, section: &str) -> impl Iterator<Item = &'a str> {
    let service = match subject.role {
        Role::Service(name) => Some(name),
        Role::Job(name) => subject.app.jobs.get(name).map(|job| &job.service),
    };
    let manifest = service.and_then(|name| subject.app.manifest.get("services")?.get(name.as_str())?.get(section));
    manifest.and_then(serde_json::Value::as_object).into_iter().flatten().map(|(key, _)| key.as_str())
}
