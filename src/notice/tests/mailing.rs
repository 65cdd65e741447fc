//! A tiny mail server, in the clear.

use super::{news, targets};
use crate::notice::{Counts, Notices, Pace};
use std::time::Duration;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};

const QUICK: Pace = Pace { tries: 3, wait: Duration::from_millis(10), try_for: Duration::from_secs(5) };

/// Every line that was heard, one list for each connection; `refuses` so many recipients with a status first.
async fn mail_server(mut refuses: usize, status: &'static str) -> (u16, mpsc::UnboundedReceiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let refused = refuses > 0;
            refuses = refuses.saturating_sub(1);
            let lines = converse(stream, refused.then_some(status)).await;
            if sender.send(lines).is_err() {
                break;
            }
        }
    });
    (port, heard)
}

async fn converse(stream: TcpStream, refusal: Option<&str>) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    let mut lines: Vec<String> = Vec::new();
    let mut in_data = false;
    stream.write_all(b"220 mail.test\r\n").await.unwrap();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return lines;
        }
        let line = line.trim_end().to_owned();
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match (in_data, word.as_str()) {
            (true, ".") => {
                in_data = false;
                "250 kept"
            }
            (true, _) => "",
            (false, "EHLO") => "250-mail.test\r\n250 AUTH PLAIN LOGIN",
            (false, "AUTH") => "235 welcome",
            (false, "RCPT") => refusal.unwrap_or("250 yes"),
            (false, "DATA") => {
                in_data = true;
                "354 go on"
            }
            (false, "QUIT") => "221 bye",
            (false, _) => "250 yes",
        };
        lines.push(line);
        if !answer.is_empty() {
            stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        }
        if word == "QUIT" && !in_data {
            return lines;
        }
    }
}

fn mail(port: u16, more: &str) -> Vec<crate::host::Target> {
    targets(&format!(
        "notify: [{{email: {{server: localhost, port: {port}, tls: \"off\", from: reconcile@example.com, \
         to: [ops@example.com, dev@example.com]{more}}}}}]"
    ))
}

async fn counts(notices: &Notices, expected: Counts) {
    let reached = async {
        while notices.counts() != expected {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), reached).await.unwrap_or_else(|_| panic!("{:?}", notices.counts()));
}

#[tokio::test]
async fn a_mail_has_its_subject_its_readers_and_the_text() {
    let (port, mut heard) = mail_server(0, "").await;
    let notices = Notices::begin(&mail(port, ""), "alpha\r\nBcc: everybody@example.com", QUICK);
    notices.tell(news("failed: container exited"));
    let lines = heard.recv().await.unwrap();
    let has = |line: &str| lines.iter().any(|heard| heard == line);
    assert!(has("MAIL FROM:<reconcile@example.com>"), "{lines:#?}");
    assert!(has("RCPT TO:<ops@example.com>") && has("RCPT TO:<dev@example.com>"), "{lines:#?}");
    assert!(has("Subject: production/web failed on alpha\\r\\nBcc: everybody@example.com"), "{lines:#?}");
    assert!(has("hint: look at its log") && has("Auto-Submitted: auto-generated"), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.starts_with("Bcc:") || line.starts_with("AUTH")), "{lines:#?}");
    counts(&notices, Counts { sent: 1, ..Counts::default() }).await;
}

#[tokio::test]
async fn a_mail_that_is_put_off_is_sent_later_and_one_refused_for_good_is_not() {
    let (port, mut heard) = mail_server(1, "451 later").await;
    let notices = Notices::begin(&mail(port, ""), "alpha", QUICK);
    notices.tell(news("one"));
    assert!(!heard.recv().await.unwrap().iter().any(|line| line == "DATA"));
    assert!(heard.recv().await.unwrap().iter().any(|line| line == "DATA"));
    counts(&notices, Counts { sent: 1, ..Counts::default() }).await;
    let (port, mut heard) = mail_server(9, "550 never").await;
    let notices = Notices::begin(&mail(port, ""), "alpha", QUICK);
    notices.tell(news("one"));
    heard.recv().await.unwrap();
    counts(&notices, Counts { failed: 1, ..Counts::default() }).await;
    notices.end(Duration::from_secs(5)).await;
    assert!(heard.try_recv().is_err(), "it was tried again");
}

#[tokio::test]
async fn a_user_logs_in_with_the_password_of_its_file() {
    let (port, mut heard) = mail_server(0, "").await;
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    super::write_secret(&password, "hunter2\n");
    let more = format!(", username: ann, password_file: {}", password.display());
    let notices = Notices::begin(&mail(port, &more), "alpha", QUICK);
    notices.tell(news("one"));
    let lines = heard.recv().await.unwrap();
    // printf '\0ann\0hunter2' | base64
    assert!(lines.iter().any(|line| line == "AUTH PLAIN AGFubgBodW50ZXIy"), "{lines:#?}");
}

#[tokio::test]
async fn a_server_without_tls_gets_no_mail_where_tls_was_asked_for() {
    let (port, mut heard) = mail_server(0, "").await;
    let text =
        format!("notify: [{{email: {{server: localhost, port: {port}, from: a@example.com, to: [b@example.com]}}}}]");
    let notices = Notices::begin(&targets(&text), "alpha", Pace { tries: 1, ..QUICK });
    notices.tell(news("one"));
    counts(&notices, Counts { failed: 1, ..Counts::default() }).await;
    notices.end(Duration::from_secs(5)).await;
    assert!(!heard.recv().await.unwrap().iter().any(|line| line.starts_with("MAIL")));
}
