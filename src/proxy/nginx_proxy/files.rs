//! The files that nginx-proxy includes for the routes of an app.
//!
//! Everything stands in the file of a location. One that says a header inherits none of its server's, so the
//! `Strict-Transport-Security` that the template says is said again here, and a client sees it once (research, proxy §1).

use super::words;
use crate::{
    desired::route::{Period, Route, TlsMode},
    proxy::{Served, Site, SiteName},
};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, fmt::Write};

/// What the path ends with at which a location answers with the digest of what was written.
pub const GENERATION: &str = ".reconcile-generation";

/// What a location answers with until all of it is served.
pub const PENDING: &str = "pending";

/// The texts of an app's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// By their names in `vhost.d`.
    pub locations: BTreeMap<String, String>,
    /// What is counted, for the `http` block; none where nothing is.
    pub counted: Option<String>,
    /// What every location answers with.
    pub generation: String,
}

/// The first line of each file of an app, by which it is known.
pub fn mark(site: &SiteName) -> String {
    format!("# reconcile {site}: made by reconcile, what is changed here is put right\n")
}

/// True for a file that the tool made, whoever's it is.
pub fn is_ours(text: &str) -> bool {
    text.starts_with("# reconcile ")
}

/// The files of an app.
pub fn files(name: &SiteName, site: &Site) -> Files {
    let model = serde_json::to_string(site).unwrap_or_default();
    let generation = hex(&Sha256::digest(format!("{name} {model}")));
    let mut files = Files { generation, ..Files::default() };
    let mut counted = String::new();
    for (service, served) in &site.routes {
        let zone = format!("reconcile_{}", &hex(&Sha256::digest(format!("{name}/{service}")))[..12]);
        count(&mut counted, &zone, &served.route);
        for host in &served.route.hosts {
            let (file, text) = (location_file(host, &served.route), location(name, &zone, served));
            files.locations.insert(file, text);
        }
    }
    files.counted = (!counted.is_empty()).then(|| mark(name) + &counted);
    files
}

impl Files {
    /// The text of a location that answers with `generation`.
    pub fn location(text: &str, generation: &str) -> String {
        text.replace(HERE, generation)
    }

    /// The locations as they are when all of it is served.
    pub fn final_locations(&self) -> BTreeMap<String, String> {
        let text = |text: &String| Self::location(text, &self.generation);
        self.locations.iter().map(|(file, it)| (file.clone(), text(it))).collect()
    }
}

/// Where the digest goes. No value of a route has a control character.
const HERE: &str = "\u{1}";

/// What the file of a route's location at a host is called: the contract hashes paths. `/` is hashed too: a file that is
/// called by the host alone counts for every path that has none of its own, those of others too.
pub fn location_file(host: &str, route: &Route) -> String {
    format!("{}_location", users_file(host, route))
}

/// What the file of those who may ask is called.
pub fn users_file(host: &str, route: &Route) -> String {
    format!("{host}_{}", hex(&Sha1::digest(words::path(route))))
}

/// The path at which a route's location answers with its digest.
pub fn generation_path(route: &Route) -> String {
    format!("{}{GENERATION}", words::path(route))
}

/// The digest that a location answers with.
pub fn generation(text: &str) -> Option<&str> {
    let (_, rest) = text.rsplit_once("return 200 \"")?;
    rest.split('"').next()
}

fn location(name: &SiteName, zone: &str, served: &Served) -> String {
    let route = &served.route;
    let mut text = mark(name);
    let _ = writeln!(text, "client_max_body_size {};", route.max_body);
    let _ = writeln!(text, "proxy_connect_timeout {}ms;", route.connect_timeout.as_millis());
    let _ = writeln!(text, "proxy_read_timeout {0}ms;\nproxy_send_timeout {0}ms;", route.read_timeout.as_millis());
    if let Some(limit) = &route.rate_limit {
        let burst = if limit.burst == 0 { String::new() } else { format!(" burst={} nodelay", limit.burst) };
        let _ = writeln!(text, "limit_req zone={zone}_rate{burst};\nlimit_req_status 429;");
    }
    for network in &route.allow_from {
        let _ = writeln!(text, "allow {network};");
    }
    if !route.allow_from.is_empty() {
        text.push_str("deny all;\n");
    }
    let is_secured = route.tls.mode.is_secured() || route.tls.mode == TlsMode::Upstream;
    let hsts = route.tls.hsts.filter(|_| is_secured).map(|hsts| ("Strict-Transport-Security", words::remembered(hsts)));
    // What the service says of the same name is not passed on, so that a client sees each once.
    for (header, value) in route.headers.iter().map(|(name, value)| (name.as_str(), value.clone())).chain(hsts) {
        let _ = writeln!(text, "proxy_hide_header {header};\nadd_header {header} {} always;", quoted(&value));
    }
    // Answered before who asks, and how often, is looked at.
    let _ = writeln!(
        text,
        "location = {} {{\n    default_type text/plain;\n    return 200 \"{HERE}\";\n}}",
        quoted(&generation_path(route))
    );
    text
}

fn count(text: &mut String, zone: &str, route: &Route) {
    let Some(limit) = &route.rate_limit else { return };
    let _ = writeln!(text, "map $uri ${zone}_counted {{\n    default $binary_remote_addr;");
    for path in &limit.exempt {
        let _ = writeln!(text, "    {} '';", quoted(path));
    }
    let per = match limit.per {
        Period::Second => "s",
        Period::Minute => "m",
    };
    let _ = writeln!(text, "}}\nlimit_req_zone ${zone}_counted zone={zone}_rate:1m rate={}r/{per};", limit.requests);
}

/// A value in quotes. What cannot be written in them at all (`$`, line ends) no manifest can say.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
