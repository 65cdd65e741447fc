//! A route in Caddy's own words, and back.

use super::{Account, place};
use crate::{
    desired::{
        Route,
        route::{Backend, Hsts, TlsMode},
    },
    proxy::{Served, SiteName},
    value::ServiceName,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

/// The variable of a route that says what it is made of, encoded: a brace would be a placeholder.
const MODEL: &str = "reconcile";

/// Where requests come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Plain HTTP, at a server that has nothing else.
    Plain,
    /// HTTPS, at a server of its own: Caddy redirects what comes over plain HTTP.
    Secured,
    /// HTTPS at a server that listens for plain HTTP as well: Caddy redirects nothing there.
    Both,
}

/// The doors that a route is behind.
pub fn doors(route: &Route, shared: bool) -> Vec<Door> {
    match (route.tls.mode.is_secured(), shared) {
        (true, true) => vec![Door::Both],
        (true, false) if route.tls.redirect => vec![Door::Secured],
        (true, false) => vec![Door::Secured, Door::Plain],
        (false, _) => vec![Door::Plain],
    }
}

/// What a service's route is at one door: names of one label are apart from those of any, which are met last.
pub fn of(name: &SiteName, service: &ServiceName, served: &Served, users: &[Account], door: Door) -> Vec<Value> {
    let route = &served.route;
    let model = BASE64_STANDARD.encode(serde_json::to_vec(&(service, served)).unwrap_or_default());
    let model = json!({"handle": [{"handler": "vars", MODEL: model}]});
    let id = match door {
        Door::Plain => format!("{}.plain", place::id(name, service)),
        Door::Secured | Door::Both => place::id(name, service),
    };
    let object = |id: String, hosts: Vec<&String>, paths: Vec<String>, answer: Value| {
        let mut inner = vec![model.clone()];
        if door == Door::Both && route.tls.redirect {
            inner.push(to_https());
        }
        inner.push(answer);
        json!({
            "@id": id,
            "match": [{"host": hosts, "path": paths}],
            "handle": [{"handler": "subroute", "routes": inner}],
            "terminal": true,
        })
    };
    let mut objects = Vec::new();
    for (hosts, kind) in kinds(&route.hosts) {
        let answer = json!({"handle": answered(served, users, door)});
        objects.push(object(format!("{id}{kind}"), hosts, paths(route), answer));
    }
    for (hosts, kind) in kinds(&route.redirect_from) {
        objects.push(object(format!("{id}.redirect{kind}"), hosts, vec!["/*".to_owned()], redirect(route)));
    }
    objects
}

/// What a route says that it is made of.
pub fn read(route: &Value) -> Option<super::Read> {
    let model = route["handle"][0]["routes"][0]["handle"][0][MODEL].as_str()?;
    serde_json::from_slice(&BASE64_STANDARD.decode(model).ok()?).ok()
}

/// In which order routes are met: a name before those that any label may begin, what answers before what redirects, and
/// the longest path first.
pub fn rank(route: &Value) -> (bool, bool, Reverse<usize>, String) {
    let matched = &route["match"][0];
    let id = route["@id"].as_str().unwrap_or_default().to_owned();
    let any_label = matched["host"][0].as_str().is_some_and(|host| host.starts_with("*."));
    let path = matched["path"][0].as_str().unwrap_or_default().trim_end_matches("/*").len();
    (any_label, id.contains(".redirect"), Reverse(path), id)
}

/// Hosts of one kind, and what ids of routes for them end with.
fn kinds(hosts: &[String]) -> impl Iterator<Item = (Vec<&String>, &'static str)> {
    let (any, one): (Vec<&String>, Vec<&String>) = hosts.iter().partition(|host| host.starts_with("*."));
    [(one, ""), (any, ".any")].into_iter().filter(|(hosts, _)| !hosts.is_empty())
}

