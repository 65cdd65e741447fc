//! The host's proxy, as the host file says, with the certificates it shows.

use super::{complaint::Complaint, session::Session};
use crate::{
    apply::Gateway,
    host::{self, Runs},
    proxy::{
        Driver,
        caddy::{self, Caddy},
        nginx::{self, Nginx},
    },
    tls::Certificates,
};
use std::{path::PathBuf, sync::Arc};

impl Session {
    /// The host's proxy; none where the host file names none that the tool drives.
    ///
    /// # Errors
    /// Its program cannot be run.
    pub(super) async fn gateway(&self) -> Result<Option<Gateway>, Complaint> {
        let settings = &self.host.settings;
        let certificates = Certificates::open(self.state_dir().join("certs"), (&settings.acme).into());
        let (http, https) = (settings.proxy.listen.http.get(), settings.proxy.listen.https.get());
        let driver: Arc<dyn Driver> = match &settings.proxy.driver {
            host::Driver::None => return Ok(None),
            other @ (host::Driver::NginxProxy(_) | host::Driver::Traefik(_)) => {
                return Err(not_yet(&format!("driver: {}", other.name().word())));
            }
            host::Driver::Nginx(proxy) => {
                let Runs::Here(program) = &proxy.runs else { return Err(not_yet("container")) };
                let settings = nginx::Settings {
                    directory: PathBuf::from(proxy.directory.as_str()),
                    command: vec![program.as_str().to_owned()],
                    http,
                    https,
                    trusted_proxies: settings.proxy.trusted_proxies.iter().map(ToString::to_string).collect(),
                };
                Arc::new(Nginx::open(settings).await?)
            }
            host::Driver::Caddy(proxy) => {
                let (admin, server) = (proxy.admin.to_string(), proxy.server.to_string());
                let admin = admin.trim_end_matches('/').to_owned();
                let settings = caddy::Settings { admin, server, http, https };
                Arc::new(Caddy::open(settings)?)
            }
        };
        Ok(Some(Gateway::new(driver, certificates)))
    }
}

/// A proxy that routes can be written and judged for, and that is not told of them yet.
fn not_yet(setting: &str) -> Complaint {
    Complaint::says(format!("`proxy: {{{setting}}}` of the host file is not supported yet")).with_hint(
        "write `driver: nginx` for one that runs on this host, `driver: caddy`, or leave `proxy` out".to_owned(),
    )
}
