//! The proxy that this host has, and how it is told of routes.

use crate::{
    value::{AbsolutePath, Cidr, ObjectName, ProxyFile, WebUrl},
    yaml::{Diagnostic, Node, Value},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, num::NonZero};

/// The proxy of this host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Keys", into = "Keys")]
pub struct Proxy {
    /// Which it is, with what it is told by.
    pub driver: Driver,
    /// Proxies in front of it, whose word on who asks is believed.
    pub trusted_proxies: Vec<Cidr>,
    /// The ports of the host on which it answers.
    pub listen: Ports,
}

/// A kind of proxy, with its own settings and no other's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Driver {
    #[default]
    None,
    Nginx(Nginx),
    NginxProxy(NginxProxy),
    Caddy(Caddy),
    Traefik(Traefik),
}

/// An nginx that reads files of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nginx {
    /// Where it reads them from, within its `http` block, as this host sees the folder.
    pub directory: AbsolutePath,
    pub runs: Runs,
    /// Where it sees the certificates of the state directory; none where it sees them as this host does.
    pub certificates: Option<ProxyFile>,
}

/// How nginx is told to test what it was given, and to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runs {
    /// On the host: its program.
    Here(AbsolutePath),
    /// In a container of this name.
    In(ObjectName),
}

/// An nginx-proxy, which watches the engine, with acme-companion beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NginxProxy {
    /// The network on which it reaches containers.
    pub network: ObjectName,
    pub container: ObjectName,
    /// Its `/etc/nginx/vhost.d` as this host sees it, and so on.
    pub vhost_dir: AbsolutePath,
    pub htpasswd_dir: AbsolutePath,
    pub certs_dir: AbsolutePath,
    /// Its `/etc/nginx/conf.d`; none where that is no folder of this host.
    pub conf_dir: Option<AbsolutePath>,
}

/// A Caddy that is told by its admin interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caddy {
    pub admin: WebUrl,
    /// The server of its configuration that has our routes.
    pub server: ObjectName,
}

/// A Traefik, which watches the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traefik {
    /// The network on which it reaches containers.
    pub network: ObjectName,
    /// What gets it certificates; none where nothing does.
    pub certresolver: Option<ObjectName>,
    pub entrypoints: Entrypoints,
}

impl Driver {
    /// Its name alone.
    #[must_use]
    pub const fn name(&self) -> DriverName {
        match self {
            Self::None => DriverName::None,
            Self::Nginx(_) => DriverName::Nginx,
            Self::NginxProxy(_) => DriverName::NginxProxy,
            Self::Caddy(_) => DriverName::Caddy,
            Self::Traefik(_) => DriverName::Traefik,
        }
    }
}

/// The name of a driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(title = "Driver", example = &"nginx")]
pub enum DriverName {
    /// There is none: no service may have a route.
    #[default]
    None,
    /// nginx, on the host or in a container.
    Nginx,
    /// nginx-proxy with acme-companion.
    NginxProxy,
    /// Caddy.
    Caddy,
    /// Traefik.
    Traefik,
}

impl DriverName {
    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Nginx => "nginx",
            Self::NginxProxy => "nginx-proxy",
            Self::Caddy => "caddy",
            Self::Traefik => "traefik",
        }
    }
}

/// The ports of the host on which a proxy answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Ports")]
pub struct Ports {
    /// Plain HTTP.
    #[schemars(title = "HTTP", range(max = 65535), example = 80)]
    pub http: NonZero<u16>,
    /// HTTPS.
    #[schemars(title = "HTTPS", range(max = 65535), example = 443)]
    pub https: NonZero<u16>,
}

impl Default for Ports {
    fn default() -> Self {
        let port = |number| NonZero::new(number).unwrap_or(NonZero::<u16>::MIN);
        Self { http: port(80), https: port(443) }
    }
}

/// What Traefik calls the ports on which it answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Entrypoints")]
pub struct Entrypoints {
    /// That of plain HTTP.
    #[schemars(title = "HTTP", example = &"web")]
    pub http: ObjectName,
    /// That of HTTPS.
    #[schemars(title = "HTTPS", example = &"websecure")]
    pub https: ObjectName,
}

impl Default for Entrypoints {
    fn default() -> Self {
        Self { http: ObjectName::fixed("web"), https: ObjectName::fixed("websecure") }
    }
}

