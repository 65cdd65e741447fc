//! What somebody said yes to is what is done: a plan that is another by then is shown again.

use super::{Complaint, ask, results, told::Told};
use crate::{
    engine::Engine,
    pass::{Ending, Head, Host, Mode, Wish, environment},
    show::EnvironmentReport,
};

/// Shows the plan and asks, again where the host has moved before the answer. False: nothing is to be done.
///
/// # Errors
/// The engine does not answer; the terminal is gone.
pub async fn agreed<E: Engine>(
    host: &Host<E>,
    wish: &Wish,
    head: &Head,
    plan: EnvironmentReport,
    told: &mut Told<'_>,
    ending: &mut Ending,
) -> Result<bool, Complaint> {
    let wish = Wish { mode: Mode::DryRun, ..wish.clone() };
    let mut plan = plan;
    loop {
        told.report(plan.clone())?;
        if !plan.pending() {
            return Ok(false);
        }
        if !ask::confirms("Do this?", ending).await? {
            results::tell("nothing was done\n");
            return Ok(false);
        }
        let now = environment::run(host, &wish, head, ending).await?;
        if is_same(&plan, &now) {
            return Ok(true);
        }
        results::tell("the host has changed meanwhile, and so has the plan\n");
        plan = now;
    }
}

/// The same changes, to the same targets, with the same in the way.
fn is_same(shown: &EnvironmentReport, now: &EnvironmentReport) -> bool {
    let what = |report: &EnvironmentReport| -> Vec<_> {
        let app =
            |app: &crate::show::AppReport| (app.app.clone(), app.changes.clone(), app.held.clone(), app.error.clone());
        report.apps.iter().map(app).collect()
    };
    what(shown) == what(now)
}
