//! What two apps of one host would both take.

use super::{files, told};
use crate::manifest::{App, cross_check, load};
use std::collections::BTreeMap;

/// What is said of apps given as `environment/app` and text, in any of their environments.
fn said(texts: &[(&str, &str)]) -> Vec<String> {
    let paths: Vec<(String, &str)> =
        texts.iter().map(|(path, text)| (format!("environments/{path}.yaml"), *text)).collect();
    let texts = files(&paths.iter().map(|(path, text)| (path.as_str(), *text)).collect::<Vec<_>>());
    let environments = crate::manifest::environments("environments", texts.keys().map(String::as_str));
    let loaded: BTreeMap<_, BTreeMap<_, App>> = environments
        .into_iter()
        .map(|environment| {
            let apps = load(&texts, &environment, "environments").apps;
            (environment, apps.into_iter().map(|(name, app)| (name, app.unwrap())).collect())
        })
        .collect();
    let all = loaded
        .iter()
        .map(|(environment, apps)| (environment.clone(), apps.iter().map(|(n, a)| (n.clone(), a)).collect()));
    let problems = cross_check(&all.collect());
    problems.iter().map(|(environment, app, problem)| format!("{environment}/{app} {}", told(problem))).collect()
}

#[test]
fn apps_that_share_nothing_are_left_alone() {
    let web = "volumes: {data: {}}\nservices: {web: {image: 'bb:1', volumes: ['data:/d', '/srv/conf:/c:ro'], ports: ['80:80']}}\n";
    let other = web.replace("80:80", "81:80");
    assert_eq!(said(&[("production/web", web), ("staging/web", &other)]), Vec::<String>::new());
}

#[test]
fn a_published_port_is_taken_once_on_a_host() {
    let port = |ports: &str| format!("services: {{web: {{image: 'bb:1', ports: [{ports}]}}}}\n");
    assert_eq!(
        said(&[("production/web", &port("'8000:80'")), ("staging/web", &port("'*:7999-8000:79-80'"))]),
        [
            "production/web 1:41: both publish port 8000/tcp of the host: service `web`, and service `web` of \
             `staging/web` (environments/staging/web.yaml:1:41) (choose another port of the host, or another address)",
            "staging/web 1:41: both publish port 8000/tcp of the host: service `web`, and service `web` of \
             `production/web` (environments/production/web.yaml:1:41) (choose another port of the host, or another \
             address)",
        ]
    );
    let apart = [("production/web", port("'8000:80'")), ("staging/web", port("'127.0.0.2:8000:80', '8000:80/udp'"))];
    assert_eq!(said(&apart.each_ref().map(|(path, text)| (*path, text.as_str()))), Vec::<String>::new());
}

#[test]
fn a_pinned_name_is_taken_once_even_within_an_app() {
    let twice = "services:\n  a: {image: 'bb:1', container_name: one}\n  b: {image: 'bb:1', container_name: one}\n";
    assert_eq!(
        said(&[("production/web", twice)]),
        [
            "production/web 2:38: both would have the container `one`: service `a`, and service `b` of `production/web` \
             (environments/production/web.yaml:3:38) (give one of them another name)",
            "production/web 3:38: both would have the container `one`: service `b`, and service `a` of `production/web` \
             (environments/production/web.yaml:2:38) (give one of them another name)",
        ]
    );
}

#[test]
fn two_pairs_of_environment_and_app_cannot_have_one_name() {
    let web = "services: {web: {image: 'bb:1'}}\n";
    let said = said(&[("a-b/c", web), ("a/b-c", web)]);
    assert!(said[0].starts_with("a/b-c 1:1: both would name their things `a-b-c…`"), "{said:?}");
}

#[test]
fn a_volume_or_path_has_one_writing_app_unless_both_share_it() {
    let app = |volume: &str, mount: &str| {
        format!("volumes: {{data: {volume}}}\nservices: {{web: {{image: 'bb:1', volumes: ['{mount}']}}}}\n")
    };
    let old = "{external: true, name: gondulf_data}";
    let shared = "{external: true, name: gondulf_data, shared: true}";
    let pair = |first: String, second: String| said(&[("production/a", &first), ("staging/b", &second)]).len();
    assert_eq!(pair(app(old, "data:/d"), app(old, "data:/d")), 2);
    assert_eq!(pair(app(shared, "data:/d"), app(old, "data:/d")), 2);
    assert_eq!(pair(app(shared, "data:/d"), app(shared, "data:/d")), 0);
    assert_eq!(pair(app(old, "data:/d"), app(old, "data:/d:ro")), 0);
    assert_eq!(pair(app("{}", "/srv/x:/d"), app("{}", "/srv/x/y:/d")), 2);
    assert_eq!(pair(app("{}", "/srv/x:/d"), app("{}", "/srv/xy:/d")), 0);
    assert_eq!(pair(app("{}", "/srv/x:/d"), app("{}", "/srv/x:/d:ro")), 0);
}

