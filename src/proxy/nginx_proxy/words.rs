//! What a container says to nginx-proxy, and to acme-companion beside it, of the way to it.
//!
//! The template of nginx-proxy writes these values into its configuration as they stand, without quotes: what is said
//! here is made of typed values alone, and of no text that somebody wrote.

use crate::{
    desired::{
        Route,
        route::{Backend, Hsts, TlsMode, TlsPolicy},
    },
    proxy::SiteName,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The variables of its contract that are read of a container, and in which two containers of a service may not differ:
/// which of two values counts is chance.
pub const READ: [&str; 13] = [
    "VIRTUAL_HOST",
    "VIRTUAL_PORT",
    "VIRTUAL_PATH",
    "VIRTUAL_DEST",
    "VIRTUAL_PROTO",
    "HTTPS_METHOD",
    "HSTS",
    "SSL_POLICY",
    "CERT_NAME",
    "NETWORK_ACCESS",
    "ENABLE_HTTP_ON_MISSING_CERT",
    "LETSENCRYPT_HOST",
    "LETSENCRYPT_EMAIL",
];

/// What `allow_from: internal` stands for, which nginx-proxy has a word for.
const INTERNAL: [&str; 6] = ["10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"];

/// The variables of a container for its route. `email`: whom the authority may write to.
#[must_use]
pub fn words(site: &SiteName, route: &Route, email: Option<&str>) -> BTreeMap<String, String> {
    let mut said = BTreeMap::new();
    let mut say = |name: &str, value: String| drop(said.insert(name.to_owned(), value));
    let hosts = route.hosts.join(",");
    say("VIRTUAL_HOST", hosts.clone());
    if let Some(port) = route.port {
        say("VIRTUAL_PORT", port.to_string());
    }
    if route.path != "/" {
        say("VIRTUAL_PATH", path(route));
        if route.strip_path {
            say("VIRTUAL_DEST", "/".to_owned());
        }
    }
    if route.backend == Backend::Https {
        say("VIRTUAL_PROTO", "https".to_owned());
    }
    if route.allow_from.iter().map(String::as_str).eq(INTERNAL) {
        say("NETWORK_ACCESS", "internal".to_owned());
    }
    let secured = route.tls.mode.is_secured();
    say("HTTPS_METHOD", method(secured, route.tls.redirect).to_owned());
    if secured {
        say("SSL_POLICY", policy(route.tls.policy).to_owned());
        say("HSTS", route.tls.hsts.map_or_else(|| "off".to_owned(), remembered));
    }
    if secured && route.tls.redirect {
        // Else it serves in clear what it has no certificate for yet.
        say("ENABLE_HTTP_ON_MISSING_CERT", "false".to_owned());
    }
    match route.tls.mode {
        TlsMode::Acme => {
            say("LETSENCRYPT_HOST", hosts);
            if let Some(email) = email {
                say("LETSENCRYPT_EMAIL", email.to_owned());
            }
        }
        TlsMode::Internal | TlsMode::Files { .. } => say("CERT_NAME", certificate(site, route)),
        TlsMode::Upstream | TlsMode::Off => {}
    }
    said
}

/// The path as the template writes it behind `location`. A slash at its end, so that `/apis` is not met by `/api`: nginx
/// redirects `/api` itself.
#[must_use]
pub fn path(route: &Route) -> String {
    format!("{}/", route.path.trim_end_matches('/'))
}

/// What the files of a certificate are called: the same for services that share their hosts.
#[must_use]
pub fn certificate(site: &SiteName, route: &Route) -> String {
    let whole = Sha256::digest(format!("{site} {}", route.hosts.join(",")));
    let digits: String = whole.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("reconcile-{digits}")
}

const fn method(secured: bool, redirect: bool) -> &'static str {
    match (secured, redirect) {
        (true, true) => "redirect",
        (true, false) => "noredirect",
        (false, _) => "nohttps",
    }
}

const fn policy(policy: TlsPolicy) -> &'static str {
    match policy {
        TlsPolicy::Modern => "Mozilla-Modern",
        TlsPolicy::Intermediate => "Mozilla-Intermediate",
    }
}

/// The value of `Strict-Transport-Security`.
pub fn remembered(Hsts { max_age, subdomains, preload }: Hsts) -> String {
    let subdomains = if subdomains { "; includeSubDomains" } else { "" };
    let preload = if preload { "; preload" } else { "" };
    format!("max-age={max_age}{subdomains}{preload}")
}

