//! Images from registries: who opens one, what is told when an image does not come, and what a tag means to whom.

mod errors;
mod logins;
mod tags;

use crate::world::{Engine, PASSWORD, Podman, Registry, USER, World};

/// Tells stories on both engines, each with a registry of its own.
macro_rules! on_both {
    ($($story:ident),* $(,)?) => {
        mod docker {
            use crate::registry::Place;
            $(#[test] fn $story() { super::$story(Place::docker()); })*
        }
        mod podman {
            use crate::registry::Place;
            $(#[test] fn $story() { super::$story(Place::podman()); })*
        }
    };
}
use on_both;

/// An engine and a registry beside it. What is declared first goes first.
struct Place {
    world: World,
    registry: Registry,
    _podman: Option<Podman>,
}

impl Place {
    fn docker() -> Self {
        Self::at(Registry::with_user(), false)
    }

    fn podman() -> Self {
        Self::at(Registry::with_user(), true)
    }

    /// Docker takes a registry on loopback without TLS by itself; a Podman has to be told.
    fn at(registry: Registry, with_podman: bool) -> Self {
        Engine::Docker.demand();
        let podman = with_podman.then(|| Podman::start(&[registry.address()]));
        let engine = podman.as_ref().map_or(Engine::Docker, Podman::engine);
        Self { world: World::on(engine), registry, _podman: podman }
    }

    /// Lets the host file name the registry's user with a password, beside other settings.
    fn login(&self, password: &str, settings: &str) {
        let file = self.world.secret("registry-password", &format!("{password}\n"));
        let address = self.registry.address();
        self.world.host(&format!(
            "registries: {{\"{address}\": {{username: {USER}, password_file: {}}}}}\n{settings}",
            file.display()
        ));
    }

    /// Commits an app whose one service runs an image of the registry.
    fn push(&self, image: &str, more: &str) -> String {
        self.world.push("app", &manifest(&self.registry.name(image), more))
    }

    /// The word of the image that the service runs.
    fn word(&self) -> String {
        let env = self.world.one("app", "web").env();
        env.iter().find_map(|variable| variable.strip_prefix("WORD=")).expect("a word").to_owned()
    }

    /// Takes every name of an image off the engine, and so the image.
    fn forget(&self, id: &str) {
        self.world.engine.ask(&["rmi", "-f", id]);
    }
}

fn manifest(image: &str, more: &str) -> String {
    let base = "network_mode: none, stop_grace_period: 2s, rollout: {min_healthy_time: 0s}";
    format!("services: {{web: {{image: \"{image}\", {base}{}{more}}}}}\n", if more.is_empty() { "" } else { ", " })
}
