//! Steps: plain data, one effect each.

use crate::{
    desired::DeliveryName,
    observed::Role,
    value::{ItemName, ServiceName},
};
use std::{collections::BTreeSet, fmt};

/// One effect on the host. A crash falls between two steps or inside one, and both are found again by looking.
///
/// Containers are called by their name on the engine at that moment; `apply` turns it into the id of a container
/// that was observed with our labels, so that a step on anybody else's container cannot be said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Fetch what a reference means now.
    Pull { reference: String, platform: Option<String> },
    /// Make verified copies of the app's data, before anything that uses it changes.
    CopyFirst { items: BTreeSet<ItemName> },
    /// Make a network of the app.
    CreateNetwork { network: String },
    /// Remove a network of the app by id, where nobody is on it any more.
    RemoveNetwork { network: String, id: String },
    /// Make a volume of the app.
    CreateVolume { volume: String },
    /// Make a container under a name; its body is the desired one of its role.
    Create { container: String, role: Role },
    /// Start it.
    Start { container: String, role: Role },
    /// See it ready, or failed.
    Await { container: String, role: Role },
    /// See a job's end.
    AwaitExit { container: String, role: Role },
    /// Stop it, with its signal and grace.
    Stop { container: String, role: Role },
    /// Remove a stopped container, not its volumes.
    Remove { container: String, role: Role },
    /// Give it another name.
    Rename { container: String, to: String, role: Role },
    /// Change its limits in place.
    Adjust { container: String, role: Role },
    /// Let a frozen container run on.
    Unpause { container: String, role: Role },
    /// Put it on a network under the desired aliases.
    Connect { container: String, network: String, role: Role },
    /// Take it off a network.
    Disconnect { container: String, network: String, role: Role },
    /// Name an image, so that no prune takes it.
    Tag { image_id: String, tag: String },
    /// Give a name of ours back.
    Untag { tag: String },
    /// Write the files of a delivery, each whole.
    Deliver { delivery: DeliveryName },
    /// Tell a container's process that its secrets have changed.
    Signal { container: String, role: Role },
    /// Remove a delivery that no container is shown.
    Withdraw { delivery: DeliveryName },
    /// Let the proxy lead a service's route to a container, as the manifest says today.
    Route { container: String, role: Role },
    /// See an answer of the container through the proxy.
    SeeRouted { container: String, role: Role },
    /// Let a container answer what was under way when requests went to the next.
    Drain { container: String, role: Role },
    /// Take a service's route from the proxy.
    Unroute { service: ServiceName },
    /// Make a certificate of the host's own for a service's route, to be shown until an authority has given one.
    StandIn { service: ServiceName },
    /// Get the certificate of a service's route.
    Certify { service: ServiceName },
    /// Let the proxy show the certificate of a service's route.
    ShowCertificate { service: ServiceName },
}

/// What kind of deed a step is, as far as anybody asks: whoever adds a step says it in [`Step::deed`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// Somebody is made or started.
    Begins,
    /// A container is seen ready.
    Proves,
    /// A job's end is seen.
    SeesEnd,
    /// Time passes, or an answer is seen through the proxy.
    Waits,
    /// A certificate comes, when it can be had.
    Certifies,
    /// A container goes, or leaves a network.
    Leaves,
    TidiesNetworks,
    TidiesDeliveries,
    NamesImages,
    /// Any other change.
    Alters,
}

impl Step {
    /// True for steps that change nothing and only see something happen.
    #[must_use]
    pub fn waits(&self) -> bool {
        matches!(self.deed(), Deed::Proves | Deed::SeesEnd | Deed::Waits)
    }

    /// Who is made or started by it, and so needs room on the host.
    #[must_use]
    pub fn begins(&self) -> Option<&Role> {
        self.about().map(|(_, role)| role).filter(|_| self.deed() == Deed::Begins)
    }

    /// Who is led to by it.
    #[must_use]
    pub fn leads(&self) -> Option<&Role> {
        self.about().map(|(_, role)| role).filter(|_| matches!(self, Self::Route { .. }))
    }

    /// True for steps that see a container ready: one that is left means that this run of it is not the one that was
    /// seen.
    #[must_use]
    pub fn proves(&self) -> bool {
        self.deed() == Deed::Proves
    }

    /// True for steps without which an app is not where it should be. A network that others are still on and names of
    /// images are seen to when they can be.
    #[must_use]
    pub fn matters(&self) -> bool {
        !matches!(
            self.deed(),
            Deed::TidiesNetworks | Deed::TidiesDeliveries | Deed::NamesImages | Deed::Proves | Deed::Waits
        )
    }

    /// True for steps that give an image a name of ours, or take it back.
    #[must_use]
    pub fn names_an_image(&self) -> bool {
        self.deed() == Deed::NamesImages
    }

    /// True for steps that an authority beyond this host has a part in: they come when all else is done, so that one that
    /// is away holds nothing up.
    #[must_use]
    pub fn certifies(&self) -> bool {
        self.deed() == Deed::Certifies
    }

