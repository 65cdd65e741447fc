//! Whatever a manifest can say, nginx reads as a value: no string ends its directive, opens a block or names a variable.

use crate::rig::{name, rig, route, site};
use proptest::{
    prelude::{Strategy, any},
    strategy::ValueTree,
    test_runner::TestRunner,
};
use reconcile::{
    desired::route::{Hsts, Period, RateLimit, TlsMode},
    proxy::Driver,
};

/// What values of manifests may hold: `$`, braces and line ends are refused there (research, proxy §3).
const VALUE: &str = "[ -#%-z|~]{0,40}";

#[tokio::test(flavor = "multi_thread")]
async fn a_large_generated_set_of_routes_is_a_configuration_that_nginx_takes() {
    let rig = rig().await;
    let mut runner = TestRunner::deterministic();
    let drawn = (
        "[a-z0-9-]{1,20}",
        "/[A-Za-z0-9._~/-]{0,30}",
        "[A-Za-z][A-Za-z0-9-]{0,20}",
        VALUE,
        any::<u32>(),
        1..1000u32,
        any::<bool>(),
    );
    for round in 0..40 {
        let (label, path, header, value, number, requests, flag) = drawn.new_tree(&mut runner).unwrap().current();
        let mut route = route();
        let label = label.trim_matches('-');
        route.hosts = vec![format!("a{label}.example.com"), "*.wild.example.com".to_owned()];
        route.redirect_from = vec![format!("b{label}.example.com")];
        route.path = path;
        route.strip_path = flag;
        route.max_body = u64::from(number);
        route.headers = [(header, value)].into();
        route.rate_limit = Some(RateLimit {
            requests,
            per: if flag { Period::Second } else { Period::Minute },
            burst: requests % 50,
            exempt: ["/health".to_owned()].into(),
        });
        route.allow_from = ["0.0.0.0/0".to_owned(), "::/0".to_owned()].into();
        route.tls.hsts = Some(Hsts { max_age: u64::from(number), subdomains: flag, preload: flag });
        route.tls.mode = if flag { TlsMode::Off } else { TlsMode::Upstream };
        let installed = rig.driver.install(&name(), &site(&route, "127.0.0.1:9".parse().unwrap())).await;
        assert!(installed.is_ok(), "round {round}: {route:?}: {}", installed.unwrap_err());
    }
}
