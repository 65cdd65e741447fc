//! The host's proxy, as the host file says, with the certificates it shows.

use super::{complaint::Complaint, session::Session};
use crate::{
    apply::{Gateway, containers::OnEngine},
    engine::docker::Docker,
    host::{self, Runs},
    proxy::{
        Containers, Driver,
        caddy::{self, Caddy},
        nginx::{self, Nginx},
        nginx_proxy::{self, NginxProxy},
        traefik::Traefik,
    },
    tls::Certificates,
    value::AbsolutePath,
};
use std::{path::PathBuf, sync::Arc};

impl Session {
    /// The host's proxy; none where the host file names none that the tool drives.
    ///
    /// # Errors
    /// Its program cannot be run.
    pub(super) async fn gateway(&self, engine: &Arc<Docker>) -> Result<Option<Gateway>, Complaint> {
        let settings = &self.host.settings;
        let certificates = Certificates::open(self.state_dir().join("certs"), (&settings.acme).into());
        let (http, https) = (settings.proxy.listen.http.get(), settings.proxy.listen.https.get());
        let containers: Arc<dyn Containers> = Arc::new(OnEngine(Arc::clone(engine)));
        let driver: Arc<dyn Driver> = match &settings.proxy.driver {
            host::Driver::None => return Ok(None),
            host::Driver::Traefik(proxy) => {
                Arc::new(Traefik::new(proxy.into(), self.state_dir().join("routes"), (http, https)))
            }
            host::Driver::NginxProxy(proxy) => {
                let folder = |path: &AbsolutePath| PathBuf::from(path.as_str());
                let settings = nginx_proxy::Settings {
                    network: proxy.network.to_string(),
                    container: proxy.container.to_string(),
                    vhost_dir: folder(&proxy.vhost_dir),
                    htpasswd_dir: folder(&proxy.htpasswd_dir),
                    certs_dir: folder(&proxy.certs_dir),
                    conf_dir: proxy.conf_dir.as_ref().map(folder),
                    http,
                    https,
                };
                Arc::new(NginxProxy::new(settings, containers))
            }
            host::Driver::Nginx(proxy) => {
                let settings = nginx::Settings {
                    directory: PathBuf::from(proxy.directory.as_str()),
                    command: match &proxy.runs {
                        Runs::Here(program) => vec![program.as_str().to_owned()],
                        Runs::In(_) => vec!["nginx".to_owned()],
                    },
                    http,
                    https,
                    trusted_proxies: settings.proxy.trusted_proxies.iter().map(ToString::to_string).collect(),
                };
                match &proxy.runs {
                    Runs::Here(_) => Arc::new(Nginx::open(settings).await?),
                    Runs::In(container) => {
                        let seen = proxy.certificates.as_ref().map(|there| PathBuf::from(there.to_string()));
                        let certificates = seen.map(|there| (self.state_dir().join("certs"), there));
                        let inside = nginx::Inside::new(container.to_string(), containers, certificates);
                        Arc::new(Nginx::open_inside(settings, inside))
                    }
                }
            }
            host::Driver::Caddy(proxy) => {
                if !settings.proxy.trusted_proxies.is_empty() {
                    return Err(untold("trusted_proxies"));
                }
                let (admin, server) = (proxy.admin.to_string(), proxy.server.to_string());
                let admin = admin.trim_end_matches('/').to_owned();
                let settings = caddy::Settings { admin, server, http, https };
                Arc::new(Caddy::open(settings)?)
            }
        };
        Ok(Some(Gateway::new(driver, certificates, self.state_dir().join("users"))))
    }
}

/// Who asks would be taken for the proxy in front: `allow_from` would let in everybody or nobody.
fn untold(setting: &str) -> Complaint {
    Complaint::says(format!("`proxy: {{{setting}}}` of the host file is not supported with `driver: caddy`"))
        .with_hint("leave it out, or write `driver: nginx`".to_owned())
}
