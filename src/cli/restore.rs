//! `restore`: a copy back into the app it is of.

use super::{
    Complaint, Verdict,
    backup::{complaint, lock, places},
    converge, results,
    session::{Session, unknown},
};
use crate::{
    apply::{copies::Copies, well::Looking},
    backup::{
        AnyPlace, BackupError, Copy, CopyId, Found, Journal, Of,
        restore::{Restore as Restoring, Restored},
    },
    desired::{Backup, Desired, backup::Item, label},
    pass::Head,
    secret::age::Identities,
    value::{AppName, AppPath, EnvironmentName, ItemName},
};
use clap::Args;
use std::{path::Path, sync::Arc};

/// Puts a copy in the place of an app's data. Containers that use it are stopped meanwhile; a safety copy of what is there is
/// taken first; if the app is not well with the copy, the old bytes come back.
#[derive(Debug, Args)]
pub struct Restore {
    /// The app.
    pub app: AppName,
    /// The item, as its manifest names it.
    pub item: ItemName,
    /// The copy, as `backup list` tells it [default: the newest that is verified].
    pub id: Option<CopyId>,
    /// Takes it from the copies of another app, or of this one in another environment.
    #[arg(long, value_name = "ENVIRONMENT/APP")]
    pub from: Option<AppPath>,
    /// Reads the copy to its end, shows what would be done, and does nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Takes no safety copy: nothing that is there is worth one, or it cannot be read any more.
    #[arg(long)]
    pub no_safety: bool,
}

impl Restore {
    /// Restores it.
    ///
    /// # Errors
    /// There is no such copy, or it is not right; what is there cannot be saved; the engine does not answer.
    pub async fn run(&self, session: &Session) -> Result<Verdict, Complaint> {
        let ledger = session.reading().await?;
        let environment = session.place(&ledger, &self.app).await?;
        let (repository, commit) = session.known_head()?;
        let tree = session.manifests(&repository, &commit)?.render();
        let head = converge::head(&commit, tree.get(&environment).cloned().unwrap_or_default());
        let (desired, backup, item) = self.meant(&environment, &head)?;
        let repositories = places::named(session, &backup.repositories).map_err(complaint)?;
        let (from, copy) = self.found(session, &environment).await?;
        let identity = session.host.settings.secrets.age_identity.as_ref();
        let identities = identity.map(|path| Identities::read(Path::new(path.as_str()))).transpose()?;
        let host = session.host(ledger).await?;
        let installation = host.settings.installation.clone();
        let (engine, app) = (Arc::clone(&host.hands.engine), self.app.clone());
        let volumes = desired
            .volumes
            .iter()
            .filter(|(_, volume)| !volume.external)
            .map(|(name, volume)| (name.clone(), label::of_volume(&host.settings.installation, &desired, volume)));
        let dependants = item.data.server().map(|server| desired.dependants(server)).unwrap_or_default();
        let (volumes, journal) = (volumes.collect(), Journal::of(&host.settings.depot.begun, &environment, &app));
        let sources = Copies::of(engine, installation, environment.clone(), app.clone());
        let engine = host.hands.engine.as_ref();
        let runs_healthchecks = host.hands.info.runs_healthchecks;
        let health = Looking { engine, runs_healthchecks, desired: &desired };
        let restore = Restoring {
            backup: &backup,
            environment: &environment,
            app: &app,
            item: &item,
            copy: &copy,
            from: &from,
            identities: identities.map(Arc::new),
            repositories: &repositories,
            without_safety: self.no_safety,
            dependants: &dependants,
            volumes: &volumes,
            owner: desired.users_of(&item.data).into_iter().find_map(|(_, user)| user),
            journal: &journal,
            sources: &sources,
            health: &health,
        };
        let name = format!("{environment}/{app}/{}", self.item);
        if self.dry_run {
            restore.way().await.map_err(complaint)?;
            restore.verify().await.map_err(complaint)?;
            let safety = if self.no_safety { "no safety copy is taken" } else { "a safety copy is taken first" };
            let place = from.path(&copy);
            results::print(&format!(
                "{name}: copy `{}` is right (`{}`). The app would be stopped while it is put in place; {safety}.\n",
                copy.id,
                place.display()
            ))?;
            return Ok(Verdict::Done);
        }
        let _lock = lock(&host.settings, &environment, &app).await?;
        tell(&name, &copy, restore.run().await.map_err(complaint)?)
    }

