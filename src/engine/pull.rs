//! What a pull is asked for, and why an image does not come.

use crate::registry::Credentials;

/// An image to fetch.
#[derive(Clone, Copy, Debug)]
pub struct PullImage<'a> {
    /// As a manifest writes it.
    pub reference: &'a str,
    pub platform: Option<&'a str>,
    /// What opens its registry; without them the engine asks as nobody.
    pub credentials: Option<&'a Credentials>,
}

/// Why an image did not come, as far as the engine's words tell. It decides what people are told; what happens next is
/// the same for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullFault {
    /// The registry wants a login, or another one.
    Unauthorized,
    /// This user may not, or there is no such repository: a registry does not tell strangers which.
    Denied,
    /// The registry has no such repository, tag or digest.
    Unknown,
    /// It takes no more pulls for now.
    Limited,
    /// Nobody answers there, or with an error of its own.
    Away,
    /// It takes the connection and says nothing, or stops in the middle.
    Stalled,
    /// Its certificate is not believed, or it speaks without TLS.
    Distrusted,
    /// Whatever else the engine says.
    Other,
}
