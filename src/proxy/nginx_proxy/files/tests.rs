use super::*;
use crate::desired::resolve_stored;

/// The name and the site of an app whose service has this route.
fn routed(proxy: &str, tls: &str) -> (SiteName, Site) {
    let text = format!(r#"{{"services": {{"web": {{"image": "a:1", "proxy": {proxy}, "tls": {tls}}}}}}}"#);
    let (environment, app) = ("test".parse().unwrap(), "shop".parse().unwrap());
    let manifest = serde_json::from_str(&text).unwrap();
    let desired = resolve_stored(&environment, &app, &manifest, &BTreeMap::new()).unwrap();
    let served = |service: &crate::desired::DesiredService| Served {
        route: service.route.clone().unwrap(),
        container: "c".to_owned(),
        address: "172.18.0.3:80".parse().unwrap(),
        certificate: None,
        thumbprint: None,
        users: None,
    };
    let routes = desired.services.iter().map(|(name, service)| (name.clone(), served(service))).collect();
    (SiteName::of(&desired), Site { routes })
}

fn of(proxy: &str, tls: &str) -> Files {
    let (name, site) = routed(proxy, tls);
    files(&name, &site)
}

#[test]
fn everything_of_a_route_stands_in_its_location_and_each_header_once() {
    let files = of(
        r#"{"hosts": ["a.example.com"], "max_body": "1m", "timeouts": {"connect": "2s", "read": "10m"},
            "allow_from": ["203.0.113.0/24"], "security_headers": {"X-Frame-Options": "DENY"}}"#,
        r#"{"mode": "acme"}"#,
    );
    let (file, text) = files.final_locations().into_iter().next().unwrap();
    assert_eq!(file, format!("a.example.com_{}_location", hex(&Sha1::digest("/"))));
    assert_eq!(
        text,
        format!(
            "# reconcile test/shop: made by reconcile, what is changed here is put right\n\
             client_max_body_size 1048576;\nproxy_connect_timeout 2000ms;\nproxy_read_timeout 600000ms;\n\
             proxy_send_timeout 600000ms;\nallow 203.0.113.0/24;\ndeny all;\n\
             proxy_hide_header X-Frame-Options;\nadd_header X-Frame-Options \"DENY\" always;\n\
             proxy_hide_header Strict-Transport-Security;\n\
             add_header Strict-Transport-Security \"max-age=31536000\" always;\n\
             location = \"/.reconcile-generation\" {{\n    default_type text/plain;\n    return 200 \"{}\";\n}}\n",
            files.generation
        )
    );
    assert_eq!(generation(&text), Some(files.generation.as_str()));
    assert_eq!(files.counted, None);
}

#[test]
fn a_location_below_a_path_is_called_by_its_hash() {
    let files = of(r#"{"hosts": ["a.example.com", "*.b.example.com"], "path": "/api"}"#, r#"{"mode": "off"}"#);
    // Of `/api/`, as the container says it.
    let hash = hex(&Sha1::digest("/api/"));
    let names: Vec<&String> = files.locations.keys().collect();
    assert_eq!(names, [&format!("*.b.example.com_{hash}_location"), &format!("a.example.com_{hash}_location")]);
    let text = files.final_locations().into_values().next().unwrap();
    assert!(text.contains("location = \"/api/.reconcile-generation\""), "{text}");
    assert!(!text.contains("Strict-Transport-Security"), "{text}");
}

#[test]
fn what_is_counted_is_said_in_the_http_block() {
    let limit = r#"{"hosts": ["a.example.com"], "rate_limit": {"rate": "5/m", "burst": 3, "exempt": ["/health"]}}"#;
    let files = of(limit, r#"{"mode": "off"}"#);
    let counted = files.counted.unwrap();
    let zone = counted.split("zone=").nth(1).unwrap().split(':').next().unwrap();
    assert!(counted.contains("\"/health\" '';") && counted.contains("rate=5r/m;"), "{counted}");
    let text = files.locations.into_values().next().unwrap();
    assert!(text.contains(&format!("limit_req zone={zone} burst=3 nodelay;\nlimit_req_status 429;")), "{text}");
}

#[test]
fn another_container_is_another_generation_and_the_same_text_otherwise() {
    let (name, site) = routed(r#"{"hosts": ["a.example.com"]}"#, r#"{"mode": "off"}"#);
    let mut moved = site.clone();
    moved.routes.values_mut().for_each(|served| served.address = "172.18.0.4:80".parse().unwrap());
    let (before, after) = (files(&name, &site), files(&name, &moved));
    assert_ne!(before.generation, after.generation);
    assert_eq!(before.locations, after.locations);
}
