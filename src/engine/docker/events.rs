//! The engine's events about containers, networks and images, both engines' words in one.

use super::{
    Dialect, Docker,
    ask::{Ask, encoded},
    libpod,
};
use crate::{
    desired::label,
    engine::{Answer, EngineError, Event, view::EventKind},
};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// Events that wait for the reader before the engine has to.
const WAITING: usize = 256;

impl Docker {
    pub(super) async fn watch_things(&self) -> Answer<Receiver<Event>> {
        let doing = "tell its events";
        let filters = encoded(r#"{"type":["container","network","image"]}"#);
        let answer = self.0.transport.stream(Ask::get(doing, self.path(&format!("/events?filters={filters}")))).await?;
        if !answer.status().is_success() {
            let status = answer.status().as_u16();
            return Err(EngineError::Refused { doing: doing.to_owned(), status, message: answer.status().to_string() });
        }
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(forward(answer.into_body(), self.0.dialect, sender));
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
                // To the nanosecond: a whole second would leave out what this one has brought.
                let now = Timestamp::now();
                let until = format!("{}.{:09}", now.as_second(), now.subsec_nanosecond());
                self.path(&format!("/events?since=0&until={until}&filters={filters}"))
            }
        };
        let told = self.0.transport.whole(Ask::get(doing, path)).await?;
        Ok(told.body().split(|byte| *byte == b'\n').filter_map(exit_code).next_back())
    }
}

/// Ends when the stream ends or nobody listens any more; either way the channel closes.
async fn forward(mut body: Incoming, dialect: Dialect, sender: Sender<Event>) {
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
            if let Some(event) = event(&line, dialect)
                && sender.send(event).await.is_err()
            {
                return;
            }
        }
    }
}

/// What a line tells; none where it is of no interest to anybody.
fn event(line: &[u8], dialect: Dialect) -> Option<Event> {
    let said: Value = serde_json::from_slice(line).ok()?;
    let id = said["Actor"]["ID"].as_str().or_else(|| said["id"].as_str())?.to_owned();
    let action = said["Action"].as_str().or_else(|| said["status"].as_str())?;
    let attributes = &said["Actor"]["Attributes"];
    match said["Type"].as_str().unwrap_or("container") {
        "container" => {
            let kind = kind(action, dialect)?;
            let labels = attributes.as_object().into_iter().flatten();
            let ours = labels.filter(|(name, _)| name.starts_with(label::PREFIX));
            let labels = ours.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
            Some(Event::Container { id, kind, labels })
        }
        "network" => {
            let container = match dialect {
                Dialect::Docker => attributes["container"].as_str().map(str::to_owned),
                // Podman tells the container where Docker tells the network.
                Dialect::Podman => matches!(action, "connect" | "disconnect").then_some(id),
            };
            Some(Event::Network { container })
        }
        "image" => {
            let name = attributes["name"].as_str().unwrap_or(&id).to_owned();
            matches!(action, "tag" | "untag" | "pull" | "load" | "import" | "delete" | "remove")
                .then_some(Event::Image { name })
        }
        _ => None,
    }
}

/// What happened to a container; none for what changes nothing about it.
fn kind(action: &str, dialect: Dialect) -> Option<EventKind> {
    // Docker writes `health_status: healthy` and `exec_create: sh -c …`.
    let word = action.split(':').next().unwrap_or(action);
    Some(match (word, dialect) {
        ("start", _) => EventKind::Started,
        ("die" | "died", _) => EventKind::Died,
        ("health_status", Dialect::Docker) => EventKind::Health,
        // Podman tells every check, most of which are ours, and not only when the answer is another one.
        ("health_status", Dialect::Podman) => return None,
        ("destroy" | "remove", _) => EventKind::Removed,
        ("attach" | "detach" | "cleanup" | "resize" | "top" | "archive-path" | "copy" | "sync", _) => return None,
        (exec, _) if exec.starts_with("exec") => return None,
        (_, _) => EventKind::Other,
    })
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
    use std::collections::BTreeMap;

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
        let kind = |action: &str, dialect| {
            let line = format!(r#"{{"Type":"container","Action":"{action}","Actor":{{"ID":"c1"}}}}"#);
            event(line.as_bytes(), dialect).and_then(|event| match event {
                Event::Container { kind, .. } => Some(kind),
                Event::Network { .. } | Event::Image { .. } => None,
            })
        };
        assert_eq!(kind("health_status: healthy", Dialect::Docker), Some(EventKind::Health));
        assert_eq!(kind("health_status", Dialect::Podman), None);
        assert_eq!(kind("died", Dialect::Podman), Some(EventKind::Died));
        assert_eq!(kind("destroy", Dialect::Docker), Some(EventKind::Removed));
        assert_eq!(kind("remove", Dialect::Podman), Some(EventKind::Removed));
        assert_eq!(kind("exec_create: sh -c true", Dialect::Docker), None);
        assert_eq!(kind("update", Dialect::Docker), Some(EventKind::Other));
        assert_eq!(event(b"no json", Dialect::Docker), None);
    }

    #[test]
    fn an_event_tells_whose_container_it_is_and_who_joined_a_network() {
        let docker = |line: &str| event(line.as_bytes(), Dialect::Docker);
        let started = docker(
            r#"{"Type":"container","Action":"start","Actor":{"ID":"c1","Attributes":{"a":"b","reconcile.app":"web"}}}"#,
        );
        let labels = BTreeMap::from([("reconcile.app".to_owned(), "web".to_owned())]);
        assert_eq!(started, Some(Event::Container { id: "c1".to_owned(), kind: EventKind::Started, labels }));
        let joined =
            docker(r#"{"Type":"network","Action":"connect","Actor":{"ID":"n1","Attributes":{"container":"c1"}}}"#);
        assert_eq!(joined, Some(Event::Network { container: Some("c1".to_owned()) }));
        let left = r#"{"Type":"network","Action":"disconnect","Actor":{"ID":"c1","Attributes":{"name":"evt"}}}"#;
        assert_eq!(event(left.as_bytes(), Dialect::Podman), Some(Event::Network { container: Some("c1".to_owned()) }));
        let named =
            docker(r#"{"Type":"image","Action":"tag","Actor":{"ID":"sha256:1","Attributes":{"name":"app:1"}}}"#);
        assert_eq!(named, Some(Event::Image { name: "app:1".to_owned() }));
    }
}
