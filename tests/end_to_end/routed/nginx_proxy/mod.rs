//! nginx-proxy, as a stand-in plays it: containers say their routes, and join its network when they are ready.

mod shared;

use super::{
    Proxy, Routed,
    asked::{ADA, keep_secrets},
    client::{curl, header, status},
    contained::Contained,
    environments,
    load::Load,
    stand_in::{self, Kind, StandIn},
};
use crate::{
    port::free_port,
    secrets::secret,
    world::{Container, World, until},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

stories! {
    both:
        a_rollout_a_failed_one_and_a_rollback_lose_no_request,
        what_a_route_asks_for_is_in_the_words_and_files_of_the_contract;
    docker:
        a_route_goes_with_its_service_after_its_container,
        a_switch_that_is_killed_anywhere_is_finished_and_loses_nothing,
        containers_that_would_say_different_things_are_never_side_by_side,
        one_that_is_away_or_somebody_elses_file_is_the_worlds_fault,
        an_old_one_that_sees_nobody_join_is_told,
        the_gateway_of_the_examples_answers_once_its_certificate_is_there;
}

struct Story<'a> {
    routed: Routed<'a>,
    stand_in: StandIn,
}

impl<'a> Story<'a> {
    fn on(world: &'a World) -> Self {
        Self::with(world, Kind::New)
    }

    fn with(world: &'a World, kind: Kind) -> Self {
        let (http, https) = (free_port(), free_port());
        let stand_in = StandIn::start(world, &format!("{}.example.com", world.name), (http, https), kind);
        let folder = |name: &str| stand_in.folder(name).display().to_string();
        let driver = format!(
            "nginx-proxy, container: {}, network: {}, vhost_dir: {}, htpasswd_dir: {}, certs_dir: {}, conf_dir: {}",
            stand_in.container,
            stand_in.network,
            folder("vhost.d"),
            folder("htpasswd"),
            folder("certs"),
            folder("conf.d"),
        );
        let contained = Contained { driver, directory: stand_in.folder("vhost.d") };
        Self { routed: Routed::with(world, Proxy::Contained(contained), http, https), stand_in }
    }

    /// A service that ends as it should: what it took when it is told to end is answered. It answers with a word, to what
    /// is posted to `/cgi-bin/word` too, and takes three seconds for `/cgi-bin/slow`.
    fn manifest(&self, word: &str, proxy: &str, more: &str) -> String {
        let server = format!(
            "server {{ listen 8080; root /www; location = /cgi-bin/word {{ return 200 {word}; }} \
             location = /cgi-bin/slow {{ limit_rate 1k; }} }}"
        );
        let configuration = format!("user root; events {{ }} http {{ access_log off; keepalive_timeout 0; {server} }}");
        let command = format!(
            "mkdir -p /www/cgi-bin; echo {word} > /www/index.html; head -c 4000 /dev/zero > /www/cgi-bin/slow; \
             echo '{configuration}' > /etc/nginx/nginx.conf; exec nginx -g 'daemon off;'"
        );
        format!(
            "services:\n  web:\n    image: {}-nginx\n    command: [sh, -c, \"{command}\"]\n\
             \x20   stop_signal: SIGQUIT\n    stop_grace_period: 10s\n\
             \x20   healthcheck: {{http: {{path: /index.html, port: 8080}}, interval: 500ms}}\n\
             \x20   rollout: {{drain: 1s, healthy_deadline: 12s}}\n\
             \x20   proxy: {{hosts: [{}], port: 8080{proxy}}}\n{more}",
            self.routed.world.name,
            self.routed.host(),
        )
    }

    /// The file of the location at a path.
    fn location(&self, path: &str) -> PathBuf {
        self.stand_in.folder("vhost.d").join(format!("{}_{}_location", self.routed.host(), stand_in::sha1(path)))
    }

    /// What the tool wrote, and nothing of the stand-in's.
    fn written(&self) -> BTreeMap<PathBuf, String> {
        let folders = ["vhost.d", "htpasswd", "certs"].map(|name| files(&self.stand_in.folder(name)));
        folders.into_iter().flatten().collect()
    }

    #[track_caller]
    fn says(&self, word: &str) {
        let said = self.routed.get("/");
        assert!(said.ends_with(&format!("{word}\n")), "{word}: {said}");
    }
}

