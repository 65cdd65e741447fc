//! What containers say of their routes, where this host's proxy listens to them.

use super::Host;
use crate::{
    desired::{Desired, said},
    host::Driver,
    proxy::{SiteName, nginx_proxy::words, traefik},
};

/// An app as it should be on this host: what it says to the proxy is a part of its containers.
#[must_use]
pub fn say<E>(mut desired: Desired, host: &Host<E>) -> Desired {
    let settings = &host.settings.policy.settings;
    match &settings.proxy.driver {
        Driver::NginxProxy(proxy) => {
            let (site, email) = (SiteName::of(&desired), settings.acme.email.as_ref().map(ToString::to_string));
            said::in_variables(&mut desired, proxy.network.as_str(), |route| {
                words::words(&site, route, email.as_deref())
            });
        }
        Driver::Traefik(proxy) => {
            let (site, settings) = (SiteName::of(&desired), traefik::Settings::from(proxy));
            let labels = |service: &_, route: &_| traefik::labels(&site, service, route, &settings);
            said::in_labels(&mut desired, proxy.network.as_str(), labels);
        }
        Driver::None | Driver::Nginx(_) | Driver::Caddy(_) => {}
    }
    desired
}
