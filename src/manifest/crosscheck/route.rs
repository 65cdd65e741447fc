//! Routes: names that lead nowhere, and words of `proxy` and `tls` that exclude one another.

use super::{findings::Findings, reference::declare, tls};
use crate::{
    desired::resolve::route_port,
    manifest::{Manifest, Proxy, SecurityHeaders, Service},
    value::{Duration, HeaderName, NetworkMode, ServiceName, VirtualHost},
};
use std::collections::{BTreeMap, BTreeSet};

/// No proxy waits longer for a connection.
const LONGEST_CONNECT: Duration = Duration::from_secs(75);
const LONGEST_READ: Duration = Duration::from_secs(24 * 60 * 60);

/// Variables that proxies watch containers for: `proxy` writes them where the host's proxy is such a one.
const VARIABLES: [&str; 5] = ["VIRTUAL_", "LETSENCRYPT_", "ACME_HOST", "HTTPS_METHOD", "SERVER_TOKENS"];
/// Labels that they watch for.
const LABELS: [&str; 3] = ["traefik.", "caddy", "com.github.nginx-proxy."];

pub(super) fn service(manifest: &Manifest, name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    let path = ["services", name.as_str(), "proxy"];
    let Some(proxy) = &service.proxy else {
        if service.tls.is_some() {
            let hint = "write `proxy: {hosts: […], port: …}` beside it, or remove `tls`";
            findings.advise(
                &["services", name.as_str(), "tls"],
                "`tls` secures nothing: the service has no `proxy`",
                hint,
            );
        }
        return;
    };
    if service.internal_only {
        let hint = "remove `proxy`: others on its networks reach it by name";
        findings.advise(&path, format!("`{name}` is `internal_only`: no proxy may lead to it"), hint);
    }
    reached(name, service, findings);
    hosts(name, proxy, findings);
    paths(name, proxy, findings);
    headers(name, proxy, findings);
    by_hand(name, service, findings);
    let at = |field| ["services", name.as_str(), "proxy", "timeouts", field];
    let timeouts = &proxy.timeouts;
    let spans = [("connect", timeouts.connect, LONGEST_CONNECT), ("read", timeouts.read, LONGEST_READ)];
    for (field, span, longest) in spans {
        if span == Duration::default() {
            findings.add(&at(field), format!("`{field}` must be longer than 0s"));
        } else if span > longest {
            findings.add(&at(field), format!("`{field}` is {longest} at most"));
        }
    }
    if let Some(secret) = proxy.basic_auth.as_ref().map(|basic| &basic.secret)
        && !manifest.secrets.contains_key(secret)
    {
        let declared: Vec<&str> = manifest.secrets.keys().map(AsRef::as_ref).collect();
        let path = ["services", name.as_str(), "proxy", "basic_auth", "secret"];
        let hint = declare(secret.as_str(), &declared, "secrets");
        findings.advise(&path, format!("secret `{secret}` is not declared"), hint);
    }
    tls::service(name, service, proxy, findings);
}

/// Whether there is something at the other end.
fn reached(name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    let path = ["services", name.as_str(), "proxy"];
    let (message, hint) = match &service.network_mode {
        Some(NetworkMode::None) => (
            format!("no proxy reaches `{name}`: it has no network"),
            "remove `network_mode: none`, or `proxy`".to_owned(),
        ),
        Some(NetworkMode::Host) => (
            format!("`{name}` is on the host's own network, where two containers cannot take over from one another"),
            "remove `network_mode: host`: the proxy reaches the container by an address of its own".to_owned(),
        ),
        Some(NetworkMode::Service(other)) => (
            format!("`{name}` has no address of its own: it shares the network of `{other}`"),
            format!("write `proxy` at `{other}`, with the port of `{name}`"),
        ),
        // Without a word of its own, the image says it.
        None if route_port(service).is_none() && !(service.expose.is_empty() && service.ports.is_empty()) => {
            let offered: Vec<String> = service.expose.iter().map(ToString::to_string).collect();
            let hint = match offered.as_slice() {
                [] => "write `port: 8080`".to_owned(),
                offered => {
                    format!("`expose` has `{}`: write the one that is meant, as in `port: 8080`", offered.join("`, `"))
                }
            };
            ("`proxy` does not say which port it leads to".to_owned(), hint)
        }
        None => return,
    };
    findings.advise(&path, message, hint);
}

