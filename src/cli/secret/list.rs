//! `secret list`: what apps want, where it is kept, and whether it can be had. No value is shown.

use crate::{
    cli::{Complaint, results, session::Session},
    desired::{Desired, SecretSource},
    secret::{RepositoryFiles, Secrets, host_dir},
    show::{self, Keeper, SecretAccount},
    value::{EnvironmentName, SecretName},
};
use clap::Args;

/// Lists the secrets that the apps use: where each is kept, and whether it is there and opens.
#[derive(Debug, Args)]
pub struct List {
    /// Reads the files of the work tree, uncommitted ones too.
    #[arg(long)]
    pub worktree: bool,
}

impl List {
    /// Looks, and prints what was found.
    ///
    /// # Errors
    /// The source cannot be read.
    pub fn run(&self, session: &Session) -> Result<(), Complaint> {
        let (repository, commit) = session.known_head()?;
        let manifests =
            if self.worktree { session.worktree(&repository)? } else { session.manifests(&repository, &commit)? };
        let environments = session.environments_of(&manifests)?;
        let mut rendered = manifests.render();
        let places = session.secrets();
        let mut accounts = Vec::new();
        for environment in environments {
            let rendered = rendered.remove(&environment).unwrap_or_default();
            for (app, desired) in &rendered.apps {
                match desired {
                    Ok(desired) => accounts.extend(of_app(&places, &environment, desired, &rendered.files)),
                    Err(_) => {
                        let told =
                            format!("{environment}/{app} is invalid and left out: `reconcile validate` says why\n");
                        results::tell(&told);
                    }
                }
            }
        }
        results::report(
            session.settings.output,
            &accounts,
            || show::secrets(&accounts, results::width()),
            || show::markdown_secrets(&accounts),
        )
    }
}

fn of_app(
    places: &Secrets,
    environment: &EnvironmentName,
    desired: &Desired,
    files: &RepositoryFiles,
) -> Vec<SecretAccount> {
    let account = |(secret, source): (&SecretName, &SecretSource)| {
        let owner = (environment, &desired.app);
        let (kept, file, key) = match source {
            SecretSource::Host => {
                let path = host_dir::path(&places.directory, environment, &desired.app, secret);
                (Keeper::Host, path.display().to_string(), None)
            }
            SecretSource::File { path, key } => (Keeper::Repository, path.clone(), key.clone()),
        };
        // The value is dropped, and wiped, at once.
        let error = places.value(owner, secret, source, files).err().map(|error| {
            let hint = error.hint();
            Complaint::from(error).with_hint(hint).in_a_line()
        });
        let (error, hint) = error.unzip();
        SecretAccount {
            environment: environment.clone(),
            app: desired.app.clone(),
            secret: secret.clone(),
            kept,
            file,
            key,
            error,
            hint: hint.flatten(),
        }
    };
    desired.secrets.iter().map(account).collect()
}
