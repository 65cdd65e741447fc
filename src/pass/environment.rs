//! All apps of an environment, side by side: one look for all, each app for itself.

use super::{Ending, Head, Host, PassError, Wish, app::AppPass, guard};
use crate::{
    engine::Engine,
    observe::{self, Scope},
    observed::Abilities,
    show::report::{AppReport, Compared, EnvironmentReport, FORMAT, Origin, Status, Summary},
    value::AppName,
};
use futures_util::future::join_all;
use std::collections::BTreeSet;

/// Runs a pass over an environment, or shows its plan.
///
/// # Errors
/// The engine does not answer at all. What goes wrong with one app is told in its report.
pub async fn run<E: Engine>(
    host: &Host<E>,
    wish: &Wish,
    head: &Head,
    ending: &Ending,
) -> Result<EnvironmentReport, PassError> {
    let settings = &host.settings;
    let abilities = Abilities { adjusts: host.hands.info.adjusts };
    let scope = Scope { installation: settings.installation.clone(), environment: wish.environment.clone() };
    let look = observe::look(&*host.hands.engine, abilities, &scope, settings.parallel).await?;
    let gone = guard::gone(head, &look, wish);
    let refusal = guard::refusal(&gone, head, settings, wish);
    let names: BTreeSet<AppName> = head
        .apps
        .keys()
        .cloned()
        .chain(look.apps())
        .filter(|app| wish.apps.is_empty() || wish.apps.contains(app))
        .collect();
    let passes = names.iter().map(|app| {
        let look = &look;
        let refusal = refusal.as_ref();
        let mut ending = ending.clone();
        async move { AppPass { host, wish, head, app, refusal }.run(look, &mut ending).await }
    });
    let apps: Vec<AppReport> = join_all(passes).await;
    Ok(assemble(host, wish, head, apps))
}

fn assemble<E: Engine>(host: &Host<E>, wish: &Wish, head: &Head, apps: Vec<AppReport>) -> EnvironmentReport {
    let info = &host.hands.info;
    EnvironmentReport {
        format: FORMAT,
        environment: wish.environment.clone(),
        revision: head.commit.revision.clone(),
        status: apps.iter().map(|app| app.status).max().unwrap_or(Status::Synced),
        summary: Summary::of(apps.iter().flat_map(|app| &app.changes)),
        apps,
        origin: Origin {
            source: String::new(),
            compared: Compared::Host {
                engine: format!("{:?} {} at {}", info.kind, info.version, host.settings.engine).to_lowercase(),
                host: info.host.clone(),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::docker::Docker;

    fn may_move<T: Send>(_: &T) {}

    /// A daemon runs passes as tasks: whoever breaks this learns it here and not in the room that spawns them.
    #[allow(dead_code)]
    fn a_pass_may_move_between_threads(host: &Host<Docker>, wish: &Wish, head: &Head, ending: &Ending) {
        may_move(&run(host, wish, head, ending));
    }
}
