//! The ledger from outside: what it decides, what it keeps, and what it stands.

#[path = "record/faults.rs"]
mod faults;
#[path = "record/history.rs"]
mod history;
#[path = "record/intents.rs"]
mod intents;
#[path = "record/kin.rs"]
mod kin;
#[path = "record/locks.rs"]
mod locks;
#[path = "record/picture.rs"]
mod picture;
#[path = "record/remembered.rs"]
mod remembered;
#[path = "record/targets.rs"]
mod targets;
#[path = "record/walks.rs"]
mod walks;
