//! The plan's laws over every small world. `LAWS_SEED` takes another sample of the orders that are too many to walk
//! all, `LAWS_STATES` walks more of them.

#[path = "laws/copied.rs"]
mod copied;
#[path = "laws/delivered.rs"]
mod delivered;
#[path = "laws/draw.rs"]
mod draw;
#[path = "laws/halt.rs"]
mod halt;
#[path = "laws/law.rs"]
mod law;
#[path = "laws/lives.rs"]
mod lives;
#[path = "laws/mutants.rs"]
mod mutants;
#[path = "laws/one.rs"]
mod one;
#[path = "laws/routed.rs"]
mod routed;
#[path = "laws/several.rs"]
mod several;
#[path = "laws/surprise.rs"]
mod surprise;
#[path = "laws/upgrade.rs"]
mod upgrade;
#[path = "laws/walk.rs"]
mod walk;
