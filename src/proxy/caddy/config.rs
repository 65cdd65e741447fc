//! What the apps of Caddy's configuration are to be, from what they are: all of an app's routes at once, so that they
//! are served whole or not at all.

use super::{
    Account, Settings, place,
    route::{self, Door},
    secured,
};
use crate::{
    proxy::{Site, SiteName},
    value::ServiceName,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The server that we make for plain HTTP where there is none.
const PLAIN: &str = "reconcile";
/// Its `@id`.
const PLAIN_ID: &str = "reconcile_plain";

/// The users of each service that asks for some.
pub type Users = BTreeMap<ServiceName, Vec<Account>>;

/// Why the routes cannot be told.
#[derive(Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// There is no server of the name that the host file says.
    NoServer,
    /// A route of somebody else's answers for this host: ours would stand before it.
    Taken(String),
}

/// The apps as they should be. What is as it should be comes back as it is.
///
/// # Errors
/// There is no server for the routes, or one of their hosts is somebody else's.
pub fn settled(
    apps: &Value,
    settings: &Settings,
    name: &SiteName,
    site: &Site,
    users: &Users,
) -> Result<Value, Obstacle> {
    let servers = &apps["http"]["servers"];
    let Some(server) = servers.get(&settings.server).filter(|server| server.is_object()) else {
        return if site.routes.is_empty() { Ok(apps.clone()) } else { Err(Obstacle::NoServer) };
    };
    if let Some(host) = taken(servers, site) {
        return Err(Obstacle::Taken(host));
    }
    let shared = listens(server, settings.http);
    let plain = if shared { settings.server.clone() } else { plain(servers, settings) };
    let mut after = apps.clone();
    let at = |door: Door| {
        let behind = site.routes.iter().filter(move |(_, served)| route::doors(&served.route, shared).contains(&door));
        behind.flat_map(move |(service, served)| {
            let users = users.get(service).map(Vec::as_slice).unwrap_or_default();
            route::of(name, service, served, users, door)
        })
    };
    let mut doors: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    doors.entry(&settings.server).or_default().extend(at(Door::Secured).chain(at(Door::Both)));
    doors.entry(&plain).or_default().extend(at(Door::Plain));
    for (server, wanted) in doors {
        if !wanted.is_empty() && servers.get(server).is_none() {
            after["http"]["servers"][server] = json!({"@id": PLAIN_ID, "listen": [format!(":{}", settings.http)]});
        }
        let path = ["http", "servers", server, "routes"];
        let mut routes = place::list(&after, &path);
        place::arrange(&mut routes, name, wanted, route::rank);
        let is_idle = routes.is_empty() && after["http"]["servers"][server]["@id"] == PLAIN_ID;
        place::put(&mut after, &path, routes);
        if is_idle {
            place::remove(&mut after, &["http", "servers", server]);
        }
    }
    secured::settle(&mut after, &settings.server, name, site);
    Ok(after)
}

/// The server for plain HTTP: whoever has the port, else one of ours.
fn plain(servers: &Value, settings: &Settings) -> String {
    let all = servers.as_object().into_iter().flatten();
    let mut listening = all.filter(|(_, server)| listens(server, settings.http));
    listening.next().map_or_else(|| PLAIN.to_owned(), |(server, _)| server.clone())
}

/// Whether a server has a port: `:80`, `tcp/0.0.0.0:80`, `:8000-8010` is none that anybody says of it.
fn listens(server: &Value, port: u16) -> bool {
    let port = format!(":{port}");
    let mut addresses = server["listen"].as_array().into_iter().flatten().filter_map(Value::as_str);
    addresses.any(|address| address.ends_with(&port))
}

/// A host of the routes for which somebody else's route answers.
fn taken(servers: &Value, site: &Site) -> Option<String> {
    let servers = servers.as_object().into_iter().flatten();
    let routes = servers.filter_map(|(_, server)| server["routes"].as_array()).flatten();
    let matched = routes.filter(|route| !place::is_ours(route)).filter_map(|route| route["match"].as_array()).flatten();
    let theirs = matched.filter_map(|matched| matched["host"].as_array()).flatten().filter_map(Value::as_str);
    let theirs: BTreeSet<String> = theirs.map(str::to_lowercase).collect();
    let ours = site.routes.values().flat_map(|served| served.route.names());
    ours.map(str::to_owned).find(|host| theirs.contains(host))
}

/// What the configuration has of an app: what each of its routes says that it is made of, and whether one says nothing.
pub fn read(apps: &Value, name: &SiteName) -> Option<(Site, bool)> {
    let servers = apps["http"]["servers"].as_object().into_iter().flatten();
    let routes = servers.filter_map(|(_, server)| server["routes"].as_array()).flatten();
    let (mut site, mut is_there, mut mute) = (Site::default(), false, false);
    for object in routes.filter(|object| place::is_of(name, object)) {
        is_there = true;
        match route::read(object) {
            Some((service, served)) => drop(site.routes.insert(service, served)),
            None => mute = true,
        }
    }
    is_there.then_some((site, mute))
}
