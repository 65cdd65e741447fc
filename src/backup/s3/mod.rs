//! A place that is a bucket of S3, with the names of a folder: `<prefix>/<environment>/<app>/<item>/<id>.<ending>`, and `<id>.json`.
//!
//! Nothing can be renamed there, but an upload in parts has no name before it is finished, and it is finished when all of it
//! was judged. Its record is written last, after it was read back. Meanwhile `<id>.<ending>.partial` tells which upload is
//! under way, so that the next sweep can end it.

mod bucket;
mod reading;
mod sighting;
mod upload;

use super::{
    BackupError, Copy, CopyId, Draft, Fault, Found, Of, Place,
    record::{self, LONGEST, PARTIAL, REMOVED},
};
use crate::{
    host::{self, secret_file},
    value::{AppName, EnvironmentName, RepositoryName},
};
use bucket::{Bucket, LOOKS, WORKS};
use secrecy::{ExposeSecret, SecretString};
use sighting::{Away, Sighting};
use std::{
    collections::BTreeMap,
    io::Read,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A bucket with copies.
#[derive(Debug)]
pub struct S3 {
    name: RepositoryName,
    settings: Arc<host::S3>,
    /// The last clients, and the secret that they sign with.
    opened: Mutex<Option<(SecretString, Clients)>>,
    /// What was seen last: while nobody answers an app's copies grow older, and are not gone.
    seen: Mutex<BTreeMap<Of, Sighting>>,
    /// Nobody answered who was asked last.
    away: Mutex<Option<Away>>,
}

#[derive(Clone, Debug)]
struct Clients {
    works: Bucket,
    looks: Bucket,
}

impl S3 {
    pub fn new(name: RepositoryName, settings: host::S3) -> Self {
        Self {
            name,
            settings: Arc::new(settings),
            opened: Mutex::default(),
            seen: Mutex::default(),
            away: Mutex::default(),
        }
    }

    /// The bucket, for who makes copies or reads them.
    fn bucket(&self) -> Result<Bucket, BackupError> {
        Ok(self.clients()?.works)
    }

    /// Asks what is there. Where nobody answered a moment ago, nobody waits for the same again.
    fn look<T>(&self, question: impl FnOnce(&Bucket) -> Result<T, BackupError>) -> Result<T, BackupError> {
        if let Some(away) = locked(&self.away).as_ref().filter(|away| away.is_recent()) {
            return Err(away.error());
        }
        let answer = question(&self.clients()?.looks);
        *locked(&self.away) = answer.as_ref().err().and_then(Away::of);
        answer
    }

    /// With the key as its file has it now: a new one counts at once.
    fn clients(&self) -> Result<Clients, BackupError> {
        let secret = secret_file::read(&self.settings.secret_access_key_file)
            .map_err(|source| BackupError::Key { place: self.name.clone(), source })?;
        let mut opened = locked(&self.opened);
        if let Some((known, clients)) = opened.as_ref()
            && known.expose_secret() == secret.expose_secret()
        {
            return Ok(clients.clone());
        }
        let open = |patience| Bucket::open(&self.settings, &secret, patience);
        let clients = Clients { works: open(WORKS)?, looks: open(LOOKS)? };
        *opened = Some((secret, clients.clone()));
        Ok(clients)
    }

    /// The key of a file of an item.
    fn key(&self, of: &Of, file: &str) -> String {
        let prefix = self.settings.prefix.as_ref().map(|prefix| format!("{}/", prefix.as_str())).unwrap_or_default();
        format!("{prefix}{}/{}/{}/{file}", of.environment, of.app, of.item)
    }

    fn read(&self, bucket: &Bucket, of: &Of, file: &str) -> Result<Copy, BackupError> {
        let text = bucket.read(&self.key(of, file), LONGEST)?;
        record::parse(&text, &self.path_of(of, file), of)
    }

    /// Looks from the newest record on until there is one that is wanted.
    fn sight(&self, of: &Of, is_wanted: &dyn Fn(&Copy) -> bool) -> Result<Option<Copy>, BackupError> {
        self.look(|bucket| {
            let names = bucket.files(&self.key(of, ""))?.into_iter().filter(|name| name.ends_with(".json"));
            let mut sighting = locked(&self.seen).get(of).cloned().unwrap_or_default().listed(names);
            let mut newest = None;
            for name in sighting.names() {
                match self.read(bucket, of, &name) {
                    Ok(copy) => {
                        newest = is_wanted(&copy).then(|| copy.clone());
                        sighting.read(name, copy);
                    }
                    // It is no copy, or not there any more.
                    Err(BackupError::Record { .. } | BackupError::Remote { fault: Fault::Gone, .. }) => {
                        sighting.forget(&name);
                    }
                    Err(error) => return Err(error),
                }
                if newest.is_some() {
                    break;
                }
            }
            locked(&self.seen).insert(of.clone(), sighting);
            Ok(newest)
        })
    }

    /// The items below a folder of an environment and an app. What is not named as ours is somebody else's.
    fn items_in(&self, bucket: &Bucket, environment: &str, app: &str) -> Result<Vec<Of>, BackupError> {
        let (Ok(environment), Ok(app)) = (environment.parse::<EnvironmentName>(), app.parse::<AppName>()) else {
            return Ok(Vec::new());
        };
        let items = self.folders(bucket, &join(&self.root(), &format!("{environment}/{app}")))?;
        let of = |item| Of { environment: environment.clone(), app: app.clone(), item };
        Ok(items.iter().filter_map(|item| item.parse().ok()).map(of).collect())
    }

    /// The folders below one of ours; none where somebody else's names are in the way.
    fn folders(&self, bucket: &Bucket, key: &str) -> Result<Vec<String>, BackupError> {
        match bucket.folders(key) {
            Err(error @ BackupError::Remote { fault: Fault::Foreign, .. }) if key != self.root() => {
                tracing::warn!(%error, place = %self.name, "a folder of the bucket is passed over");
                Ok(Vec::new())
            }
            folders => folders,
        }
    }

    /// What was changed there was seen too.
    fn saw(&self, of: &Of, change: impl FnOnce(&mut Sighting)) {
        if let Some(sighting) = locked(&self.seen).get_mut(of) {
            change(sighting);
        }
    }

    fn root(&self) -> String {
        self.settings.prefix.as_ref().map(|prefix| prefix.as_str().to_owned()).unwrap_or_default()
    }
}

impl Place for S3 {
    fn name(&self) -> &RepositoryName {
        &self.name
    }

    fn path_of(&self, of: &Of, file: &str) -> PathBuf {
        bucket::shown(&self.settings.bucket, &self.key(of, file))
    }

    fn items(&self) -> Result<Vec<Of>, BackupError> {
        let root = self.root();
        self.look(|bucket| {
            let mut items = Vec::new();
            for environment in self.folders(bucket, &root)? {
                for app in self.folders(bucket, &join(&root, &environment))? {
                    items.extend(self.items_in(bucket, &environment, &app)?);
                }
            }
            items.sort();
            Ok(items)
        })
    }

    fn items_of(&self, environment: &EnvironmentName, app: &AppName) -> Result<Vec<Of>, BackupError> {
        self.look(|bucket| self.items_in(bucket, environment.as_str(), app.as_str()))
    }

    fn files(&self, of: &Of) -> Result<Vec<String>, BackupError> {
        self.bucket()?.files(&self.key(of, ""))
    }

    fn copy(&self, of: &Of, id: &CopyId) -> Result<Option<Copy>, BackupError> {
        match self.read(&self.bucket()?, of, &record::name(id)) {
            Err(BackupError::Remote { fault: Fault::Gone, .. }) => Ok(None),
            read => read.map(Some),
        }
    }

    fn copies(&self, of: &Of) -> Result<Found, BackupError> {
        self.look(|bucket| {
            let names = bucket.files(&self.key(of, ""))?.into_iter().filter(|name| name.ends_with(".json"));
            let keys: Vec<String> = names.map(|name| self.key(of, &name)).collect();
            let mut found = Found::default();
            for (key, text) in bucket.read_all(&keys, LONGEST)? {
                match text.and_then(|text| record::parse(&text, &bucket::shown(&self.settings.bucket, &key), of)) {
                    Ok(copy) => found.copies.push(copy),
                    // One that went away meanwhile was never there.
                    Err(BackupError::Remote { fault: Fault::Gone, .. }) => {}
                    Err(error @ BackupError::Remote { .. }) => return Err(error),
                    Err(error) => found.faults.push(error),
                }
            }
            found.copies.sort_by(|a, b| (b.taken_at, &b.id).cmp(&(a.taken_at, &a.id)));
            Ok(found)
        })
    }

    fn newest(&self, of: &Of, is_wanted: &dyn Fn(&Copy) -> bool) -> Result<Option<Copy>, BackupError> {
        match self.sight(of, is_wanted) {
            Err(error @ BackupError::Remote { fault: Fault::Away | Fault::Declined, .. }) => {
                let newest = locked(&self.seen).get(of).and_then(|sighting| sighting.newest(is_wanted));
                let newest = newest.ok_or(error)?;
                tracing::debug!(item = %of.item, "copies are taken for what they were when they were seen last");
                Ok(newest)
            }
            found => found,
        }
    }

    fn open(&self, copy: &Copy) -> Result<Box<dyn Read + Send>, BackupError> {
        match self.bucket()?.contents(&self.key(&Of::copy(copy), &copy.file)) {
            Err(BackupError::Remote { path, fault: Fault::Gone, .. }) => {
                Err(BackupError::Altered { path, why: "it is not there".to_owned() })
            }
            opened => Ok(Box::new(opened?)),
        }
    }

    fn begin(&self, of: &Of, file: &str, expected: Option<u64>) -> Result<Box<dyn Draft>, BackupError> {
        let (key, folder) = (self.key(of, file), self.key(of, ""));
        Ok(Box::new(upload::Upload::begin(self.bucket()?, key, folder, expected)?))
    }

    fn is_near(&self) -> bool {
        false
    }

    fn rewrite(&self, copy: &Copy) -> Result<(), BackupError> {
        let (of, name) = (Of::copy(copy), record::name(&copy.id));
        self.bucket()?.write(&self.key(&of, &name), record::text(copy, &self.path_of(&of, &name))?)?;
        self.saw(&of, |sighting| sighting.read(name, copy.clone()));
        Ok(())
    }

    fn remove(&self, copy: &Copy) -> Result<(), BackupError> {
        let (bucket, of, name) = (self.bucket()?, Of::copy(copy), record::name(&copy.id));
        let (record, removed) = (self.key(&of, &name), self.key(&of, &format!("{name}.{REMOVED}")));
        bucket.write(&removed, record::text(copy, &self.path_of(&of, &name))?)?;
        self.saw(&of, |sighting| sighting.forget(&name));
        bucket.remove(&record)?;
        bucket.remove(&self.key(&of, &copy.file))?;
        bucket.remove(&removed)
    }

    /// Ends uploads that were under way, and goes on removing what was being removed. What has no such mark is not touched.
    fn sweep(&self, of: &Of) -> Result<(), BackupError> {
        let bucket = self.bucket()?;
        let files = bucket.files(&self.key(of, ""))?;
        for mark in files.iter().filter(|name| name.ends_with(&format!(".{PARTIAL}"))) {
            let file = mark.trim_end_matches(&format!(".{PARTIAL}"));
            let id = file.split('.').next().unwrap_or(file);
            let is_whole = files.iter().any(|name| *name == format!("{id}.json"));
            if !is_whole {
                let upload = bucket.read(&self.key(of, mark), LONGEST)?;
                bucket.end_upload(&self.key(of, file), &String::from_utf8_lossy(&upload))?;
            }
            bucket.remove(&self.key(of, mark))?;
        }
        for mark in files.iter().filter(|name| name.ends_with(&format!(".{REMOVED}"))) {
            if let Ok(copy) = self.read(&bucket, of, mark) {
                bucket.remove(&self.key(of, mark.trim_end_matches(&format!(".{REMOVED}"))))?;
                bucket.remove(&self.key(of, &copy.file))?;
                bucket.remove(&self.key(of, mark))?;
            }
        }
        Ok(())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
