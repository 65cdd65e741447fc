//! Four paths, and what each says.

use super::{
    Board, Hook,
    hook::Verdict,
    intake::{self, NoBody},
};
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Bytes},
    header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS},
};
use jiff::Timestamp;
use std::time::Instant;

const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const OLDER_METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

pub type Answer = Response<Full<Bytes>>;

/// Answers one request.
pub async fn answer<B>(request: Request<B>, board: &Board, hook: Option<&Hook>) -> Answer
where
    B: Body<Data = Bytes> + Unpin,
{
    // The query is for nobody, and may hold what somebody put there by mistake.
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let answer = match (path.as_str(), hook) {
        ("/healthz", _) => get(&method, || health(board)),
        ("/readyz", _) => get(&method, || readiness(board)),
        ("/metrics", _) => get(&method, || metrics(&request, board)),
        ("/webhook", Some(hook)) if method == Method::POST => webhook(request, board, hook).await,
        ("/webhook", Some(_)) => not_allowed("POST"),
        _ => said(StatusCode::NOT_FOUND, "not found\n"),
    };
    tracing::debug!(%method, path, status = answer.status().as_u16(), "answered");
    answer
}

fn get(method: &Method, answer: impl FnOnce() -> Answer) -> Answer {
    if method == Method::GET || method == Method::HEAD { answer() } else { not_allowed("GET, HEAD") }
}

fn not_allowed(allowed: &'static str) -> Answer {
    let mut answer = said(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

fn health(board: &Board) -> Answer {
    match board.silence() {
        None => said(StatusCode::OK, "ok\n"),
        Some(silence) => {
            said(StatusCode::SERVICE_UNAVAILABLE, format!("the loop has been silent for {} s\n", silence.as_secs()))
        }
    }
}

fn readiness(board: &Board) -> Answer {
    let awaited = board.awaited();
    if awaited.is_empty() {
        return said(StatusCode::OK, "ready\n");
    }
    said(StatusCode::SERVICE_UNAVAILABLE, awaited.join("\n") + "\n")
}

fn metrics<B>(request: &Request<B>, board: &Board) -> Answer {
    let text = board.metrics().render(Timestamp::now());
    let mut accepted = request.headers().get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    if accepted.any(|value| value.contains("application/openmetrics-text")) {
        return response(StatusCode::OK, OPEN_METRICS, text);
    }
    response(StatusCode::OK, OLDER_METRICS, older(&text))
}

/// The same in the form from before OpenMetrics: a counter is declared with its suffix, and there is no end mark.
fn older(text: &str) -> String {
    let counters: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let declared = |line: &str| {
        let rest = line.strip_prefix("# ")?;
        let (word, rest) = rest.split_once(' ')?;
        let (name, rest) = rest.split_once(' ')?;
        counters.contains(&name).then(|| format!("# {word} {name}_total {rest}"))
    };
    let lines = text.lines().filter(|line| *line != "# EOF");
    lines.map(|line| declared(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
}

async fn webhook<B>(request: Request<B>, board: &Board, hook: &Hook) -> Answer
where
    B: Body<Data = Bytes> + Unpin,
{
    let (parts, body) = request.into_parts();
    let body = match intake::read(body).await {
        Ok(body) => body,
        Err(NoBody::TooLarge) => {
            board.metrics().delivery("too_large");
            return said(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 1 MiB\n");
        }
        Err(NoBody::Broken) => return said(StatusCode::BAD_REQUEST, "the body is broken\n"),
    };
    let verdict = hook.hear(&parts.headers, &body, Timestamp::now(), Instant::now());
    let (status, word, text) = match verdict {
        Verdict::Nudged => (StatusCode::ACCEPTED, "accepted", "looking\n"),
        Verdict::Repeated => (StatusCode::OK, "repeated", "seen before\n"),
        Verdict::Refused => (StatusCode::UNAUTHORIZED, "refused", "unauthorized\n"),
        Verdict::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many", "too many\n"),
    };
    board.metrics().delivery(word);
    let mut answer = said(status, text);
    if verdict == Verdict::TooMany {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("10"));
    }
    answer
}

fn said(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    response(status, TEXT, text)
}

fn response(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
