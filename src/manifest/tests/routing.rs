//! What `proxy` and `tls` become, and that no text comes through them which a proxy would read for itself.

use super::{desired, files};
use crate::{
    desired::route::{Backend, Hsts, Period, RateLimit, Route, Tls, TlsMode, TlsPolicy},
    manifest::load,
};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

fn route(service: &str) -> Route {
    let text = format!("secrets: {{users: {{}}}}\nservices:\n  web:\n    image: bb:1\n{service}");
    desired(&text).services["web"].route.clone().expect(service)
}

fn owned<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

#[test]
fn a_host_and_a_port_are_enough() {
    let expected = Route {
        hosts: vec!["api.example.com".to_owned()],
        path: "/".to_owned(),
        strip_path: false,
        port: Some(8080),
        backend: Backend::Http,
        redirect_from: Vec::new(),
        max_body: 10 << 20,
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(60),
        headers: owned([
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
        ]),
        rate_limit: None,
        allow_from: BTreeSet::new(),
        basic_auth: None,
        drain: Duration::from_secs(10),
        tls: Tls {
            mode: TlsMode::Acme,
            redirect: true,
            hsts: Some(Hsts { max_age: 31_536_000, subdomains: false, preload: false }),
            policy: TlsPolicy::Intermediate,
        },
    };
    assert_eq!(route("    proxy: {hosts: [api.example.com], port: 8080}\n"), expected);
    // The only port that it offers, of those that HTTP can come to.
    assert_eq!(route("    expose: [8080, 53/udp]\n    proxy: {hosts: [api.example.com]}\n"), expected);
    assert_eq!(route("    proxy: {hosts: [api.example.com], port: 8080}\n    tls: {}\n"), expected);
}

#[test]
fn every_field_reaches_the_route() {
    let all = route(
        r#"
    rollout: {drain: 45s}
    proxy:
      hosts: [api.example.com, api.example.org]
      port: 8080
      path: /api
      strip_path: true
      backend: h2c
      redirect_from: [www.example.com]
      max_body: 0
      timeouts: {connect: 2s, read: 10m}
      security_headers: {X-Frame-Options: SAMEORIGIN}
      headers: {Cache-Control: no-store}
      rate_limit: {rate: 600/m, burst: 5, exempt: [/api/health]}
      allow_from: [internal, 203.0.113.7]
      basic_auth: {secret: users}
    tls: {mode: files, cert_file: /etc/ssl/a.pem, key_file: /etc/ssl/a.key, policy: modern, hsts: {max_age: 63072000, subdomains: true, preload: true}}
"#,
    );
    assert_eq!((all.path.as_str(), all.strip_path, all.backend), ("/api", true, Backend::H2c));
    assert_eq!(all.names(), BTreeSet::from(["api.example.com", "api.example.org", "www.example.com"]));
    assert_eq!(
        (all.max_body, all.connect_timeout, all.read_timeout),
        (0, Duration::from_secs(2), Duration::from_secs(600))
    );
    assert_eq!(all.headers, owned([("Cache-Control", "no-store"), ("X-Frame-Options", "SAMEORIGIN")]));
    let exempt = BTreeSet::from(["/api/health".to_owned()]);
    assert_eq!(all.rate_limit, Some(RateLimit { requests: 600, per: Period::Minute, burst: 5, exempt }));
    let networks: Vec<&str> = all.allow_from.iter().map(String::as_str).collect();
    let internal =
        ["10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "203.0.113.7/32", "::1/128", "fc00::/7"];
    assert_eq!(networks, internal);
    assert_eq!(all.basic_auth, Some("users".parse().unwrap()));
    assert_eq!(all.drain, Duration::from_secs(45));
    let mode = TlsMode::Files { certificate: "/etc/ssl/a.pem".to_owned(), key: "/etc/ssl/a.key".to_owned() };
    let hsts = Some(Hsts { max_age: 63_072_000, subdomains: true, preload: true });
    assert_eq!(all.tls, Tls { mode, redirect: true, hsts, policy: TlsPolicy::Modern });
}

#[test]
fn browsers_are_promised_https_only_where_it_is_kept() {
    let tls = |tls: &str| route(&format!("    proxy: {{hosts: [a.example.com], port: 80}}\n    tls: {tls}\n")).tls;
    let told = |text: &str| (tls(text).redirect, tls(text).hsts.is_some());
    assert_eq!(told("{mode: internal}"), (true, true));
    assert_eq!(told("{hsts: off}"), (true, false));
    assert_eq!(told("{redirect: false}"), (false, false));
    assert_eq!(told("{mode: upstream}"), (false, false));
    assert_eq!(told("{mode: off}"), (false, false));
    assert_eq!(told("{mode: off, redirect: false, hsts: off}"), (false, false));
    assert_eq!(tls("{hsts: {}}").hsts, tls("{}").hsts);
}

#[test]
fn a_header_that_is_written_takes_the_place_of_a_standard_one() {
    let headers = |more: &str| route(&format!("    proxy: {{hosts: [a.example.com], port: 80, {more}}}\n")).headers;
    let own = headers("headers: {x-frame-options: SAMEORIGIN}");
    assert_eq!(
        own,
        owned([
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            ("x-frame-options", "SAMEORIGIN")
        ])
    );
    assert_eq!(headers("security_headers: off"), BTreeMap::new());
    assert_eq!(headers("security_headers: off, headers: {X-A: 1}"), owned([("X-A", "1")]));
}

#[test]
fn a_route_is_no_part_of_the_container() {
    let plain = desired("services: {web: {image: bb:1, healthcheck: {tcp: {port: 80}}}}\n");
    let routed = desired(
        "secrets: {users: {}}\nservices: {web: {image: bb:1, healthcheck: {tcp: {port: 80}}, \
         proxy: {hosts: [a.example.com], port: 80, basic_auth: {secret: users}}, tls: {mode: off}}}\n",
    );
    assert_eq!(plain.services["web"].spec_hash, routed.services["web"].spec_hash);
    assert_eq!(plain.services["web"].container_name, routed.services["web"].container_name);
    assert_eq!(plain.services["web"].order, routed.services["web"].order);
    assert_eq!(routed.secrets.len(), 1, "the users are gathered");
    // A revision of a release before routes has none.
    let stored = serde_json::to_value(&plain.services["web"]).unwrap();
    assert!(stored.get("route").is_none() && stored.get("secrets").is_none(), "{stored}");
    let read: crate::desired::DesiredService = serde_json::from_value(stored).unwrap();
    assert_eq!(read, plain.services["web"]);
}

#[test]
fn a_job_has_no_route_and_runs_no_second_time_for_one() {
    let jobs = |proxy: &str| {
        let text = format!(
            "services: {{web: {{image: bb:1, {proxy}}}}}\njobs: {{migrate: {{service: web, command: [migrate]}}}}\n"
        );
        desired(&text).jobs
    };
    assert_eq!(jobs(""), jobs("proxy: {hosts: [a.example.com], port: 80}"));
}

#[test]
fn a_stored_route_is_read_as_it_was() {
    let first = desired(
        "services: {web: {image: bb:1, proxy: {hosts: [a.example.com], port: 80, security_headers: off, \
         allow_from: internal}, tls: {hsts: off}}}\n",
    );
    let again =
        crate::desired::resolve_stored(&first.environment, &first.app, &first.manifest, &BTreeMap::new()).unwrap();
    assert_eq!(again, first);
}

/// Letters of which proxies make words.
const MEANT: &str = r#"[a-zA-Z0-9 ;{}$"'`\\%()<>*~^|&=?#@:,./_\[\]\n\r\t\u{7f}\u{202e}-]{1,20}"#;

/// Every text of a route.
fn texts(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => found.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        serde_json::Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            found.push(key.clone());
            texts(value, found);
        }),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

