//! Runs a program in a container.
//!
//! Three asks: it is made, it is started and heard to its end, its exit code is told. A program that does not exist is an
//! exit code on one engine and a refusal on the other (measured: Docker 20.10, Podman 4.3); both are an exit code here.

use super::{
    Docker,
    ask::{Ask, accepted, encoded},
    read,
};
use crate::engine::{Answer, EngineError, RanInside, RunInside};
use http_body_util::{BodyExt, Limited};
use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::time::timeout;

/// What a shell says of a program that cannot be run.
const CANNOT_RUN: i64 = 126;

impl Docker {
    pub(super) async fn run_in_container(&self, id: &str, run: &RunInside) -> Answer<RanInside> {
        let program = run.command.first().map_or("", String::as_str);
        let doing = format!("run `{program}` in container `{id}`");
        let late = || EngineError::Late { doing: doing.clone(), seconds: run.within.as_secs() };
        timeout(run.within, self.run_to_its_end(&doing, id, run)).await.unwrap_or_else(|_| Err(late()))
    }

    async fn run_to_its_end(&self, doing: &str, id: &str, run: &RunInside) -> Answer<RanInside> {
        let garbled =
            |source: Box<dyn std::error::Error + Send + Sync>| EngineError::Garbled { doing: doing.to_owned(), source };
        let wanted = json!({ "AttachStdout": true, "AttachStderr": true, "Tty": false, "Cmd": run.command });
        let path = self.path(&format!("/containers/{}/exec", encoded(id)));
        let made = accepted(doing, self.0.transport.whole(Ask::post(doing, path, Some(wanted))).await?)?;
        let made: Value = serde_json::from_slice(&made).map_err(|source| garbled(source.into()))?;
        let Some(made) = made["Id"].as_str().map(encoded) else { return Err(garbled("it names no id".into())) };

        let path = self.path(&format!("/exec/{made}/start"));
        let begin = Ask::post(doing, path, Some(json!({ "Detach": false, "Tty": false })));
        let (head, body) = self.0.transport.stream(begin).await?.into_parts();
        let said = Limited::new(body, run.at_most).collect().await.map_err(garbled)?.to_bytes();
        if !head.status.is_success() {
            return match accepted(doing, hyper::Response::from_parts(head, Bytes::clone(&said))) {
                Err(EngineError::Refused { message, .. }) if is_of_the_program(&message) => {
                    Ok(RanInside { code: CANNOT_RUN, said: message })
                }
                Err(error) => Err(error),
                Ok(_) => Err(garbled("it did not begin".into())),
            };
        }
        let ended = self.ask_for(doing, &format!("/exec/{made}/json")).await?;
        let code = ended["ExitCode"].as_i64().ok_or_else(|| garbled("it names no exit code".into()))?;
        Ok(RanInside { code, said: read::log::text(&said) })
    }
}

/// Whether it is the program that cannot be run, by the words of both engines' runtimes: a hint depends on it, no more.
fn is_of_the_program(message: &str) -> bool {
    let message = message.to_lowercase();
    ["executable file not found", "no such file or directory", "permission denied"]
        .iter()
        .any(|words| message.contains(words))
}