    /// True for steps after which a container may be off a network.
    #[must_use]
    pub fn leaves(&self, name: &str) -> bool {
        let elsewhere = matches!(self, Self::Disconnect { network, .. } if network != name);
        self.deed() == Deed::Leaves && !elsewhere
    }

    fn deed(&self) -> Deed {
        match self {
            Self::Create { .. } | Self::Start { .. } => Deed::Begins,
            Self::Await { .. } => Deed::Proves,
            Self::AwaitExit { .. } => Deed::SeesEnd,
            Self::SeeRouted { .. } | Self::Drain { .. } => Deed::Waits,
            Self::Certify { .. } => Deed::Certifies,
            Self::Remove { .. } | Self::Disconnect { .. } => Deed::Leaves,
            Self::RemoveNetwork { .. } => Deed::TidiesNetworks,
            Self::Withdraw { .. } => Deed::TidiesDeliveries,
            Self::Tag { .. } | Self::Untag { .. } => Deed::NamesImages,
            Self::Pull { .. }
            | Self::CopyFirst { .. }
            | Self::CreateNetwork { .. }
            | Self::CreateVolume { .. }
            | Self::Stop { .. }
            | Self::Rename { .. }
            | Self::Adjust { .. }
            | Self::Unpause { .. }
            | Self::Connect { .. }
            | Self::Deliver { .. }
            | Self::Signal { .. }
            | Self::Route { .. }
            | Self::Unroute { .. }
            | Self::StandIn { .. }
            | Self::ShowCertificate { .. } => Deed::Alters,
        }
    }

    /// The container a step is about, by its name at that moment, and what it is for.
    #[must_use]
    pub fn about(&self) -> Option<(&str, &Role)> {
        match self {
            Self::Create { container, role }
            | Self::Start { container, role }
            | Self::Await { container, role }
            | Self::AwaitExit { container, role }
            | Self::Stop { container, role }
            | Self::Remove { container, role }
            | Self::Rename { container, role, .. }
            | Self::Adjust { container, role }
            | Self::Unpause { container, role }
            | Self::Signal { container, role }
            | Self::Route { container, role }
            | Self::SeeRouted { container, role }
            | Self::Drain { container, role }
            | Self::Connect { container, role, .. }
            | Self::Disconnect { container, role, .. } => Some((container, role)),
            Self::Pull { .. }
            | Self::CopyFirst { .. }
            | Self::CreateNetwork { .. }
            | Self::RemoveNetwork { .. }
            | Self::CreateVolume { .. }
            | Self::Tag { .. }
            | Self::Untag { .. }
            | Self::Deliver { .. }
            | Self::Withdraw { .. }
            | Self::Unroute { .. }
            | Self::StandIn { .. }
            | Self::Certify { .. }
            | Self::ShowCertificate { .. } => None,
        }
    }

    /// The names of containers that it is about: two for a rename.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let new = if let Self::Rename { to, .. } = self { Some(to.as_str()) } else { None };
        self.about().map(|(name, _)| name).into_iter().chain(new)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pull { reference, .. } => write!(f, "pull {reference}"),
            Self::CopyFirst { items } => {
                let names: Vec<&str> = items.iter().map(ItemName::as_str).collect();
                write!(f, "copy {}", names.join(", "))
            }
            Self::CreateNetwork { network } => write!(f, "create network {network}"),
            Self::RemoveNetwork { network, .. } => write!(f, "remove network {network}"),
            Self::CreateVolume { volume } => write!(f, "create volume {volume}"),
            Self::Create { container, .. } => write!(f, "create {container}"),
            Self::Start { container, .. } => write!(f, "start {container}"),
            Self::Await { container, .. } => write!(f, "await {container}"),
            Self::AwaitExit { container, .. } => write!(f, "await exit of {container}"),
            Self::Stop { container, .. } => write!(f, "stop {container}"),
            Self::Remove { container, .. } => write!(f, "remove {container}"),
            Self::Rename { container, to, .. } => write!(f, "rename {container} to {to}"),
            Self::Adjust { container, .. } => write!(f, "adjust {container}"),
            Self::Unpause { container, .. } => write!(f, "unpause {container}"),
            Self::Connect { container, network, .. } => write!(f, "connect {container} to {network}"),
            Self::Disconnect { container, network, .. } => write!(f, "disconnect {container} from {network}"),
            Self::Tag { tag, .. } => write!(f, "tag {tag}"),
            Self::Untag { tag } => write!(f, "untag {tag}"),
            Self::Deliver { delivery } => write!(f, "deliver {delivery}"),
            Self::Signal { container, .. } => write!(f, "signal {container}"),
            Self::Withdraw { delivery } => write!(f, "withdraw {delivery}"),
            Self::Route { container, .. } => write!(f, "route to {container}"),
            Self::SeeRouted { container, .. } => write!(f, "see {container} through the proxy"),
            Self::Drain { container, .. } => write!(f, "drain {container}"),
            Self::Unroute { service } => write!(f, "take the route of {service} away"),
            Self::StandIn { service } => write!(f, "make a certificate for {service} meanwhile"),
            Self::Certify { service } => write!(f, "get the certificate of {service}"),
            Self::ShowCertificate { service } => write!(f, "show the certificate of {service}"),
        }
    }
}