    fn meant(&self, environment: &EnvironmentName, head: &Head) -> Result<(Desired, Backup, Item), Complaint> {
        let desired = match head.apps.get(&self.app) {
            Some(Ok(desired)) => desired.clone(),
            Some(Err(problems)) => {
                return Err(Complaint::of_diagnostics(&format!("{environment}/{} is invalid", self.app), problems));
            }
            None => return Err(unknown("app", self.app.as_str(), head.apps.keys())),
        };
        let none = || {
            Complaint::says(format!("`{}` has no `backup`", self.app))
                .with_hint("write `backup: {items: […]}` into its manifest".to_owned())
        };
        let backup = desired.backup.clone().ok_or_else(none)?;
        let item = backup.items.iter().find(|item| item.name == self.item).cloned();
        let names = || backup.items.iter().map(|item| &item.name).collect::<Vec<_>>();
        let item = item.ok_or_else(|| unknown("item", self.item.as_str(), names()))?;
        Ok((desired, backup, item))
    }

    /// The copy that is meant: of all places that can be read the newest good one, or the one that was named.
    async fn found(&self, session: &Session, environment: &EnvironmentName) -> Result<(AnyPlace, Copy), Complaint> {
        let of = match &self.from {
            None => (environment.clone(), self.app.clone()),
            Some(path) => {
                let id = path.seen_from(environment);
                (id.environment, id.app)
            }
        };
        let of = Of { environment: of.0, app: of.1, item: self.item.clone() };
        let asked = of.clone();
        let (found, faults) = places::asked(session, move |place| place.copies(&asked)).await?;
        let in_place = |(place, found): (AnyPlace, Found)| {
            found.copies.into_iter().map(move |copy| (AnyPlace::clone(&place), copy))
        };
        let meant = |(_, copy): &(AnyPlace, Copy)| match &self.id {
            Some(id) => copy.id == *id,
            None => copy.is_good() && !copy.pinned,
        };
        let newest = found
            .into_iter()
            .flat_map(in_place)
            .filter(meant)
            .max_by_key(|(place, copy)| (copy.taken_at, place.is_near()));
        let mut faults = faults.into_iter();
        if let Some((place, copy)) = newest {
            // The one that is named is the same everywhere; of others there may be a newer one.
            for error in faults.filter(|_| self.id.is_none()) {
                results::tell(&complaint(error).to_string());
                results::tell(&format!(
                    "copy `{}` in `{}` is the newest of those that can be seen\n",
                    copy.id,
                    place.name()
                ));
            }
            return Ok((place, copy));
        }
        Err(faults.next().map(complaint).unwrap_or_else(|| {
            let what = match &self.id {
                Some(id) => format!("copy `{id}` of {}/{}/{}", of.environment, of.app, of.item),
                None => format!("verified copy of {}/{}/{}", of.environment, of.app, of.item),
            };
            complaint(BackupError::Missing { what })
                .with_hint("`reconcile backup list` tells which there are".to_owned())
        }))
    }
}

fn tell(name: &str, copy: &Copy, restored: Restored) -> Result<Verdict, Complaint> {
    let safety = restored.safety.map(|safety| format!("; what was there before is copy `{}`", safety.id));
    let safety = safety.unwrap_or_default();
    match restored.put_back {
        None => {
            results::print(&format!("{name}: copy `{}` is in place{safety}.\n", copy.id))?;
            if restored.unused {
                results::print("no container of the app uses it yet: the next pass starts them.\n")?;
            }
            Ok(Verdict::Done)
        }
        Some(why) => {
            let what = format!("the app was not well with copy `{}` of {name}: {why}", copy.id);
            Err(Complaint::says(what).with_hint(format!("the old bytes are in place again{safety}")))
        }
    }
}
