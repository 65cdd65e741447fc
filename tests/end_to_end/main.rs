//! Stories of the real binary, git and engines. Few, because each costs seconds; everything smaller is tested where it
//! lives. `make test` brings the engines up and names them in the environment.

/// Tells stories on both engines, and those where the engine makes no difference on Docker alone.
macro_rules! stories {
    (both: $($both:ident),*; docker: $($docker:ident),*;) => {
        mod docker {
            use crate::world::{Engine, World};
            $(#[test] fn $both() { super::$both(&World::on(Engine::Docker)); })*
            $(#[test] fn $docker() { super::$docker(&World::on(Engine::Docker)); })*
        }
        mod podman {
            #[allow(unused_imports)]
            use crate::world::{Engine, World};
            $(#[test] fn $both() { super::$both(&World::on(Engine::Podman)); })*
        }
    };
}

mod world;

mod attacks;
mod boot;
mod canary;
mod closed;
mod converge;
mod drift;
mod encrypted;
mod failure;
mod forged;
mod gateway;
mod gondulf;
mod killed;
mod order;
mod panicking;
mod readme;
mod registry;
mod rotation;
mod routed;
mod secrets;
mod terminal;
mod vault_dash;
mod watch;
