//! What a driver whose proxy is in a container needs of the engine, and no more.

use super::ProxyError;
use futures_util::future::BoxFuture;
use std::{collections::BTreeMap, net::IpAddr, path::PathBuf};

/// How a program ended that was run in a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    pub ended_well: bool,
    /// What it said, on both streams.
    pub said: String,
}

/// A container as a proxy cares for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbour {
    pub id: String,
    pub name: String,
    pub runs: bool,
    /// It is on the host's own network.
    pub is_on_the_host: bool,
    /// The networks it is on, by name, with its address there where it has one.
    pub networks: BTreeMap<String, Option<IpAddr>>,
    /// Its ports by those of the host on which they are published.
    pub published: BTreeMap<u16, u16>,
    /// Folders and files of the host that it is shown, with where it sees them.
    pub mounts: Vec<(PathBuf, PathBuf)>,
}

/// The containers of this host, told apart by id or name.
pub trait Containers: Send + Sync + std::fmt::Debug {
    /// One of them; none when it is not there.
    fn look<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<Option<Neighbour>, ProxyError>>;

    /// Runs a program in one, its words as they are, to its end.
    fn run<'a>(&'a self, container: &'a str, command: &'a [&'a str]) -> BoxFuture<'a, Result<Ran, ProxyError>>;

    /// Sends one a signal by its name.
    fn signal<'a>(&'a self, container: &'a str, signal: &'a str) -> BoxFuture<'a, Result<(), ProxyError>>;

    /// Puts one on a network; one that is there already stays so.
    fn connect<'a>(&'a self, container: &'a str, network: &'a str) -> BoxFuture<'a, Result<(), ProxyError>>;
}
