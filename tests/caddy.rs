//! The caddy driver against a real Caddy of its own, told over its admin interface.

#[path = "nginx/backend.rs"]
#[allow(dead_code, reason = "nginx's tests stop services too")]
mod backend;
#[path = "nginx/client.rs"]
mod client;
#[path = "nginx/load.rs"]
mod load;

use backend::Backend;
use client::{curl, header, status};
use reconcile::{
    desired::{
        Route,
        route::{Backend as Speaks, Hsts, Tls, TlsMode, TlsPolicy},
    },
    proxy::{
        Driver, Served, Site, SiteName, ask,
        caddy::{Caddy, Settings},
    },
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

struct Rig {
    http: u16,
    https: u16,
    admin: String,
    driver: Caddy,
    _folder: tempfile::TempDir,
    process: Child,
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A Caddy with a server of somebody else's in it, on ports of its own.
fn rig() -> Rig {
    let folder = tempfile::tempdir().unwrap();
    let (admin, http, https) = (free_port(), free_port(), free_port());
    let config = json!({
        "admin": {"listen": format!("127.0.0.1:{admin}")},
        "apps": {
            "http": {"http_port": http, "https_port": https, "grace_period": 10_000_000_000u64, "servers": {"srv0": {
                "listen": [format!(":{https}")],
                "routes": [{"match": [{"host": ["theirs.example.com"]}],
                    "handle": [{"handler": "static_response", "body": "theirs"}]}],
            }}},
            "tls": {"automation": {"policies": [
                {"subjects": ["theirs.example.com"], "issuers": [{"module": "internal"}]}]}},
            "pki": {"certificate_authorities": {"local": {"install_trust": false}}},
        },
    });
    let file = folder.path().join("caddy.json");
    fs::write(&file, config.to_string()).unwrap();
    let program = "/usr/bin/caddy";
    assert!(fs::exists(program).unwrap(), "caddy is missing: run the tests with `make test`");
    let log = fs::File::create(folder.path().join("log")).unwrap();
    let process = Command::new(program)
        .args(["run", "--config"])
        .arg(&file)
        .env("XDG_DATA_HOME", folder.path())
        .env("XDG_CONFIG_HOME", folder.path())
        .env("HOME", folder.path())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(("127.0.0.1", https)).is_err() || TcpStream::connect(("127.0.0.1", admin)).is_err() {
        assert!(Instant::now() < deadline, "caddy does not listen");
        std::thread::sleep(Duration::from_millis(10));
    }
    let admin = format!("http://127.0.0.1:{admin}");
    let settings = Settings { admin: admin.clone(), server: "srv0".to_owned(), http, https };
    Rig { http, https, admin, driver: Caddy::open(settings).unwrap(), _folder: folder, process }
}

fn name() -> SiteName {
    SiteName { environment: "test".parse().unwrap(), app: "app".parse().unwrap() }
}

fn route() -> Route {
    Route {
        hosts: vec!["app.example.com".to_owned()],
        path: "/".to_owned(),
        strip_path: false,
        port: 80,
        backend: Speaks::Http,
        redirect_from: Vec::new(),
        max_body: 0,
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(60),
        headers: BTreeMap::from([("X-Frame-Options".to_owned(), "DENY".to_owned())]),
        rate_limit: None,
        allow_from: BTreeSet::new(),
        basic_auth: None,
        drain: Duration::ZERO,
        tls: Tls {
            mode: TlsMode::Internal,
            redirect: true,
            hsts: Some(Hsts { max_age: 31_536_000, subdomains: false, preload: false }),
            policy: TlsPolicy::Intermediate,
        },
    }
}

fn site(route: &Route, to: SocketAddr) -> Site {
    let served = Served {
        route: route.clone(),
        container: "c1".to_owned(),
        address: to,
        certificate: None,
        thumbprint: None,
        users: None,
    };
    Site { routes: BTreeMap::from([("web".parse().unwrap(), served)]) }
}

impl Rig {
    /// Leads a route to an address, and waits until its hosts have certificates: Caddy issues them meanwhile.
    async fn lead(&self, route: &Route, to: SocketAddr) {
        self.driver.install(&name(), &site(route, to)).await.unwrap();
        let door = SocketAddr::from(([127, 0, 0, 1], self.https));
        let deadline = Instant::now() + Duration::from_secs(60);
        for host in route.names() {
            let question = ask::Question { door, secured: true, host, path: "/" };
            while let Err(error) = ask::ask(question).await {
                assert!(Instant::now() < deadline, "{host}: {error}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    fn get(&self, host: &str, path: &str) -> String {
        curl("https", host, self.https, path, &["--http1.1"])
    }

    /// What its configuration says, as `curl` has it of the admin interface.
    fn config(&self) -> String {
        let output = Command::new("curl").args(["-s", &format!("{}/config/", self.admin)]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn tell(&self, method: &str, path: &str, body: &str) {
        let url = format!("{}{path}", self.admin);
        let words = ["-sf", "-X", method, "-H", "Content-Type: application/json", "-d", body, &url];
        assert!(Command::new("curl").args(words).status().unwrap().success(), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_is_served_beside_those_of_others_and_goes_alone() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let before = rig.config();
    rig.lead(&route(), web.address).await;
    let answer = rig.get("app.example.com", "/a?b");
    assert!(answer.contains("web\nGET /a?b HTTP/1.1"), "{answer}");
    assert!(answer.contains("X-Forwarded-Proto: https") && answer.contains("X-Forwarded-For: 127.0.0.1"), "{answer}");
    assert_eq!(header(&answer, "x-frame-options"), ["DENY"]);
    assert_eq!(header(&answer, "strict-transport-security"), ["max-age=31536000"]);
    let plain = curl("http", "app.example.com", rig.http, "/a", &[]);
    assert_eq!(status(&plain), "308");
    assert!(rig.get("theirs.example.com", "/").ends_with("theirs"));
    let there = rig.driver.installed(&name()).await.unwrap().unwrap();
    assert_eq!((there.site, there.altered, there.served), (site(&route(), web.address), false, true));
    rig.driver.install(&name(), &Site::default()).await.unwrap();
    assert_eq!(rig.driver.installed(&name()).await.unwrap(), None);
    assert_eq!(rig.config(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_in_a_route_is_seen_and_put_right() {
    let (rig, web) = (rig(), Backend::named("web").await);
    rig.lead(&route(), web.address).await;
    rig.tell("PATCH", "/id/reconcile_test.app.web/handle/0/routes/1/handle/0/response/set", "{}");
    assert!(rig.driver.installed(&name()).await.unwrap().unwrap().altered);
    rig.lead(&route(), web.address).await;
    assert!(!rig.driver.installed(&name()).await.unwrap().unwrap().altered);
    assert_eq!(header(&rig.get("app.example.com", "/"), "x-frame-options"), ["DENY"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_networks_and_other_names_are_as_the_manifest_says() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let mut api = route();
    (api.path, api.strip_path) = ("/api".to_owned(), true);
    rig.lead(&api, web.address).await;
    assert!(rig.get("app.example.com", "/api/v1").contains("GET /v1 HTTP"));
    assert!(!rig.get("app.example.com", "/apis").contains("GET"));
    let mut inner = route();
    inner.allow_from = BTreeSet::from(["10.0.0.0/8".to_owned()]);
    rig.lead(&inner, web.address).await;
    assert_eq!(status(&rig.get("app.example.com", "/")), "403");
    let mut main = route();
    main.redirect_from = vec!["www.example.com".to_owned()];
    rig.lead(&main, web.address).await;
    let answer = rig.get("www.example.com", "/a?b");
    assert_eq!((status(&answer), header(&answer, "location")), ("308", vec!["https://app.example.com/a?b"]));
    let mut small = route();
    small.max_body = 10;
    rig.lead(&small, web.address).await;
    let answer = curl("https", "app.example.com", rig.https, "/", &["--http1.1", "--data", &"x".repeat(100)]);
    // 413 from those that tell it apart; 2.6 says 502 of any body that cannot be passed on.
    assert!(matches!(status(&answer), "413" | "502"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caddy_that_is_away_or_has_no_such_server_is_the_worlds_fault() {
    let web = Backend::named("web").await;
    let away =
        Settings { admin: format!("http://127.0.0.1:{}", free_port()), server: "srv0".to_owned(), http: 1, https: 2 };
    let error = Caddy::open(away).unwrap().install(&name(), &site(&route(), web.address)).await.unwrap_err();
    assert!(!error.is_of_the_routes() && error.to_string().contains("cannot reach caddy"), "{error}");
    let rig = rig();
    let other = Settings { admin: rig.admin.clone(), server: "other".to_owned(), http: rig.http, https: rig.https };
    let error = Caddy::open(other).unwrap().install(&name(), &site(&route(), web.address)).await.unwrap_err();
    assert!(!error.is_of_the_routes() && error.to_string().contains("no server `other`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn four_switches_lose_no_request() {
    let rig = rig();
    let mut serving = Backend::named("generation").await;
    rig.lead(&route(), serving.address).await;
    let clients = load::Clients::over_tls(rig.https, "app.example.com");
    for _ in 0..4 {
        clients.more(40).await;
        let next = Backend::named("generation").await;
        rig.lead(&route(), next.address).await;
        // A connection that is kept stays with the configuration it came to until it is idle: half of what a manifest has
        // by default is enough for that.
        tokio::time::sleep(Duration::from_secs(5)).await;
        serving.stop().await;
        serving = next;
    }
    let (answered, lost) = clients.end().await;
    assert_eq!(lost, 0, "of {answered}");
    assert!(answered >= 160, "{answered}");
}
