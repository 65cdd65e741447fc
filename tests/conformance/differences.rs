//! Where a real engine does something else than the model, and why that harms no law.

/// A named difference.
pub struct Difference {
    engine: &'static str,
    life: &'static str,
    write: &'static str,
    /// What the engine does; ` | ` between what it may do, as chance has it, and `_` for any exit code.
    pub theirs: &'static str,
    /// Why the laws hold all the same.
    pub why: &'static str,
}

const NO_UPDATE: &str = "Podman 4 has no such call; the plan asks only where `Abilities::adjusts` holds";
const OWN_NAME: &str = "nobody renames a container to its own name: the plan compares names first";
const STOPPED_PLACE: &str = "refused and already so: `apply` looks and finds it connected";
const FROZEN: &str = "the driver refuses: on Podman the container, and with it every list, would be lost";
const REMOVES: &str = "Podman waits for the stop's end and removes; the plan removes only what it saw stopped";
const NO_PAUSE: &str = "Podman has no state between a crash and the next start: it is over, or it runs";
const NO_RUN: &str = "the driver makes it ready to run, so that it hears the stop: the exit code before it is lost";
const NO_START: &str = "refused while it stops: `apply` looks, and the next pass finds it over";

const NOT_INSIDE: &str = "programs are run in the proxy's container alone, and nobody here stops that";

const DIFFERENCES: &[Difference] = &[
    podman("created", "adjust", "refused, created", NO_UPDATE),
    podman("running", "adjust", "refused, running", NO_UPDATE),
    podman("paused", "adjust", "refused, paused", NO_UPDATE),
    podman("stopping", "adjust", "refused, exited 137", NO_UPDATE),
    podman("stopped", "adjust", "refused, exited 7", NO_UPDATE),
    podman("ended", "adjust", "refused, exited 3", NO_UPDATE),
    podman("restarting", "adjust", "refused, crashing", NO_UPDATE),
    podman("created", "rename to its own name", "ok, created", OWN_NAME),
    podman("running", "rename to its own name", "ok, running", OWN_NAME),
    podman("paused", "rename to its own name", "ok, paused", OWN_NAME),
    podman("stopping", "rename to its own name", "ok, exited 137", OWN_NAME),
    podman("stopped", "rename to its own name", "ok, exited 7", OWN_NAME),
    podman("ended", "rename to its own name", "ok, exited 3", OWN_NAME),
    podman("restarting", "rename to its own name", "ok, crashing", OWN_NAME),
    podman("stopped", "connect again", "refused, exited 7", STOPPED_PLACE),
    podman("ended", "connect again", "refused, exited 3", STOPPED_PLACE),
    podman("paused", "connect", "refused, paused", FROZEN),
    podman("paused", "disconnect", "refused, paused", FROZEN),
    podman("restarting", "stop", "ok, exited _ | ok, created", NO_RUN),
    podman("restarting", "remove", "ok, gone | refused, crashing", NO_PAUSE),
    podman("restarting", "rename", "ok, crashing, renamed", NO_PAUSE),
    podman("restarting", "connect", "refused, crashing", FROZEN),
    podman("restarting", "connect again", "refused, crashing", FROZEN),
    podman("stopping", "connect", "refused, exited 137", FROZEN),
    podman("stopping", "disconnect", "refused, exited 137", FROZEN),
    podman("stopping", "remove", "ok, gone", REMOVES),
    podman("stopping", "run a program inside", "refused, exited 137", NOT_INSIDE),
    podman("stopping", "start", "refused, exited 137", NO_START),
];

const fn podman(life: &'static str, write: &'static str, theirs: &'static str, why: &'static str) -> Difference {
    Difference { engine: "Podman", life, write, theirs, why }
}

impl Difference {
    /// True where this outcome is the named one.
    pub fn names(&self, outcome: &str) -> bool {
        self.theirs.split(" | ").any(|one| match one.split_once('_') {
            None => one == outcome,
            Some((before, after)) => outcome
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after))
                .is_some_and(|code| code.parse::<u8>().is_ok()),
        })
    }

    /// True where chance has no part in it.
    pub fn is_certain(&self) -> bool {
        !self.theirs.contains(['|', '_'])
    }
}

/// The difference that is named for a case.
pub fn difference(engine: &str, life: &str, write: &str) -> Option<&'static Difference> {
    DIFFERENCES.iter().find(|named| (named.engine, named.life, named.write) == (engine, life, write))
}
