//! Networks and servers that give no answer: each is given up after a while.

use crate::{
    port::free_port,
    run::{Run, host_file},
    sshd::{Sshd, remote, said},
};
use reconcile::source::Patience;
use std::{
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// A listener that takes every connection, and what it does with each.
fn listener(serve: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            serve(stream.unwrap());
        }
    });
    address
}

/// Keeps a connection open and says nothing.
fn keep(stream: TcpStream) {
    std::mem::forget(stream);
}

/// A listener whose queue is full: the system drops whoever knocks next.
fn black_hole() -> (TcpListener, Vec<TcpStream>, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        waiting.push(stream);
        assert!(waiting.len() < 20_000, "the queue has no end");
    }
    (listener, waiting, address)
}

/// A second for an answer, and so much more as a busy machine takes.
#[track_caller]
fn is_given_up(sshd: &Sshd, url: &str) {
    let mut access = sshd.access();
    access.patience = Patience {
        answer: Duration::from_secs(1),
        silence: Duration::from_secs(1),
        whole: Duration::from_secs(2),
        ..access.patience
    };
    let begun = Instant::now();
    // A mirror for each: a thread that nobody waits for any more keeps the lock for a while.
    let state = sshd.path(&format!("state of {}", url.split(':').next().unwrap()));
    let error = remote(url, access, &state).fetch(None).err().expect(url);
    assert!(begun.elapsed() < Duration::from_secs(20), "{url}: {:?}", begun.elapsed());
    assert!(error.is_away() && !error.is_absent_branch(), "{url}: {}", said(&error));
    assert!(said(&error).contains("was silent for 1 s"), "{url}: {}", said(&error));
}

#[test]
fn a_server_that_accepts_and_says_nothing_is_given_up() {
    let sshd = Sshd::start();
    let port = listener(keep).port();
    is_given_up(&sshd, &format!("ssh://git@127.0.0.1:{port}/m.git"));
    is_given_up(&sshd, &format!("https://127.0.0.1:{port}/m.git"));
    is_given_up(&sshd, &format!("http://127.0.0.1:{port}/m.git"));
}

#[test]
fn a_server_that_says_a_little_now_and_then_is_given_up() {
    let sshd = Sshd::start();
    let port = listener(|mut stream| {
        thread::spawn(move || {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
            while stream.write_all(b"X-Slow: 1\r\n").is_ok() {
                thread::sleep(Duration::from_millis(200));
            }
        });
    })
    .port();
    is_given_up(&sshd, &format!("http://127.0.0.1:{port}/m.git"));
}

#[test]
fn a_black_hole_is_given_up() {
    let sshd = Sshd::start();
    let (_listener, _waiting, address) = black_hole();
    is_given_up(&sshd, &format!("ssh://git@127.0.0.1:{}/m.git", address.port()));
}

#[test]
fn a_port_where_nobody_listens_is_told_at_once() {
    let sshd = Sshd::start();
    let port = free_port();
    for url in [format!("ssh://git@127.0.0.1:{port}/m.git"), format!("https://127.0.0.1:{port}/m.git")] {
        let begun = Instant::now();
        let error = remote(&url, sshd.access(), &sshd.state()).fetch(None).err().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(20));
        assert!(error.is_away(), "{}", said(&error));
        assert!(said(&error).contains("failed to connect"), "{}", said(&error));
    }
}

#[test]
fn whoever_waits_for_a_fetch_of_somebody_else_gives_up_too() {
    let sshd = Sshd::start();
    let port = listener(keep).port();
    let url = format!("ssh://git@127.0.0.1:{port}/m.git");
    is_given_up(&sshd, &url);
    // The thread that nobody waits for any more has the lock until libgit2 ends it.
    let mut access = sshd.access();
    access.patience.answer = Duration::from_millis(300);
    let error = remote(&sshd.url(), access, &sshd.path("state of ssh")).fetch(None).err().unwrap();
    assert!(error.is_away() && said(&error).contains("another process has been fetching"), "{}", said(&error));
}

#[test]
fn the_command_answers_although_the_server_never_does() {
    let sshd = Sshd::start();
    let run = Run::in_folder(
        &sshd.path(""),
        &host_file(&sshd, "").replace(&sshd.port.to_string(), &listener(keep).port().to_string()),
    );
    let ran = run.reads().is(1);
    assert!(ran.took < Duration::from_secs(60), "{:?}", ran.took);
    assert!(ran.err.contains("error: cannot fetch `ssh://") || ran.err.contains("was silent for"), "{}", ran.err);
    eprintln!("a server that says nothing: answered after {:?}", ran.took);
}

#[test]
fn looks_go_on_from_the_mirror_with_a_warning_while_the_server_is_away() {
    let sshd = Sshd::start();
    let run = Run::of(&sshd);
    run.run(&["history"]).is(0);
    let revision = format!("main@sha1:{}", sshd.bare.git(&["rev-parse", "HEAD"]));
    sshd.known_hosts("");
    let ran = run.run(&["history"]).is(0);
    ran.complains("what was fetched before stands in for it").complains(&revision).complains("is not known");
    // What would apply something does not go on.
    run.reads().is(1).complains("is not known");
    // And nothing was fetched before of this one.
    let elsewhere = sshd.url().replace("m.git", "other.git");
    run.run(&["history", "--source", &elsewhere]).is(1).complains("is not known");
}