/// The section as it is written: the settings of all drivers beside one another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Proxy")]
struct Keys {
    /// Which proxy this host has. Settings of another than this are refused.
    #[schemars(title = "Driver", example = &"nginx")]
    driver: DriverName,
    /// Networks of proxies in front of it, whose word on who asks (`X-Forwarded-For`) is believed.
    #[schemars(title = "Trusted proxies", example = ["10.8.0.0/24"])]
    trusted_proxies: Vec<Cidr>,
    /// The ports of the host on which it answers.
    #[schemars(title = "Listen", example = serde_json::json!({"http": 80, "https": 443}))]
    listen: Ports,
    /// Of `nginx`: the folder whose `*.conf` its `http` block includes. Default: `/etc/nginx/conf.d`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Folder of nginx", example = &"/etc/nginx/conf.d")]
    directory: Option<AbsolutePath>,
    /// Of `nginx` on this host: its program. Default: `/usr/sbin/nginx`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Program of nginx", example = &"/usr/sbin/nginx")]
    program: Option<AbsolutePath>,
    /// Of `nginx` in a container, and of `nginx-proxy`: the container's name. Default: `nginx-proxy`; of `nginx` none, it
    /// runs on this host.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Container", example = &"nginx-proxy")]
    container: Option<ObjectName>,
    /// Of `nginx` in a container: where it sees the folder `certs` of the state directory. Default: at the same path.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Certificates", example = &"/etc/nginx/certs")]
    certificates: Option<ProxyFile>,
    /// Of `caddy`: its admin interface. Default: `http://127.0.0.1:2019`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Admin interface", example = &"http://127.0.0.1:2019")]
    admin: Option<WebUrl>,
    /// Of `caddy`: the server that gets the routes, made where there is none. Default: `srv0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Server", example = &"srv0")]
    server: Option<ObjectName>,
    /// Of `nginx-proxy` and `traefik`: the network on which it reaches containers. Default: `proxy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Network", example = &"proxy")]
    network: Option<ObjectName>,
    /// Of `nginx-proxy`: its folder `vhost.d`, as this host sees it. Default: `/etc/nginx/vhost.d`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Folder of hosts", example = &"/srv/nginx-proxy/vhost.d")]
    vhost_dir: Option<AbsolutePath>,
    /// Of `nginx-proxy`: its folder `htpasswd`, as this host sees it. Default: `/etc/nginx/htpasswd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Folder of users", example = &"/srv/nginx-proxy/htpasswd")]
    htpasswd_dir: Option<AbsolutePath>,
    /// Of `nginx-proxy`: its folder `certs`, as this host sees it. Default: `/etc/nginx/certs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Folder of certificates", example = &"/srv/nginx-proxy/certs")]
    certs_dir: Option<AbsolutePath>,
    /// Of `nginx-proxy`: its folder `conf.d`, as this host sees it. Default: none, `rate_limit` is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Folder of the http block", example = &"/srv/nginx-proxy/conf.d")]
    conf_dir: Option<AbsolutePath>,
    /// Of `traefik`: what of its own settings gets certificates. Default: none, `mode: acme` is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Certificate resolver", example = &"letsencrypt")]
    certresolver: Option<ObjectName>,
    /// Of `traefik`: its names for the ports on which it answers. Default: `web` and `websecure`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Entrypoints", example = serde_json::json!({"http": "web", "https": "websecure"}))]
    entrypoints: Option<Entrypoints>,
}

/// Whose setting a key is; those that are not here are everybody's.
const SETTINGS: [(&str, &[DriverName]); 13] = [
    ("directory", &[DriverName::Nginx]),
    ("program", &[DriverName::Nginx]),
    ("container", &[DriverName::Nginx, DriverName::NginxProxy]),
    ("certificates", &[DriverName::Nginx]),
    ("admin", &[DriverName::Caddy]),
    ("server", &[DriverName::Caddy]),
    ("network", &[DriverName::NginxProxy, DriverName::Traefik]),
    ("vhost_dir", &[DriverName::NginxProxy]),
    ("htpasswd_dir", &[DriverName::NginxProxy]),
    ("certs_dir", &[DriverName::NginxProxy]),
    ("conf_dir", &[DriverName::NginxProxy]),
    ("certresolver", &[DriverName::Traefik]),
    ("entrypoints", &[DriverName::Traefik]),
];

