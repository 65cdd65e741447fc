//! Any text as a manifest is loaded or refused, and what the shape check lets through the types take:
//! `scripts/fuzz manifest`. What was loaded reads back from the ledger as it was,.

#![no_main]

use libfuzzer_sys::fuzz_target;
use reconcile::{
    desired,
    host::{self, HostFile},
    manifest::{self, Manifest},
    yaml::{self, Required},
};
use serde::Deserialize;
use std::collections::BTreeMap;

fuzz_target!(|text: &str| {
    let environment = "production".parse().expect("a name");
    let files = BTreeMap::from([("environments/production/web.yaml".to_owned(), text.to_owned())]);
    let loaded = manifest::load(&files, &environment, "environments");
    assert_eq!(loaded.apps.len(), 1);
    for app in loaded.apps.values().flatten() {
        let now = desired::resolve(app, &desired::Context::default());
        let pins = BTreeMap::new();
        let stored = desired::resolve_stored(&app.environment, &app.name, &now.manifest, &pins).expect("it was stored");
        assert_eq!(now, stored, "a rollback would be to something else");
    }
    let Ok(tree) = yaml::parse("any.yaml", text) else { return };
    if let Ok(value) = yaml::check(&tree, manifest::shape(), Required::Yes) {
        Manifest::deserialize(&value).unwrap_or_else(|error| panic!("{error}: {value}"));
    }
    if let Ok(value) = yaml::check(&tree, host::shape(), Required::Yes) {
        HostFile::deserialize(&value).unwrap_or_else(|error| panic!("{error}: {value}"));
    }
});
