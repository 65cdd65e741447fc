//! What came of a step.

use super::{Failure, Image};
use crate::plan::Step;

/// What a step was seen to have done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// What it says, and nothing more is to be known.
    Done,
    /// The reference means this image now.
    Pulled(Image),
    /// The network or container has this id.
    Made { id: String },
    /// The container was seen ready.
    Ready,
    /// The container ended well.
    Ended,
    /// The container or job failed.
    Failed(Failure),
}

impl Effect {
    /// What a step does where all goes well, for rehearsals. `id` names what is made, by the name it is made under.
    #[must_use]
    pub fn perfect(step: &Step, id: impl FnOnce(&str) -> String) -> Self {
        match step {
            Step::Pull { reference, .. } => Self::Pulled(Image { id: id(reference), ..Image::default() }),
            Step::CreateNetwork { network } => Self::Made { id: id(network) },
            Step::Create { container, .. } => Self::Made { id: id(container) },
            Step::Await { .. } | Step::SeeRouted { .. } => Self::Ready,
            Step::AwaitExit { .. } => Self::Ended,
            Step::CreateVolume { .. }
            | Step::RemoveNetwork { .. }
            | Step::Start { .. }
            | Step::Stop { .. }
            | Step::Remove { .. }
            | Step::Rename { .. }
            | Step::Adjust { .. }
            | Step::Unpause { .. }
            | Step::Connect { .. }
            | Step::Disconnect { .. }
            | Step::Tag { .. }
            | Step::Untag { .. }
            | Step::Deliver { .. }
            | Step::Signal { .. }
            | Step::Withdraw { .. }
            | Step::Route { .. }
            | Step::Drain { .. }
            | Step::Unroute { .. }
            | Step::Certify { .. }
            | Step::StandIn { .. }
            | Step::ShowCertificate { .. }
            | Step::CopyFirst { .. } => Self::Done,
        }
    }
}
