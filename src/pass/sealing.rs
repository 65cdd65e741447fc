//! From what an app should be to the same with the digests of its secrets, and their values apart from it.

use crate::{
    desired::{
        Desired,
        resolve::{Context, KnownSecrets, StoredError, resolve_again},
    },
    record::{AppLedger, target},
    secret::{Gathered, RepositoryFiles, Secrets, Unsealed, overdue::PATIENCE, template},
    value::AppId,
};
use std::{collections::BTreeMap, sync::Arc};

/// All that is needed for it.
pub struct Sealing<'a> {
    pub secrets: &'a Secrets,
    pub files: &'a RepositoryFiles,
    /// What was opened of them in this pass.
    pub unsealed: &'a Unsealed,
    /// A host key is made where there is none.
    pub may_write: bool,
    pub ledger: &'a AppLedger,
}

impl Sealing<'_> {
    /// Reads what the app needs, and resolves it again with what is known of it. An app without secrets stays as it is.
    ///
    /// # Errors
    /// Its manifest cannot be read again.
    pub async fn seal(&self, desired: &Desired) -> Result<(Desired, Arc<Gathered>), StoredError> {
        if desired.secrets.is_empty() {
            return Ok((desired.clone(), Arc::default()));
        }
        let (environment, app) = (&desired.environment, &desired.app);
        let mut gathered = self.gather(desired).await;
        let in_force = target::in_force(self.ledger).and_then(|entry| entry.delivered().pop());
        let mut digests = BTreeMap::new();
        for (service, wanted) in &desired.services {
            let variables = wanted.spec.secret_env.values();
            let used = wanted.secrets.on_change.keys().chain(variables.clone().flat_map(|it| it.text.secrets()));
            let used = used.chain(wanted.route.iter().filter_map(|route| route.basic_auth.as_ref()));
            for name in used {
                // Of one that is not here, what is in force is the best that is known: its app waits as it is.
                let known = || in_force.as_ref()?.digests.get(&format!("{service}/{name}")).cloned();
                let digest = gathered.digest((environment, app), service, name).or_else(known);
                digests.extend(digest.map(|digest| ((service.clone(), name.clone()), digest)));
            }
            for variable in variables {
                if let Err(error) = template::render(&variable.text, &gathered.values) {
                    gathered.missing.push(error);
                }
            }
        }
        let secrets = KnownSecrets { host_key: gathered.key_id(), digests };
        let pins = desired.services.iter().filter_map(|(name, it)| Some((name.clone(), it.pinned_image.clone()?)));
        let context = Context { pins: pins.collect(), secrets };
        Ok((resolve_again(environment, app, &desired.manifest, &context)?, Arc::new(gathered)))
    }

    async fn gather(&self, desired: &Desired) -> Gathered {
        let id = AppId::new(&desired.environment, &desired.app);
        let (secrets, sources) = (self.secrets.clone(), desired.secrets.clone());
        let (files, unsealed, may_write) = (self.files.clone(), self.unsealed.clone(), self.may_write);
        let owner = id.clone();
        let read = move || secrets.gather((&owner.environment, &owner.app), &sources, (&files, &unsealed), may_write);
        let gathered = self.secrets.overdue.in_time(&id, read).await;
        gathered.unwrap_or_else(|| Gathered::overdue(PATIENCE))
    }
}
