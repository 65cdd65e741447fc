//! The engine as a bystander sees it: through its own command.

use serde_json::Value;
use std::process::{Command, Output};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Docker,
    Podman,
    /// A Docker of the story's own, at this address, in the network of this process.
    Own(&'static str, u32),
    /// A Podman of the story's own, at this address.
    OwnPodman(&'static str),
}

impl Engine {
    pub fn address(self) -> String {
        let variable = match self {
            Self::Docker => "RECONCILE_TEST_DOCKER",
            Self::Podman => "RECONCILE_TEST_PODMAN",
            Self::Own(address, _) | Self::OwnPodman(address) => return address.to_owned(),
        };
        std::env::var(variable).unwrap_or_else(|_| panic!("{variable} names no engine: run the tests with `make test`"))
    }

    /// Begins the command of a program on the engine's host: what it probes has to be this engine's.
    pub fn beside(self, program: &str) -> Command {
        match self {
            Self::Docker | Self::Podman | Self::OwnPodman(_) => Command::new(program),
            Self::Own(_, space) => {
                let mut command = Command::new("nsenter");
                command.arg(format!("--net=/proc/{space}/ns/net")).arg(program);
                command
            }
        }
    }

    /// Fails where it does not answer, before anything is made.
    pub fn demand(self) {
        self.ask(&["version", "--format", "{{.Server.Version}}"]);
    }

    pub fn try_ask(self, arguments: &[&str]) -> Output {
        Command::new("docker")
            .arg("--host")
            .arg(self.address())
            .args(arguments)
            .env("DOCKER_BUILDKIT", "0")
            .output()
            .unwrap()
    }

    /// What the engine's command prints; it has to succeed.
    pub fn ask(self, arguments: &[&str]) -> String {
        let output = self.try_ask(arguments);
        assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub fn list(self, environment: &str, app: &str, label: &str) -> Vec<String> {
        let (environment, app) =
            (format!("label=reconcile.environment={environment}"), format!("label=reconcile.app={app}"));
        let label = format!("label={label}");
        self.ask(&["ps", "-q", "--no-trunc", "--filter", &environment, "--filter", &app, "--filter", &label])
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

/// A container, by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    engine: Engine,
    pub id: String,
}

impl Container {
    pub fn of(engine: Engine, id: &str) -> Self {
        Self { engine, id: id.to_owned() }
    }

    pub fn exec(&self, command: &[&str]) -> String {
        self.engine.ask(&[&["exec", &self.id], command].concat())
    }

    /// Runs a command inside and tells whether it succeeded.
    pub fn succeeds(&self, command: &[&str]) -> bool {
        self.engine.try_ask(&[&["exec", &self.id], command].concat()).status.success()
    }

    pub fn inspect(&self) -> Value {
        let text = self.engine.ask(&["inspect", "--type", "container", &self.id]);
        serde_json::from_str::<Value>(&text).unwrap()[0].take()
    }

    pub fn name(&self) -> String {
        self.inspect()["Name"].as_str().unwrap().trim_start_matches('/').to_owned()
    }

    /// Its environment, as `NAME=value`.
    pub fn env(&self) -> Vec<String> {
        let inspect = self.inspect();
        inspect["Config"]["Env"].as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
    }

    /// The networks it is on, sorted.
    pub fn networks(&self) -> Vec<String> {
        let inspect = self.inspect();
        let mut names: Vec<_> = inspect["NetworkSettings"]["Networks"].as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    }

    pub fn started_at(&self) -> jiff::Timestamp {
        self.inspect()["State"]["StartedAt"].as_str().unwrap().parse().unwrap()
    }
}
