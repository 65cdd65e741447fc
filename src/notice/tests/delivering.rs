//! Targets that answer, refuse, stall, or come back later.

use super::{
    news,
    server::{Answer, OK, Server},
    targets, webhook,
};
use crate::notice::{CommitState, Counts, News, Notices, Pace, complaints};
use std::time::{Duration, Instant};

/// Quick enough for a test, slow enough to be told from at once.
const QUICK: Pace = Pace { tries: 3, wait: Duration::from_millis(20), try_for: LONG };
const LONG: Duration = Duration::from_secs(10);

async fn counts(notices: &Notices, expected: Counts) {
    let begin = Instant::now();
    while notices.counts() != expected {
        assert!(begin.elapsed() < LONG, "{:?} instead of {expected:?}", notices.counts());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn notices_come_in_their_order() {
    let mut server = Server::answering([]).await;
    let notices = Notices::begin(&webhook(&server.url), "alpha", QUICK);
    let told: Vec<String> = (0..20).map(|number| format!("number {number}")).collect();
    told.iter().for_each(|summary| notices.tell(news(summary)));
    assert_eq!(server.summaries(20).await, told);
    counts(&notices, Counts { sent: 20, ..Counts::default() }).await;
}

#[tokio::test]
async fn what_is_refused_for_now_is_tried_again_before_the_next() {
    let script =
        [Answer::Says("503 Unavailable\r\n"), Answer::Hangs, OK, Answer::Says("429 Slow\r\nRetry-After: 0\r\n")];
    let mut server = Server::answering(script).await;
    let notices = Notices::begin(&webhook(&server.url), "alpha", QUICK);
    notices.tell(news("one"));
    notices.tell(news("two"));
    assert_eq!(server.summaries(5).await, ["one", "one", "one", "two", "two"]);
    counts(&notices, Counts { sent: 2, ..Counts::default() }).await;
}

#[tokio::test]
async fn what_is_refused_for_good_is_not_tried_again() {
    let redirect = "302 Found\r\nLocation: /elsewhere\r\n";
    let script = [Answer::Says("404 Not Found\r\n"), Answer::Says(redirect)];
    let mut server = Server::answering(script).await;
    let notices = Notices::begin(&webhook(&server.url), "alpha", QUICK);
    ["one", "two", "three"].iter().for_each(|summary| notices.tell(news(summary)));
    assert_eq!(server.summaries(3).await, ["one", "two", "three"]);
    counts(&notices, Counts { sent: 1, failed: 2, dropped: 0 }).await;
    assert!(server.is_quiet());
}

#[tokio::test]
async fn who_puts_itself_off_is_waited_for() {
    let mut server = Server::answering([Answer::Says("429 Slow\r\nRetry-After: 1\r\n")]).await;
    let notices = Notices::begin(&webhook(&server.url), "alpha", QUICK);
    notices.tell(news("one"));
    server.next().await;
    let begin = Instant::now();
    server.next().await;
    assert!(begin.elapsed() > Duration::from_millis(900), "it came after {:?}", begin.elapsed());
}

#[tokio::test]
async fn a_target_that_stalls_delays_nobody() {
    let stalling = Server::answering(vec![Answer::Stalls; 200]).await;
    let mut quick = Server::answering([]).await;
    let both = [webhook(&stalling.url), webhook(&quick.url)].concat();
    let pace = Pace { try_for: Duration::from_secs(600), ..QUICK };
    let notices = Notices::begin(&both, "alpha", pace);
    let begin = Instant::now();
    for number in 0..50 {
        notices.tell(news(&number.to_string()));
    }
    assert!(begin.elapsed() < Duration::from_secs(5), "telling took {:?}", begin.elapsed());
    assert_eq!(quick.summaries(50).await.last().map(String::as_str), Some("49"));
    // One is on its way to the one that stalls, and 64 may wait for it.
    for number in 50..100 {
        notices.tell(news(&number.to_string()));
        quick.summaries(1).await;
    }
    counts(&notices, Counts { sent: 100, failed: 0, dropped: 100 - 65 }).await;
    let begin = Instant::now();
    notices.end(Duration::from_millis(100)).await;
    assert!(begin.elapsed() < Duration::from_secs(20), "the end took {:?}", begin.elapsed());
}

#[tokio::test]
async fn a_target_that_is_not_there_is_given_up_after_some_tries() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let notices = Notices::begin(&webhook(&url), "alpha", QUICK);
    notices.tell(news("one"));
    counts(&notices, Counts { failed: 1, ..Counts::default() }).await;
}

#[tokio::test]
async fn a_target_that_never_answers_one_notice_gets_the_next() {
    let mut server = Server::stalling_over("one").await;
    let notices = Notices::begin(&webhook(&server.url), "alpha", Pace { try_for: Duration::from_secs(3), ..QUICK });
    notices.tell(news("one"));
    notices.tell(news("two"));
    counts(&notices, Counts { sent: 1, failed: 1, dropped: 0 }).await;
    let mut heard = vec![server.summaries(1).await.remove(0)];
    while heard.last().is_some_and(|summary| summary == "one") {
        heard.extend(server.summaries(1).await);
    }
    // A try that ends before it is heard is one too.
    assert!((2..=4).contains(&heard.len()), "{heard:?}");
}

#[tokio::test]
async fn the_end_sends_what_waits_and_tries_nothing_for_long() {
    let mut server = Server::answering(vec![Answer::Says("503 Unavailable\r\n"); 100]).await;
    let pace = Pace { tries: 50, wait: Duration::from_secs(600), try_for: LONG };
    let notices = Notices::begin(&webhook(&server.url), "alpha", pace);
    ["one", "two", "three"].iter().for_each(|summary| notices.tell(news(summary)));
    assert_eq!(server.summaries(1).await, ["one"]);
    let begin = Instant::now();
    notices.end(LONG).await;
    assert!(begin.elapsed() < Duration::from_secs(60), "the end took {:?}", begin.elapsed());
    assert_eq!(server.summaries(3).await, ["one", "two", "three"]);
    assert!(server.is_quiet(), "something was tried again at the end");
}

#[tokio::test]
async fn each_target_hears_what_it_asked_for() {
    let mut server = Server::answering([]).await;
    let text = format!("notify: [{{webhook: {{url: \"{}\", on: [recovered]}}}}]", server.url);
    let notices = Notices::begin(&targets(&text), "alpha", QUICK);
    let (environment, at) = ("production".parse().unwrap(), jiff::Timestamp::UNIX_EPOCH);
    for report in [super::ended(crate::record::Outcome::Failed, "x"), super::well(), super::well()] {
        notices.app(&environment, super::REVISION, &report, at);
    }
    notices.tell(News::Commit(CommitState::pending(&environment, "0123")));
    assert_eq!(server.summaries(1).await, ["well again, after it was failed"]);
    counts(&notices, Counts { sent: 1, ..Counts::default() }).await;
    notices.end(LONG).await;
    assert!(server.is_quiet());
}

#[tokio::test]
async fn a_host_file_read_anew_tells_nothing_twice_and_a_new_app_begins_anew() {
    let mut server = Server::answering([]).await;
    let first = Notices::begin(&webhook(&server.url), "alpha", QUICK);
    let (environment, at) = ("production".parse().unwrap(), jiff::Timestamp::UNIX_EPOCH);
    let failed = super::ended(crate::record::Outcome::Failed, "x");
    first.app(&environment, super::REVISION, &failed, at);
    server.next().await;
    counts(&first, Counts { sent: 1, ..Counts::default() }).await;
    let known = first.known();
    first.end(LONG).await;
    let second = Notices::begin(&webhook(&server.url), "alpha", QUICK).knowing(known);
    assert_eq!(second.counts(), Counts { sent: 1, ..Counts::default() });
    second.app(&environment, super::REVISION, &failed, at);
    second.forget(&environment, &failed.app);
    second.app(&environment, super::REVISION, &failed, at);
    assert_eq!(server.summaries(1).await, ["failed: x"]);
    second.end(LONG).await;
    assert!(server.is_quiet());
}

#[tokio::test]
async fn a_commit_is_marked_once_for_each_state_with_the_token_of_its_file() {
    let mut server = Server::answering([]).await;
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    let text = format!(
        "notify: [{{commit_status: {{forge: gitea, api: \"{}/api/v1\", repository: ops/m, token_file: {}}}}}]",
        server.url,
        token.display()
    );
    let notices = Notices::begin(&targets(&text), "alpha", QUICK);
    let production = "production".parse().unwrap();
    let pending = |commit| News::Commit(CommitState::pending(&production, commit));
    // The file is read when it is needed: what is not there yet costs one notice.
    notices.tell(pending("aa"));
    counts(&notices, Counts { failed: 1, ..Counts::default() }).await;
    super::write_secret(&token, "s3cret-token\n");
    for commit in ["aa", "aa", "bb"] {
        notices.tell(pending(commit));
    }
    let (first, second) = (server.next().await, server.next().await);
    assert!(first.head.starts_with("post /api/v1/repos/ops/m/statuses/aa http/1.1\r\n"), "{}", first.head);
    assert!(first.head.contains("authorization: token s3cret-token\r\n"), "{}", first.head);
    assert!(second.head.starts_with("post /api/v1/repos/ops/m/statuses/bb "), "{}", second.head);
    notices.end(LONG).await;
    assert!(server.is_quiet());
}

#[test]
fn what_keeps_a_target_from_being_told_is_known_before_there_is_anything_to_tell() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    let path = secret.display();
    let text = format!(
        "\
notify:
  - webhook: {{url: \"https://hooks.example.com/T0\"}}
  - webhook: {{url_file: {path}}}
  - email: {{server: m.example.com, username: a, password_file: {path}, from: a@b.c, to: [a@b.c]}}
  - email: {{server: m.example.com, from: a@b.c, to: [a@b.c]}}
  - commit_status: {{forge: github, repository: ops/m, token_file: {path}}}
"
    );
    let targets = targets(&text);
    let said = || complaints(&targets).join("\n").replace(&path.to_string(), "FILE");
    let missing = "the secret file `FILE` is not there";
    let expected =
        format!("webhook of `FILE`: {missing}\ne-mail by m.example.com: {missing}\ncommit status of ops/m: {missing}");
    assert_eq!(said(), expected);
    super::write_secret(&secret, "not a url with s3cret\n");
    assert_eq!(said(), "webhook of `FILE`: `FILE` does not hold a URL");
    super::write_secret(&secret, "https://hooks.example.com/s3cret\n");
    assert_eq!(said(), "");
}
