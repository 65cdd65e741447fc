//! A row of the table of plans, and how its plan is drawn.

use crate::draw::settled;
use reconcile::{desired::Desired, observed::Observed, plan::plan};

/// The plan, a step a line, with what it waits for; containers of computed names by the version they are of.
pub fn picture(desired: &Desired, observed: &Observed, versions: &[(&str, &Desired)]) -> String {
    let drawn = plan(desired, observed);
    let mut lines: Vec<String> = Vec::new();
    for (place, planned) in drawn.steps.iter().enumerate() {
        let after = planned.after.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let line = format!("{place} {:<42} {after}", called(&planned.step.to_string(), versions));
        lines.push(line.trim_end().to_owned());
    }
    lines.extend(drawn.obstacles.iter().map(|obstacle| format!("! {}", obstacle.summary)));
    if lines.is_empty() { "In sync.".to_owned() } else { lines.join("\n") }
}

/// With versions for hashes.
fn called(text: &str, versions: &[(&str, &Desired)]) -> String {
    let mut text = text.to_owned();
    for (word, version) in versions {
        for service in version.services.values() {
            let computed = format!("test-app-{}-{}", service.name, service.spec_hash.short());
            text = text.replace(&computed, &format!("{}-{word}", service.name));
        }
        for job in version.jobs.values() {
            text = text.replace(&job.container_name, &format!("{}-{word}", job.name));
        }
    }
    text
}

/// A row of the table: a host in sync with one version, what happened to it since, and the version it is to come to.
pub struct Row {
    old: Desired,
    new: Desired,
    pub host: Observed,
}

/// From one version, done by an earlier pass, to another.
pub fn from_to(old: Desired, new: Desired) -> Row {
    let host = settled(&old);
    Row { old, new, host }
}

/// A host in sync that nobody wants otherwise.
pub fn in_sync(same: &Desired) -> Row {
    from_to(same.clone(), same.clone())
}

impl Row {
    /// With something done to the host meanwhile.
    pub fn met(mut self, happened: impl FnOnce(&mut Observed)) -> Self {
        happened(&mut self.host);
        self
    }

    pub fn plan(&self) -> String {
        picture(&self.new, &self.host, &[("v1", &self.old), ("v2", &self.new)])
    }
}
