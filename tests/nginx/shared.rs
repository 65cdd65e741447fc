//! One host that several answer at: apps of ours below their paths, and others that have it already.

use crate::{
    backend::Backend,
    client::{curl, status},
    rig::{Rig, rig, route, site},
};
use reconcile::{
    desired::Route,
    proxy::{Driver, ProxyError, Site, SiteName},
};
use std::{fs, net::SocketAddr};

fn app(name: &str) -> SiteName {
    SiteName { environment: "test".parse().unwrap(), app: name.parse().unwrap() }
}

fn below(path: &str) -> Route {
    Route { path: path.to_owned(), ..route() }
}

async fn lead(rig: &Rig, name: &str, path: &str, to: SocketAddr) {
    rig.driver.install(&app(name), &site(&below(path), to)).await.unwrap();
}

async fn altered(rig: &Rig, name: &str) -> bool {
    rig.driver.installed(&app(name)).await.unwrap().unwrap().altered
}

fn asked(rig: &Rig, path: &str) -> String {
    curl("http", "app.example.com", rig.http, path, &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn apps_that_share_a_host_answer_each_below_its_path_whoever_comes_or_goes_first() {
    let rig = rig().await;
    let (first, second) = (Backend::named("first").await, Backend::named("second").await);
    for (root, api) in [("a", "b"), ("b", "a")] {
        lead(&rig, root, "/", first.address).await;
        assert!(asked(&rig, "/api/x").contains("first\n"), "{root}");
        lead(&rig, api, "/api", second.address).await;
        assert!(asked(&rig, "/").contains("first\n") && asked(&rig, "/api/x").contains("second\n"), "{root}");
        assert!(!altered(&rig, root).await && !altered(&rig, api).await);
        // One moves, and the other stays where it is.
        lead(&rig, root, "/", second.address).await;
        assert!(asked(&rig, "/").contains("second\n") && asked(&rig, "/api/x").contains("second\n"), "{root}");
        rig.driver.install(&app(root), &Site::default()).await.unwrap();
        assert_eq!(status(&asked(&rig, "/")), "404");
        assert!(asked(&rig, "/api/x").contains("second\n"), "{root}");
        assert!(!altered(&rig, api).await);
        rig.driver.install(&app(api), &Site::default()).await.unwrap();
        assert_eq!(fs::read_dir(rig.directory()).unwrap().count(), 1, "what begins alone is left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_somebody_elses_configuration_has_is_left_to_it() {
    let (rig, web) = (rig().await, Backend::named("web").await);
    lead(&rig, "other", "/other", web.address).await;
    let before = fs::read_to_string(rig.directory().join("reconcile-test.other.conf")).unwrap();
    for file in ["a.conf", "z.conf"] {
        let theirs = rig.directory().join(file);
        let text = format!("server {{ listen {}; server_name taken.example.com; return 200 theirs; }}\n", rig.http);
        fs::write(&theirs, text).unwrap();
        let route = Route { hosts: vec!["taken.example.com".to_owned(), "app.example.com".to_owned()], ..below("/x") };
        let error = rig.driver.install(&app("app"), &site(&route, web.address)).await.unwrap_err();
        assert!(matches!(&error, ProxyError::Taken { host, .. } if host == "taken.example.com"), "{error}");
        assert!(!error.is_of_the_routes());
        assert!(!rig.file().exists());
        assert_eq!(fs::read_to_string(rig.directory().join("reconcile-test.other.conf")).unwrap(), before);
        fs::remove_file(&theirs).unwrap();
        rig.driver.install(&app("app"), &site(&route, web.address)).await.unwrap();
        assert!(curl("http", "taken.example.com", rig.http, "/x", &[]).contains("web\n"));
        rig.driver.install(&app("app"), &Site::default()).await.unwrap();
    }
}
