//! Stories of the daemon.

mod clock;
mod copies;
pub mod disk;
mod drift;
mod engine;
mod monitored;
mod pushes;
mod signals;
mod soak;
mod trust;
mod wishes;

use crate::world::server;

/// One web server that answers with a word, start-first.
fn web(word: &str) -> String {
    format!(
        r#"
services:
  web:
    image: bb:1
    command: {}
    healthcheck: {{http: {{path: /index.html, port: 8080}}, interval: 200ms}}
    stop_grace_period: 1s
    rollout: {{drain: 0s, healthy_deadline: 30s}}
"#,
        server(word)
    )
}
