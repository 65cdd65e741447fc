//! Notices as JSON, and as the texts that chats take.

use super::{http::Http, news::Tidings, target::Fault, text};
use crate::{
    host::{
        secret_file,
        voice::{Format, WebhookTarget},
    },
    show::{escape, report::AppReport},
    value::WebUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};

/// The version of the JSON body.
const FORMAT: u32 = 1;

/// Sends one.
pub async fn send(target: &WebhookTarget, http: &mut Http, tidings: &Tidings, host: &str) -> Result<(), Fault> {
    let url = url(target)?;
    http.post(url.expose_secret(), Vec::new(), &body(target.format, tidings, host)).await
}

/// Where to, from the host file or from a file of its own.
pub fn url(target: &WebhookTarget) -> Result<SecretString, Fault> {
    match (&target.url, &target.url_file) {
        (Some(url), _) => Ok(url.as_str().into()),
        (None, Some(path)) => {
            let secret = secret_file::read(path).map_err(Fault::of_secret)?;
            match secret.expose_secret().parse::<WebUrl>() {
                Ok(_) => Ok(secret),
                Err(_) => Err(Fault::last(format!("`{path}` does not hold a URL"))),
            }
        }
        (None, None) => Err(Fault::last("it has no URL")),
    }
}

/// The body in a format.
pub fn body(format: Format, tidings: &Tidings, host: &str) -> Json {
    match format {
        Format::Json => document(tidings, host),
        Format::Slack => json!({"text": slack(&text::line(tidings, host))}),
        Format::Matrix => {
            let text = matrix(&text::line(tidings, host));
            json!({"text": text, "body": text, "msgtype": "m.notice"})
        }
    }
}

fn document(tidings: &Tidings, host: &str) -> Json {
    let app = |pick: fn(&AppReport) -> Json| tidings.report.as_ref().map_or(Json::Null, pick);
    let error = tidings.error().map(|error| {
        // Not its log: a container's last words may hold anything.
        json!({
            "blame": error.blame, "summary": error.summary, "service": error.service,
            "exit_code": error.exit_code, "oom": error.oom, "hint": error.hint,
        })
    });
    json!({
        "format": FORMAT,
        "event": tidings.event,
        "at": tidings.at,
        "host": host,
        "environment": tidings.environment,
        "app": tidings.app,
        "revision": tidings.revision,
        "summary": escape::plain(&tidings.summary),
        "status": app(|report| json!(report.status)),
        "health": app(|report| json!(report.health)),
        "outcome": app(|report| json!(report.outcome)),
        "held": app(|report| json!(report.held)),
        "error": error,
    })
}

/// Nothing in it is a link, a mention or a command.
fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A word joiner after each `@` keeps it from being a mention.
fn matrix(text: &str) -> String {
    text.replace('@', "@\u{2060}")
}
