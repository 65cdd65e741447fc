//! The section on the host's proxy.

use super::{bad, good};
use crate::host::{
    Driver, Proxy,
    proxy::{Caddy, Entrypoints, Nginx, NginxProxy, Ports, Runs, Traefik},
};

fn proxy(text: &str) -> Proxy {
    good(&format!("proxy: {text}\n")).settings.proxy
}

#[test]
fn a_driver_alone_has_its_usual_settings() {
    assert_eq!(good("prune: true\n").settings.proxy, proxy("{driver: none}"));
    let usual = |text: &str| text.parse().unwrap();
    let nginx =
        Nginx { directory: usual("/etc/nginx/conf.d"), runs: Runs::Here(usual("/usr/sbin/nginx")), certificates: None };
    assert_eq!(proxy("{driver: nginx}").driver, Driver::Nginx(nginx));
    let nginx_proxy = NginxProxy {
        network: "proxy".parse().unwrap(),
        container: "nginx-proxy".parse().unwrap(),
        vhost_dir: usual("/etc/nginx/vhost.d"),
        htpasswd_dir: usual("/etc/nginx/htpasswd"),
        certs_dir: usual("/etc/nginx/certs"),
        conf_dir: None,
    };
    assert_eq!(proxy("{driver: nginx-proxy}").driver, Driver::NginxProxy(nginx_proxy));
    let caddy = Caddy { admin: "http://127.0.0.1:2019".parse().unwrap(), server: "srv0".parse().unwrap() };
    assert_eq!(proxy("{driver: caddy}").driver, Driver::Caddy(caddy));
    let entrypoints = Entrypoints { http: "web".parse().unwrap(), https: "websecure".parse().unwrap() };
    let traefik = Traefik { network: "proxy".parse().unwrap(), certresolver: None, entrypoints };
    assert_eq!(proxy("{driver: traefik}").driver, Driver::Traefik(traefik));
    let Ports { http, https } = proxy("{driver: caddy}").listen;
    assert_eq!((http.get(), https.get()), (80, 443));
}

#[test]
fn every_setting_of_a_driver_is_read_and_written_again() {
    let written = [
        "{driver: nginx, directory: /srv/nginx, program: /opt/nginx, listen: {http: 8080, https: 8443}, trusted_proxies: [10.8.0.0/24]}",
        "{driver: nginx, directory: /srv/nginx, container: edge, certificates: /certs}",
        "{driver: nginx-proxy, network: edge, container: edge-proxy, vhost_dir: /a, htpasswd_dir: /b, certs_dir: /c, conf_dir: /d}",
        "{driver: caddy, admin: 'http://localhost:2020', server: edge}",
        "{driver: traefik, network: edge, certresolver: le, entrypoints: {http: a1, https: b1}}",
    ];
    for text in written {
        let read = proxy(text);
        assert_ne!(read, Proxy::default(), "{text}");
        let again: Proxy = serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
        assert_eq!(again, read, "{text}");
    }
    let Driver::Nginx(nginx) = proxy(written[1]).driver else { panic!() };
    assert_eq!(nginx.runs, Runs::In("edge".parse().unwrap()));
}

#[test]
fn only_the_drivers_own_settings_may_stand_there() {
    let table = [
        (
            "{driver: nginx, admin: 'http://127.0.0.1:2019'}",
            "h.yaml:1:24: `admin` is a setting of `caddy`, and the driver is `nginx`\n  hint: remove it, or write `driver: caddy`",
        ),
        (
            "{driver: caddy, container: edge}",
            "h.yaml:1:24: `container` is a setting of `nginx` and `nginx-proxy`, and the driver is `caddy`\n  hint: remove it, \
             or write `driver: nginx`",
        ),
        (
            "{network: proxy}",
            "h.yaml:1:9: `network` is a setting of `nginx-proxy` and `traefik`, and the driver is `none`\n  hint: remove it, \
             or write `driver: nginx-proxy`",
        ),
        (
            "{driver: nginx, program: /usr/sbin/nginx, container: edge}",
            "h.yaml:1:33: `program` and `container` exclude one another\n  hint: keep the one where nginx runs",
        ),
        (
            "{driver: caddy, admin: 'http://10.0.0.1:2019'}",
            "h.yaml:1:31: who is on the way could tell the proxy anything\n  hint: write an address of this machine, as in \
             `http://127.0.0.1:2019`",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(bad(&format!("proxy: {text}\n")), expected);
    }
    for wrong in
        ["{driver: apache}", "{driver: nginx, trusted_proxies: [10.0.0.5/8]}", "{driver: nginx, snippet: x}", "nginx"]
    {
        assert!(bad(&format!("proxy: {wrong}\n")).starts_with("h.yaml:1:"), "{wrong}");
    }
}

#[test]
fn no_container_sees_what_the_hosts_own_nginx_reads() {
    let paths = |text: &str| good(&format!("proxy: {text}\n")).settings.private_paths();
    assert_eq!(paths("{driver: nginx, directory: /srv/nginx}"), ["/srv/nginx"]);
    assert_eq!(paths("{driver: nginx, directory: /srv/nginx, container: edge}"), [""; 0]);
}

#[test]
fn hosts_have_owners_by_patterns() {
    let host = good("policy: {hosts: {'*.example.com': [production], 'api.example.com': []}}\n");
    assert_eq!(host.settings.policy.hosts.len(), 2);
    for wrong in
        ["{hosts: {'A.example.com': []}}", "{hosts: {'a/b': []}}", "{hosts: {'a.b': production}}", "{hosts: [a.b]}"]
    {
        assert!(bad(&format!("policy: {wrong}\n")).starts_with("h.yaml:1:"), "{wrong}");
    }
}