/// The files of a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

const PLAIN: &str = "    tls: {mode: off}\n";

fn a_route_goes_with_its_service_after_its_container(world: &World) {
    let story = Story::on(world);
    world.push("web", &story.manifest("one", "", PLAIN));
    world.push_other();
    world.converge();
    let host = story.routed.host();
    let files = || fs::read_dir(story.stand_in.folder("vhost.d")).unwrap().count();
    assert_eq!(files(), 2, "a location, and what it was made of");
    // The service stays and is no longer reached; then it goes.
    let lines = story.manifest("one", "", "");
    let unrouted: String =
        lines.lines().filter(|line| !line.contains("proxy:")).map(|line| format!("{line}\n")).collect();
    world.push("web", &unrouted);
    world.converge();
    world.is_synced();
    assert_eq!(files(), 0);
    let web = world.one("web", "web");
    assert!(!web.networks().contains(&story.stand_in.network), "{:?}", web.networks());
    until("nobody is led to", 60, || !story.stand_in.configuration().contains(&host));
    world.push("web", &story.manifest("two", "", PLAIN));
    world.converge();
    story.says("two");
    world.git(&["rm", "-q", &format!("environments/{}/web.yaml", world.name)]);
    world.commit("web: gone");
    world.converge();
    assert_eq!(files(), 0);
    until("nobody is led to", 60, || !story.stand_in.configuration().contains(&host));
}

fn a_rollout_a_failed_one_and_a_rollback_lose_no_request(world: &World) {
    rolled_out(&Story::on(world));
}

fn rolled_out(story: &Story<'_>) {
    let world = story.routed.world;
    world.push("web", &story.manifest("one", "", PLAIN));
    world.converge();
    world.is_synced();
    story.says("one");
    let web = world.one("web", "web");
    assert!(web.networks().contains(&story.stand_in.network), "{:?}", web.networks());
    assert!(web.env().contains(&format!("VIRTUAL_HOST={}", story.routed.host())), "{:?}", web.env());
    let load = Load::on(story.routed.http, &story.routed.host());
    let words = super::words();
    for word in &words {
        world.push("web", &story.manifest(word, "", PLAIN));
        let plan = world.plan();
        assert_eq!(plan["apps"][0]["changes"][0]["order"], "start-first", "{plan:#}");
        world.converge();
        story.says(word);
    }
    world.push("web", &story.manifest("deaf", "", PLAIN).replace("listen 8080", "listen 8081"));
    let failed = world.fails();
    assert_eq!(failed.json()["apps"][0]["outcome"], "RolledBack", "{}", failed.stdout);
    story.says(&words[words.len() - 1]);
    world.run(&["rollback", "web"]).expect(0);
    story.says(&words[words.len() - 2]);
    load.lost_nothing();
    // Only who is led to is on its network: the one that was never ready never joined.
    let on = world.engine.ask(&["ps", "-aq", "--no-trunc", "--filter", &format!("network={}", story.stand_in.network)]);
    assert!(on.lines().any(|id| id == world.one("web", "web").id), "{on}");
}

