//! From ready to routed: how long a switch takes until the proxy serves it, beside the proxy's own reload in the same run.
//!
//! `cargo bench --bench routes`; nginx is needed, no engine.

#[path = "../tests/nginx/process.rs"]
mod process;

use process::{Process, free_port};
use reconcile::{
    desired::{
        Route,
        route::{Backend, Tls, TlsMode, TlsPolicy},
    },
    proxy::{
        Driver, Served, Site, SiteName, ask,
        nginx::{Nginx, Settings},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    process::Command,
    time::{Duration, Instant},
};

const ROUNDS: u16 = 20;

fn route() -> Route {
    Route {
        hosts: vec!["app.example.com".to_owned()],
        path: "/".to_owned(),
        strip_path: false,
        port: 80,
        backend: Backend::Http,
        redirect_from: Vec::new(),
        max_body: 0,
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(60),
        headers: BTreeMap::new(),
        rate_limit: None,
        allow_from: BTreeSet::new(),
        basic_auth: None,
        drain: Duration::ZERO,
        tls: Tls { mode: TlsMode::Off, redirect: false, hsts: None, policy: TlsPolicy::Intermediate },
    }
}

fn site(port: u16) -> Site {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let served = Served {
        route: route(),
        container: port.to_string(),
        address,
        certificate: None,
        thumbprint: None,
        users: None,
    };
    Site { routes: BTreeMap::from([("web".parse().expect("a name"), served)]) }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// A file that says another word, `nginx -t`, a reload, and asking until the word is there: by hand, without a look between.
async fn by_hand(nginx: &Process, port: u16) -> Duration {
    let file = nginx.directory().join("hand.conf");
    let door = SocketAddr::from(([127, 0, 0, 1], port));
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let word = format!("word{round}");
        let began = Instant::now();
        fs::write(&file, format!("server {{ listen {port}; return 200 {word}; }}\n")).expect("a file");
        for arguments in [&["-t", "-q"][..], &["-s", "reload"]] {
            assert!(Command::new(nginx.program()).args(arguments).status().expect("nginx").success());
        }
        loop {
            let question = ask::Question { door, secured: false, host: "hand.example.com", path: "/" };
            if ask::ask(question).await.is_ok_and(|answer| answer.body == word) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        times.push(began.elapsed());
    }
    median(times)
}

async fn by_driver(nginx: &Process, http: u16) -> Duration {
    let command = vec![nginx.program().display().to_string()];
    let settings =
        Settings { directory: nginx.directory(), command, http, https: free_port(), trusted_proxies: Vec::new() };
    let driver = Nginx::open(settings).await.expect("nginx");
    let name = SiteName { environment: "bench".parse().expect("a name"), app: "app".parse().expect("a name") };
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let site = site(1000 + round);
        let began = Instant::now();
        driver.install(&name, &site).await.expect("it is served");
        times.push(began.elapsed());
    }
    median(times)
}

#[tokio::main]
async fn main() {
    let nginx = Process::start();
    let (hand, driver) = (by_hand(&nginx, free_port()).await, by_driver(&nginx, free_port()).await);
    println!(
        "nginx, ready → routed, median of {ROUNDS}: {driver:.1?}; by hand {hand:.1?}; ratio {:.2}",
        driver.as_secs_f64() / hand.as_secs_f64()
    );
}
