//! What is sent, by its form.

use super::{REVISION, ended, targets, tidings, well};
use crate::{
    host::{self, voice::Format},
    notice::{
        CommitState, Tidings,
        commit_status::{Question, question},
        text,
        webhook::body,
    },
    record::Outcome,
};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn json_says_all_but_what_a_container_said_last() {
    let mut tidings = tidings("failed: container exited");
    if let Some(error) = tidings.report.as_mut().and_then(|report| report.error.as_mut()) {
        error.log.push("password=hunter2".to_owned());
    }
    let expected = json!({
        "format": 1, "event": "failed", "at": "1970-01-01T00:00:00Z", "host": "alpha",
        "environment": "production", "app": "web", "revision": REVISION, "summary": "failed: container exited",
        "status": "OutOfSync", "health": "Healthy", "outcome": "Failed", "held": null,
        "error": {"blame": "world", "summary": "container exited", "service": null, "exit_code": null, "oom": false,
            "hint": "look at its log"},
    });
    assert_eq!(body(Format::Json, &tidings, "alpha"), expected);
    assert!(!text::page(&tidings, "alpha").contains("hunter2"));
}

#[test]
fn what_is_about_no_app_says_null() {
    let lost = Tidings::source_lost("timed out", Timestamp::UNIX_EPOCH);
    let body = body(Format::Json, &lost, "alpha");
    assert_eq!(
        (&body["event"], &body["summary"]),
        (&json!("source_lost"), &json!("the repository does not answer: timed out"))
    );
    for key in ["environment", "app", "revision", "status", "health", "outcome", "held", "error"] {
        assert_eq!(body.get(key), Some(&Json::Null), "{key}");
    }
}

#[test]
fn a_chat_gets_a_line_that_is_nothing_but_text() {
    let told = tidings("<!channel> & <https://evil.example|here>\n\u{1b}[31m@room \u{202e}drow");
    let slack = body(Format::Slack, &told, "alpha");
    assert_eq!(
        slack,
        json!({"text": "production/web on alpha: &lt;!channel&gt; &amp; &lt;https://evil.example|here&gt;\\n\\u{1b}[31m\
            @room \\u{202e}drow (main@sha1:0123456789ab)"})
    );
    let matrix = body(Format::Matrix, &told, "alpha");
    let line = "production/web on alpha: <!channel> & <https://evil.example|here>\\n\\u{1b}[31m@\u{2060}room \\u{202e}drow \
        (main@\u{2060}sha1:0123456789ab)";
    assert_eq!(matrix, json!({"text": line, "body": line, "msgtype": "m.notice"}));
}

#[test]
fn a_page_says_what_to_do() {
    let expected = "production/web on alpha: failed (main@sha1:0123456789ab)\nstatus: OutOfSync, health: Healthy\n\
        hint: look at its log\n";
    assert_eq!(text::page(&tidings("failed"), "alpha"), expected);
}

fn asked(target: &str, state: &CommitState) -> Option<Question> {
    match targets(&format!("notify: [{{commit_status: {target}}}]")).remove(0) {
        host::Target::CommitStatus(target) => question(&target, state),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_forge_is_asked_in_its_own_words() {
    let production = "production".parse().unwrap();
    let pending = CommitState::pending(&production, COMMIT);
    let good = CommitState::of_reports(&production, COMMIT, [&well()]);
    let bad = CommitState::of_reports(&production, COMMIT, [&well(), &ended(Outcome::Failed, "x")]);
    let github = "{forge: github, repository: ops/m, token_file: /t}";
    let gitea = "{forge: gitea, api: \"https://git.example.com/api/v1/\", repository: ops/m, token_file: /t}";
    let gitlab = "{forge: gitlab, repository: ops/team/m, token_file: /t}";
    let table = [
        (github, &pending, "https://api.github.com/repos/ops/m/statuses/", "pending", "context", "converging"),
        (github, &good, "https://api.github.com/repos/ops/m/statuses/", "success", "context", "1 app in place"),
        (
            gitea,
            &bad,
            "https://git.example.com/api/v1/repos/ops/m/statuses/",
            "failure",
            "context",
            "1 of 2 apps not in place: web",
        ),
        (
            gitlab,
            &pending,
            "https://gitlab.com/api/v4/projects/ops%2Fteam%2Fm/statuses/",
            "running",
            "name",
            "converging",
        ),
        (
            gitlab,
            &bad,
            "https://gitlab.com/api/v4/projects/ops%2Fteam%2Fm/statuses/",
            "failed",
            "name",
            "1 of 2 apps not in place: web",
        ),
    ];
    for (target, state, url, word, name, description) in table {
        let expected = Question {
            url: format!("{url}{COMMIT}"),
            body: json!({"state": word, name: "reconcile/production", "description": description}),
        };
        assert_eq!(asked(target, state), Some(expected));
    }
}

#[test]
fn a_description_is_no_longer_than_forges_take() {
    let reports: Vec<_> = (0..40).map(|_| ended(Outcome::Failed, "x")).collect();
    let state = CommitState::of_reports(&"production".parse().unwrap(), COMMIT, &reports);
    let body = asked("{forge: github, repository: ops/m, token_file: /t}", &state).unwrap().body;
    let description = body["description"].as_str().unwrap();
    assert!(description.chars().count() == 140 && description.ends_with('…'), "{description}");
}
