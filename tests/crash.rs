//! Passes on the model that are killed, refused and meddled with. Virtual time; a real ledger in a folder of its own.

#[path = "crash/closed.rs"]
mod closed;
#[path = "crash/copied.rs"]
mod copied;
#[path = "crash/delivered.rs"]
mod delivered;
#[path = "crash/fetching.rs"]
mod fetching;
#[path = "crash/halted.rs"]
mod halted;
#[path = "crash/killed.rs"]
mod killed;
#[path = "crash/meddled.rs"]
mod meddled;
#[path = "crash/names.rs"]
mod names;
#[path = "crash/ordered.rs"]
mod ordered;
#[path = "crash/refused.rs"]
mod refused;
#[path = "crash/rig.rs"]
mod rig;
#[path = "crash/sick.rs"]
mod sick;
#[path = "crash/stopped.rs"]
mod stopped;
#[path = "crash/wishes.rs"]
mod wishes;
