//! Who issues certificates, which files are shown, and which versions of TLS are offered: what Caddy is told beside its
//! own ways, host by host.

use super::place;
use crate::{
    desired::route::{TlsMode, TlsPolicy},
    proxy::{Served, Site, SiteName},
    value::ServiceName,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ISSUERS: [&str; 3] = ["tls", "automation", "policies"];
const FILES: [&str; 3] = ["tls", "certificates", "load_files"];

/// The policy for all other hosts, which a server has by itself where it has no other.
const OTHERS: &str = "reconcile_others";

/// Puts what is wanted for an app in the place of what there is.
pub fn settle(apps: &mut Value, server: &str, name: &SiteName, site: &Site) {
    let mut issuers = place::list(apps, &ISSUERS);
    let wanted = issued(name, site, &issuers);
    place::arrange(&mut issuers, name, wanted, rank);
    place::put(apps, &ISSUERS, issuers);

    let mut files = place::list(apps, &FILES);
    place::arrange(
        &mut files,
        name,
        site.routes.iter().filter_map(|(it, served)| shown(name, it, served)).collect(),
        rank,
    );
    place::put(apps, &FILES, files);

    let path = ["http", "servers", server, "tls_connection_policies"];
    let mut offers = place::list(apps, &path);
    offers.retain(|policy| policy["@id"] != OTHERS);
    let wanted = site.routes.iter().flat_map(|(service, served)| offered(name, service, served));
    place::arrange(&mut offers, name, wanted.collect(), |policy| {
        (policy["match"]["sni"][0].as_str().is_some_and(|host| host.starts_with("*.")), rank(policy))
    });
    if !offers.is_empty() && offers.iter().all(place::is_ours) {
        offers.push(json!({"@id": OTHERS}));
    }
    place::put(apps, &path, offers);
}

fn rank(object: &Value) -> String {
    object["@id"].as_str().unwrap_or_default().to_owned()
}

/// Who issues for hosts that are not everybody's business: Caddy's own authority. A host has one policy, so what another
/// app of ours has of the same host stands for both.
fn issued(name: &SiteName, site: &Site, there: &[Value]) -> Vec<Value> {
    let others = there.iter().filter(|policy| place::is_ours(policy) && !place::is_of(name, policy));
    let others = others.filter_map(|policy| policy["subjects"].as_array()).flatten().filter_map(Value::as_str);
    let mut taken: BTreeSet<String> = others.map(str::to_owned).collect();
    let mut policies = Vec::new();
    for (service, served) in &site.routes {
        match served.route.tls.mode {
            TlsMode::Internal => {}
            TlsMode::Acme | TlsMode::Files { .. } | TlsMode::Upstream | TlsMode::Off => continue,
        }
        let names = served.route.names().into_iter().map(str::to_owned);
        let subjects: Vec<String> = names.filter(|host| taken.insert(host.clone())).collect();
        if !subjects.is_empty() {
            let id = format!("{}.issuer", place::id(name, service));
            policies.push(json!({"@id": id, "subjects": subjects, "issuers": [{"module": "internal"}]}));
        }
    }
    policies
}

/// The files that are shown. Caddy reads them when it is told of them: with others in them it is told anew.
fn shown(name: &SiteName, service: &ServiceName, served: &Served) -> Option<Value> {
    let files = served.certificate.as_ref()?;
    let id = format!("{}.files", place::id(name, service));
    Some(json!({"@id": id, "certificate": files.chain, "key": files.key, "tags": [&id]}))
}

/// What is offered to clients, where it is not what Caddy offers by itself (TLS 1.2 and 1.3, ciphers with forward
/// secrecy). A pattern is met after the names that it would fit.
fn offered(name: &SiteName, service: &ServiceName, served: &Served) -> Vec<Value> {
    let (route, id) = (&served.route, place::id(name, service));
    let modern = route.tls.policy == TlsPolicy::Modern && route.tls.mode.is_secured();
    if !modern && served.certificate.is_none() {
        return Vec::new();
    }
    let (any, one): (Vec<&str>, Vec<&str>) = route.names().into_iter().partition(|host| host.starts_with("*."));
    let kinds = [(one, ""), (any, ".any")].into_iter().filter(|(hosts, _)| !hosts.is_empty());
    kinds
        .map(|(hosts, kind)| {
            let mut policy = json!({"@id": format!("{id}.offer{kind}"), "match": {"sni": hosts}});
            if served.certificate.is_some() {
                policy["certificate_selection"] = json!({"any_tag": [format!("{id}.files")]});
            }
            if modern {
                policy["protocol_min"] = json!("tls1.3");
            }
            policy
        })
        .collect()
}
