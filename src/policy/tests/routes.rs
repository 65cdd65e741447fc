//! Who may claim which host, and what this host's proxy can do.

use super::{app, host, told};
use crate::{
    desired::Desired,
    host::Host,
    observed::Role,
    policy::{Denial, Subject, judge, of_app, routed},
};
use serde_json::{Value, json};

fn web(service: &Value) -> Desired {
    let mut web = json!({"image": "a"});
    for (key, value) in service.as_object().unwrap() {
        web[key] = value.clone();
    }
    app(&json!({
        "secrets": {"users": {}},
        "services": {"web": web},
        "jobs": {"migrate": {"service": "web", "command": ["migrate"]}},
    }))
}

fn answering(hosts: &[&str]) -> Desired {
    web(&json!({"proxy": {"hosts": hosts, "port": 80}, "tls": {"mode": "internal"}}))
}

fn host_file(text: &str) -> Host {
    host::read("h.yaml", text).expect(text)
}

/// What the policy alone says of all of an app: `production/gateway`.
fn judged(policy: &str, desired: &Desired) -> String {
    let host = host_file(&format!("policy: {{{policy}}}\n"));
    told(&of_role(desired, |subject, spec| judge(&host.settings.policy, subject, spec)))
}

fn of_role(
    desired: &Desired,
    judge: impl FnMut(&Subject<'_>, &crate::desired::ContainerSpec) -> Vec<Denial>,
) -> Vec<Denial> {
    of_app(desired, &["/opt/state".to_owned()], judge).into_iter().map(|(_, denial)| denial).collect()
}

/// What the driver says.
fn driven(text: &str, desired: &Desired) -> Vec<Denial> {
    let host = host_file(text);
    let (policy, proxy) = (&host.settings.policy, &host.settings.proxy);
    of_role(desired, |subject, _| routed(policy, proxy, subject))
}

#[test]
fn without_a_word_of_the_host_every_environment_may_claim_any_host() {
    assert_eq!(judged("", &answering(&["api.example.com", "*.example.org"])), "");
}

#[test]
fn a_host_belongs_to_the_environments_that_the_host_file_names() {
    let table = [
        (r#"hosts: {"api.example.com": [production]}"#, "api.example.com", None),
        (r#"hosts: {"*.example.com": [staging, production]}"#, "api.example.com", None),
        (r#"hosts: {"**.example.com": [production]}"#, "a.b.example.com", None),
        (r#"hosts: {"*.example.com": [production]}"#, "*.example.com", None),
        (
            r#"hosts: {"*.example.com": [production]}"#,
            "a.b.example.com",
            Some("no line of the policy lets an environment claim `a.b.example.com`"),
        ),
        (
            r#"hosts: {"*.example.com": [staging]}"#,
            "api.example.com",
            Some("environment `production` may not claim `api.example.com`: `*.example.com` is for `staging`"),
        ),
        // The more precise line counts, in both directions.
        (
            r#"hosts: {"*.example.com": [production], "api.example.com": [staging]}"#,
            "api.example.com",
            Some("environment `production` may not claim `api.example.com`: `api.example.com` is for `staging`"),
        ),
        (r#"hosts: {"*.example.com": [staging], "api.example.com": [production]}"#, "api.example.com", None),
        (
            r#"hosts: {"**": [production], "admin.example.com": []}"#,
            "admin.example.com",
            Some("environment `production` may not claim `admin.example.com`: `admin.example.com` is for nobody"),
        ),
        // Who has all names has also those of others, while these do not answer.
        (
            r#"hosts: {"*.example.com": [production], "api.example.com": [staging]}"#,
            "*.example.com",
            Some("environment `production` may not claim `*.example.com`: `api.example.com` is for `staging`"),
        ),
        (r#"hosts: {"*.example.com": [production], "api.example.org": [staging]}"#, "*.example.com", None),
    ];
    for (policy, claimed, expected) in table {
        let expected = expected.map(|message| {
            format!("services.web.proxy.hosts.0: {message} (`policy.hosts`) → hosts: {{\"{claimed}\": [production]}}")
        });
        assert_eq!(judged(policy, &answering(&[claimed])), expected.unwrap_or_default(), "{policy}");
    }
}

#[test]
fn each_host_is_judged_those_that_redirect_too() {
    let desired = web(&json!({"proxy": {
        "hosts": ["a.example.com", "b.example.com"], "redirect_from": ["c.example.com"], "port": 80,
    }}));
    let denied = judged(r#"hosts: {"a.example.com": [production]}"#, &desired);
    let fields: Vec<&str> = denied.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(fields, ["services.web.proxy.hosts.1", "services.web.proxy.redirect_from.0"], "{denied}");
}

#[test]
fn what_is_never_exposed_has_no_route() {
    let denied = judged("never_expose: [gateway/web]", &answering(&["a.example.com"]));
    let expected = "services.web.proxy: `a.example.com` would lead to it, but the host says it is never exposed \
                    (`policy.never_expose`) → nothing";
    assert_eq!(denied, expected);
    // No manifest says this, and a revision that was stored otherwise is judged all the same.
    let own = web(&json!({"internal_only": true, "proxy": {"hosts": ["a.example.com"], "port": 80}}));
    let expected = "services.web.proxy: `a.example.com` would lead to it, but the manifest says it is `internal_only` \
                    (`internal_only`) → nothing";
    assert_eq!(judged("", &own), expected);
}

#[test]
fn no_route_shows_a_certificate_of_the_tools_own() {
    let files = |certificate: &str, key: &str| {
        judged(
            "",
            &web(&json!({
                "proxy": {"hosts": ["a.example.com"], "port": 80},
                "tls": {"mode": "files", "cert_file": certificate, "key_file": key},
            })),
        )
    };
    assert_eq!(files("/etc/ssl/a.pem", "/etc/ssl/a.key"), "");
    let denied = files("/opt/state/certs/other/chain.pem", "/opt/state/certs/other/key.pem");
    assert_eq!(
        denied.lines().next().unwrap(),
        "services.web.tls.cert_file: `/opt/state/certs/other/chain.pem` is the tool's own, and no route may use it \
         (`policy.data_roots`) → nothing"
    );
    assert_eq!(denied.lines().count(), 2);
    assert!(files("/etc/reconcile/secrets/a.pem", "/etc/ssl/a.key").starts_with("services.web.tls.cert_file"));
}

#[test]
fn a_host_without_a_proxy_refuses_routes_and_says_what_to_write() {
    let host = host_file("prune: true\n");
    let denied = driven("prune: true\n", &answering(&["a.example.com"]));
    let expected = "services.web.proxy: service `web` asks for a route, and this host has no proxy (driver `none`); it \
                    may be one of `nginx`, `nginx-proxy`, `caddy`, `traefik` (`proxy.driver`) → driver: nginx";
    assert_eq!(told(&denied), expected);
    let remedy = denied[0].remedy(&host).unwrap();
    assert_eq!(remedy, "to allow it, set `driver: nginx` below `proxy` in h.yaml:1:1");
    assert_eq!(told(&driven("prune: true\n", &web(&json!({})))), "");
}

/// Field; the service; who refuses it.
fn refusals() -> Vec<(&'static str, Value, &'static [&'static str])> {
    let proxy = |more: Value| {
        let mut proxy = json!({"hosts": ["a.example.com"], "port": 80});
        for (key, value) in more.as_object().unwrap() {
            proxy[key] = value.clone();
        }
        json!({"proxy": proxy, "tls": {"mode": "off"}})
    };
    let tls = |tls: Value| json!({"proxy": {"hosts": ["a.example.com"], "port": 80}, "tls": tls});
    vec![
        ("proxy.backend: `backend: h2c`", proxy(json!({"backend": "h2c"})), &["nginx", "nginx-proxy"]),
        ("proxy.backend: `backend: https`", proxy(json!({"backend": "https"})), &["traefik"]),
        ("proxy.redirect_from: `redirect_from`", proxy(json!({"redirect_from": ["b.example.com"]})), &["nginx-proxy"]),
        ("proxy.timeouts: `timeouts`", proxy(json!({"timeouts": {"read": "10m"}})), &["traefik"]),
        ("proxy.rate_limit: `rate_limit`", proxy(json!({"rate_limit": {"rate": "10/s"}})), &["caddy"]),
        (
            "proxy.rate_limit.exempt: `rate_limit.exempt`",
            proxy(json!({"rate_limit": {"rate": "10/s", "exempt": ["/health"]}})),
            &["caddy", "traefik"],
        ),
        ("proxy.basic_auth: `basic_auth`", proxy(json!({"basic_auth": {"secret": "users"}})), &["traefik"]),
        ("tls.mode: `mode: internal`", tls(json!({"mode": "internal"})), &["traefik"]),
        ("tls.mode: `mode: files`", tls(json!({"mode": "files", "cert_file": "/a", "key_file": "/b"})), &["traefik"]),
        ("tls.policy: `policy: modern`", tls(json!({"policy": "modern"})), &["traefik"]),
        // What everybody can.
        (
            "all else",
            proxy(json!({
                "path": "/api", "strip_path": true, "max_body": "1g", "headers": {"X-A": "b"},
                "security_headers": "off", "allow_from": ["internal"], "timeouts": {"read": "60s"},
            })),
            &[],
        ),
        ("tls.mode: `mode: acme`", tls(json!({})), &[]),
        ("tls.mode: `mode: upstream`", tls(json!({"mode": "upstream", "policy": "modern"})), &[]),
    ]
}

#[test]
fn every_driver_refuses_what_it_cannot_do_and_names_who_can() {
    let drivers = ["nginx", "nginx-proxy", "caddy", "traefik"];
    for (what, service, who) in refusals() {
        for driver in drivers {
            let more = match driver {
                "traefik" => ", certresolver: letsencrypt",
                "nginx-proxy" => ", conf_dir: /srv/conf.d",
                _ => "",
            };
            let denied = driven(&format!("proxy: {{driver: {driver}{more}}}\n"), &web(&service));
            if !who.contains(&driver) {
                assert_eq!(told(&denied), "", "{what} {driver}");
                continue;
            }
            let of_field = denied.iter().find(|denial| {
                let (field, asked) = what.split_once(": ").unwrap();
                denial.field == format!("services.web.{field}") && denial.message.contains(asked)
            });
            let denial = of_field.unwrap_or_else(|| panic!("{what} {driver}: {}", told(&denied)));
            for named in [format!("driver `{driver}`"), "service `web`".to_owned()] {
                assert!(denial.message.contains(&named), "{denial}");
            }
            let able = denial.message.split("; ").nth(1).unwrap();
            for other in drivers.into_iter().filter(|other| !who.contains(other)) {
                assert!(able.contains(&format!("`{other}`")), "{denial}");
            }
            assert!(!able.contains(&format!("`{driver}`")), "{denial}");
        }
    }
}

#[test]
fn traefik_gets_certificates_only_by_a_resolver_of_its_own() {
    let denied =
        driven("proxy: {driver: traefik}\n", &web(&json!({"proxy": {"hosts": ["a.example.com"], "port": 80}})));
    let expected = "services.web.tls.mode: driver `traefik` of this host can do `mode: acme` for service `web` only with \
                    `certresolver` (`proxy.certresolver`) → certresolver: letsencrypt";
    assert_eq!(told(&denied), expected);
}

#[test]
fn nobody_claims_a_host_behind_the_policys_back() {
    let by_variable = |name: &str| web(&json!({"env": {name: "api.example.com"}}));
    let by_label = |name: &str| web(&json!({"labels": {name: "x"}}));
    let behind = [
        by_variable("VIRTUAL_HOST"),
        by_variable("VIRTUAL_HOST_MULTIPORTS"),
        by_variable("LETSENCRYPT_HOST"),
        by_label("traefik.http.routers.a.rule"),
        by_label("caddy"),
        by_label("com.github.nginx-proxy.nginx-proxy.keepalive"),
    ];
    for desired in behind {
        for watched in [
            "proxy: {driver: nginx-proxy}\n",
            "proxy: {driver: traefik}\n",
            "policy: {hosts: {\"api.example.com\": [production]}}\n",
        ] {
            let denied = driven(watched, &desired);
            // The job has the service's body, and runs on its networks.
            assert_eq!(denied.len(), 2, "{watched}: {}", told(&denied));
            assert!(denied.iter().all(|denial| denial.rule == "policy.hosts" && denial.allow.is_none()));
        }
        // Somebody else's proxy, of which this host file does not speak.
        assert_eq!(told(&driven("prune: true\n", &desired)), "");
    }
    assert_eq!(told(&driven("proxy: {driver: nginx-proxy}\n", &by_variable("HOSTS"))), "");
    // What its template would write down as it stands; to another proxy it says nothing.
    for word in ["SERVER_TOKENS", "HSTS", "VIRTUAL_DEST"] {
        assert_eq!(driven("proxy: {driver: nginx-proxy}\n", &by_variable(word)).len(), 2, "{word}");
        assert_eq!(told(&driven("proxy: {driver: traefik}\n", &by_variable(word))), "", "{word}");
    }
    // Nor beside a route.
    let both = web(&json!({
        "env": {"HSTS": "x\"; }"}, "proxy": {"hosts": ["a.example.com"], "port": 80}, "tls": {"mode": "off"},
    }));
    assert!(told(&driven("proxy: {driver: nginx-proxy}\n", &both)).starts_with("services.web.env.HSTS: "));
}

#[test]
fn a_job_has_no_route_to_be_judged() {
    let desired = answering(&["a.example.com"]);
    let role = Role::Job("migrate".parse().unwrap());
    let subject = Subject { app: &desired, role: &role, protected_paths: &[] };
    let host = host_file("policy: {hosts: {\"b.example.com\": [production]}}\n");
    let spec = &desired.jobs["migrate"].spec;
    assert_eq!(told(&judge(&host.settings.policy, &subject, spec)), "");
    assert_eq!(told(&routed(&host.settings.policy, &host.settings.proxy, &subject)), "");
}
