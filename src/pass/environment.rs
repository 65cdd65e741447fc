//! All apps of an environment, side by side: one look for all, each app for itself.

use super::{
    Ending, Head, Host, Mode, PassError, Wish,
    app::AppPass,
    guard::{self, Refusal},
    report,
    turns::Turns,
};
use crate::{
    blame::Blame,
    engine::{Answer, Engine},
    observe::{self, Look, Scope},
    observed::Abilities,
    record::Outcome,
    show::report::{AppReport, Compared, EnvironmentReport, FORMAT, Origin, Status, Summary},
    value::{AppName, EnvironmentName},
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
    let look = look(host, &wish.environment).await?;
    let refusal = refusal(host, wish, head, &look);
    let names = names(wish, head, &look);
    let turns = Turns::of(host, wish, head, &names, &look).await?;
    let passes = names.iter().map(|app| {
        let (mut look, turns) = (look.clone(), &turns);
        let refusal = refusal.as_ref();
        let mut ending = ending.clone();
        async move {
            let report = match turns.come(app, &mut look).await {
                Ok(waits) => {
                    let waits = waits.as_ref();
                    AppPass { host, wish, head, app, refusal, waits }.run(&mut look, &mut ending).await
                }
                Err(error) => report::unknown(app, report::chain(Blame::World, &error), Some(Outcome::Blocked)),
            };
            turns.end(report)
        }
    });
    let mut apps: Vec<AppReport> = join_all(passes).await;
    if wish.mode == Mode::DryRun {
        turns.foretell(&mut apps);
    }
    Ok(assemble(host, wish, head, apps))
}

/// A first look at an environment.
///
/// # Errors
/// The engine does not answer.
pub async fn look<E: Engine>(host: &Host<E>, environment: &EnvironmentName) -> Answer<Look> {
    let settings = &host.settings;
    let abilities = Abilities { adjusts: host.hands.info.adjusts };
    let scope = Scope { installation: settings.installation.clone(), environment: environment.clone() };
    observe::look(&*host.hands.engine, abilities, &scope, settings.parallel).await
}

/// Why nothing may be removed as things stand, if so.
#[must_use]
pub fn refusal<E>(host: &Host<E>, wish: &Wish, head: &Head, look: &Look) -> Option<Refusal> {
    guard::refusal(&guard::gone(head, look, wish), head, &host.settings, wish)
}

/// The apps that a pass is about: those of the branch, and those that are on the host.
#[must_use]
pub fn names(wish: &Wish, head: &Head, look: &Look) -> BTreeSet<AppName> {
    let wanted = |app: &AppName| wish.apps.is_empty() || wish.apps.contains(app);
    head.apps.keys().cloned().chain(look.apps()).filter(wanted).collect()
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
