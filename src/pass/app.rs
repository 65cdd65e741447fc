//! One app's pass: take aim, clear the way, converge, record; and again when the aim has changed.

use super::{
    Asker, Ending, Head, Host, Mode, Wish,
    aim::{self, Aim},
    attempt::{self, Next},
    fetch::Fetched,
    gate::Waits,
    guard::Refusal,
    left, report,
};
use crate::{
    apply::{
        back_up::{self, BackUp},
        deliver, resumed,
    },
    backup::{Holding, run::Made},
    blame::Blame,
    cause::whole,
    desired::{Desired, delivery::Kind},
    engine::Engine,
    observe::Look,
    record::{AppLock, IntentWatch, Outcome},
    show::report::{AppReport, ErrorReport},
    value::AppName,
};

/// How often a pass takes aim anew: the head, what it goes back to, and a person's wish or two in between.
const MOST_ROUNDS: usize = 6;

/// One app's pass.
pub struct AppPass<'a, E> {
    pub host: &'a Host<E>,
    pub wish: &'a Wish,
    pub head: &'a Head,
    pub app: &'a AppName,
    /// Why nothing may be removed in this pass, if so.
    pub refusal: Option<&'a Refusal>,
    /// Which other apps must be ready first, if any are not: until then nothing of this one is changed.
    pub waits: Option<&'a Waits>,
}

