//! Stories of the real binary, git and engines. Few, because each costs seconds; everything smaller is tested where it
//! lives. `make test` brings the engines up and names them in the environment.

/// Tells stories on both engines, and those where the engine makes no difference on Docker alone.
macro_rules! stories {
    (both: $($both:ident),*; docker: $($docker:ident),*;) => {
        stories! { both: $($both),*; docker_and_nightly_podman:; docker: $($docker),*; }
    };
    (both: $($both:ident),*; docker_and_nightly_podman: $($nightly:ident),*; docker: $($docker:ident),*;) => {
        mod docker {
            use crate::world::{Engine, World};
            $(#[test] fn $both() { super::$both(&World::on(Engine::Docker)); })*
            $(#[test] fn $nightly() { super::$nightly(&World::on(Engine::Docker)); })*
            $(#[test] fn $docker() { super::$docker(&World::on(Engine::Docker)); })*
        }
        mod podman {
            #[allow(unused_imports)]
            use crate::world::{Engine, World};
            $(#[test] fn $both() { super::$both(&World::on(Engine::Podman)); })*
            $(#[test] #[ignore = "long, and alike on both engines: `make nightly`"]
            fn $nightly() { super::$nightly(&World::on(Engine::Podman)); })*
        }
    };
}

#[path = "../nginx/port.rs"]
mod port;
mod world;

/// A server of S3's protocol.
#[path = "../s3/server.rs"]
mod bucket;

mod attacks;
mod before_deploy;
mod behind;
mod boot;
mod bucket_copies;
mod canary;
mod closed;
mod converge;
mod copies;
mod drift;
mod drilled;
mod dumped;
mod encrypted;
mod failure;
mod forged;
mod full_place;
mod gateway;
mod gondulf;
mod killed;
mod large;
mod order;
mod panicking;
mod readme;
mod registry;
mod restored;
mod restored_files;
mod restored_postgres;
mod restored_servers;
mod rotation;
mod routed;
mod secrets;
mod stand_ins;
mod still;
mod terminal;
mod vault_dash;
mod watch;