fn what_a_route_asks_for_is_in_the_words_and_files_of_the_contract(world: &World) {
    let story = Story::on(world);
    let routed = &story.routed;
    keep_secrets(routed);
    secret(world, "web", "users", ADA);
    let proxy = ", max_body: 1k, headers: {X-Word: 'a; b'}, basic_auth: {secret: users}, \
                 rate_limit: {rate: 2/m, burst: 1, exempt: [/index.html]}, allow_from: internal";
    let more = "    tls: {mode: internal, policy: modern}\nsecrets: {users: {}}\n";
    world.push("web", &story.manifest("one", proxy, more));
    world.converge();
    world.is_synced();
    let host = routed.host();
    let ask = |words: &[&str]| curl("https", &host, routed.https, "/index.html", &[&["--http1.1"], words].concat());
    let ada = ask(&["-u", "ada:lovelace"]);
    assert!(ada.ends_with("one\n"), "{ada}");
    assert_eq!(ada.to_lowercase().matches("strict-transport-security:").count(), 1, "{ada}");
    assert!(ada.contains("X-Word: a; b") && ada.to_lowercase().contains("x-frame-options: deny"), "{ada}");
    assert_eq!(status(&ask(&[])), "401");
    assert_eq!(status(&ask(&["-u", "ada:lovelace", "-d", &"x".repeat(2000)])), "413");
    let counted: Vec<String> = (0..3)
        .map(|_| {
            status(&curl("https", &host, routed.https, "/cgi-bin/word", &["--http1.1", "-u", "ada:lovelace"]))
                .to_owned()
        })
        .collect();
    assert_eq!(counted, ["200", "200", "429"]);
    assert!(routed.get("/").starts_with("HTTP/1.1 301"));
    assert!(routed.issuer().contains("reconcile"), "{}", routed.issuer());
    let env = world.one("web", "web").env();
    for word in ["HTTPS_METHOD=redirect", "SSL_POLICY=Mozilla-Modern", "NETWORK_ACCESS=internal"] {
        assert!(env.contains(&word.to_owned()), "{word}: {env:?}");
    }
    // What is said in files alone changes no container.
    let web = world.one("web", "web");
    world.push("web", &story.manifest("one", &proxy.replace("a; b", "c"), more));
    assert_eq!(world.changes(), ["route/web update commit"]);
    world.converge();
    world.is_synced();
    assert!(ask(&["-u", "ada:lovelace"]).contains("X-Word: c"));
    assert_eq!(world.one("web", "web"), web);
    // A hand in a file, on a network: drift.
    let file = story.location("/");
    fs::write(&file, format!("{}# theirs\n", fs::read_to_string(&file).unwrap())).unwrap();
    assert_eq!(world.changes(), ["route/web repair drift"]);
    world.converge();
    world.is_synced();
    world.engine.ask(&["network", "disconnect", &story.stand_in.network, &web.id]);
    assert_eq!(world.changes(), ["route/web repair drift"]);
    world.converge();
    world.is_synced();
    assert!(ask(&["-u", "ada:lovelace"]).ends_with("one\n"));
    // Below a path, cut off before the service sees it.
    world.push("web", &story.manifest("two", ", path: /api, strip_path: true", PLAIN));
    world.converge();
    world.is_synced();
    assert!(routed.get("/api/index.html").ends_with("two\n"), "{}", routed.get("/api/index.html"));
    assert_eq!(status(&routed.get("/apis/index.html")), "404");
}

fn a_switch_that_is_killed_anywhere_is_finished_and_loses_nothing(world: &World) {
    let story = Story::on(world);
    world.push("web", &story.manifest("zero", "", PLAIN));
    world.converge();
    let load = Load::on(story.routed.http, &story.routed.host());
    for (word, moment) in [("one", "start"), ("two", "join"), ("three", "drain")] {
        world.push("web", &story.manifest(word, "", PLAIN).replace("drain: 1s", "drain: 3s"));
        let old = world.one("web", "web");
        let mut run = world.start(&[]);
        let on = || {
            let filter = format!("network={}", story.stand_in.network);
            world.engine.ask(&["ps", "-q", "--filter", &filter]).lines().count()
        };
        until(&format!("the moment to {moment}"), 30, || match moment {
            "start" => world.running("web", "web").len() > 1,
            "join" => on() > 2,
            _ => story.routed.answers(word),
        });
        assert!(!run.is_over(), "{moment}: it is over already");
        run.kill();
        assert!(world.running("web", "web").contains(&old.id), "{moment}");
        world.converge();
        world.is_synced();
        story.says(word);
        assert_eq!(world.running("web", "web").len(), 1, "{moment}");
    }
    load.lost_nothing();
}

