//! The manifests in the repository itself.

use crate::{
    desired::{
        Context, Desired, Order, resolve,
        route::{Period, TlsMode},
        spec::Network,
    },
    manifest::{cross_check, environments, load, schema},
};
use std::{collections::BTreeMap, fs, path::Path};

fn texts() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = BTreeMap::new();
    for folder in fs::read_dir(root.join("environments")).unwrap().map(|entry| entry.unwrap().path()) {
        for file in fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            let path = file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            texts.insert(path, fs::read_to_string(&file).unwrap());
        }
    }
    texts
}

#[test]
fn they_load_without_errors_and_fit_on_one_host() {
    let texts = texts();
    let mut all = BTreeMap::new();
    for environment in environments("environments", texts.keys().map(String::as_str)) {
        let loaded = load(&texts, &environment, "environments");
        assert_eq!(loaded.other, []);
        let apps: BTreeMap<_, _> = loaded.apps.into_iter().map(|(name, app)| (name, app.unwrap())).collect();
        all.insert(environment, apps);
    }
    let names: Vec<String> =
        all.iter().flat_map(|(environment, apps)| apps.keys().map(move |app| format!("{environment}/{app}"))).collect();
    assert_eq!(
        names,
        [
            "demo/web",
            "development/gondulf",
            "production/gondulf",
            "production/neuronetz-gateway",
            "production/vault-dash",
            "staging/vault-dash",
        ]
    );
    let all =
        all.iter().map(|(environment, apps)| (environment.clone(), apps.iter().map(|(n, a)| (n.clone(), a)).collect()));
    assert_eq!(cross_check(&all.collect()), []);
}

#[test]
fn each_begins_with_the_line_for_editors_and_the_schema_accepts_it() {
    let validator = jsonschema::draft7::new(&schema()).unwrap();
    for (path, text) in texts() {
        let first = text.lines().next().unwrap();
        assert_eq!(first, "# yaml-language-server: $schema=../../schema/manifest.schema.json", "{path}");
        let value: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(errors, Vec::<String>::new(), "{path}");
    }
}

fn desired(environment: &str, app: &str) -> Desired {
    let loaded = load(&texts(), &environment.parse().unwrap(), "environments");
    resolve(loaded.apps[app].as_ref().unwrap(), &Context::default())
}

#[test]
fn the_gateway_alone_is_on_the_network_of_the_proxy_and_nothing_is_published() {
    let gateway = desired("production", "neuronetz-gateway");
    for (name, service) in &gateway.services {
        let Network::Networks(networks) = &service.spec.network else { panic!("{name} has no networks") };
        assert_eq!(networks.contains_key("proxy"), name.as_str() == "gateway", "{name}");
        assert!(service.spec.ports.is_empty(), "{name}");
        assert_eq!(service.container_name, format!("neuronetz-{name}"));
    }
    assert!(gateway.networks["production-neuronetz-gateway_backend"].internal);
    assert_eq!(gateway.services["gateway"].order, Order::StartFirst);
    assert_eq!(gateway.services["postgres"].order, Order::StopFirst);
}

#[test]
fn staging_stands_beside_production() {
    let (staging, production) = (desired("staging", "vault-dash"), desired("production", "vault-dash"));
    let hosts = |desired: &Desired| desired.services["vault-dash"].route.clone().unwrap().hosts;
    assert_eq!(
        (hosts(&staging), hosts(&production)),
        (vec!["vault-staging.example.com".to_owned()], vec!["vault.example.com".to_owned()])
    );
    for desired in [&staging, &production] {
        assert!(desired.services["vault-dash"].spec.ports.is_empty());
        assert_eq!(desired.services["vault-dash"].order, Order::StartFirst);
    }
    assert_eq!(staging.services["vault-dash"].spec.env["DEFAULT_SYMBOL"], "GLD");
    assert_ne!(staging.services["redis"].container_name, production.services["redis"].container_name);
}

#[test]
fn each_deployment_has_the_route_of_its_guide() {
    let route = |app: &str, service: &str| desired("production", app).services[service].route.clone().unwrap();
    let vault = route("vault-dash", "vault-dash");
    assert_eq!((vault.port, &vault.tls.mode, vault.tls.redirect), (Some(8000), &TlsMode::Internal, true));
    assert!(vault.allow_from.contains("10.0.0.0/8") && !vault.allow_from.contains("0.0.0.0/0"));

    let gondulf = route("gondulf", "gondulf");
    let limit = gondulf.rate_limit.unwrap();
    assert_eq!((limit.requests, limit.per, limit.burst), (10, Period::Second, 20));
    assert_eq!(limit.exempt.iter().collect::<Vec<_>>(), ["/health"]);
    assert_eq!(gondulf.headers["X-XSS-Protection"], "1; mode=block");
    assert!(gondulf.tls.hsts.unwrap().subdomains);

    let gateway = route("neuronetz-gateway", "gateway");
    assert_eq!((gateway.port, gateway.read_timeout.as_secs()), (Some(8080), 600));
    let hsts = gateway.tls.hsts.unwrap();
    assert_eq!((hsts.max_age, hsts.subdomains, hsts.preload), (63_072_000, true, true));
    let others = desired("production", "neuronetz-gateway").services;
    assert!(others.iter().all(|(name, service)| name.as_str() == "gateway" || service.route.is_none()));
}
