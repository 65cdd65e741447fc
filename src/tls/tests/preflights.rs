//! The path of challenges is asked before there is an order.

use super::*;
use crate::tls::{Astray, Due, TlsError};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

/// A proxy that answers as told, and what it was asked.
async fn proxy(answer: impl Fn(&str) -> String + Send + 'static) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let (mut path, mut host) = (String::new(), String::new());
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await.unwrap() == 0 || line.trim().is_empty() {
                    break;
                }
                if let Some(rest) = line.strip_prefix("GET ") {
                    path = rest.split(' ').next().unwrap().to_owned();
                }
                if let Some(rest) = line.to_lowercase().strip_prefix("host: ") {
                    host = rest.trim().to_owned();
                }
            }
            seen.lock().unwrap().push(format!("{host}{path}"));
            let token = path.rsplit('/').next().unwrap();
            stream.write_all(answer(token).as_bytes()).await.unwrap();
        }
    });
    (address, asked)
}

fn response(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

/// How an order goes with a proxy that answers so. The authority is one that nobody reaches.
async fn ordered(
    answer: impl Fn(&str, &str) -> String + Send + 'static,
) -> (TlsError, Certificates, Vec<String>, TempDir) {
    let (folder, key) = certificates();
    let thumbprint = key.thumbprint().unwrap();
    let (address, asked) = proxy(move |token| answer(token, &thumbprint)).await;
    let settings = Settings { preflight: Some(address), ..settings() };
    let certificates = Certificates::open(folder.path().join("certs"), settings);
    let wanted = wanted(&["shop.example.com"], Origin::Acme);
    let error = certificates.obtain(&wanted, today()).await.unwrap_err();
    let asked = asked.lock().unwrap().clone();
    (error, certificates, asked, folder)
}

#[tokio::test]
async fn a_path_that_leads_elsewhere_is_told_with_what_to_do_and_nothing_is_ordered() {
    let wanted = wanted(&["shop.example.com"], Origin::Acme);
    type Answering = fn(&str, &str) -> String;
    let cases: [(Answering, &str, &str); 4] = [
        (
            |_, _| response("404 Not Found", "nothing here"),
            "is answered with 404 by 127.0.0.1",
            "is the proxy configured",
        ),
        (
            |_, _| response("200 OK", "<h1>It works!</h1>"),
            "is answered with something else by 127.0.0.1",
            "every address",
        ),
        (
            |token, _| response("200 OK", &format!("{token}.another-thumbprint")),
            "is answered for another ACME account by 127.0.0.1",
            "one of the two must go",
        ),
        (|_, _| String::new(), "is not answered by 127.0.0.1: ", "`acme.preflight: 127.0.0.1:80`"),
    ];
    for (answer, why, hint) in cases {
        let (error, certificates, asked, _folder) = ordered(answer).await;
        let told = error.to_string();
        let begin = "`shop.example.com` does not lead to the proxy of this host, so nothing was ordered: \
                     `http://shop.example.com/.well-known/acme-challenge/…` ";
        assert!(told.starts_with(&format!("{begin}{why}")), "{told}");
        assert!(error.hint().unwrap().contains(hint), "{:?}", error.hint());
        assert!(asked[0].starts_with("shop.example.com/.well-known/acme-challenge/"), "{asked:?}");
        // Nobody counts it, so it is tried again soon.
        let Due::Wait { until, why } = certificates.due(today(), &wanted) else { panic!() };
        assert_eq!((until.duration_since(today()).as_secs(), why), (60, told));
        let attempts = certificates.attempts(&wanted);
        assert_eq!((attempts.failures, attempts.held_back), (0, 1));
    }
}

#[tokio::test]
async fn a_proxy_that_answers_for_the_account_lets_the_order_go_on() {
    let (error, certificates, asked, _folder) =
        ordered(|token, thumbprint| response("200 OK", &format!("{token}.{thumbprint}\n"))).await;
    // The authority is one that nobody reaches, which is counted.
    let TlsError::Authority { doing, .. } = &error else { panic!("{error}") };
    assert_eq!((*doing, asked.len()), ("have an account", 1));
    let wanted = wanted(&["shop.example.com"], Origin::Acme);
    assert_eq!(certificates.attempts(&wanted).failures, 1);
    assert!(error.whole().contains("https://127.0.0.1:1/directory"), "{}", error.whole());
    let again = certificates.obtain(&wanted, today() + SignedDuration::from_mins(59)).await.unwrap_err();
    let TlsError::TooSoon { until, .. } = again else { panic!("{again}") };
    assert_eq!(until, today() + HOUR);
}

#[tokio::test]
async fn a_redirect_is_followed_as_an_authority_follows_it() {
    let (folder, key) = certificates();
    let thumbprint = key.thumbprint().unwrap();
    let (answers, _) = proxy(move |token| response("200 OK", &format!("{token}.{thumbprint}"))).await;
    let (redirects, _) = proxy(move |token| {
        format!("HTTP/1.1 301 Moved\r\nlocation: http://{answers}/x/{token}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    })
    .await;
    let certificates =
        Certificates::open(folder.path().join("certs"), Settings { preflight: Some(redirects), ..settings() });
    let error = certificates.obtain(&wanted(&["shop.example.com"], Origin::Acme), today()).await.unwrap_err();
    assert!(matches!(error, TlsError::Authority { .. }), "{error}");
}

#[tokio::test]
async fn what_failed_holds_up_neither_other_names_nor_another_authority() {
    let (_, certificates, _, folder) =
        ordered(|token, thumbprint| response("200 OK", &format!("{token}.{thumbprint}"))).await;
    let (failed, mended) = (wanted(&["shop.example.com"], Origin::Acme), wanted(&["shop.example.org"], Origin::Acme));
    assert!(matches!(certificates.due(today(), &failed), Due::Wait { .. }));
    assert!(matches!(certificates.due(today(), &mended), Due::Now(_)));
    let staging = Settings { directory: "https://127.0.0.1:2/directory".to_owned(), ..settings() };
    let staging = Certificates::open(folder.path().join("certs"), staging);
    assert!(matches!(staging.due(today(), &failed), Due::Now(_)));
    // A certificate of the host's own, to have something to show meanwhile, lets nobody order sooner.
    let own = wanted(&["shop.example.com"], Origin::Internal);
    certificates.obtain(&own, today()).await.unwrap();
    assert!(matches!(certificates.due(today(), &failed), Due::Wait { .. }));
    assert!(certificates.look(&failed).pair().is_some_and(|pair| !pair.of_this_authority));
}

#[tokio::test]
async fn a_name_without_an_address_is_told() {
    let (folder, _) = certificates();
    let certificates = Certificates::open(folder.path().join("certs"), Settings { preflight: None, ..settings() });
    let nowhere = wanted(&["shop.invalid"], Origin::Acme);
    let error = certificates.obtain(&nowhere, today()).await.unwrap_err();
    let TlsError::Astray(refusal) = &error else { panic!("{error}") };
    assert!(matches!(refusal.astray, Astray::Unknown(_)), "{error}");
    assert_eq!(error.hint().unwrap(), "give `shop.invalid` an A or AAAA record that leads to this host");
}