impl From<Keys> for Proxy {
    fn from(keys: Keys) -> Self {
        let path = |written: Option<AbsolutePath>, usual| written.unwrap_or_else(|| AbsolutePath::fixed(usual));
        let name = |written: Option<ObjectName>, usual| written.unwrap_or_else(|| ObjectName::fixed(usual));
        let driver = match keys.driver {
            DriverName::None => Driver::None,
            DriverName::Nginx => Driver::Nginx(Nginx {
                directory: path(keys.directory, "/etc/nginx/conf.d"),
                runs: match keys.container {
                    Some(container) => Runs::In(container),
                    None => Runs::Here(path(keys.program, "/usr/sbin/nginx")),
                },
                certificates: keys.certificates,
            }),
            DriverName::NginxProxy => Driver::NginxProxy(NginxProxy {
                network: name(keys.network, "proxy"),
                container: name(keys.container, "nginx-proxy"),
                vhost_dir: path(keys.vhost_dir, "/etc/nginx/vhost.d"),
                htpasswd_dir: path(keys.htpasswd_dir, "/etc/nginx/htpasswd"),
                certs_dir: path(keys.certs_dir, "/etc/nginx/certs"),
                conf_dir: keys.conf_dir,
            }),
            DriverName::Caddy => Driver::Caddy(Caddy {
                admin: keys.admin.unwrap_or_else(|| WebUrl::fixed("http://127.0.0.1:2019")),
                server: name(keys.server, "srv0"),
            }),
            DriverName::Traefik => Driver::Traefik(Traefik {
                network: name(keys.network, "proxy"),
                certresolver: keys.certresolver,
                entrypoints: keys.entrypoints.unwrap_or_default(),
            }),
        };
        Self { driver, trusted_proxies: keys.trusted_proxies, listen: keys.listen }
    }
}

impl From<Proxy> for Keys {
    fn from(proxy: Proxy) -> Self {
        let Proxy { driver, trusted_proxies, listen } = proxy;
        let keys = Self { driver: driver.name(), trusted_proxies, listen, ..Self::default() };
        match driver {
            Driver::None => keys,
            Driver::Nginx(Nginx { directory, runs, certificates }) => {
                let (program, container) = match runs {
                    Runs::Here(program) => (Some(program), None),
                    Runs::In(container) => (None, Some(container)),
                };
                Self { directory: Some(directory), program, container, certificates, ..keys }
            }
            Driver::NginxProxy(NginxProxy { network, container, vhost_dir, htpasswd_dir, certs_dir, conf_dir }) => {
                Self {
                    network: Some(network),
                    container: Some(container),
                    vhost_dir: Some(vhost_dir),
                    htpasswd_dir: Some(htpasswd_dir),
                    certs_dir: Some(certs_dir),
                    conf_dir,
                    ..keys
                }
            }
            Driver::Caddy(Caddy { admin, server }) => Self { admin: Some(admin), server: Some(server), ..keys },
            Driver::Traefik(Traefik { network, certresolver, entrypoints }) => {
                Self { network: Some(network), certresolver, entrypoints: Some(entrypoints), ..keys }
            }
        }
    }
}

impl JsonSchema for Proxy {
    fn schema_name() -> Cow<'static, str> {
        "Proxy".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Keys::json_schema(generator)
    }
}

impl Proxy {
    /// The folder that a proxy on this host itself reads. One in a container has its folders from there.
    pub(super) fn own_folder(&self) -> Option<&AbsolutePath> {
        match &self.driver {
            Driver::Nginx(Nginx { directory, runs: Runs::Here(_), .. }) => Some(directory),
            Driver::Nginx(Nginx { runs: Runs::In(_), .. })
            | Driver::None
            | Driver::NginxProxy(_)
            | Driver::Caddy(_)
            | Driver::Traefik(_) => None,
        }
    }

    /// What the shape cannot say.
    pub(super) fn cross_check(&self, tree: &Node) -> Vec<Diagnostic> {
        let written = match tree.get("proxy").map(|section| &section.value) {
            Some(Value::Mapping(entries)) => entries.as_slice(),
            Some(Value::Null | Value::Scalar { .. } | Value::Sequence(_)) | None => &[],
        };
        let name = self.driver.name();
        let strange = written.iter().filter_map(|(key, _)| {
            let (_, whose) = SETTINGS.iter().find(|(setting, _)| *setting == key.text)?;
            let first = whose.first().filter(|_| !whose.contains(&name))?.word();
            let owners: Vec<String> = whose.iter().map(|driver| format!("`{}`", driver.word())).collect();
            let message =
                format!("`{}` is a setting of {}, and the driver is `{}`", key.text, owners.join(" and "), name.word());
            Some(Diagnostic::new(&key.place, message).with_hint(format!("remove it, or write `driver: {first}`")))
        });
        let has = |key: &str| written.iter().any(|(written, _)| written.text == key);
        let problem =
            |key, message: &str, hint: &str| Diagnostic::new(tree.place_of(&["proxy", key]), message).with_hint(hint);
        let both = (name == DriverName::Nginx && has("program") && has("container")).then(|| {
            problem("program", "`program` and `container` exclude one another", "keep the one where nginx runs")
        });
        let open = match &self.driver {
            Driver::Caddy(caddy) if !caddy.admin.is_private() => Some(problem(
                "admin",
                "who is on the way could tell the proxy anything",
                "write an address of this machine, as in `http://127.0.0.1:2019`",
            )),
            Driver::Caddy(_) | Driver::None | Driver::Nginx(_) | Driver::NginxProxy(_) | Driver::Traefik(_) => None,
        };
        strange.chain(both).chain(open).collect()
    }
}
