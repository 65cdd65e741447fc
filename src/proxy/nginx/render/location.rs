//! What answers below a path.

use super::{Id, Part, quoted};
use crate::desired::{
    Route,
    route::{Backend, Hsts, TlsMode},
};
use std::{fmt::Write, time::Duration};

/// Everything that answers at a host; what is nobody's is not found.
pub fn all(text: &mut String, parts: &[Part<'_>], secured: bool) {
    for part in parts {
        one(text, part, secured);
    }
    if parts.iter().all(|part| part.served.route.path != "/") {
        text.push_str("    location / {\n        return 404;\n    }\n");
    }
}

/// A path is met whole, or with what is below it: `/api` answers for `/api` and `/api/v1`, and not for `/apis`.
fn one(text: &mut String, part: &Part<'_>, secured: bool) {
    let path = part.served.route.path.trim_end_matches('/');
    let body = body(part, secured);
    if !path.is_empty() {
        let _ = writeln!(text, "    location = {} {{\n{body}    }}", quoted(path));
    }
    let _ = writeln!(text, "    location {} {{\n{body}    }}", quoted(&format!("{path}/")));
}

fn body(Part { id: Id(id), served, .. }: &Part<'_>, secured: bool) -> String {
    let route = &served.route;
    let mut text = String::new();
    guards(&mut text, id, route);
    if let Some(users) = &served.users {
        let users = quoted(&users.to_string_lossy());
        let _ = writeln!(text, "        auth_basic \"restricted\";\n        auth_basic_user_file {users};");
    }
    let _ = writeln!(text, "        client_max_body_size {};", route.max_body);
    let _ = writeln!(text, "        proxy_connect_timeout {};", milliseconds(route.connect_timeout));
    let _ = writeln!(
        text,
        "        proxy_read_timeout {0};\n        proxy_send_timeout {0};",
        milliseconds(route.read_timeout)
    );
    headers(&mut text, route, secured);
    let scheme = match route.backend {
        Backend::Http | Backend::H2c => "http",
        Backend::Https => {
            text.push_str("        proxy_ssl_server_name on;\n        proxy_ssl_name $host;\n");
            "https"
        }
    };
    let forwarded = match route.tls.mode {
        // Whoever ends TLS in front of this proxy speaks plain HTTP to it.
        TlsMode::Upstream => "https",
        TlsMode::Acme | TlsMode::Internal | TlsMode::Files { .. } | TlsMode::Off => "$scheme",
    };
    text.push_str("        proxy_http_version 1.1;\n        proxy_buffering off;\n");
    // What a client says of itself is not passed on: an address is what was seen.
    for (name, value) in [
        ("Host", "$host"),
        ("Upgrade", "$http_upgrade"),
        ("Connection", format!("${id}_connection").as_str()),
        ("X-Real-IP", "$remote_addr"),
        ("X-Forwarded-For", "$remote_addr"),
        ("X-Forwarded-Host", "$host"),
        ("X-Forwarded-Proto", forwarded),
    ] {
        let _ = writeln!(text, "        proxy_set_header {name} {value};");
    }
    let rest = if route.strip_path { "/" } else { "" };
    let _ = writeln!(text, "        proxy_pass {scheme}://{id}{rest};");
    text
}

fn guards(text: &mut String, id: &str, route: &Route) {
    if let Some(limit) = &route.rate_limit {
        let burst = if limit.burst == 0 { String::new() } else { format!(" burst={} nodelay", limit.burst) };
        let _ = writeln!(text, "        limit_req zone={id}_rate{burst};\n        limit_req_status 429;");
    }
    for network in &route.allow_from {
        let _ = writeln!(text, "        allow {network};");
    }
    if !route.allow_from.is_empty() {
        text.push_str("        deny all;\n");
    }
}

/// Every location says all of them: one that says a header inherits none (research, proxy §3). What the service says of
/// the same name is not passed on, so that a client sees each once.
fn headers(text: &mut String, route: &Route, secured: bool) {
    let hsts = route.tls.hsts.filter(|_| secured || route.tls.mode == TlsMode::Upstream);
    let hsts = hsts.map(|hsts| ("Strict-Transport-Security", remembered(hsts)));
    let said = route.headers.iter().map(|(name, value)| (name.as_str(), value.clone()));
    for (name, value) in said.chain(hsts) {
        let _ =
            writeln!(text, "        proxy_hide_header {name};\n        add_header {name} {} always;", quoted(&value));
    }
}

fn remembered(Hsts { max_age, subdomains, preload }: Hsts) -> String {
    let subdomains = if subdomains { "; includeSubDomains" } else { "" };
    let preload = if preload { "; preload" } else { "" };
    format!("max-age={max_age}{subdomains}{preload}")
}

fn milliseconds(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}