#[test]
fn no_app_reads_below_what_another_writes_where_a_link_could_be_put() {
    let app = |mount: &str| format!("services: {{web: {{image: 'bb:1', volumes: ['{mount}']}}}}\n");
    let pair = |first: &str, second: &str| said(&[("production/a", &app(first)), ("staging/b", &app(second))]);
    let told = pair("/srv/x:/d", "/srv/x/y:/d:ro");
    assert!(
        told[0].contains("`/srv/x/y` lies below `/srv/x`, where the other app could put a link to anywhere"),
        "{told:?}"
    );
    assert_eq!(told.len(), 2);
    assert_eq!(pair("/srv/x/y:/d:ro", "/srv/x:/d").len(), 2);
    assert_eq!(pair("/srv/x:/d:ro", "/srv/x/y:/d"), Vec::<String>::new());
    assert_eq!(pair("/srv/x:/d:ro", "/srv/x/y:/d:ro"), Vec::<String>::new());
    assert_eq!(pair("/srv/x:/d", "/srv/xy:/d:ro"), Vec::<String>::new());
}

#[test]
fn a_short_text_stands_for_no_million_of_ports_and_errors() {
    let app = |ports: &str| format!("services: {{web: {{image: 'bb:1', ports: [{ports}]}}}}\n");
    let refused = |text: &str| {
        let texts = files(&[("environments/production/a.yaml", text)]);
        let mut apps = load(&texts, &"production".parse().unwrap(), "environments").apps;
        apps.pop_first().unwrap().1.err().map(|problems| told(&problems[0]))
    };
    let much = "with these the app has more than 2048 ports (write fewer)";
    assert_eq!(refused(&app("'1-65535:1-65535'")), Some(format!("1:40: {much}")));
    assert_eq!(refused(&app("'1000-3047:1000-3047'")), None);
    let exposed = "services: {web: {image: 'bb:1', expose: ['1-65535/udp']}}\n";
    assert_eq!(refused(exposed), Some(format!("1:41: {much}")));
    // Each of them is told, and not each with each.
    assert_eq!(said(&[("production/a", &app(&"'80:80',".repeat(2000)))]).len(), 2000);
}

#[test]
fn a_host_and_path_lead_to_one_service_of_all_environments() {
    let app = |proxy: &str| format!("services: {{web: {{image: 'bb:1', proxy: {{port: 80, {proxy}}}}}}}\n");
    let pair = |first: &str, second: &str| said(&[("production/a", &app(first)), ("staging/b", &app(second))]);
    assert_eq!(
        pair("hosts: [x.example.com, a.example.com]", "hosts: [a.example.com]"),
        [
            "production/a 1:74: both answer to `a.example.com`: service `web`, and service `web` of `staging/b` \
             (environments/staging/b.yaml:1:59) (give one of them another host or `path`, or both the same `tls`)",
            "staging/b 1:59: both answer to `a.example.com`: service `web`, and service `web` of `production/a` \
             (environments/production/a.yaml:1:74) (give one of them another host or `path`, or both the same `tls`)",
        ]
    );
    let told = |first: &str, second: &str| {
        pair(first, second).first().map(|line| line.split(": service").next().unwrap().to_owned())
    };
    let path = |path: &str| format!("hosts: [a.example.com], path: {path}");
    assert_eq!(told(&path("/api"), &path("/api")).unwrap(), "production/a 1:59: both answer to `a.example.com/api`");
    assert_eq!(told(&path("/api"), &path("/apis")), None);
    assert_eq!(told(&path("/api"), "hosts: [a.example.com]"), None);
    assert_eq!(told("hosts: [a.example.com]", "hosts: ['b.example.com']"), None);
    // A redirect takes the whole host.
    let redirect = "hosts: [b.example.com], redirect_from: [a.example.com]";
    assert_eq!(
        told(&path("/api"), redirect).unwrap(),
        "production/a 1:59: one answers to `a.example.com`, and the other redirects it"
    );
    let other = "hosts: [c.example.com], redirect_from: [a.example.com]";
    assert_eq!(told(other, redirect).unwrap(), "production/a 1:91: both redirect `a.example.com`");
}

#[test]
fn services_that_share_a_host_secure_it_alike() {
    let app = |path: &str, tls: &str| {
        format!(
            "services: {{web: {{image: 'bb:1', proxy: {{hosts: [a.example.com], port: 80, path: {path}}}, tls: {tls}}}}}\n"
        )
    };
    let pair =
        |first: &str, second: &str| said(&[("production/a", &app("/", first)), ("production/b", &app("/api", second))]);
    assert_eq!(pair("{}", "{mode: acme}"), Vec::<String>::new());
    let told = pair("{}", "{mode: off}");
    assert!(told[0].contains("both answer to `a.example.com`, and secure it differently"), "{told:?}");
    assert_eq!(told.len(), 2);
}

#[test]
fn two_services_of_an_app_are_judged_like_two_apps() {
    let route = "image: 'bb:1', proxy: {hosts: [a.example.com], port: 80}";
    let told = said(&[("production/a", &format!("services:\n  a: {{{route}}}\n  b: {{{route}}}\n"))]);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("service `a`, and service `b` of `production/a`"), "{told:?}");
}