impl<E: Engine> AppPass<'_, E> {
    /// Runs the pass, or shows its plan. `look` is what was seen before, and what was seen last when it is over.
    pub async fn run(&self, look: &mut Look, ending: &mut Ending) -> AppReport {
        let desired = match self.head.apps.get(self.app) {
            None => Desired::gone(self.wish.environment.clone(), self.app.clone()),
            Some(Ok(desired)) => desired.clone(),
            Some(Err(problems)) => {
                let outcome = (self.wish.mode == Mode::Apply).then_some(Outcome::Failed);
                if outcome.is_some() {
                    self.free(look).await;
                }
                return report::invalid(self.app, problems, outcome);
            }
        };
        match self.wish.mode {
            Mode::DryRun => self.dry_run(&desired, look).await,
            Mode::Apply => self.apply(&desired, look, ending).await,
        }
    }

    async fn dry_run(&self, head: &Desired, look: &Look) -> AppReport {
        let mut aim = match aim::take(
            self.host,
            self.wish,
            self.app,
            (head, &self.head.files),
            look,
            &Fetched::default(),
        )
        .await
        {
            Ok(aim) => aim,
            Err(error) => return report::unknown(self.app, report::chain(Blame::World, &error), None),
        };
        self.brake(&mut aim);
        aim.ask_again(self.host, look).await;
        let mut report = report::planned(&aim);
        match attempt::obstacles(self.host, self.head.trees.get(self.app), &mut aim).await {
            Ok(obstacles) => report.error = report.error.or_else(|| report::obstacles(&obstacles)),
            Err(error) => report.error = Some(report::chain(Blame::World, &error)),
        }
        if let Some(refusal) = self.refused(&aim) {
            report.error = Some(refusal);
        }
        if let Some(left) = left::left(&aim, self.wish.by).filter(|_| !report.suspended) {
            report.notes.push(left.note());
        }
        report
    }

    async fn apply(&self, head: &Desired, look: &mut Look, ending: &mut Ending) -> AppReport {
        let settings = &self.host.settings;
        let _locks = match self.lock(look).await {
            Ok(locks) => locks,
            Err(error) => return report::unknown(self.app, error, Some(Outcome::Blocked)),
        };
        if let Err(error) = self.bring_back(look).await {
            return report::unknown(self.app, error, Some(Outcome::Blocked));
        }
        self.clear().await;
        let of = (&self.wish.environment, self.app);
        let engine = &self.host.hands.engine;
        if let Err(error) = resumed::settle(engine, &settings.installation, &settings.depot.begun, of).await {
            return report::unknown(self.app, report::chain(Blame::World, &error), Some(Outcome::Blocked));
        }
        let mut intents: Option<IntentWatch> = self.host.ledger.intents(&self.wish.environment, self.app).await.ok();
        let mut fetched = Fetched::default();
        let mut first: Option<AppReport> = None;
        let (mut admitted, mut copied) = (false, false);
        for _ in 0..MOST_ROUNDS {
            let mut aim =
                match aim::take(self.host, self.wish, self.app, (head, &self.head.files), look, &fetched).await {
                    Ok(aim) => aim,
                    Err(error) => {
                        return report::joined(
                            first,
                            report::unknown(self.app, report::chain(Blame::World, &error), Some(Outcome::Blocked)),
                        );
                    }
                };
            self.brake(&mut aim);
            copied |= aim.observed.applied.owed.is_some();
            let mut attempt = attempt::Attempt {
                pass: self,
                aim,
                fetched: &mut fetched,
                intents: &mut intents,
                ending,
                admitted: &mut admitted,
            };
            match attempt.make(look).await {
                Next::Again(report) => first = Some(report::joined(first, report)),
                Next::Finished(report) => {
                    first = Some(report::joined(first, report));
                    break;
                }
            }
        }
        let mut report = first.unwrap_or_else(|| self.restless());
        if report.outcome.is_none() {
            report = self.restless();
        }
        report = stale(report, &fetched);
        if copied {
            report.notes.extend(self.hand_on(head, ending).await);
        }
        if let Err(error) = self.host.ledger.retain(&self.wish.environment, self.app, settings.revisions).await {
            report.notes.push(format!("old revisions are not cleared: {error}"));
        }
        report
    }

    /// Has other places take over the copies that were made before the rollout; the daemon does so by itself. Tells what did not
    /// come to it.
    async fn hand_on(&self, head: &Desired, ending: &Ending) -> Vec<String> {
        let (settings, engine) = (&self.host.settings, &self.host.hands.engine);
        let several = head.backup.as_ref().filter(|backup| backup.repositories.len() > 1);
        let (Some(backup), Asker::Person) = (several, self.wish.by) else { return Vec::new() };
        let back_up = BackUp {
            installation: &settings.installation,
            environment: &self.wish.environment,
            app: self.app,
            backup,
            depot: &settings.depot,
            only: &[],
            before_revision: None,
        };
        let told = |why: String| format!("copies are not everywhere that they are to be: {why}");
        match back_up.catch_up(engine, Some(ending.clone())).await {
            Err(error) => vec![told(whole(&error))],
            Ok(account) => account.items.iter().flat_map(Made::troubles).map(|error| told(whole(error))).collect(),
        }
    }

    /// The report of an app whose target changed faster than it could be reached.
    fn restless(&self) -> AppReport {
        let error = ErrorReport::new(
            Blame::World,
            "its target changed again and again during one pass",
            Some("run it again".to_owned()),
        );
        report::unknown(self.app, error, Some(Outcome::Blocked))
    }

    /// Takes the locks of the app on its engine and of what is delivered for it. Whoever waited for one looks again.
    async fn lock(&self, look: &mut Look) -> Result<Vec<AppLock>, ErrorReport> {
        use crate::record::lock::Attempt;
        let (settings, environment) = (&self.host.settings, &self.wish.environment);
        let away = |error: &(dyn std::error::Error + 'static)| report::chain(Blame::World, error);
        let mut locks = Vec::new();
        for what in [settings.engine.clone(), settings.secrets.roots.name()] {
            let attempt = AppLock::attempt(&settings.lock_dir, &what, environment, self.app);
            locks.push(match attempt.map_err(|error| away(&error))? {
                Attempt::Acquired(lock) => lock,
                Attempt::Busy(waiting) => {
                    tracing::info!(app = %self.app, holder = ?waiting.holder(), "another pass of this app is running: waiting for its end");
                    let lock = waiting.acquired().await.map_err(|error| away(&error))?;
                    *look = look
                        .again(&*self.host.hands.engine, self.app, settings.parallel)
                        .await
                        .map_err(|error| away(&error))?;
                    lock
                }
            });
        }
        Ok(locks)
    }

    /// Lets containers go on that a run of copies held still and was killed.
    async fn bring_back(&self, look: &mut Look) -> Result<(), ErrorReport> {
        let away = |error: &(dyn std::error::Error + 'static)| report::chain(Blame::World, error);
        let (engine, settings) = (&self.host.hands.engine, &self.host.settings);
        let of = (&self.wish.environment, self.app);
        let brought = back_up::bring_back(engine, &settings.installation, &settings.depot.begun, of).await;
        if brought.map_err(|error| away(&error))? {
            tracing::warn!(app = %self.app, "a run of copies was killed: the containers that it held still go on");
            let again = look.again(engine.as_ref(), self.app, self.host.settings.parallel).await;
            *look = again.map_err(|error| away(&error))?;
        }
        Ok(())
    }

    /// The same where nothing else can be done for an app.
    async fn free(&self, look: &mut Look) {
        let (begun, environment) = (&self.host.settings.depot.begun, &self.wish.environment);
        if !Holding::of(begun, environment, self.app).is_noted() {
            return;
        }
        let freed = match self.lock(look).await {
            Ok(_locks) => self.bring_back(look).await,
            Err(error) => Err(error),
        };
        if let Err(error) = freed {
            tracing::warn!(app = %self.app, error = error.summary, "containers that a copy held still do not go on");
        }
    }

    /// Removes what a pass that was killed left half written: values lie in it, and nobody is shown it.
    async fn clear(&self) {
        let (roots, environment) = (&self.host.settings.secrets.roots, &self.wish.environment);
        let folders = [Kind::Secrets, Kind::Configs].map(|kind| roots.of_app(kind, environment, self.app));
        let cleared = tokio::task::spawn_blocking(move || folders.iter().try_for_each(|folder| deliver::clear(folder)));
        if let Ok(Err(error)) = cleared.await {
            tracing::warn!(app = %self.app, %error, "cannot remove what was left half written of its secrets and configs");
        }
    }

    /// Holds removals back where the pass refuses them.
    fn brake(&self, aim: &mut Aim) {
        if self.refusal.is_some() {
            aim.desired.sync.prune = false;
        }
    }

    /// The refusal, told with the app that something of would go.
    pub fn refused(&self, aim: &Aim) -> Option<ErrorReport> {
        use crate::plan::Action;
        let removes = aim.plan().changes.iter().any(|change| change.action == Action::Delete);
        let refusal = self.refusal.filter(|_| removes)?;
        Some(ErrorReport::new(Blame::World, refusal.summary.clone(), Some(refusal.hint.clone())))
    }
}

/// The report of an app that went on with what an image meant before, because its registry did not give it anew.
fn stale(report: AppReport, fetched: &Fetched) -> AppReport {
    let Some(why) = fetched.stale.values().next().filter(|_| report.error.is_none()) else { return report };
    let outcome = match report.outcome {
        Some(Outcome::Succeeded) => Some(Outcome::Blocked),
        other => other,
    };
    AppReport { outcome, error: Some(why.clone()), ..report }
}