/// A path with what is below it.
fn paths(route: &Route) -> Vec<String> {
    match route.path.trim_end_matches('/') {
        "" => vec!["/*".to_owned()],
        path => vec![path.to_owned(), format!("{path}/*")],
    }
}

fn to_https() -> Value {
    json!({
        "match": [{"protocol": "http"}],
        "handle": [sent_to("https://{http.request.host}{http.request.uri}".to_owned())],
        "terminal": true,
    })
}

fn redirect(route: &Route) -> Value {
    let to = route.hosts.first().map_or("", String::as_str);
    let scheme = if route.tls.mode == TlsMode::Off { "http" } else { "https" };
    json!({"handle": [sent_to(format!("{scheme}://{to}{{http.request.uri}}"))]})
}

fn sent_to(location: String) -> Value {
    json!({"handler": "static_response", "status_code": 308, "headers": {"Location": [location]}})
}

fn answered(served: &Served, users: &[Account], door: Door) -> Vec<Value> {
    let route = &served.route;
    let mut handlers = Vec::new();
    let tells_hsts = door != Door::Plain || route.tls.mode == TlsMode::Upstream;
    let hsts = route.tls.hsts.filter(|_| tells_hsts);
    let hsts = hsts.map(|hsts| ("Strict-Transport-Security".to_owned(), remembered(hsts)));
    let headers: BTreeMap<String, Vec<String>> =
        route.headers.clone().into_iter().chain(hsts).map(|(name, value)| (name, vec![value])).collect();
    if !headers.is_empty() {
        // Deferred, so that what the service says of the same name is replaced.
        handlers.push(json!({"handler": "headers", "response": {"deferred": true, "set": headers}}));
    }
    if !route.allow_from.is_empty() {
        let networks: Vec<&String> = route.allow_from.iter().collect();
        let others = json!([{"not": [{"remote_ip": {"ranges": networks}}]}]);
        let refused = json!([{"handler": "static_response", "status_code": 403}]);
        let refusal = json!([{"match": others, "handle": refused, "terminal": true}]);
        handlers.push(json!({"handler": "subroute", "routes": refusal}));
    }
    if served.users.is_some() {
        // Without users nobody passes.
        let accounts: Vec<Value> = users.iter().map(Account::told).collect();
        let basic = json!({"hash": {"algorithm": "bcrypt"}, "accounts": accounts, "hash_cache": {}});
        handlers.push(json!({"handler": "authentication", "providers": {"http_basic": basic}}));
    }
    if route.max_body > 0 {
        handlers.push(json!({"handler": "request_body", "max_size": route.max_body}));
    }
    let path = route.path.trim_end_matches('/');
    if route.strip_path && !path.is_empty() {
        handlers.push(json!({"handler": "rewrite", "strip_path_prefix": path}));
    }
    let mut proxy = json!({
        "handler": "reverse_proxy",
        "upstreams": [{"dial": served.address.to_string()}],
        "transport": transport(route),
    });
    if route.tls.mode == TlsMode::Upstream {
        // Whoever ends TLS in front of this proxy speaks plain HTTP to it.
        proxy["headers"] = json!({"request": {"set": {"X-Forwarded-Proto": ["https"]}}});
    }
    handlers.push(proxy);
    handlers
}

fn transport(route: &Route) -> Value {
    let mut transport = json!({
        "protocol": "http",
        "dial_timeout": nanoseconds(route.connect_timeout),
        "response_header_timeout": nanoseconds(route.read_timeout),
    });
    match route.backend {
        Backend::Http => {}
        Backend::Https => transport["tls"] = json!({"insecure_skip_verify": true}),
        Backend::H2c => transport["versions"] = json!(["h2c", "2"]),
    }
    transport
}

/// Caddy tells durations back as it was told them, in nanoseconds.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn remembered(Hsts { max_age, subdomains, preload }: Hsts) -> String {
    let subdomains = if subdomains { "; includeSubDomains" } else { "" };
    let preload = if preload { "; preload" } else { "" };
    format!("max-age={max_age}{subdomains}{preload}")
}
