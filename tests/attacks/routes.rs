//! Hosts of others, and what nobody may reach, by the way of the proxy.

use crate::{
    rig::Rig,
    row::{HARMLESS, nothing_is_there, rendered},
};
use reconcile::{
    desired::Desired,
    engine::model::{Script, faults},
    host::{self, Host},
    record::{Hold, HoldUntil, Outcome},
};

fn host(text: &str) -> Host {
    host::read("host.yaml", text).unwrap()
}

fn app(service: &str) -> Desired {
    let text = format!("services:\n  web: {{{HARMLESS}, {service}}}\n");
    rendered(&[("environments/test/app.yaml".to_owned(), text)].into()).unwrap()
}

const CLAIM: &str = "proxy: {hosts: [www.example.com], port: 80}, tls: {mode: off}";

#[tokio::test(start_paused = true)]
async fn nothing_is_made_for_a_route_that_the_host_does_not_allow() {
    let table = [
        ("policy: {hosts: {www.example.com: [production]}}\nproxy: {driver: nginx}\n", CLAIM, "policy.hosts"),
        ("policy: {hosts: {'*.example.org': [test]}}\nproxy: {driver: nginx}\n", CLAIM, "policy.hosts"),
        ("policy: {never_expose: [app/web]}\nproxy: {driver: nginx}\n", CLAIM, "policy.never_expose"),
        ("prune: true\n", CLAIM, "proxy.driver"),
        ("proxy: {driver: nginx-proxy}\n", "env: {VIRTUAL_HOST: www.example.com}", "policy.hosts"),
        ("proxy: {driver: traefik}\n", "labels: {traefik.enable: true}", "policy.hosts"),
        (
            "proxy: {driver: nginx}\n",
            "proxy: {hosts: [a.example.com], port: 80}, tls: {mode: files, cert_file: /etc/reconcile/a.pem, key_file: /a}",
            "policy.data_roots",
        ),
    ];
    for (file, service, rule) in table {
        let mut rig = Rig::new();
        rig.host_file = host(file);
        let report = rig.pass(&app(service), faults::none()).await;
        assert_eq!(report.outcome, Some(Outcome::Blocked), "{file}: {report:?}");
        let error = report.error.unwrap();
        assert!(error.summary.contains(&format!("(`{rule}`)")), "{file}: {}", error.summary);
        nothing_is_there(&rig, file);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_was_given_to_others_is_not_claimed_by_a_rollback() {
    let mut rig = Rig::new();
    rig.model.by_hand(|world| world.add_image("web:1", Script::serves()));
    rig.host_file = host("proxy: {driver: nginx}\n");
    let before = rig.pass(&app(CLAIM), faults::none()).await;
    assert_eq!(before.outcome, Some(Outcome::Succeeded), "{before:?}");
    let harmless = app("user: \"1000\"");
    rig.host_file = host("policy: {hosts: {www.example.com: [production]}}\nproxy: {driver: nginx}\n");
    let after = rig.pass(&harmless, faults::none()).await;
    assert_eq!(after.outcome, Some(Outcome::Succeeded), "{after:?}");

    let hold = Hold {
        revision: Some(1),
        by: "somebody".to_owned(),
        reason: "it was better".to_owned(),
        until: HoldUntil::Resume,
        at: jiff::Timestamp::UNIX_EPOCH,
    };
    rig.ledger().await.hold(&harmless.environment, &harmless.app, hold).await.unwrap();
    let back = rig.pass(&harmless, faults::none()).await;
    assert_eq!(back.outcome, Some(Outcome::Blocked), "{back:?}");
    assert!(back.error.unwrap().summary.contains("(`policy.hosts`)"));
}
