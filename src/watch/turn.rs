//! One app's turn: a look whether anything is to be done, and a pass if so.

use super::seat::Due;
use crate::{
    engine::Engine,
    observe::Look,
    pass::{Ending, Head, Host, Wish, app::AppPass, guard::Refusal},
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
}

impl<E: Engine> Turn<E> {
    /// Takes the turn.
    pub async fn run(self, mut ending: Ending) -> Done {
        let began = Instant::now();
        let Self { host, head, wish, refusal, mut look, app, due } = self;
        let refusal = Option::as_ref(&refusal);
        let pass = AppPass { host: &host, wish: &wish, head: &head, app: &app, refusal, waits: None };
        let rest = if due == Due::Look { pass.at_rest(&look).await } else { None };
        let passed = rest.is_none();
        let report = match rest {
            Some(report) => report,
            None => pass.run(&mut look, &mut ending).await,
        };
        Done { app, report, look, took: began.elapsed(), passed }
    }
}
