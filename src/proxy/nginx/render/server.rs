//! The servers of a host: plain, secured, redirecting, and the one that tells which file is served.

use super::{Dialect, Part, Settings, location, quoted};
use crate::{
    desired::route::{TlsMode, TlsPolicy},
    proxy::{Served, site::CertificateFiles},
};
use std::fmt::Write;

/// Mozilla's intermediate list, less what needs parameters for Diffie-Hellman.
const CIPHERS: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:\
ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// How a server is reached.
#[derive(Clone, Copy)]
enum Door<'a> {
    Plain,
    Secured(&'a CertificateFiles, TlsPolicy),
}

/// The servers of one host with all that answers there.
pub fn servers(text: &mut String, host: &str, parts: &[Part<'_>], settings: &Settings, dialect: Dialect) {
    let Some(first) = parts.first() else { return };
    let tls = &first.served.route.tls;
    let certificate = parts.iter().find_map(|part| part.served.certificate.as_ref());
    begin(text, host, Door::Plain, settings, dialect);
    challenge(text, parts.iter().find_map(|part| part.served.thumbprint.as_deref()));
    if tls.mode.is_secured() && tls.redirect {
        let _ = writeln!(
            text,
            "    location / {{\n        return 301 https://$host{}$request_uri;\n    }}",
            port(settings)
        );
    } else {
        location::all(text, parts, false);
    }
    text.push_str("}\n");
    let Some(certificate) = certificate.filter(|_| tls.mode.is_secured()) else { return };
    begin(text, host, Door::Secured(certificate, tls.policy), settings, dialect);
    location::all(text, parts, true);
    text.push_str("}\n");
}

/// The servers of a host that only redirects.
pub fn redirects(text: &mut String, host: &str, served: &Served, settings: &Settings, dialect: Dialect) {
    let tls = &served.route.tls;
    let Some(to) = served.route.hosts.first() else { return };
    let secured = tls.mode.is_secured();
    let scheme = if secured || tls.mode == TlsMode::Upstream { "https" } else { "http" };
    let port = if secured { port(settings) } else { String::new() };
    let answer = format!("    location / {{\n        return 308 {scheme}://{to}{port}$request_uri;\n    }}\n}}\n");
    begin(text, host, Door::Plain, settings, dialect);
    challenge(text, served.thumbprint.as_deref());
    text.push_str(&answer);
    if let Some(certificate) = served.certificate.as_ref().filter(|_| secured) {
        begin(text, host, Door::Secured(certificate, tls.policy), settings, dialect);
        text.push_str(&answer);
    }
}

/// The server that tells which file is served.
pub fn generation(text: &mut String, own_name: &str, digest: &str, dialect: Dialect) {
    text.push_str("\nserver {\n");
    listen(text, dialect.http, "", dialect);
    let _ = writeln!(text, "    server_name {own_name};\n    access_log off;");
    let _ = writeln!(
        text,
        "    location = {} {{\n        default_type text/plain;\n        return 200 \"{digest}\";\n    }}",
        super::GENERATION
    );
    text.push_str("    location / {\n        return 404;\n    }\n}\n");
}

fn begin(text: &mut String, host: &str, door: Door<'_>, settings: &Settings, dialect: Dialect) {
    text.push_str("\nserver {\n");
    match door {
        Door::Plain => listen(text, dialect.http, "", dialect),
        Door::Secured(certificate, policy) => {
            listen(text, dialect.https, if dialect.http2_directive { " ssl" } else { " ssl http2" }, dialect);
            if dialect.http2_directive {
                text.push_str("    http2 on;\n");
            }
            secured(text, certificate, policy);
        }
    }
    let _ = writeln!(text, "    server_name {host};\n    server_tokens off;");
    // Without it, the first server of a port answers for hosts that are nobody's.
    let _ = writeln!(text, "    if ($host !~ \"{}\") {{\n        return 404;\n    }}", pattern(host));
    if !settings.trusted_proxies.is_empty() {
        for network in &settings.trusted_proxies {
            let _ = writeln!(text, "    set_real_ip_from {network};");
        }
        text.push_str("    real_ip_header X-Forwarded-For;\n    real_ip_recursive on;\n");
    }
}

fn secured(text: &mut String, certificate: &CertificateFiles, policy: TlsPolicy) {
    let (chain, key) = (certificate.chain.to_string_lossy(), certificate.key.to_string_lossy());
    let _ = writeln!(text, "    ssl_certificate {};\n    ssl_certificate_key {};", quoted(&chain), quoted(&key));
    match policy {
        TlsPolicy::Modern => text.push_str("    ssl_protocols TLSv1.3;\n"),
        TlsPolicy::Intermediate => {
            let _ = writeln!(text, "    ssl_protocols TLSv1.2 TLSv1.3;\n    ssl_ciphers {CIPHERS};");
        }
    }
    text.push_str("    ssl_prefer_server_ciphers off;\n    ssl_session_cache shared:reconcile:10m;\n");
    text.push_str("    ssl_session_timeout 1d;\n    ssl_session_tickets off;\n");
}

/// Proves to an authority that the name is this host's, for the account of this host and no other: the answer to every
/// token is the token and the account's thumbprint (RFC 8555 §8.3), so nothing is written for an order.
fn challenge(text: &mut String, thumbprint: Option<&str>) {
    if let Some(thumbprint) = thumbprint {
        text.push_str("    location ~ \"^/\\.well-known/acme-challenge/([A-Za-z0-9_-]+)$\" {\n");
        let _ = writeln!(text, "        default_type text/plain;\n        return 200 \"$1.{thumbprint}\";\n    }}");
    }
}

fn listen(text: &mut String, port: u16, words: &str, dialect: Dialect) {
    let _ = writeln!(text, "    listen {port}{words};");
    if dialect.ipv6 {
        let _ = writeln!(text, "    listen [::]:{port}{words};");
    }
}

/// `:8443`, where it is not the usual port.
fn port(settings: &Settings) -> String {
    if settings.https == 443 { String::new() } else { format!(":{}", settings.https) }
}

/// The names that a host stands for.
fn pattern(host: &str) -> String {
    let escaped = |name: &str| name.replace('.', "\\.");
    match host.strip_prefix("*.") {
        Some(parent) => format!("^[^.]+\\.{}$", escaped(parent)),
        None => format!("^{}$", escaped(host)),
    }
}
