//! The verdict on a container's final body: pure, and deny by default (research/trust.md §5).
//!
//! What gives the host away needs a line of the host file. The judge sees paths as they are written; whoever can look
//! at the disk asks `follow` as well, which goes where symbolic links lead.

mod app;
mod backup;
pub mod bind;
mod body;
pub mod closed;
mod confinement;
mod exposure;
mod label;
mod links;
mod planted;
mod route;
mod secret;

pub use app::of_app;
pub use backup::stored;
pub use links::follow;
pub use route::{ROUTING_VARIABLES, routed};

#[cfg(test)]
mod tests;

use crate::{
    desired::{ContainerSpec, Desired},
    host::{Host, Policy},
    observed::Role,
    value::ServicePath,
};
use serde::Serialize;
use std::fmt;

/// What the policy is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The app, for its networks and what else is in it.
    pub app: &'a Desired,
    /// The service or job the container is for.
    pub role: &'a Role,
    /// Paths that no container may see: the state directory, secrets, the engine's socket.
    pub protected_paths: &'a [String],
}

impl Subject<'_> {
    /// The name of the service or job.
    fn name(&self) -> &str {
        match self.role {
            Role::Service(name) => name.as_str(),
            Role::Job(name) => name.as_str(),
        }
    }

    /// The path of one of its fields in the manifest: `services.web.ports`.
    fn field(&self, field: &str) -> String {
        match self.role {
            Role::Service(name) => format!("services.{name}.{field}"),
            Role::Job(name) => format!("jobs.{name}.{field}"),
        }
    }

    fn is_named_by(&self, services: &[ServicePath]) -> bool {
        services.iter().any(|path| path.names(&self.app.environment, &self.app.app, self.name()))
    }

    /// How the host file would name it.
    fn path(&self) -> String {
        format!("{}/{}/{}", self.app.environment, self.app.app, self.name())
    }

    /// A denial that an entry for this service in a list of the policy would lift.
    fn denied(&self, field: &str, rule: &'static str, message: String) -> Denial {
        let key = rule.strip_prefix("policy.").unwrap_or(rule);
        Denial { field: self.field(field), rule, message, allow: Some(format!("{key}: [{}]", self.path())) }
    }
}

/// Something the host file does not allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Denial {
    /// Where the manifest asks for it, as a path of keys.
    pub field: String,
    /// The rule that forbids it, by its key in the host file: `policy.publish`; `internal_only` is the manifest's own,
    /// `labels` nobody's to lift.
    pub rule: &'static str,
    /// What is asked, and why it is denied.
    pub message: String,
    /// What below `policy` (of `proxy.driver` below `proxy`) in the host file would allow it; none where no line of it can.
    pub allow: Option<String>,
}

/// What people wrote may have several lines, and each could pass for one of ours.
fn on_one_line(text: &str) -> String {
    text.replace('\n', "\\n")
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (`{}`)", self.field, on_one_line(&self.message), self.rule)
    }
}

impl Denial {
    /// What root of this host would write to allow it, with the line it belongs to.
    #[must_use]
    pub fn remedy(&self, host: &Host) -> Option<String> {
        let allow = on_one_line(self.allow.as_ref()?);
        let rule: Vec<&str> = self.rule.split('.').collect();
        let section = rule.first().copied().unwrap_or_default();
        Some(match host.place_of(&rule) {
            Some(place) => format!("to allow it, set `{allow}` below `{section}` in {place}"),
            None => format!("to allow it, set `{allow}` below `{section}` in the host file"),
        })
    }
}

/// Everything a container's body asks that the host does not allow, in the order of its fields.
///
/// Asked at plan time, before each create and start, and at rollback: today's policy holds for yesterday's revisions too.
#[must_use]
pub fn judge(policy: &Policy, subject: &Subject<'_>, spec: &ContainerSpec) -> Vec<Denial> {
    let mut denials = body::image(policy, subject, spec);
    denials.extend(exposure::judge(policy, subject, spec));
    denials.extend(bind::mounts(policy, subject, spec));
    denials.extend(planted::judge(subject, spec));
    denials.extend(body::privileges(policy, subject, spec));
    denials.extend(label::judge(subject, spec));
    denials.extend(secret::variables(policy, subject, spec));
    denials.extend(route::judge(policy, subject));
    denials
}
