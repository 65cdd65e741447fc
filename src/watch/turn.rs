//! One app's turn: a look whether anything is to be done, and a pass if so.

use super::seat::Due;
use crate::{
    engine::Engine,
    observe::Look,
    pass::{Ending, Head, Host, Waits, Wish, app::AppPass, guard::Refusal, turns::still_needed},
    record::target,
    show::report::AppReport,
    value::AppName,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// What a turn needs.
pub struct Turn<E> {
    pub host: Arc<Host<E>>,
    pub head: Arc<Head>,
    pub wish: Arc<Wish>,
    pub refusal: Arc<Option<Refusal>>,
    pub look: Look,
    pub app: AppName,
    pub due: Due,
    /// What it depends on and is not ready.
    pub waits: Option<Waits>,
}

/// What came of it.
pub struct Done {
    pub app: AppName,
    pub report: AppReport,
    /// What was seen last.
    pub look: Look,
    pub took: Duration,
    /// A pass was run, and not only a look taken.
    pub passed: bool,
    /// The revision in force, where a pass may have made it another one.
    pub revision: Option<u32>,
}

impl<E: Engine> Turn<E> {
    /// Takes the turn.
    pub async fn run(self, mut ending: Ending) -> Done {
        let began = Instant::now();
        let Self { host, head, wish, refusal, mut look, app, due, waits } = self;
        let waits = match waits {
            Some(waits) => Some(waits),
            None => needed(&host, &head, &wish, &app, &look).await,
        };
        let (refusal, waits) = (Option::as_ref(&refusal), waits.as_ref());
        let pass = AppPass { host: &host, wish: &wish, head: &head, app: &app, refusal, waits };
        let rest = if due == Due::Look { pass.at_rest(&look).await } else { None };
        let passed = rest.is_none();
        let report = match rest {
            Some(report) => report,
            None => pass.run(&mut look, &mut ending).await,
        };
        let took = began.elapsed();
        let revision = if passed { in_force(&host, &wish, &app).await } else { None };
        Done { app, report, look, took, passed, revision }
    }
}

async fn in_force<E: Engine>(host: &Host<E>, wish: &Wish, app: &AppName) -> Option<u32> {
    let ledger = host.ledger.app(&wish.environment, app).await.ok()?;
    target::in_force(&ledger).map(|entry| entry.number)
}

/// What keeps an app that is gone from the branch on the host: those that needed it go first.
async fn needed<E: Engine>(host: &Host<E>, head: &Head, wish: &Wish, app: &AppName, look: &Look) -> Option<Waits> {
    if head.apps.contains_key(app) {
        return None;
    }
    // Where the ledger cannot be read the pass says so itself.
    still_needed(host, head, &wish.environment, app, &look.apps()).await.ok().flatten()
}
