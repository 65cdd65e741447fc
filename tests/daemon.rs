//! The daemon on the model: what it hears, what it misses, what it costs. Virtual time; a real ledger.

#[path = "daemon/at_once.rs"]
mod at_once;
#[path = "daemon/branch.rs"]
mod branch;
#[path = "daemon/calls.rs"]
mod calls;
#[path = "daemon/copies.rs"]
mod copies;
#[path = "daemon/dead_folder.rs"]
mod dead_folder;
#[path = "daemon/dependencies.rs"]
mod dependencies;
#[path = "daemon/drift.rs"]
mod drift;
#[path = "daemon/house.rs"]
mod house;
#[allow(dead_code)]
#[path = "crash/rig.rs"]
mod rig;
#[path = "daemon/sink.rs"]
mod sink;