fn containers_that_would_say_different_things_are_never_side_by_side(world: &World) {
    let story = Story::on(world);
    world.push("web", &story.manifest("one", "", PLAIN));
    world.converge();
    let other = "    tls: {mode: internal}\n";
    // Asked for by name, it is refused, and what runs is left to run.
    let insists = story.manifest("one", "", other).replace("rollout: {", "rollout: {order: start-first, ");
    world.push("web", &insists);
    let web = world.one("web", "web");
    let error = world.fails().json()["apps"][0]["error"].clone();
    assert_eq!(error["blame"], "world", "{error}");
    assert!(error["summary"].as_str().unwrap().contains("would tell the proxy different things"), "{error}");
    assert_eq!(world.one("web", "web"), web);
    world.push("web", &story.manifest("one", "", other));
    let plan = world.plan();
    let changes = plan["apps"][0]["changes"].as_array().unwrap();
    let service = changes.iter().find(|change| change["resource"] == "service/web").unwrap();
    assert_eq!((&service["order"], &service["interruption"]), (&"stop-first".into(), &"brief".into()), "{plan:#}");
    assert_eq!(service["cause"], "commit", "{plan:#}");
    let fields = service["fields"].to_string();
    assert!(fields.contains("services.web.tls.mode"), "{plan:#}");
    world.converge();
    world.is_synced();
    let said = story.routed.get_secured("/");
    assert!(said.ends_with("one\n"), "{said}");
}

fn one_that_is_away_or_somebody_elses_file_is_the_worlds_fault(world: &World) {
    let story = Story::on(world);
    let file = story.location("/");
    fs::write(&file, "add_header X-Theirs 1;\n").unwrap();
    world.push("web", &story.manifest("one", "", PLAIN));
    let error = world.fails().json()["apps"][0]["error"].clone();
    assert_eq!(error["blame"], "world", "{error}");
    assert!(error["summary"].as_str().unwrap().contains("is somebody else's"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "add_header X-Theirs 1;\n");
    fs::remove_file(&file).unwrap();
    // Somebody who answers there already would be mixed with it.
    let (other, variable) = (format!("{}-other", world.name), format!("VIRTUAL_HOST={}", story.routed.host()));
    let network = story.stand_in.network.as_str();
    let words = ["run", "-d", "--name", &other, "--label", &world.label(), "--network", network, "-e", &variable];
    world.engine.ask(&[&words[..], &["bb:1", "sleep", "36000"]].concat());
    let error = world.fails().json()["apps"][0]["error"].clone();
    let summary = error["summary"].as_str().unwrap();
    assert!(
        summary.starts_with(&format!("container `{other}` answers at `{}` already", story.routed.host())),
        "{error}"
    );
    world.engine.ask(&["rm", "-f", &other]);
    world.converge();
    story.says("one");
    let web = world.one("web", "web");
    world.engine.ask(&["stop", "-t", "1", &story.stand_in.container]);
    world.push("web", &story.manifest("two", "", PLAIN));
    let blocked = world.fails().json();
    assert_eq!(blocked["apps"][0]["outcome"], "Blocked", "{blocked}");
    let summary = blocked["apps"][0]["error"]["summary"].as_str().unwrap();
    assert!(summary.contains(&format!("`{}` of the proxy is stopped", story.stand_in.container)), "{summary}");
    assert_eq!(world.one("web", "web"), web);
    // The manifest's own words are denied, where those of the driver are not.
    world.engine.ask(&["start", &story.stand_in.container]);
    let by_hand = story.manifest("two", "", PLAIN).replace("    image:", "    env: {HSTS: off}\n    image:");
    world.push("web", &by_hand);
    let denied = world.fails().json();
    assert!(denied.to_string().contains("speaks to a proxy behind the policy's back"), "{denied}");
    world.push("web", &story.manifest("two", "", PLAIN));
    world.converge();
    story.says("two");
}

fn an_old_one_that_sees_nobody_join_is_told(world: &World) {
    let story = Story::with(world, Kind::Old);
    for word in ["one", "two"] {
        world.push("web", &story.manifest(word, "", PLAIN));
        world.converge();
        story.says(word);
    }
}

/// The real one: `RECONCILE_TEST_DOCKER_GEN` is its program, without libraries, and `RECONCILE_TEST_NGINX_TMPL` its template.
#[test]
#[ignore = "needs a docker-gen and a template of nginx-proxy, which the environment names"]
fn the_real_one_is_told_and_loses_no_request() {
    let named = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} names no file")).leak();
    let kind = Kind::Real { program: named("RECONCILE_TEST_DOCKER_GEN"), template: named("RECONCILE_TEST_NGINX_TMPL") };
    let world = World::on(crate::world::Engine::Docker);
    rolled_out(&Story::with(&world, kind));
}

