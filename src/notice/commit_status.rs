//! Marks at commits: GitHub's, GitLab's and Gitea's ways to say the same.

use super::{
    http::Http,
    news::{CommitState, State},
    target::Fault,
    text,
};
use crate::{
    host::{
        secret_file,
        voice::{CommitStatusTarget, Forge},
    },
    show::escape,
};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};

/// GitHub takes no more characters.
const LONGEST: usize = 140;

/// What is asked of a forge.
#[derive(Debug, PartialEq)]
pub struct Question {
    pub url: String,
    pub body: Json,
}

/// Sends one.
pub async fn send(target: &CommitStatusTarget, http: &mut Http, state: &CommitState) -> Result<(), Fault> {
    let token = token(target)?;
    let Some(question) = question(target, state) else { return Err(Fault::last("it has no `api`")) };
    http.post(&question.url, headers(target.forge, &token)?, &question.body).await
}

/// What may set statuses.
pub fn token(target: &CommitStatusTarget) -> Result<SecretString, Fault> {
    secret_file::read(&target.token_file).map_err(Fault::of_secret)
}

fn headers(forge: Forge, token: &SecretString) -> Result<Vec<(&'static str, HeaderValue)>, Fault> {
    let token = token.expose_secret();
    let (name, value, kind) = match forge {
        Forge::Github => ("authorization", format!("Bearer {token}"), "application/vnd.github+json"),
        Forge::Gitea => ("authorization", format!("token {token}"), "application/json"),
        Forge::Gitlab => ("private-token", token.to_owned(), "application/json"),
    };
    let mut value = HeaderValue::from_str(&value).map_err(|_| Fault::last("the token is no text for a header"))?;
    value.set_sensitive(true);
    Ok(vec![(name, value), ("accept", HeaderValue::from_static(kind))])
}

/// Where to and what; none where the forge has no usual address and none is written.
pub fn question(target: &CommitStatusTarget, state: &CommitState) -> Option<Question> {
    let usual = match target.forge {
        Forge::Github => Some("https://api.github.com"),
        Forge::Gitlab => Some("https://gitlab.com/api/v4"),
        Forge::Gitea => None,
    };
    let api = target.api.as_ref().map(|api| api.as_str()).or(usual)?.trim_end_matches('/');
    let repository = target.repository.as_str();
    let context = format!("reconcile/{}", state.environment);
    let description = text::cut(&escape::plain(&state.description), LONGEST);
    let commit = &state.commit;
    let (url, body) = match target.forge {
        Forge::Github | Forge::Gitea => {
            let state = match state.state {
                State::Pending => "pending",
                State::Success => "success",
                State::Failure => "failure",
            };
            let body = json!({"state": state, "context": context, "description": description});
            (format!("{api}/repos/{repository}/statuses/{commit}"), body)
        }
        Forge::Gitlab => {
            let state = match state.state {
                State::Pending => "running",
                State::Success => "success",
                State::Failure => "failed",
            };
            let body = json!({"state": state, "name": context, "description": description});
            (format!("{api}/projects/{}/statuses/{commit}", repository.replace('/', "%2F")), body)
        }
    };
    Some(Question { url, body })
}
