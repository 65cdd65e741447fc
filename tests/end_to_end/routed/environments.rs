//! The deployments of `environments/` as they stand there, each behind the host's nginx: only their images are stand-ins.

use super::{
    Routed,
    authority::Authority,
    client::{curl, header, status},
};
use crate::world::{World, app};
use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

stories! {
    both: every_deployment_answers_over_https;
    docker: ;
}

/// What stands in for each image: it answers at the ports and to the commands that the manifests name.
pub const LINES: &str = r#"
RUN mkdir -p /www && echo well > /www/health && cp /www/health /www/healthz && echo greeting > /www/index.html
RUN printf '#!/bin/sh\nexec httpd -f -p 6379 -h /www\n' > /bin/redis-server && printf '#!/bin/sh\n' > /bin/alembic \
 && cp /bin/alembic /bin/pg_isready && chmod 755 /bin/redis-server /bin/alembic /bin/pg_isready
CMD ["sh", "-c", "exec httpd -f -p $PORT -h /www"]
ENV PORT=8000
"#;

/// The images of the manifests, each with the port it answers at.
pub const IMAGES: [(&str, &str, u16); 7] = [
    ("registry.example.com/gondulf:1.0.0", "gondulf", 8000),
    ("registry.gitlab.com/your-group/vault-dash:main-123456", "dash", 8000),
    ("registry.gitlab.com/your-group/vault-dash:main-123460", "dash-next", 8000),
    ("registry.example.com/neuronetz-gateway:1.4.2", "gateway", 8080),
    ("postgres:16.4", "postgres", 5432),
    ("redis:7.4", "redis", 6379),
    ("ollama/ollama:0.5.7", "ollama", 11434),
];

/// A file of `environments/`, with images, names and the proxy's network of this story's own. No GPU is here.
pub fn manifest(world: &World, file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("environments").join(file);
    let mut text = fs::read_to_string(path).unwrap();
    for (image, name, _) in IMAGES {
        text = text.replace(&format!("image: {image}"), &format!("image: {}-{name}", world.name));
    }
    text.replace("container_name: ", &format!("container_name: {}-", world.name))
        .replace("proxy: {external: true}", &format!("proxy: {{external: true, name: {}-proxy}}", world.name))
        .replace("    gpus: all\n", "")
}

pub fn secret(world: &World, environment: &str, app: &str, name: &str) {
    let folder = world.scratch(&format!("secrets/{environment}/{app}"));
    fs::write(folder.join(name), "correct-horse-battery-staple").unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
}

/// V9, V10, N7, G5
fn every_deployment_answers_over_https(world: &World) {
    let routed = Routed::in_front_of(world);
    let proxy = SocketAddr::from(([127, 0, 0, 1], routed.http));
    let authority = Authority::start(&world.scratch("acme"), proxy, Duration::from_secs(1_000 * 3_600));
    let (folder, key) = (world.scratch("secrets"), world.scratch("keys").join("host.key"));
    world.host(&format!(
        "{}acme: {{directory: \"{}\", ca_file: {}, preflight: \"{proxy}\"}}\n\
         secrets: {{dir: {}, key_file: {}}}\npolicy: {{secret_env: true}}\n",
        routed.settings(),
        authority.directory(),
        authority.root().display(),
        folder.display(),
        key.display()
    ));
    world.engine.ask(&["network", "create", "--label", &world.label(), &format!("{}-proxy", world.name)]);
    for (_, name, port) in IMAGES {
        world.image(name, &format!("{LINES}ENV PORT={port}"));
    }
    let (production, staging) = (format!("{}-p", world.name), format!("{}-s", world.name));
    for file in ["_base/gondulf.yaml", "_base/vault-dash.yaml"] {
        world.put(format!("environments/{file}"), &manifest(world, file));
    }
    for app in ["gondulf", "vault-dash", "neuronetz-gateway"] {
        world.put(format!("environments/{production}/{app}.yaml"), &manifest(world, &format!("production/{app}.yaml")));
    }
    world.put(format!("environments/{staging}/vault-dash.yaml"), &manifest(world, "staging/vault-dash.yaml"));
    world.commit("every deployment");
    for (app, name) in
        [("gondulf", "secret_key"), ("gondulf", "smtp_password"), ("neuronetz-gateway", "postgres_password")]
    {
        secret(world, &production, app, name);
    }
    for environment in [&production, &staging] {
        secret(world, environment, "vault-dash", "nicegui_storage_secret");
    }
    let both = format!("{production},{staging}");
    let ran = world.run_in(&both, &["--output", "json"]).expect(0);
    let told: Vec<serde_json::Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for name in ["gondulf", "vault-dash", "neuronetz-gateway"] {
        assert_eq!(app(&told[0], name)["outcome"], "Succeeded", "{told:#?}");
    }

    let asked = |host: &str, path: &str| curl("https", host, routed.https, path, &["--http1.1"]);
    for (host, path, promise) in [
        ("auth.example.com", "/health", Some("max-age=31536000; includeSubDomains")),
        ("api.neuronetz.ai", "/healthz", Some("max-age=63072000; includeSubDomains; preload")),
        ("vault.example.com", "/health", Some("max-age=31536000")),
        ("vault-staging.example.com", "/health", None),
    ] {
        let answer = asked(host, path);
        assert!(status(&answer) == "200" && answer.ends_with("well\n"), "{host}: {answer}");
        assert_eq!(header(&answer, "strict-transport-security").first().copied(), promise, "{host}: {answer}");
        for (name, value) in [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")] {
            assert_eq!(header(&answer, name), [value], "{host}: {answer}");
        }
        assert_eq!(status(&curl("http", host, routed.http, path, &[])), "301", "{host}");
    }
    let shown = |host: &str| routed.issuer_of(host).contains("Pebble");
    assert!(shown("auth.example.com") && shown("api.neuronetz.ai") && !shown("vault.example.com"));
    // G5: ten a second and twenty more at once; `/health` is not counted.
    let statuses =
        |path: &str| (0..40).map(|_| status(&asked("auth.example.com", path)).to_owned()).collect::<Vec<_>>();
    assert!(statuses("/health").iter().all(|status| status == "200"));
    let at_once = at_once(&routed, "auth.example.com", 60);
    assert!(at_once.contains("429") && at_once.contains("200"), "{at_once}");
    // V10, and nothing is to be done.
    let again = world.run_in(&both, &["--dry-run", "--detailed-exitcode"]).expect(0);
    assert!(again.stdout.contains("In sync."), "{}", again.stdout);
}

/// The statuses of so many requests side by side: one program for all of them, or they would not come at once.
fn at_once(routed: &Routed<'_>, host: &str, number: usize) -> String {
    let (to, url) =
        (format!("{host}:{}:127.0.0.1", routed.https), format!("https://{host}:{}/?[1-{number}]", routed.https));
    let words = ["-sk", "-Z", "--parallel-max", "60", "-o", "/dev/null", "-w", "%{http_code} ", "--resolve", &to, &url];
    let output = std::process::Command::new("curl").args(words).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}
