//! How the apps of this daemon stand, for those that depend on them, in other environments too.

use super::branch::Halt;
use crate::{
    desired::Desired,
    pass::{Standing, Waits, gate},
    value::{AppId, AppName, EnvironmentName},
};
use std::collections::BTreeMap;
use tokio::sync::watch;

/// All standings of a daemon.
#[derive(Debug)]
pub struct Standings(watch::Sender<BTreeMap<AppId, Stands>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Stands {
    standing: Standing,
    /// The commit by which it was judged; none where its environment does not follow the branch.
    commit: Option<String>,
}

/// What an app that depends on others has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing keeps it.
    Free,
    /// Something it depends on is not where this commit wants it, or not well.
    Waits(Waits),
    /// Something it depends on is about to be looked at: it is asked again when that is over.
    NotYet,
}

impl Default for Standings {
    fn default() -> Self {
        Self(watch::Sender::new(BTreeMap::new()))
    }
}

impl Standings {
    /// Notes how an app stands.
    pub fn note(&self, app: AppId, standing: Standing, commit: &str) {
        let stands = Stands { standing, commit: Some(commit.to_owned()) };
        self.0.send_if_modified(|all| all.insert(app, stands.clone()) != Some(stands));
    }

    /// A new commit: what it changes is not judged yet, what it leaves alone stands as before.
    pub fn follow(&self, environment: &EnvironmentName, commit: &str, is_changed: impl Fn(&AppName) -> bool) {
        self.0.send_modify(|all| {
            all.retain(|id, _| id.environment != *environment || !is_changed(&id.app));
            for (_, stands) in all.iter_mut().filter(|(id, _)| id.environment == *environment) {
                stands.commit = Some(commit.to_owned());
            }
        });
    }

    /// An environment stays where it is: nobody waits for it to follow.
    pub fn halt(&self, environment: &EnvironmentName, _halt: &Halt) {
        self.0.send_modify(|all| {
            for (_, stands) in all.iter_mut().filter(|(id, _)| id.environment == *environment) {
                stands.commit = None;
            }
        });
    }

    /// Forgets an app that is gone.
    pub fn forget(&self, app: &AppId) {
        self.0.send_if_modified(|all| all.remove(app).is_some());
    }

    /// Whether an app may go, by what is known of those it depends on. `followed` tells whose environments this daemon
    /// keeps: of others nothing will ever be known.
    pub fn turn(&self, app: &Desired, commit: &str, followed: &[EnvironmentName]) -> Turn {
        if app.sync.depends_on.is_empty() {
            return Turn::Free;
        }
        let all = self.0.borrow();
        let is_current = |stands: &Stands| stands.commit.as_deref().is_none_or(|at| at == commit);
        let awaited = app
            .sync
            .depends_on
            .iter()
            .any(|other| followed.contains(&other.environment) && !all.get(other).is_some_and(is_current));
        if awaited {
            return Turn::NotYet;
        }
        let known = all.iter().map(|(id, stands)| (id.clone(), stands.standing)).collect();
        gate(app, &known).map_or_else(Turn::Waits, |()| Turn::Free)
    }

    /// Whether an app has had its turn for any commit.
    #[must_use]
    pub fn is_known(&self, app: &AppId) -> bool {
        self.0.borrow().contains_key(app)
    }

    /// Hears of every change from now on.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes(self.0.subscribe())
    }
}

/// Tells when a standing is another than it was.
#[derive(Debug)]
pub struct Changes(watch::Receiver<BTreeMap<AppId, Stands>>);

impl Changes {
    /// Resolves at the next change.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desired::Desired,
        show::report::{HealthWord, Status},
    };

    fn id(environment: &str, app: &str) -> AppId {
        AppId::new(&environment.parse().unwrap(), &app.parse().unwrap())
    }

    fn standing(health: HealthWord) -> Standing {
        Standing { status: Status::Synced, health, suspended: false }
    }

    fn depending(on: &[AppId]) -> Desired {
        let mut app = Desired::gone("production".parse().unwrap(), "web".parse().unwrap());
        app.sync.depends_on = on.iter().cloned().collect();
        app
    }

    #[test]
    fn an_app_goes_when_what_it_depends_on_was_seen_well_at_its_own_commit() {
        let (standings, followed) = (Standings::default(), ["production".parse().unwrap()]);
        let (database, web) = (id("production", "database"), depending(&[id("production", "database")]));
        assert_eq!(standings.turn(&depending(&[]), "c1", &followed), Turn::Free);
        assert_eq!(standings.turn(&web, "c1", &followed), Turn::NotYet);
        standings.note(database.clone(), standing(HealthWord::Healthy), "c1");
        assert_eq!(standings.turn(&web, "c1", &followed), Turn::Free);
        assert_eq!(standings.turn(&web, "c2", &followed), Turn::NotYet);
        standings.follow(&database.environment, "c2", |app| app.as_str() == "web");
        assert_eq!(standings.turn(&web, "c2", &followed), Turn::Free);
        standings.follow(&database.environment, "c3", |app| app.as_str() == "database");
        assert_eq!(standings.turn(&web, "c3", &followed), Turn::NotYet);
        standings.note(database, standing(HealthWord::Degraded), "c3");
        assert!(matches!(standings.turn(&web, "c3", &followed), Turn::Waits(_)));
    }

    #[test]
    fn nobody_waits_in_silence_for_who_does_not_follow() {
        let (standings, followed) = (Standings::default(), ["production".parse().unwrap(), "staging".parse().unwrap()]);
        let proxy = id("staging", "proxy");
        let web = depending(std::slice::from_ref(&proxy));
        standings.note(proxy.clone(), standing(HealthWord::Healthy), "c1");
        standings.halt(&proxy.environment, &Halt { reason: String::new(), hint: None, stays: None });
        assert_eq!(standings.turn(&web, "c2", &followed), Turn::Free);
        let elsewhere = depending(&[id("elsewhere", "proxy")]);
        assert!(matches!(standings.turn(&elsewhere, "c2", &followed), Turn::Waits(_)));
    }
}
