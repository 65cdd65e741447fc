//! What a proxy serves of one app.

use crate::{
    desired::{Desired, Route},
    value::{AppName, EnvironmentName, ServiceName},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf};

/// Whose routes they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteName {
    pub environment: EnvironmentName,
    pub app: AppName,
}

impl SiteName {
    /// That of an app's routes.
    #[must_use]
    pub fn of(desired: &Desired) -> Self {
        Self { environment: desired.environment.clone(), app: desired.app.clone() }
    }
}

impl fmt::Display for SiteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.environment, self.app)
    }
}

/// The routes of an app with where each leads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    pub routes: BTreeMap<ServiceName, Served>,
}

/// One route with where it leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    pub route: Route,
    /// The id of the container.
    pub container: String,
    /// Where the proxy reaches it.
    pub address: SocketAddr,
    /// Chain and key, as the proxy sees them, where it shows a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateFiles>,
    /// What challenges of an authority are answered with, after their token and a dot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbprint: Option<String>,
    /// The users and passwords that are asked for, as the proxy sees the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<PathBuf>,
}

/// The two files of a certificate, PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFiles {
    pub chain: PathBuf,
    pub key: PathBuf,
    /// Which certificate it is: another one at the same place is to be shown too.
    pub fingerprint: String,
}

/// What a proxy was given for an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    pub site: Site,
    /// What is there is not what was written.
    pub altered: bool,
    /// The proxy serves it.
    pub served: bool,
}