proptest! {
    /// Each field in turn gets the text, after letters that are right.
    #[test]
    fn no_text_of_any_field_reaches_the_route_as_a_word_of_a_proxys_language(
        text in MEANT,
        right in "(a\\.example\\.com|/api|X-A|10\\.0\\.0\\.0/8|10/s|/etc/ssl/a|)",
        field in 0..13_usize,
    ) {
        let hostile = serde_json::Value::from(format!("{right}{text}"));
        let mut manifest = serde_json::json!({
            "secrets": {"users": {}},
            "services": {"web": {
                "image": "bb:1",
                "proxy": {
                    "hosts": ["a.example.com"], "port": 80, "path": "/a", "redirect_from": ["b.example.com"],
                    "security_headers": {"X-S": "a"}, "headers": {"X-A": "a"}, "backend": "http",
                    "rate_limit": {"rate": "10/s", "exempt": ["/a"]}, "allow_from": ["10.0.0.0/8"],
                    "basic_auth": {"secret": "users"},
                },
                "tls": {"mode": "files", "cert_file": "/a", "key_file": "/b", "policy": "modern"},
            }},
        });
        let web = &mut manifest["services"]["web"];
        let key = hostile.as_str().unwrap().to_owned();
        match field {
            0 => web["proxy"]["hosts"] = serde_json::json!([hostile]),
            1 => web["proxy"]["path"] = hostile,
            2 => web["proxy"]["redirect_from"] = serde_json::json!([hostile]),
            3 => web["proxy"]["headers"] = serde_json::json!({ key: "a" }),
            4 => web["proxy"]["headers"]["X-A"] = hostile,
            5 => web["proxy"]["security_headers"] = serde_json::json!({ key: "a" }),
            6 => web["proxy"]["security_headers"]["X-S"] = hostile,
            7 => web["proxy"]["rate_limit"]["rate"] = hostile,
            8 => web["proxy"]["rate_limit"]["exempt"] = serde_json::json!([hostile]),
            9 => web["proxy"]["allow_from"] = serde_json::json!([hostile]),
            10 => web["proxy"]["basic_auth"]["secret"] = hostile,
            11 => web["tls"]["cert_file"] = hostile,
            _ => web["tls"]["key_file"] = hostile,
        }
        // JSON is YAML.
        let texts_of = files(&[("environments/production/web.yaml", &manifest.to_string())]);
        let loaded = load(&texts_of, &"production".parse().unwrap(), "environments").apps.pop_first().unwrap().1;
        if let Ok(app) = loaded {
            let resolved = crate::desired::resolve(&app, &crate::desired::Context::default());
            let mut found = Vec::new();
            texts(&serde_json::to_value(&resolved.services["web"].route).unwrap(), &mut found);
            prop_assert!(!found.is_empty());
            let values: BTreeSet<String> = resolved.services["web"].route.iter().flat_map(|it| it.headers.values().cloned()).collect();
            for text in found {
                let quoted = values.contains(&text);
                let plain = |c: char| if quoted { (' '..='~').contains(&c) && !"${}".contains(c) } else { c.is_ascii_alphanumeric() || "/.:-_~*@+".contains(c) };
                prop_assert!(text.chars().all(plain), "{text:?}");
            }
        }
    }
}
