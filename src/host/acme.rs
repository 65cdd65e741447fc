//! Who vouches for this host's names.

use crate::{
    tls,
    value::{AbsolutePath, AcmeDirectory, ListenAddress, MailAddress},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The ACME authority from which routes with `tls: {mode: acme}` have their certificates. Who uses it agrees to its terms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "ACME")]
pub struct Acme {
    /// Whom the authority may write to; without it nobody.
    #[schemars(title = "E-mail", example = &"ops@example.com")]
    pub email: Option<MailAddress>,
    /// The URL of its directory; without it Let's Encrypt, and with `staging` its place for trying, whose certificates
    /// nobody believes.
    #[schemars(title = "Directory", example = &"staging", example = &"https://ca.example.com/acme/directory")]
    pub directory: Option<AcmeDirectory>,
    /// A file of authorities (PEM) that the directory itself may be known by, besides those of the system.
    #[schemars(title = "Authorities of the directory", example = &"/etc/reconcile/ca.pem")]
    pub ca_file: Option<AbsolutePath>,
    /// Where it is asked, before an order, whether challenges are answered; without it each name, on port 80. For hosts
    /// that cannot reach their own outer address.
    #[schemars(title = "Preflight", example = &"127.0.0.1:80")]
    pub preflight: Option<ListenAddress>,
}

impl From<&Acme> for tls::Settings {
    fn from(acme: &Acme) -> Self {
        Self {
            directory: acme.directory.clone().unwrap_or_default().url().to_owned(),
            email: acme.email.as_ref().map(|email| email.as_str().to_owned()),
            ca_file: acme.ca_file.as_ref().map(|path| path.as_str().into()),
            preflight: acme.preflight.map(|address| address.0),
        }
    }
}
