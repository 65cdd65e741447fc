//! What the template made, as `nginx -T` prints it.

use super::files;
use crate::{desired::Route, proxy::Site};

/// What is not rendered yet of an app's routes; none where all is. Of those that only redirect there are no locations.
pub fn lacks(text: &str, site: &Site, only_redirects: impl Fn(&Route) -> bool) -> Option<String> {
    // A comment beside an address names the container; what is commented out leads nowhere.
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
    let includes = |folder: &str, file: &str| {
        let end = format!("/{folder}/{file};");
        lines.iter().any(|line| line.ends_with(&end))
    };
    for served in site.routes.values() {
        let leads = |line: &&str| {
            let server = line.strip_prefix("server ").and_then(|rest| rest.split([' ', ';']).next());
            server == Some(served.address.to_string().as_str())
        };
        if !lines.iter().any(leads) {
            return Some(format!("it does not lead to `{}` yet", served.address));
        }
        for host in served.route.hosts.iter().filter(|_| !only_redirects(&served.route)) {
            let file = files::location_file(host, &served.route);
            // What is included is a pattern.
            if !includes("vhost.d", &file.replace('*', "\\*")) {
                return Some(format!("it does not include `{file}` yet"));
            }
            let users = files::users_file(host, &served.route);
            if served.users.is_some() && !includes("htpasswd", &users) {
                return Some(format!("it does not ask for the users of `{users}` yet"));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{desired::resolve_stored, proxy::Served};
    use std::collections::BTreeMap;

    fn site(users: bool) -> Site {
        let text = r#"{"services": {"web": {"image": "a:1", "proxy": {"hosts": ["a.example.com"], "port": 80}}}}"#;
        let (environment, app) = ("test".parse().unwrap(), "web".parse().unwrap());
        let manifest = serde_json::from_str(text).unwrap();
        let desired = resolve_stored(&environment, &app, &manifest, &BTreeMap::new()).unwrap();
        let served = |service: &crate::desired::DesiredService| Served {
            route: service.route.clone().unwrap(),
            container: "c".to_owned(),
            address: "172.18.0.3:80".parse().unwrap(),
            certificate: None,
            thumbprint: None,
            users: users.then(|| "/users".into()),
        };
        Site { routes: desired.services.iter().map(|(name, service)| (name.clone(), served(service))).collect() }
    }

    const RENDERED: &str = "upstream a.example.com {\n    # Container: web\n    server 172.18.0.3:80;\n    keepalive 2;\n}\n\
        server {\n    location / {\n        include /etc/nginx/vhost.d/a.example.com_42099b4af021e53fd8fd4e056c2568d7c2e3ffa8_location;\n\
        auth_basic_user_file /etc/nginx/htpasswd/a.example.com_42099b4af021e53fd8fd4e056c2568d7c2e3ffa8;\n    }\n}\n";

    #[test]
    fn what_is_rendered_is_seen() {
        assert_eq!(lacks(RENDERED, &site(true), |_| false), None);
        for (was, is, wanted) in [
            ("172.18.0.3:80;", "172.18.0.3:8080;", "it does not lead to `172.18.0.3:80` yet"),
            ("server 172", "# server 172", "it does not lead to `172.18.0.3:80` yet"),
            ("server 172.18.0.3:80;", "server 127.0.0.1 down;", "it does not lead to `172.18.0.3:80` yet"),
            (
                "vhost.d/a",
                "vhost.d/b",
                "it does not include `a.example.com_42099b4af021e53fd8fd4e056c2568d7c2e3ffa8_location` yet",
            ),
            (
                "htpasswd/a.",
                "htpasswd/b.",
                "it does not ask for the users of `a.example.com_42099b4af021e53fd8fd4e056c2568d7c2e3ffa8` yet",
            ),
        ] {
            assert_eq!(lacks(&RENDERED.replace(was, is), &site(true), |_| false).as_deref(), Some(wanted));
        }
        assert_eq!(lacks(&RENDERED.replace("htpasswd/a.", "htpasswd/b."), &site(false), |_| false), None);
        assert_eq!(lacks("server 172.18.0.3:80;\n", &site(true), |_| true), None);
    }
}
