//! How a route is secured: certificates that nobody can have, promises that would not be kept.

use super::findings::Findings;
use crate::{
    manifest::{HstsChoice, Mode, Proxy, Service, tls::YEAR},
    value::ServiceName,
};

pub(super) fn service(name: &ServiceName, service: &Service, proxy: &Proxy, findings: &mut Findings<'_>) {
    let tls = service.tls.clone().unwrap_or_default();
    let at = |field| ["services", name.as_str(), "tls", field];
    wildcards(name, tls.mode, proxy, findings);
    let mode = tls.mode.word();
    for (field, file) in [("cert_file", &tls.cert_file), ("key_file", &tls.key_file)] {
        match (tls.mode, file) {
            (Mode::Files, None) => {
                let hint = format!("write `{field}: /etc/ssl/…`, a file of the host");
                findings.advise(&["services", name.as_str(), "tls"], format!("`files` wants a `{field}`"), hint);
            }
            (Mode::Acme | Mode::Internal | Mode::Upstream | Mode::Off, Some(_)) => {
                let hint = format!("write `mode: files`, or remove `{field}`");
                findings.advise(&at(field), format!("`{field}` has no effect with `mode: {mode}`"), hint);
            }
            (Mode::Files, Some(_)) | (Mode::Acme | Mode::Internal | Mode::Upstream | Mode::Off, None) => {}
        }
    }
    if !tls.mode.is_secured() {
        let who = match tls.mode {
            Mode::Upstream => "the proxy in front of this one redirects",
            Mode::Off | Mode::Acme | Mode::Internal | Mode::Files => "there is nowhere to redirect to",
        };
        if tls.redirect == Some(true) {
            findings.advise(&at("redirect"), format!("with `mode: {mode}` {who}"), "remove `redirect`");
        }
    }
    let Some(HstsChoice::On(hsts)) = tls.hsts else { return };
    if !tls.mode.is_secured() {
        let message = format!("with `mode: {mode}` no browser would believe `hsts`: it is for HTTPS alone");
        findings.advise(&at("hsts"), message, "remove `hsts`");
    } else if !tls.redirects() {
        let message = "browsers that are told `hsts` never ask over plain HTTP, which `redirect: false` keeps";
        findings.advise(&at("hsts"), message, "remove `redirect: false`, or `hsts`");
    }
    if hsts.preload && (!hsts.subdomains || hsts.max_age < YEAR) {
        let path = ["services", name.as_str(), "tls", "hsts", "preload"];
        let message = "browsers take nobody into their lists without `subdomains` and a year";
        findings.advise(&path, message, format!("write `{{max_age: {YEAR}, subdomains: true, preload: true}}`"));
    }
}

/// An authority asks one host, over HTTP, for a proof; a wildcard is no host that could be asked.
fn wildcards(name: &ServiceName, mode: Mode, proxy: &Proxy, findings: &mut Findings<'_>) {
    if mode != Mode::Acme {
        return;
    }
    for (field, hosts) in [("hosts", &proxy.hosts), ("redirect_from", &proxy.redirect_from)] {
        for (index, host) in hosts.iter().enumerate().filter(|(_, host)| host.is_wildcard()) {
            let path = ["services", name.as_str(), "proxy", field, &index.to_string()];
            findings.advise(
                &path,
                format!("with `tls.mode: acme` (HTTP-01) no authority gives a certificate for `{host}`"),
                "name each host, or write `tls: {mode: files, cert_file: …, key_file: …}` or `tls: {mode: internal}`",
            );
        }
    }
}
