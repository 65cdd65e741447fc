//! The engine's events about containers, both engines' words in one.

use super::{
    Dialect, Docker,
    ask::{Ask, encoded},
    libpod,
};
use crate::engine::{Answer, EngineError, Event, view::EventKind};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// Events that wait for the reader before the engine has to.
const WAITING: usize = 256;

impl Docker {
    pub(super) async fn watch_containers(&self) -> Answer<Receiver<Event>> {
        let doing = "tell its events";
        let filters = encoded(r#"{"type":["container"]}"#);
        let answer = self.0.transport.stream(Ask::get(doing, self.path(&format!("/events?filters={filters}")))).await?;
        if !answer.status().is_success() {
            let status = answer.status().as_u16();
            return Err(EngineError::Refused { doing: doing.to_owned(), status, message: answer.status().to_string() });
        }
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(forward(answer.into_body(), sender));
        Ok(receiver)
    }

    /// An inspection says 0 as soon as the next run began; past events still have the code.
    pub(super) async fn last_exit_of_events(&self, id: &str) -> Answer<Option<i64>> {
        let doing = "tell a container's last exit code";
        let filters = encoded(&serde_json::json!({ "container": [id] }).to_string());
        let path = match self.0.dialect {
            // With `until`, Podman says nothing of what is past.
            Dialect::Podman => libpod(&format!("/events?stream=false&since=0&filters={filters}")),
            Dialect::Docker => {
                self.path(&format!("/events?since=0&until={}&filters={filters}", Timestamp::now().as_second()))
            }
        };
        let told = self.0.transport.whole(Ask::get(doing, path)).await?;
        Ok(told.body().split(|byte| *byte == b'\n').filter_map(exit_code).next_back())
    }
}

/// Ends when the stream ends or nobody listens any more; either way the channel closes.
async fn forward(mut body: Incoming, sender: Sender<Event>) {
    let mut pending = Vec::new();
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = sender.closed() => return,
        };
        let Some(Ok(frame)) = frame else { return };
        let Ok(data) = frame.into_data() else { continue };
        pending.extend_from_slice(&data);
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = pending.drain(..=end).collect();
            if let Some(event) = event(&line)
                && sender.send(event).await.is_err()
            {
                return;
            }
        }
    }
}

fn event(line: &[u8]) -> Option<Event> {
    let said: Value = serde_json::from_slice(line).ok()?;
    let container = said["Actor"]["ID"].as_str().or_else(|| said["id"].as_str())?.to_owned();
    let action = said["Action"].as_str().or_else(|| said["status"].as_str())?;
    // Docker writes `health_status: healthy`.
    let kind = match action.split(':').next().unwrap_or(action) {
        "start" => EventKind::Started,
        "die" | "died" => EventKind::Died,
        "health_status" => EventKind::Health,
        "destroy" | "remove" => EventKind::Removed,
        _ => EventKind::Other,
    };
    Some(Event { container, kind })
}

/// The exit code of a death.
fn exit_code(line: &[u8]) -> Option<i64> {
    let said: Value = serde_json::from_slice(line).ok()?;
    let died = matches!(said["Action"].as_str()?, "died" | "die");
    let attributes = &said["Actor"]["Attributes"];
    let code = attributes["containerExitCode"].as_str().or_else(|| attributes["exitCode"].as_str());
    code.filter(|_| died)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_death_has_an_exit_code() {
        let code = |action: &str| {
            let attributes = r#"{"containerExitCode":"78","image":"bb:1"}"#;
            exit_code(format!(r#"{{"Action":"{action}","Actor":{{"ID":"c1","Attributes":{attributes}}}}}"#).as_bytes())
        };
        assert_eq!((code("died"), code("start"), exit_code(b"")), (Some(78), None, None));
    }

    #[test]
    fn both_engines_words_become_one() {
        let kind = |action: &str| {
            let line = format!(r#"{{"Type":"container","Action":"{action}","Actor":{{"ID":"c1"}}}}"#);
            event(line.as_bytes()).map(|event| event.kind)
        };
        assert_eq!(kind("health_status: healthy"), Some(EventKind::Health));
        assert_eq!(kind("died"), Some(EventKind::Died));
        assert_eq!(kind("destroy"), Some(EventKind::Removed));
        assert_eq!(kind("remove"), Some(EventKind::Removed));
        assert_eq!(kind("exec_die"), Some(EventKind::Other));
        assert_eq!(event(b"no json"), None);
    }
}
