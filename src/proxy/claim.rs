//! What a container says to proxies that watch the engine: which hosts it would answer at.

use crate::yaml::{self, Key, Node, Value};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

/// A host with the path below which somebody would answer at it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    pub host: String,
    pub path: String,
}

impl Claim {
    fn new(host: &str, path: &str) -> Option<Self> {
        let host = host.trim().to_lowercase();
        let path = if path.is_empty() { "/" } else { path };
        (!host.is_empty()).then(|| Self { host, path: path.to_owned() })
    }
}

/// What variables say to nginx-proxy (`VIRTUAL_HOST` with `VIRTUAL_PATH`, or `VIRTUAL_HOST_MULTIPORTS` in their place).
#[must_use]
pub fn of_variables(env: &BTreeMap<String, String>) -> BTreeSet<Claim> {
    let tree = env.get("VIRTUAL_HOST_MULTIPORTS").and_then(|text| yaml::parse("VIRTUAL_HOST_MULTIPORTS", text).ok());
    if let Some(tree) = tree {
        let claims = entries(&tree).iter().flat_map(|(host, below)| {
            let paths = entries(below).iter().map(|(path, _)| path.text.as_str()).filter(|path| path.starts_with('/'));
            let paths: Vec<&str> = paths.collect();
            // Without a path, what is below a host are the words of its only one.
            let paths = if paths.is_empty() { vec!["/"] } else { paths };
            paths.into_iter().filter_map(|path| Claim::new(&host.text, path)).collect::<Vec<_>>()
        });
        return claims.collect();
    }
    let path = env.get("VIRTUAL_PATH").map_or("/", String::as_str);
    let hosts = env.get("VIRTUAL_HOST").map_or("", String::as_str).split(',');
    hosts.filter_map(|host| Claim::new(host, path)).collect()
}

fn entries(node: &Node) -> &[(Key, Node)] {
    match &node.value {
        Value::Mapping(entries) => entries,
        Value::Null | Value::Scalar { .. } | Value::Sequence(_) => &[],
    }
}

/// What labels say to Traefik: the hosts and paths of every router's rule.
#[must_use]
pub fn of_labels(labels: &BTreeMap<String, String>) -> BTreeSet<Claim> {
    let is_rule = |key: &str| key.starts_with("traefik.http.routers.") && key.ends_with(".rule");
    let rules = labels.iter().filter(|(key, _)| is_rule(&key.to_lowercase())).map(|(_, rule)| rule);
    rules.flat_map(|rule| of_rule(rule)).collect()
}

fn of_rule(rule: &str) -> Vec<Claim> {
    let quoted = |function: &str| -> Vec<String> {
        let pattern = format!(r#"\b{function}\(([^)]*)\)"#);
        let (Ok(calls), Ok(words)) = (Regex::new(&pattern), Regex::new(r#"[`"']([^`"']+)[`"']"#)) else {
            return Vec::new();
        };
        let inside = calls.captures_iter(rule).filter_map(|call| Some(call.get(1)?.as_str()));
        inside
            .flat_map(|text| words.captures_iter(text))
            .filter_map(|word| Some(word.get(1)?.as_str().to_owned()))
            .collect()
    };
    let path = quoted("PathPrefix").into_iter().chain(quoted("Path")).next().unwrap_or_default();
    let path = path.trim_end_matches('/');
    quoted("Host").iter().filter_map(|host| Claim::new(host, path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(claims: BTreeSet<Claim>) -> Vec<String> {
        claims.into_iter().map(|claim| format!("{}{}", claim.host, claim.path)).collect()
    }

    fn map<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn variables_claim_each_host_of_a_list_below_one_path() {
        let env = map([("VIRTUAL_HOST", "A.example.com, b.example.com"), ("VIRTUAL_PATH", "/api"), ("OTHER", "c")]);
        assert_eq!(told(of_variables(&env)), ["a.example.com/api", "b.example.com/api"]);
        assert_eq!(told(of_variables(&map([("VIRTUAL_HOST", "a.example.com")]))), ["a.example.com/"]);
        assert_eq!(told(of_variables(&map([("VIRTUAL_PORT", "80")]))), [""; 0]);
    }

    #[test]
    fn a_tree_of_hosts_and_paths_takes_the_place_of_the_list() {
        let tree = "a.example.com:\n  /:\n    port: 80\n  /api:\n    port: 81\nb.example.com:\n";
        let env = map([("VIRTUAL_HOST", "c.example.com"), ("VIRTUAL_HOST_MULTIPORTS", tree)]);
        assert_eq!(told(of_variables(&env)), ["a.example.com/", "a.example.com/api", "b.example.com/"]);
    }

    #[test]
    fn labels_claim_the_hosts_of_every_rule() {
        let labels = map([
            ("traefik.http.routers.one.rule", "Host(`a.example.com`, `b.example.com`) && PathPrefix(`/api/`)"),
            ("Traefik.HTTP.Routers.two.Rule", "Host(\"c.example.com\") || Host('d.example.com')"),
            ("traefik.http.routers.three.middlewares", "Host(`no.example.com`)"),
            ("traefik.http.routers.four.rule", "HostRegexp(`.*`)"),
        ]);
        let expected = ["a.example.com/api", "b.example.com/api", "c.example.com/", "d.example.com/"];
        assert_eq!(told(of_labels(&labels)), expected);
    }
}
