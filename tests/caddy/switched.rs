//! Four switches under load: no request is lost, kept connections or not, read or written.

use crate::{
    backend::Backend,
    load::Clients,
    rig::{rig, secured},
};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn four_switches_lose_no_request() {
    let rig = rig();
    let mut serving = Backend::named("generation").await;
    rig.lead(&secured(), serving.address).await;
    // For some milliseconds after a change this Caddy has no certificate of its own issuing: nothing was asked yet, and
    // clients try again. With files, stories have no such patience.
    let clients = Clients::over_tls_with_patience(rig.caddy.https, "app.example.com");
    for _ in 0..4 {
        let slow = clients.slow();
        clients.more(40).await;
        let next = Backend::named("generation").await;
        rig.lead(&secured(), next.address).await;
        // A connection that is kept stays with the configuration it came to until it is idle: half of what a manifest has
        // by default is enough for that.
        tokio::time::sleep(Duration::from_secs(5)).await;
        serving.stop().await;
        serving = next;
        assert!(slow.await.unwrap(), "a request of three seconds was lost");
    }
    let (answered, lost) = clients.end().await;
    assert_eq!(lost, 0, "of {answered}");
    assert!(answered >= 160, "{answered}");
}
