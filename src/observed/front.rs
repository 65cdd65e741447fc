//! What the host's proxy does for an app.

use crate::{desired::SpecHash, value::ServiceName};
use std::collections::{BTreeMap, BTreeSet};

/// The proxy, as far as one app is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Front {
    /// Where the routes of its services lead now; those that the manifest no longer has too.
    pub routes: BTreeMap<ServiceName, Leading>,
    /// Certificates of its routes.
    pub certificates: BTreeMap<ServiceName, Certificate>,
    /// Ids of containers that had time to answer what was under way when requests went to the next.
    pub drained: BTreeSet<String>,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leading {
    /// Digest of the route as the proxy has it.
    pub digest: SpecHash,
    /// The id of the container it leads to.
    pub container: String,
    /// The proxy serves it, and the container is where the proxy looks for it.
    pub leads: bool,
    /// What the proxy was given is not as it was written.
    pub altered: bool,
    /// An answer of that container came through the proxy.
    pub seen: bool,
}

/// A certificate of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// It is here, the proxy shows it, and nothing is to be done.
    Current,
    /// It is to be had, for the first time or anew.
    Due,
    /// It is here, and the proxy shows another one.
    Unshown,
    /// It was asked for and did not come; it is asked for again in its time.
    Awaited,
}
