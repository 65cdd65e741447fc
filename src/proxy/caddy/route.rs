//! A route in Caddy's own words, and back.

use super::Read;
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
use std::{collections::BTreeMap, time::Duration};

/// The variable of a route that says what it is made of, encoded: a brace would be a placeholder.
const MODEL: &str = "reconcile";

/// The `@id` of a service's route. A dot is in no name, so no two of them are the same.
pub fn id(name: &SiteName, service: &ServiceName) -> String {
    format!("reconcile_{}.{}.{service}", name.environment, name.app)
}

/// The `@id` of who issues its certificate.
pub fn policy_id(name: &SiteName, service: &ServiceName) -> String {
    format!("{}.policy", id(name, service))
}

/// Those of an app, by their `@id`.
pub fn ids<'a>(name: &SiteName, there: &'a [Value]) -> BTreeMap<String, &'a Value> {
    let prefix = format!("reconcile_{}.{}.", name.environment, name.app);
    let named = there.iter().filter_map(|it| Some((it["@id"].as_str()?.to_owned(), it)));
    named.filter(|(id, _)| id.starts_with(&prefix)).collect()
}

/// Likewise of policies.
pub fn policies<'a>(name: &SiteName, there: &'a [Value]) -> BTreeMap<String, &'a Value> {
    ids(name, there)
}

/// The route.
pub fn of(name: &SiteName, service: &ServiceName, served: &Served) -> Value {
    let route = &served.route;
    let model = BASE64_STANDARD.encode(serde_json::to_vec(&(service, served)).unwrap_or_default());
    let mut inner = vec![json!({"handle": [{"handler": "vars", MODEL: model}]})];
    if !route.redirect_from.is_empty() {
        inner.push(redirect(route));
    }
    if !route.allow_from.is_empty() {
        let networks: Vec<&String> = route.allow_from.iter().collect();
        inner.push(json!({
            "match": [{"not": [{"remote_ip": {"ranges": networks}}]}],
            "handle": [{"handler": "static_response", "status_code": 403}],
            "terminal": true,
        }));
    }
    inner.push(json!({"match": [{"path": paths(route)}], "handle": answered(served), "terminal": true}));
    let mut hosts: Vec<&str> = route.hosts.iter().map(String::as_str).collect();
    hosts.extend(route.redirect_from.iter().map(String::as_str));
    json!({
        "@id": id(name, service),
        "match": [{"host": hosts, "path": matched(route)}],
        "handle": [{"handler": "subroute", "routes": inner}],
        "terminal": true,
    })
}

/// What a route says that it is made of.
pub fn read(route: &Value) -> Option<Read> {
    let model = route["handle"][0]["routes"][0]["handle"][0][MODEL].as_str()?;
    serde_json::from_slice(&BASE64_STANDARD.decode(model).ok()?).ok()
}

/// Who issues its certificate, where that is not Caddy's usual authority.
pub fn policy(name: &SiteName, service: &ServiceName, route: &Route) -> Option<Value> {
    let subjects: Vec<&str> = route.names().into_iter().collect();
    match &route.tls.mode {
        TlsMode::Internal => {
            Some(json!({"@id": policy_id(name, service), "subjects": subjects, "issuers": [{"module": "internal"}]}))
        }
        TlsMode::Acme | TlsMode::Files { .. } | TlsMode::Upstream | TlsMode::Off => None,
    }
}

/// A path with what is below it; where other names redirect, they do so whatever the path.
fn matched(route: &Route) -> Vec<String> {
    if route.redirect_from.is_empty() { paths(route) } else { vec!["/*".to_owned()] }
}

fn paths(route: &Route) -> Vec<String> {
    match route.path.trim_end_matches('/') {
        "" => vec!["/*".to_owned()],
        path => vec![path.to_owned(), format!("{path}/*")],
    }
}

fn redirect(route: &Route) -> Value {
    let to = route.hosts.first().map_or("", String::as_str);
    let scheme = if route.tls.mode == TlsMode::Off { "http" } else { "https" };
    json!({
        "match": [{"host": route.redirect_from}],
        "handle": [{
            "handler": "static_response",
            "status_code": 308,
            "headers": {"Location": [format!("{scheme}://{to}{{http.request.uri}}")]},
        }],
        "terminal": true,
    })
}

fn answered(served: &Served) -> Vec<Value> {
    let route = &served.route;
    let mut handlers = Vec::new();
    let hsts = route.tls.hsts.map(|hsts| ("Strict-Transport-Security".to_owned(), remembered(hsts)));
    let headers: BTreeMap<String, Vec<String>> =
        route.headers.clone().into_iter().chain(hsts).map(|(name, value)| (name, vec![value])).collect();
    if !headers.is_empty() {
        // Deferred, so that what the service says of the same name is replaced.
        handlers.push(json!({"handler": "headers", "response": {"deferred": true, "set": headers}}));
    }
    if route.max_body > 0 {
        handlers.push(json!({"handler": "request_body", "max_size": route.max_body}));
    }
    let path = route.path.trim_end_matches('/');
    if route.strip_path && !path.is_empty() {
        handlers.push(json!({"handler": "rewrite", "strip_path_prefix": path}));
    }
    handlers.push(json!({
        "handler": "reverse_proxy",
        "upstreams": [{"dial": served.address.to_string()}],
        "transport": transport(route),
    }));
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
