//! What nginx does not take: the route of before stays, and who is to blame is said.

use crate::{
    backend::Backend,
    client::{curl, status},
    port::free_port,
    rig::{name, rig, rig_with, route, site},
};
use reconcile::proxy::{Driver, ProxyError};
use std::{fs, net::TcpListener};

fn answer(http: u16) -> String {
    curl("http", "app.example.com", http, "/", &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_was_broken_before_is_told_and_nothing_changes() {
    let (rig, one, two) = (rig().await, Backend::named("one").await, Backend::named("two").await);
    rig.lead(&route(), one.address).await;
    let before = fs::read_to_string(rig.file()).unwrap();
    fs::write(rig.directory().join("theirs.conf"), "server { listen nonsense; }\n").unwrap();
    let error = rig.driver.install(&name(), &site(&route(), two.address)).await.unwrap_err();
    assert!(
        matches!(&error, ProxyError::Broken { said, .. } if said.contains("nonsense") && said.contains("theirs.conf")),
        "{error}"
    );
    assert_eq!(fs::read_to_string(rig.file()).unwrap(), before);
    assert!(answer(rig.http).contains("one\nGET"));
    fs::remove_file(rig.directory().join("theirs.conf")).unwrap();
    rig.lead(&route(), two.address).await;
    assert!(answer(rig.http).contains("two\nGET"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_nginx_refuses_is_the_routes_fault_and_the_one_before_stays() {
    let (rig, one) = (rig().await, Backend::named("one").await);
    rig.lead(&route(), one.address).await;
    let mut bad = route();
    // No manifest can say it.
    bad.hosts = vec!["a b; c {".to_owned()];
    let error = rig.driver.install(&name(), &site(&bad, one.address)).await.unwrap_err();
    assert!(error.is_of_the_routes(), "{error}");
    assert_eq!(status(&answer(rig.http)), "200");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_somebody_else_has_is_seen_though_a_reload_ends_well() {
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (rig, one) = (rig_with(|settings| settings.http = port).await, Backend::named("one").await);
    let error = rig.driver.install(&name(), &site(&route(), one.address)).await.unwrap_err();
    assert!(matches!(error, ProxyError::Deaf { .. }), "{error}");
    assert!(!error.is_of_the_routes());
    assert!(!rig.file().exists(), "what is not served does not stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_nginx_that_does_not_run_is_told() {
    let port = free_port();
    let (rig, one) = (rig_with(|settings| settings.http = port).await, Backend::named("one").await);
    let pid = rig.nginx.folder.path().join("nginx.pid");
    let held = fs::read_to_string(&pid).unwrap();
    fs::write(&pid, "").unwrap();
    let error = rig.driver.install(&name(), &site(&route(), one.address)).await.unwrap_err();
    assert!(matches!(error, ProxyError::Deaf { .. }), "{error}");
    fs::write(&pid, held).unwrap();
}
