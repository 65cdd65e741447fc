//! What the driver makes of answers that no engine gives when asked to.

use super::*;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

const INTERFACE_GONE: (u16, &str) = (500, r#"{"message":"route ip+net: no such network interface"}"#);
const MADE: (u16, &str) = (201, r#"{"Id":"n1"}"#);

/// A Podman that gives these answers in turn, one for each request after the greeting; more requests get none.
async fn podman_that_says(answers: Vec<(u16, &'static str)>) -> Docker {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut answers = std::iter::once((200, "OK")).chain(answers);
        loop {
            let mut socket = BufReader::new(listener.accept().await.unwrap().0);
            while read_request(&mut socket).await {
                let Some((status, body)) = answers.next() else { return };
                let head = "Api-Version: 1.41\r\nLibpod-Api-Version: 4.3.1\r\nContent-Type: application/json\r\n";
                let answer = format!("HTTP/1.1 {status} x\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len());
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    Docker::connect(&format!("tcp://{address}")).await.unwrap()
}

/// Reads a request to its end; false where there is none any more.
async fn read_request(socket: &mut BufReader<tokio::net::TcpStream>) -> bool {
    let mut length = 0;
    loop {
        let mut line = String::new();
        match socket.read_line(&mut line).await {
            Ok(0) | Err(_) => return false,
            Ok(_) if line == "\r\n" => break,
            Ok(_) => {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
        }
    }
    socket.read_exact(&mut vec![0; length]).await.is_ok()
}

fn network() -> CreateNetwork {
    CreateNetwork { name: "n".to_owned(), internal: false, driver: None, labels: BTreeMap::new() }
}

#[tokio::test]
async fn a_network_is_asked_for_again_where_an_interface_of_the_host_went_meanwhile() {
    let podman = podman_that_says(vec![INTERFACE_GONE, INTERFACE_GONE, MADE]).await;
    assert_eq!(podman.create_network(&network()).await.unwrap(), "n1");
}

#[tokio::test]
async fn any_other_refusal_of_a_network_is_told_at_once() {
    let podman = podman_that_says(vec![(500, r#"{"message":"no free addresses"}"#), MADE]).await;
    let said = podman.create_network(&network()).await.unwrap_err();
    assert!(matches!(said, EngineError::Refused { status: 500, .. }), "{said}");
}

#[tokio::test]
async fn a_container_that_goes_while_it_is_inspected_is_not_there() {
    const GOING: (u16, &str) = (500, r#"{"message":"container c1 does not exist in database: no such container"}"#);
    let podman = podman_that_says(vec![GOING, (404, "{}")]).await;
    assert_eq!(podman.container("c1").await.unwrap(), None);
    let podman = podman_that_says(vec![GOING, (204, "")]).await;
    let said = podman.container("c1").await.unwrap_err();
    assert!(matches!(said, EngineError::Refused { status: 500, .. }), "{said}");
}
