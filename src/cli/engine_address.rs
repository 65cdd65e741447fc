//! Finds the engine: the one that was named, or the first that answers where engines usually are.

use super::Complaint;
use std::{io, os::unix::net::UnixStream, path::Path};

/// Where an engine may be, and who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// `--engine`, its variable, or the host file.
    pub named: Option<String>,
    /// `$DOCKER_HOST`
    pub docker_host: Option<String>,
    /// `$XDG_RUNTIME_DIR`
    pub runtime_dir: Option<String>,
}

impl Surroundings {
    /// What the process was started with.
    #[must_use]
    pub fn of_process(named: Option<String>) -> Self {
        let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        Self { named, docker_host: variable("DOCKER_HOST"), runtime_dir: variable("XDG_RUNTIME_DIR") }
    }

    /// The engine's address. One that was named is taken as it is: whether it answers is seen when it is asked.
    ///
    /// # Errors
    /// Nobody was named and nobody answers: all that was tried, with what was seen there.
    pub fn engine(&self) -> Result<String, Complaint> {
        if let Some(address) = self.named.as_ref().or(self.docker_host.as_ref()) {
            return Ok(address.clone());
        }
        let mut tried = Vec::new();
        for socket in self.usual_sockets() {
            match UnixStream::connect(&socket) {
                Ok(_) => return Ok(format!("unix://{socket}")),
                Err(error) => tried.push(format!("`{socket}` ({})", seen(&socket, &error))),
            }
        }
        Err(Complaint::says(format!("no container engine answers; tried {}", tried.join(", "))).with_hint(
            "start Docker or Podman (`systemctl enable --now podman.socket`), or name its socket with `--engine`"
                .to_owned(),
        ))
    }

    fn usual_sockets(&self) -> Vec<String> {
        let mut sockets = vec!["/var/run/docker.sock".to_owned(), "/run/podman/podman.sock".to_owned()];
        sockets.extend(self.runtime_dir.as_ref().map(|folder| format!("{folder}/podman/podman.sock")));
        sockets
    }
}

fn seen(socket: &str, error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "not there",
        io::ErrorKind::PermissionDenied => "no permission",
        io::ErrorKind::ConnectionRefused if Path::new(socket).exists() => "nobody listens",
        _ => "cannot be opened",
    }
}

#[cfg(test)]
mod tests {
    use super::Surroundings;

    #[test]
    fn a_named_engine_wins_over_docker_host() {
        let named = Surroundings {
            named: Some("unix:///a.sock".to_owned()),
            docker_host: Some("unix:///b.sock".to_owned()),
            runtime_dir: None,
        };
        assert_eq!(named.engine().unwrap(), "unix:///a.sock");
        assert_eq!(Surroundings { named: None, ..named }.engine().unwrap(), "unix:///b.sock");
    }

    #[test]
    fn the_users_own_podman_is_looked_for_last() {
        let user = Surroundings { named: None, docker_host: None, runtime_dir: Some("/run/user/7".to_owned()) };
        assert_eq!(user.usual_sockets().last().unwrap(), "/run/user/7/podman/podman.sock");
    }
}
