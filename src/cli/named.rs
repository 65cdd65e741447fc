//! What was named on the command line and is nowhere: a mistyped name must not look like an app that is in sync.

use super::{
    Complaint,
    converge::{Converge, Replacement},
    head::Rendered,
    session::{nearest, unknown},
};
use crate::value::{AppName, EnvironmentName, ServiceName};
use std::collections::{BTreeMap, BTreeSet};

/// The first app that was named and is none of those that were seen.
pub fn app(asked: &Converge, seen: &BTreeSet<AppName>) -> Option<Complaint> {
    let replaced = asked.replace.iter().map(|replacement| &replacement.app);
    asked.apps.iter().chain(replaced).find(|app| !seen.contains(*app)).map(|app| unknown("app", app.as_str(), seen))
}

/// The first service that is to be made anew and is in no manifest of its app. One that is invalid may have it.
pub fn service(asked: &Converge, rendered: &BTreeMap<EnvironmentName, Rendered>) -> Option<Complaint> {
    asked.replace.iter().find_map(|Replacement { app, service }| {
        let service = service.as_ref()?;
        let apps: Vec<_> = rendered.values().filter_map(|rendered| rendered.apps.get(app)).collect();
        let mut services: BTreeSet<ServiceName> = BTreeSet::new();
        for app in &apps {
            services.extend(app.as_ref().ok()?.services.keys().cloned());
        }
        let missing = !apps.is_empty() && !services.contains(service);
        missing.then(|| unknown(&format!("service of `{app}` called"), service.as_str(), &services))
    })
}

/// An environment that nobody knows: no manifest, no record, nothing on the host.
pub fn environment(name: &EnvironmentName, known: &BTreeSet<EnvironmentName>) -> Complaint {
    let nearest = nearest(name.as_str(), known).map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
    Complaint::says(format!("there is no environment `{name}`: no manifest, no record, nothing on this host"))
        .with_hint(format!("{nearest}say `--allow-empty` for this run if an empty one is meant"))
}