fn hosts(name: &ServiceName, proxy: &Proxy, findings: &mut Findings<'_>) {
    let mut seen: BTreeSet<&VirtualHost> = BTreeSet::new();
    let lists = [("hosts", &proxy.hosts), ("redirect_from", &proxy.redirect_from)];
    for (field, hosts) in lists {
        for (index, host) in hosts.iter().enumerate().filter(|(_, host)| !seen.insert(host)) {
            let path = ["services", name.as_str(), "proxy", field, &index.to_string()];
            findings.advise(&path, format!("`{host}` is there already"), "name each host once");
        }
    }
    let first = proxy.hosts.first().filter(|first| first.is_wildcard() && !proxy.redirect_from.is_empty());
    if let Some(first) = first {
        let path = ["services", name.as_str(), "proxy", "redirect_from"];
        findings.advise(
            &path,
            format!("nothing can redirect to `{first}`, which is many names"),
            "write the one that is meant first in `hosts`",
        );
    }
}

fn paths(name: &ServiceName, proxy: &Proxy, findings: &mut Findings<'_>) {
    let at = |field| ["services", name.as_str(), "proxy", field];
    let plain = proxy.path.as_str().trim_end_matches('/');
    if proxy.path.is_root() {
        if proxy.strip_path {
            findings.advise(&at("strip_path"), "there is no path to cut off", "write `path`, or remove `strip_path`");
        }
    } else if plain != proxy.path.as_str() {
        let message = format!("a path has no `/` at its end: `{plain}` is for itself and everything below");
        findings.advise(&at("path"), message, format!("write `{plain}`"));
    }
    for exempt in proxy.rate_limit.iter().flat_map(|limit| &limit.exempt).filter(|it| !it.is_below(&proxy.path)) {
        let path = ["services", name.as_str(), "proxy", "rate_limit", "exempt"];
        findings.add(&path, format!("`{exempt}` is not below `{}`, where the service is", proxy.path));
    }
}

/// Two spellings of one header would be sent both.
fn headers(name: &ServiceName, proxy: &Proxy, findings: &mut Findings<'_>) {
    let these = match &proxy.security_headers {
        SecurityHeaders::These(these) => Some(these),
        SecurityHeaders::Off | SecurityHeaders::Standard => None,
    };
    let security = these.into_iter().flatten().map(|(header, _)| ("security_headers", header));
    let mut seen: BTreeMap<String, &HeaderName> = BTreeMap::new();
    for (field, header) in security.chain(proxy.headers.keys().map(|header| ("headers", header))) {
        if let Some(first) = seen.insert(header.folded(), header) {
            let path = ["services", name.as_str(), "proxy", field, header.as_str()];
            findings.advise(&path, format!("`{header}` is there already, as `{first}`"), "write it once");
        }
    }
}

/// What `proxy` says must not be said otherwise beside it.
fn by_hand(name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    let variables = service.env.keys().map(ToString::to_string).map(|key| ("env", key));
    let labels = service.labels.keys().cloned().map(|key| ("labels", key));
    for (field, key) in variables.chain(labels) {
        let prefixes: &[&str] = if field == "env" { &VARIABLES } else { &LABELS };
        if prefixes.iter().any(|prefix| key.starts_with(prefix)) {
            let path = ["services", name.as_str(), field, &key];
            findings.advise(&path, format!("`{key}` speaks to a proxy, as `proxy` does"), "remove it");
        }
    }
}
