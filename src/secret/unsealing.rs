//! The encrypted files that a pass needs, each read and decrypted once, whoever asks for how many of its values.

use super::{
    RepositoryFiles, SecretError, SecretValue,
    age::Identities,
    repository::Read,
    sealed::{self, OpenFile, SealedError},
};
use crate::value::SecretName;
use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// What was opened in one pass: gone, and wiped, with it. The files are those of one commit, so they do not change.
#[derive(Clone, Default)]
pub struct Unsealed(Arc<Mutex<BTreeMap<String, Opened>>>);

type Opened = Result<Arc<OpenFile>, Unopened>;

/// Why a file was not opened, for each of the secrets in it.
#[derive(Clone)]
enum Unopened {
    NotThere(String),
    Sealed(Arc<SealedError>),
}

/// Opens files with what this host has.
pub(super) struct Unsealing<'a> {
    files: &'a RepositoryFiles,
    identity: Option<&'a Path>,
    unsealed: &'a Unsealed,
    repository: Option<Result<Box<Read>, String>>,
    identities: Option<Result<Identities, Arc<SealedError>>>,
}

impl<'a> Unsealing<'a> {
    /// Nothing is read before somebody asks for a value.
    pub(super) fn new(files: &'a RepositoryFiles, identity: Option<&'a Path>, unsealed: &'a Unsealed) -> Self {
        Self { files, identity, unsealed, repository: None, identities: None }
    }

    /// The value of a secret in a file.
    pub(super) fn value(
        &mut self,
        name: &SecretName,
        path: &str,
        key: Option<&str>,
    ) -> Result<SecretValue, SecretError> {
        let sealed = |source| SecretError::Sealed { name: name.clone(), path: path.to_owned(), source };
        match self.file(path) {
            Ok(file) => file.value(key).map_err(|error| sealed(Arc::new(error))),
            Err(Unopened::Sealed(why)) => Err(sealed(why)),
            Err(Unopened::NotThere(why)) => {
                Err(SecretError::NotInRepository { name: name.clone(), path: path.to_owned(), why })
            }
        }
    }

    fn file(&mut self, path: &str) -> Opened {
        let known = self.unsealed.0.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some(known) = known {
            return known;
        }
        let opened = self.open(path);
        self.unsealed.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), opened.clone());
        opened
    }

    fn open(&mut self, path: &str) -> Opened {
        let repository = self.repository.get_or_insert_with(|| self.files.open());
        let read = repository.as_ref().map_err(|why| Unopened::NotThere(why.clone()))?;
        let content = read(path).map_err(Unopened::NotThere)?;
        let of_host = self.identities.get_or_insert_with(|| identities(self.identity).map_err(Arc::new));
        let identities = of_host.as_ref().map_err(|why| Unopened::Sealed(Arc::clone(why)))?;
        let opened = sealed::open(path, &content, identities);
        opened.map(Arc::new).map_err(|error| Unopened::Sealed(Arc::new(error)))
    }
}

fn identities(file: Option<&Path>) -> Result<Identities, SealedError> {
    Ok(Identities::read(file.ok_or(SealedError::NoIdentity)?)?)
}

impl fmt::Debug for Unsealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unsealed")
    }
}