/// N2, N3, N7, N14: acme-companion is played too, by a certificate that comes some time after the route.
fn the_gateway_of_the_examples_answers_once_its_certificate_is_there(world: &World) {
    let (http, https) = (free_port(), free_port());
    let stand_in = StandIn::start(world, "api.neuronetz.ai", (http, https), Kind::New);
    let folder = |name: &str| stand_in.folder(name).display().to_string();
    let driver = format!(
        "nginx-proxy, container: {}, network: {}, vhost_dir: {}, htpasswd_dir: {}, certs_dir: {}",
        stand_in.container,
        stand_in.network,
        folder("vhost.d"),
        folder("htpasswd"),
        folder("certs"),
    );
    let contained = Contained { driver, directory: stand_in.folder("vhost.d") };
    let routed = Routed::with(world, Proxy::Contained(contained), http, https);
    let (secrets, key) = (world.scratch("secrets"), world.scratch("keys").join("host.key"));
    world.host(&format!(
        "{}acme: {{email: ops@example.com}}\nsecrets: {{dir: {}, key_file: {}}}\npolicy: {{secret_env: true}}\n",
        routed.settings(),
        secrets.display(),
        key.display()
    ));
    for (_, name, port) in environments::IMAGES {
        world.image(name, &format!("{}ENV PORT={port}", environments::LINES));
    }
    environments::secret(world, &world.name, "neuronetz-gateway", "postgres_password");
    world.push("neuronetz-gateway", &environments::manifest(world, "production/neuronetz-gateway.yaml"));
    world.converge();
    world.is_synced();
    let gateway = world.one("neuronetz-gateway", "gateway");
    let env = gateway.env();
    for variable in [
        "VIRTUAL_HOST=api.neuronetz.ai",
        "VIRTUAL_PORT=8080",
        "LETSENCRYPT_HOST=api.neuronetz.ai",
        "LETSENCRYPT_EMAIL=ops@example.com",
    ] {
        assert!(env.contains(&variable.to_owned()), "{variable}: {env:?}");
    }
    assert_eq!(gateway.name(), format!("{}-neuronetz-gateway", world.name));
    for id in world.everything() {
        let bindings = Container::of(world.engine, &id).inspect()["HostConfig"]["PortBindings"].clone();
        assert!(bindings.as_object().is_none_or(serde_json::Map::is_empty), "a port of the host: {bindings}");
    }
    // Without a certificate nothing is served in clear.
    let ask = |scheme: &str, port| curl(scheme, "api.neuronetz.ai", port, "/healthz", &["--http1.1"]);
    assert_eq!(status(&ask("http", http)), "301");
    let (certificate, private) = (stand_in.folder("certs").join("api.neuronetz.ai.crt"), folder("certs"));
    super::openssl(&[
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "90",
        "-subj",
        "/CN=api.neuronetz.ai",
        "-addext",
        "subjectAltName=DNS:api.neuronetz.ai",
        "-out",
        certificate.to_str().unwrap(),
        "-keyout",
        &format!("{private}/api.neuronetz.ai.key"),
    ]);
    world.engine.ask(&["kill", "-s", "HUP", &stand_in.container]);
    let door = format!("127.0.0.1:{https}");
    let handshake = ["s_client", "-connect", &door, "-servername", "api.neuronetz.ai"];
    until("the certificate is shown", 60, || {
        Command::new("openssl").args(handshake).stdin(Stdio::null()).output().unwrap().status.success()
    });
    let answer = ask("https", https);
    assert_eq!(status(&answer), "200", "{answer}");
    let promises = header(&answer, "strict-transport-security");
    assert_eq!(promises, ["max-age=63072000; includeSubDomains; preload"], "{answer}");
    for (name, value) in [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")] {
        assert_eq!(header(&answer, name), [value], "{answer}");
    }
    world.converge();
    world.is_synced();
    assert_eq!(world.one("neuronetz-gateway", "gateway"), gateway, "a certificate is no reason for a new container");
    let told = world.run(&["status", "neuronetz-gateway"]).stdout;
    let line = told.lines().find(|line| line.starts_with("gateway  yes ")).unwrap_or_else(|| panic!("{told}"));
    let until = line.split_whitespace().nth(2).unwrap();
    assert!(until.parse::<jiff::Timestamp>().is_ok_and(|until| until > jiff::Timestamp::now()), "{told}");
}