#[cfg(test)]
mod tests {
    use super::*;
    /// What the route of a stored manifest's service says.
    fn said(proxy: &str, tls: &str) -> String {
        let text = format!(r#"{{"services": {{"web": {{"image": "a:1", "proxy": {proxy}, "tls": {tls}}}}}}}"#);
        let (manifest, none) = (serde_json::from_str(&text).unwrap(), BTreeMap::new());
        let (environment, app) = ("test".parse().unwrap(), "web".parse().unwrap());
        let desired = crate::desired::resolve_stored(&environment, &app, &manifest, &none).unwrap();
        let route = desired.services.values().next().and_then(|service| service.route.clone()).unwrap();
        let words = words(&SiteName::of(&desired), &route, Some("ops@example.com"));
        assert!(words.keys().all(|word| READ.contains(&word.as_str())), "{words:?}");
        words.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_route_is_said_in_the_words_of_the_contract() {
        for (proxy, tls, wanted) in [
            (
                r#"{"hosts": ["a.example.com", "b.example.com"], "port": 8080}"#,
                "{}",
                "ENABLE_HTTP_ON_MISSING_CERT=false HSTS=max-age=31536000 HTTPS_METHOD=redirect \
                 LETSENCRYPT_EMAIL=ops@example.com LETSENCRYPT_HOST=a.example.com,b.example.com \
                 SSL_POLICY=Mozilla-Intermediate VIRTUAL_HOST=a.example.com,b.example.com VIRTUAL_PORT=8080",
            ),
            (
                r#"{"hosts": ["a.example.com"], "path": "/api"}"#,
                r#"{"mode": "off"}"#,
                "HTTPS_METHOD=nohttps VIRTUAL_HOST=a.example.com VIRTUAL_PATH=/api/",
            ),
            (
                r#"{"hosts": ["a.example.com"], "path": "/api/", "strip_path": true, "backend": "https"}"#,
                r#"{"mode": "upstream"}"#,
                "HTTPS_METHOD=nohttps VIRTUAL_DEST=/ VIRTUAL_HOST=a.example.com VIRTUAL_PATH=/api/ \
                 VIRTUAL_PROTO=https",
            ),
            (
                r#"{"hosts": ["a.example.com"], "allow_from": "internal"}"#,
                r#"{"mode": "internal", "redirect": false, "policy": "modern"}"#,
                "CERT_NAME=reconcile-0000000000000000 HSTS=off HTTPS_METHOD=noredirect NETWORK_ACCESS=internal \
                 SSL_POLICY=Mozilla-Modern VIRTUAL_HOST=a.example.com",
            ),
            (
                r#"{"hosts": ["a.example.com"], "allow_from": ["internal", "203.0.113.0/24"]}"#,
                r#"{"mode": "files", "cert_file": "/a", "key_file": "/b", "hsts": {"max_age": 63072000, "subdomains": true, "preload": true}}"#,
                "CERT_NAME=reconcile-0000000000000000 ENABLE_HTTP_ON_MISSING_CERT=false \
                 HSTS=max-age=63072000; includeSubDomains; preload HTTPS_METHOD=redirect \
                 SSL_POLICY=Mozilla-Intermediate VIRTUAL_HOST=a.example.com",
            ),
        ] {
            let said = said(proxy, tls);
            let name = said.split(' ').find_map(|word| word.strip_prefix("CERT_NAME=reconcile-")).map(str::to_owned);
            let said = name.map_or(said.clone(), |name| said.replace(&name, "0000000000000000"));
            assert_eq!(said, wanted, "{proxy} {tls}");
        }
    }

    #[test]
    fn nothing_of_what_is_said_could_be_read_as_configuration() {
        let said = said(
            r#"{"hosts": ["*.a.example.com"], "path": "/a-b_c.d", "headers": {"X-A": "it; said"}, "rate_limit": {"rate": "1/s"}}"#,
            r#"{"mode": "internal"}"#,
        );
        let odd = |letter: &char| !(letter.is_ascii_alphanumeric() || " ,.=/*_-@".contains(*letter));
        assert_eq!(said.chars().find(odd), None, "{said}");
    }
}
