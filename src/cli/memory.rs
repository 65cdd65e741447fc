//! Memory holds secrets for moments: no picture of it is to be left on a disk.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Forbids core dumps, and that other processes of this user look into this one; what it starts leaves none either.
pub fn keep_private() {
    // Less of either is no reason to do nothing: a kernel without them is one that a unit file must limit.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
