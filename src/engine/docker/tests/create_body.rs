//! The create call's body, for what no engine here can start (row N15).

use super::*;
use crate::desired::spec::{Device, Gpus, Logging};
use serde_json::json;

fn sent(spec: ContainerSpec) -> Value {
    let container = CreateContainer {
        name: "ollama".to_owned(),
        image_id: "sha256:1".to_owned(),
        spec,
        network: None,
        secret_env: BTreeMap::new(),
        namespace_of: None,
        labels: BTreeMap::from([("reconcile.app".to_owned(), "gateway".to_owned())]),
    };
    serde_json::to_value(body::create(&container).unwrap()).unwrap()
}

fn gpu_request(gpus: Gpus) -> Value {
    sent(ContainerSpec { gpus: Some(gpus), ..ContainerSpec::default() })["HostConfig"]["DeviceRequests"][0].clone()
}

#[test]
fn gpus_are_asked_for_as_device_requests() {
    let capabilities = json!([["gpu"]]);
    assert_eq!(gpu_request(Gpus::All), json!({ "Count": -1, "Capabilities": capabilities }));
    assert_eq!(gpu_request(Gpus::Count(2)), json!({ "Count": 2, "Capabilities": capabilities }));
    let ids = Gpus::Ids(vec!["GPU-1".to_owned()]);
    assert_eq!(gpu_request(ids), json!({ "DeviceIDs": ["GPU-1"], "Capabilities": capabilities }));
}

#[test]
fn devices_sysctls_and_logging_are_sent_as_they_are() {
    let body = sent(ContainerSpec {
        devices: vec![Device {
            host: "/dev/kfd".to_owned(),
            container: "/dev/kfd".to_owned(),
            permissions: "rwm".to_owned(),
        }],
        sysctls: BTreeMap::from([("net.core.somaxconn".to_owned(), "1024".to_owned())]),
        logging: Some(Logging {
            driver: "json-file".to_owned(),
            options: BTreeMap::from([("max-size".to_owned(), "10m".to_owned())]),
        }),
        ..ContainerSpec::default()
    });
    let host = &body["HostConfig"];
    assert_eq!(
        host["Devices"],
        json!([{ "PathOnHost": "/dev/kfd", "PathInContainer": "/dev/kfd", "CgroupPermissions": "rwm" }])
    );
    assert_eq!(host["Sysctls"], json!({ "net.core.somaxconn": "1024" }));
    assert_eq!(host["LogConfig"], json!({ "Type": "json-file", "Config": { "max-size": "10m" } }));
}

#[test]
fn what_is_not_asked_for_is_left_to_the_engine() {
    let body = sent(ContainerSpec::default());
    let keys: Vec<&str> = body["HostConfig"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["NetworkMode", "RestartPolicy", "Privileged", "ReadonlyRootfs"]);
    assert_eq!(body["StopTimeout"], 10, "Podman kills at once without it");
}

#[test]
fn a_disabled_check_is_none_whatever_the_image_brings() {
    let body = sent(ContainerSpec { healthcheck: EngineCheck::Disabled, ..ContainerSpec::default() });
    assert_eq!(body["Healthcheck"], json!({ "Test": ["NONE"] }));
}

#[test]
fn a_shared_network_names_the_other_container() {
    let mut container = CreateContainer {
        name: "sidecar".to_owned(),
        image_id: "sha256:1".to_owned(),
        spec: ContainerSpec { network: Network::Service("web".parse().unwrap()), ..ContainerSpec::default() },
        network: None,
        secret_env: BTreeMap::new(),
        namespace_of: Some("c1".to_owned()),
        labels: BTreeMap::new(),
    };
    let body = serde_json::to_value(body::create(&container).unwrap()).unwrap();
    assert_eq!(body["HostConfig"]["NetworkMode"], "container:c1");
    container.namespace_of = None;
    assert!(matches!(body::create(&container), Err(EngineError::Refused { .. })));
}
