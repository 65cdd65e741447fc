//! Ten switches under load: no request is lost, kept connections or not, read or written, slow ones too.

use crate::{
    backend::Backend,
    load::Clients,
    rig::{rig, route},
};
use std::time::Duration;

/// A third of what a manifest has by default.
const DRAIN: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn ten_switches_lose_no_request() {
    let rig = rig().await;
    let mut serving = Backend::named("generation").await;
    rig.lead(&route(), serving.address).await;
    let clients = Clients::of(rig.http, "app.example.com");
    for _ in 0..10 {
        let slow = clients.slow();
        clients.more(40).await;
        let next = Backend::named("generation").await;
        rig.lead(&route(), next.address).await;
        // What an earlier worker had accepted goes where that one knows: it is the drain that waits for it.
        tokio::time::sleep(DRAIN).await;
        serving.stop().await;
        serving = next;
        assert!(slow.await.unwrap(), "a request of three seconds was lost");
    }
    let (answered, lost) = clients.end().await;
    assert_eq!(lost, 0, "of {answered}");
    assert!(answered >= 400, "{answered}");
}
