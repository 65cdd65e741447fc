//! The file of an app: a first line that says what it is made of, and what follows from it.
//!
//! So what was installed can be read back, and what somebody changed by hand is seen.

use super::Settings;
use crate::{
    proxy::{Served, Site, SiteName},
    value::ServiceName,
};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

mod location;
mod server;

/// What differs between releases and hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// `http2 on;` instead of a word of `listen`.
    pub http2_directive: bool,
    /// The host has IPv6.
    pub ipv6: bool,
    /// The ports on which it listens, where it is; in a container they may be others than those of the host.
    pub http: u16,
    pub https: u16,
}

/// The path at which a file answers with its digest.
pub const GENERATION: &str = "/generation";

/// What the line with the routes begins with.
const MODEL: &str = "# reconcile ";

/// The name that a file answers to with its digest. No name below `invalid` is anybody's (RFC 6761).
pub fn own_name(name: &SiteName) -> String {
    format!("{}.reconcile.invalid", digest(&name.to_string(), 12))
}

/// The file of an app, beside those of all `sites`: these as nginx sees them, where that is not as this host does.
pub fn file(
    name: &SiteName,
    site: &Site,
    sites: &BTreeMap<SiteName, Site>,
    settings: &Settings,
    dialect: Dialect,
) -> String {
    let model = serde_json::to_string(site).unwrap_or_default();
    let mut text =
        format!("{MODEL}{model}\n# The routes of `{name}`, made by reconcile: what is changed here is put right.\n");
    for (service, served) in &site.routes {
        context(&mut text, &Id::of(name, service), served);
    }
    for host in hosts(site) {
        let parts = parts(host, sites);
        if let Some(elsewhere) = parts.iter().map(|part| part.site).min().filter(|first| *first != name) {
            let _ = writeln!(text, "\n# What `{host}` answers is in the file of `{elsewhere}`.");
            continue;
        }
        server::servers(&mut text, host, &parts, settings, dialect);
    }
    for (host, served) in redirects(sites.get(name).unwrap_or(site)) {
        server::redirects(&mut text, &host, served, settings, dialect);
    }
    let whole = digest(&text, 64);
    server::generation(&mut text, &own_name(name), &whole, dialect);
    text
}

/// What a file says that it was made of.
pub fn site(file: &str) -> Option<Site> {
    serde_json::from_str(file.lines().next()?.strip_prefix(MODEL)?).ok()
}

/// The digest that a file answers with.
pub fn generation(file: &str) -> Option<&str> {
    let (_, rest) = file.rsplit_once("return 200 \"")?;
    rest.split('"').next().filter(|text| is_generation(text))
}

/// True for what can be such a digest.
pub fn is_generation(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn digest(text: &str, digits: usize) -> String {
    let whole: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    whole.get(..digits).unwrap_or(&whole).to_owned()
}

/// What a route's variables and zones are called: names of manifests may hold what a variable may not.
struct Id(String);

impl Id {
    fn of(name: &SiteName, service: &ServiceName) -> Self {
        Self(format!("reconcile_{}", digest(&format!("{name}/{service}"), 12)))
    }
}

/// A route at one host.
struct Part<'a> {
    site: &'a SiteName,
    id: Id,
    served: &'a Served,
}

/// The hosts that an app answers at.
fn hosts(site: &Site) -> BTreeSet<&str> {
    site.routes.values().flat_map(|served| served.route.hosts.iter().map(String::as_str)).collect()
}

/// What all apps answer at a host, the longest path first.
fn parts<'a>(host: &str, sites: &'a BTreeMap<SiteName, Site>) -> Vec<Part<'a>> {
    let routes = sites.iter().flat_map(|(name, site)| site.routes.iter().map(move |route| (name, route)));
    let here = routes.filter(|(_, (_, served))| served.route.hosts.iter().any(|it| it == host));
    let mut parts: Vec<Part<'a>> =
        here.map(|(site, (service, served))| Part { site, id: Id::of(site, service), served }).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.served.route.path.len()));
    parts
}

/// Hosts that only redirect; one that is a route's own is none.
fn redirects(site: &Site) -> BTreeMap<String, &Served> {
    let own: BTreeSet<&String> = site.routes.values().flat_map(|served| &served.route.hosts).collect();
    let all = site.routes.values().flat_map(|served| served.route.redirect_from.iter().map(move |host| (host, served)));
    all.filter(|(host, _)| !own.contains(host)).map(|(host, served)| (host.clone(), served)).collect()
}

/// What stands beside the servers: where it leads, and what is counted.
fn context(text: &mut String, Id(id): &Id, served: &Served) {
    let route = &served.route;
    let _ = writeln!(text, "\nupstream {id} {{\n    server {};\n    keepalive 16;\n}}", served.address);
    let _ = writeln!(text, "map $http_upgrade ${id}_connection {{\n    default upgrade;\n    '' '';\n}}");
    if let Some(limit) = &route.rate_limit {
        let _ = writeln!(text, "map $uri ${id}_counted {{\n    default $binary_remote_addr;");
        for path in &limit.exempt {
            let _ = writeln!(text, "    {} '';", quoted(path));
        }
        let per = match limit.per {
            crate::desired::route::Period::Second => "s",
            crate::desired::route::Period::Minute => "m",
        };
        let _ = writeln!(text, "}}\nlimit_req_zone ${id}_counted zone={id}_rate:1m rate={}r/{per};", limit.requests);
    }
}

/// A value in quotes. What cannot be written in them at all (`$`, line ends) no manifest can say.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
