//! Whatever a manifest can say, Caddy takes as a value: no string is a placeholder, which could tell its own variables.

use crate::{
    backend::Backend,
    client::{header, status},
    rig::{rig, secured},
    route::{plain, site},
};
use proptest::{prelude::Strategy, strategy::ValueTree, test_runner::TestRunner};

#[tokio::test(flavor = "multi_thread")]
async fn every_value_that_a_manifest_can_say_comes_out_as_it_was_written() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let mut runner = TestRunner::deterministic();
    // Caddy meets no path that ends with a dot: of what is asked for it cuts those off.
    // `$`, braces and line ends are refused in manifests; a header begins and ends with no space.
    let drawn = (
        "[a-z0-9]{1,20}",
        "/([A-Za-z0-9._~-]{0,20}[A-Za-z0-9_~-])?",
        "X-[A-Za-z][A-Za-z0-9-]{0,20}",
        "[!-#%-z|~]([ -#%-z|~]{0,40}[!-#%-z|~])?",
    );
    for round in 0..30 {
        let (label, path, name, value) = drawn.new_tree(&mut runner).unwrap().current();
        let mut route = plain();
        let host = format!("{label}.example.com");
        route.hosts = vec![host.clone(), "*.wild.example.com".to_owned()];
        route.redirect_from = vec![format!("b{label}.example.com")];
        route.path.clone_from(&path);
        route.headers = [(name.clone(), value.clone())].into();
        rig.install(&site(&route, web.address)).await;
        assert!(rig.is_as_told().await, "round {round}: {route:?}");
        let answer = rig.plain(&host, &path);
        assert_eq!((status(&answer), header(&answer, &name)), ("200", vec![value.as_str()]), "round {round}: {answer}");
    }
}

/// Why braces are refused in manifests, and in the names of users: Caddy would say what its variables hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_brace_would_be_a_placeholder() {
    let (rig, web) = (rig(), Backend::named("web").await);
    let mut route = secured();
    route.headers = [("X-Said".to_owned(), "{env.XDG_DATA_HOME}".to_owned())].into();
    rig.lead(&route, web.address).await;
    let said = rig.get("app.example.com", "/");
    let folder = rig.caddy.folder.path().display().to_string();
    assert_eq!(header(&said, "x-said"), [folder.as_str()]);
    let refused = "{env.XDG_DATA_HOME}".parse::<reconcile::value::HeaderValue>();
    assert!(refused.is_err());
}
