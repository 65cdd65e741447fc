//! nginx-proxy: a container that is ready joins its network, and is led to when its docker-gen has seen it.

use crate::{
    median,
    port::free_port,
    route,
    stand_in::{Kind, StandIn},
    world::{Engine, World},
};
use reconcile::{
    apply::containers::OnEngine,
    engine::docker::Docker,
    proxy::{
        Containers, Driver, SiteName, ask,
        nginx_proxy::{NginxProxy, Settings},
    },
};
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

pub const ROUNDS: u16 = 7;

/// What the driver takes, and the one call of the engine that it cannot do without and asking until somebody answers.
pub async fn measure() -> (Duration, Duration) {
    let world = World::on(Engine::Docker);
    let (http, https) = (free_port(), free_port());
    let suffix = format!("{}.example.com", world.name);
    let proxy = StandIn::start(&world, &suffix, (http, https), Kind::New);
    let engine = Docker::connect(&world.engine.address()).await.expect("an engine");
    let containers: Arc<dyn Containers> = Arc::new(OnEngine(Arc::new(engine)));
    let hand = by_hand(&world, (&proxy, http), &suffix, &containers).await;
    (by_driver(&world, (&proxy, http, https), &suffix, containers).await, hand)
}

/// One that answers with its name at a host, and is on no network of the proxy's yet.
fn backend(world: &World, name: &str, host: &str) -> String {
    let (name, host) = (format!("{}-{name}", world.name), format!("VIRTUAL_HOST={host}"));
    let command = format!("mkdir -p /www; echo {name} > /www/index.html; exec httpd -f -p 80 -h /www");
    let label = world.label();
    let words = ["run", "-d", "--name", &name, "--label", &label, "-e", &host, "bb:1", "sh", "-c", &command];
    world.engine.ask(&words).trim().to_owned()
}

async fn by_hand(
    world: &World,
    (proxy, port): (&StandIn, u16),
    suffix: &str,
    containers: &Arc<dyn Containers>,
) -> Duration {
    let door = SocketAddr::from(([127, 0, 0, 1], port));
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let host = format!("hand{round}.{suffix}");
        let container = backend(world, &format!("hand{round}"), &host);
        let began = Instant::now();
        containers.connect(&container, &proxy.network).await.expect("it joins");
        let question = || ask::Question { door, secured: false, host: &host, path: "/" };
        while !ask::ask(question()).await.is_ok_and(|answer| answer.status == 200) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        times.push(began.elapsed());
    }
    median(times)
}

async fn by_driver(
    world: &World,
    (proxy, http, https): (&StandIn, u16, u16),
    suffix: &str,
    containers: Arc<dyn Containers>,
) -> Duration {
    let settings = Settings {
        network: proxy.network.clone(),
        container: proxy.container.clone(),
        vhost_dir: proxy.folder("vhost.d"),
        htpasswd_dir: proxy.folder("htpasswd"),
        certs_dir: proxy.folder("certs"),
        conf_dir: Some(proxy.folder("conf.d")),
        http,
        https,
    };
    let driver = NginxProxy::new(settings, containers);
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let host = format!("driver{round}.{suffix}");
        let container = backend(world, &format!("driver{round}"), &host);
        let mut route = route::plain();
        route.hosts = vec![host];
        let mut site = route::site(&route, SocketAddr::from(([127, 0, 0, 1], 80)));
        site.routes.values_mut().for_each(|served| served.container.clone_from(&container));
        let name = SiteName {
            environment: "bench".parse().expect("a name"),
            app: format!("app{round}").parse().expect("a name"),
        };
        let began = Instant::now();
        // As a step does it: what is there is read first.
        driver.installed(&name).await.expect("it answers");
        driver.install(&name, &site).await.expect("it is served");
        times.push(began.elapsed());
    }
    median(times)
}
