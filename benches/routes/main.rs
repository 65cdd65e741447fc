//! From ready to routed: how long a switch takes until the proxy serves it, beside the proxy's own way in the same run.
//!
//! `make bench ARGS='--bench routes'`; nginx and caddy are needed, and an engine for nginx-proxy.

#[path = "../../tests/caddy/process.rs"]
mod caddy;
#[path = "../../tests/end_to_end/routed/contained.rs"]
#[allow(dead_code, reason = "stories say in the host file what this bench says in code")]
mod contained;
mod joined;
#[path = "../../tests/nginx/process.rs"]
mod nginx;
#[path = "../../tests/nginx/port.rs"]
mod port;
#[path = "../../tests/nginx/route.rs"]
mod route;
#[path = "../../tests/end_to_end/routed/stand_in.rs"]
#[allow(dead_code, reason = "stories ask more of it")]
mod stand_in;
#[path = "../../tests/end_to_end/world/mod.rs"]
#[allow(dead_code, unused_imports, reason = "stories ask more of it")]
mod world;

use reconcile::proxy::{
    Driver, SiteName, ask,
    caddy::{Caddy, Settings as CaddySettings},
    nginx::{Nginx, Settings as NginxSettings},
};
use serde_json::json;
use std::{
    fs,
    net::SocketAddr,
    process::Command,
    time::{Duration, Instant},
};

const ROUNDS: u16 = 20;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// A file that says another word, `nginx -t`, a reload, and asking until the word is there: by hand, without a look between.
async fn nginx_by_hand(nginx: &nginx::Process, port: u16) -> Duration {
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

/// What is written for a route, once a round: to be the same again would be nothing to do.
async fn by_driver(driver: &dyn Driver) -> Duration {
    let name = SiteName { environment: "bench".parse().expect("a name"), app: "app".parse().expect("a name") };
    let mut times = Vec::new();
    for round in 0..=ROUNDS {
        let site = route::site(&route::plain(), SocketAddr::from(([127, 0, 0, 1], 1000 + round)));
        let began = Instant::now();
        // As a step does it: what is there is read first.
        driver.installed(&name).await.expect("it answers");
        driver.install(&name, &site).await.expect("it is served");
        times.push(began.elapsed());
    }
    // The first makes what the others change.
    times.remove(0);
    median(times)
}

/// One request that puts another address in the place of the one before: it is served when it is answered.
async fn caddy_by_hand(caddy: &caddy::Process) -> Duration {
    let dial = |round: u16| json!([{"dial": format!("127.0.0.1:{}", 1000 + round)}]);
    let proxy = json!({"@id": "hand", "handler": "reverse_proxy", "upstreams": dial(0)});
    let server = json!({"listen": [":0"], "routes": [{"handle": [proxy]}]});
    caddy.tell("PUT", "/config/apps/http/servers/hand", &server.to_string());
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let url = format!("{}/id/hand/upstreams", caddy.admin);
    let mut times = Vec::new();
    for round in 1..=ROUNDS {
        let began = Instant::now();
        let answer = client.patch(&url).json(&dial(round)).send().await.expect("it answers");
        assert!(answer.status().is_success(), "{answer:?}");
        times.push(began.elapsed());
    }
    median(times)
}

fn tell(proxy: &str, rounds: u16, driver: Duration, hand: Duration) {
    println!(
        "{proxy}, ready → routed, median of {rounds}: {driver:.1?}; by hand {hand:.1?}; ratio {:.2}",
        driver.as_secs_f64() / hand.as_secs_f64()
    );
}

#[tokio::main]
async fn main() {
    let nginx = nginx::Process::start();
    let command = vec![nginx.program().display().to_string()];
    let (http, https) = (port::free_port(), port::free_port());
    let settings = NginxSettings { directory: nginx.directory(), command, http, https, trusted_proxies: Vec::new() };
    let driver = Nginx::open(settings).await.expect("nginx");
    let hand = nginx_by_hand(&nginx, port::free_port()).await;
    tell("nginx", ROUNDS, by_driver(&driver).await, hand);

    let caddy = caddy::Process::start(port::free_port);
    let (http, https, admin) = (caddy.http, caddy.https, caddy.admin.clone());
    let driver = Caddy::open(CaddySettings { admin, server: "srv0".to_owned(), http, https }).expect("caddy");
    let hand = caddy_by_hand(&caddy).await;
    tell("caddy", ROUNDS, by_driver(&driver).await, hand);

    let (driver, hand) = joined::measure().await;
    tell("nginx-proxy, whose stand-in renders 300 ms late", joined::ROUNDS, driver, hand);
}
