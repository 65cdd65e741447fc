//! A bucket, asked by who may wait: each question is made in the runtime, and its answer awaited here.

use super::reading::Reading;
use crate::{
    backup::{BackupError, Fault, limit, record::PARTIAL},
    cause::whole,
    host,
    value::BucketName,
};
use futures_util::{StreamExt, stream};
use object_store::{
    BackoffConfig, ClientOptions, Error, MultipartId, ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    multipart::{MultipartStore, PartId},
    path::Path,
};
use secrecy::{ExposeSecret, SecretString};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::{runtime::Handle, sync::oneshot, task::AbortHandle};

/// How long somebody waits for one answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// How long the endpoint may take to be reached.
    connects: Duration,
    /// How long it may take to answer once.
    answers: Duration,
    /// How often it is asked again.
    retries: usize,
    /// All of it.
    within: Duration,
}

/// Of who makes copies or reads them. A part that takes longer is too slow a way.
pub(super) const WORKS: Patience = Patience {
    connects: Duration::from_secs(10),
    answers: Duration::from_secs(120),
    retries: 4,
    within: Duration::from_secs(600),
};
/// Of who looks at what is there: others wait, and other places answer.
pub(super) const LOOKS: Patience = Patience {
    connects: Duration::from_secs(3),
    answers: Duration::from_secs(5),
    retries: 2,
    within: Duration::from_secs(5),
};
/// Nothing is asked again that took so long.
const RETRIES_WITHIN: Duration = Duration::from_secs(180);
/// What S3 calls it when a key is wrong, or may not do what is asked.
const REFUSALS: [&str; 5] =
    ["AccessDenied", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"];
/// How many records are read side by side.
const AT_ONCE: usize = 8;

/// A bucket, and who signs what it is asked.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    store: Arc<AmazonS3>,
    name: BucketName,
    /// How long one answer may take.
    within: Duration,
}

/// Where an object is, for people.
pub(super) fn shown(bucket: &BucketName, key: &str) -> PathBuf {
    PathBuf::from(format!("s3://{bucket}/{key}"))
}

/// An answer that is on its way. Who lets go of it takes back the question.
pub(super) struct Answer<T> {
    from: oneshot::Receiver<Result<T, BackupError>>,
    task: AbortHandle,
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<T> Answer<T> {
    /// Waits for it, for as long as this thread may.
    pub(super) fn wait(mut self) -> Result<T, BackupError> {
        // Nobody answers where the runtime has ended.
        limit::wait(&mut self.from)?.map_err(|_| BackupError::Asked)?
    }
}

/// An object by its key, and what it holds.
pub(super) type Held = (String, Result<Vec<u8>, BackupError>);

impl Bucket {
    pub(super) fn open(settings: &host::S3, secret: &SecretString, patience: Patience) -> Result<Self, BackupError> {
        // Who did it before did the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let endpoint = settings.endpoint.as_ref();
        let is_plain = endpoint.is_some_and(|endpoint| endpoint.as_str().starts_with("http://"));
        let Patience { connects, answers, retries, within } = patience;
        let client =
            ClientOptions::new().with_connect_timeout(connects).with_timeout(answers).with_allow_http(is_plain);
        let backoff =
            BackoffConfig { init_backoff: Duration::from_millis(200), max_backoff: Duration::from_secs(5), base: 3.0 };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(settings.bucket.as_str())
            .with_region(&settings.region)
            .with_access_key_id(&settings.access_key_id)
            .with_secret_access_key(secret.expose_secret())
            // Amazon's own knows buckets by names of hosts; others know them by paths. A certificate for all names of hosts
            // holds for no name with a dot more.
            .with_virtual_hosted_style_request(endpoint.is_none() && !settings.bucket.as_str().contains('.'))
            // One at a time: not every server removes several at once.
            .with_disable_bulk_delete(true)
            .with_client_options(client)
            .with_retry(RetryConfig { backoff, max_retries: retries, retry_timeout: RETRIES_WITHIN });
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
        }
        let name = settings.bucket.clone();
        let store = builder.build().map_err(|error| told("open", shown(&name, ""), error))?;
        Ok(Self { store: Arc::new(store), name, within })
    }

    pub(super) fn shown(&self, key: &str) -> PathBuf {
        shown(&self.name, key)
    }

    /// Asks, and does not wait yet.
    pub(super) fn ask<T: Send + 'static, W>(
        &self,
        doing: &'static str,
        key: &str,
        question: impl FnOnce(Arc<AmazonS3>, Path) -> W,
    ) -> Result<Answer<T>, BackupError>
    where
        W: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let shown = self.shown(key);
        let runtime = Handle::try_current().map_err(|error| BackupError::Remote {
            doing,
            path: shown.clone(),
            fault: Fault::Away,
            source: error.into(),
        })?;
        let (to, from) = oneshot::channel();
        let asked = limited(self.within, question(Arc::clone(&self.store), Path::from(key)));
        let task = runtime.spawn(async move {
            // Who asked may have given up.
            let _ = to.send(asked.await.map_err(|error| told(doing, shown, error)));
        });
        Ok(Answer { from, task: task.abort_handle() })
    }

    /// The names right below a key, of what has others below it.
    pub(super) fn folders(&self, key: &str) -> Result<Vec<String>, BackupError> {
        let below = self.ask("list", key, |store, path| async move { store.list_with_delimiter(Some(&path)).await })?;
        let names = below.wait()?.common_prefixes;
        Ok(names.iter().filter_map(|path| path.filename().map(str::to_owned)).collect())
    }

    /// The names of the objects right below a key.
    pub(super) fn files(&self, key: &str) -> Result<Vec<String>, BackupError> {
        let below = self.ask("list", key, |store, path| async move { store.list_with_delimiter(Some(&path)).await })?;
        let objects = below.wait()?.objects;
        Ok(objects.iter().filter_map(|object| object.location.filename().map(str::to_owned)).collect())
    }

    /// What a small object holds.
    pub(super) fn read(&self, key: &str, longest: u64) -> Result<Vec<u8>, BackupError> {
        let read = self.ask("read", key, move |store, path| small(store, path, longest))?.wait()?;
        read.ok_or_else(|| too_large(self.shown(key)))
    }

    /// What several small ones hold, each by its key, up to the first for which nobody answers.
    pub(super) fn read_all(&self, keys: &[String], longest: u64) -> Result<Vec<Held>, BackupError> {
        let (keys, name, within) = (keys.to_vec(), self.name.clone(), self.within);
        // Each has its time, and not all of them one.
        let all = Self { within: Duration::MAX, ..self.clone() };
        let read = all.ask("read", "", move |store, _| async move {
            let one = |key: String| {
                let (store, shown) = (Arc::clone(&store), shown(&name, &key));
                async move {
                    let text = limited(within, small(store, Path::from(key.as_str()), longest)).await;
                    let text = text.map_err(|error| told("read", shown.clone(), error));
                    (key, text.and_then(|text| text.ok_or_else(|| too_large(shown))))
                }
            };
            let mut answers = stream::iter(keys).map(one).buffered(AT_ONCE);
            let mut held = Vec::new();
            while let Some((key, text)) = answers.next().await {
                let is_away = matches!(&text, Err(BackupError::Remote { fault: Fault::Away, .. }));
                held.push((key, text));
                if is_away {
                    break;
                }
            }
            Ok(held)
        });
        read?.wait()
    }

    /// What an object is, and how long.
    pub(super) fn head(&self, key: &str) -> Result<ObjectMeta, BackupError> {
        self.ask("read", key, |store, path| async move { store.head(&path).await })?.wait()
    }

    /// What a large object holds, from its beginning.
    pub(super) fn contents(&self, key: &str) -> Result<Reading, BackupError> {
        Ok(Reading::begin(self.clone(), key.to_owned(), self.head(key)?))
    }

    /// Writes a small object, whole, in the place of another.
    pub(super) fn write(&self, key: &str, text: Vec<u8>) -> Result<(), BackupError> {
        let written =
            self.ask("write", key, |store, path| async move { store.put(&path, text.into()).await.map(drop) });
        written?.wait()
    }

    /// Removes an object; one that is not there is fine.
    pub(super) fn remove(&self, key: &str) -> Result<(), BackupError> {
        match self.ask("remove", key, |store, path| async move { store.delete(&path).await })?.wait() {
            Err(BackupError::Remote { fault: Fault::Gone, .. }) => Ok(()),
            removed => removed,
        }
    }

    /// Begins an upload in parts.
    pub(super) fn begin_upload(&self, key: &str) -> Result<MultipartId, BackupError> {
        self.ask("write", key, |store, path| async move { store.create_multipart(&path).await })?.wait()
    }

    /// Begins to send a part.
    pub(super) fn send(
        &self,
        key: &str,
        upload: &MultipartId,
        part: usize,
        bytes: Vec<u8>,
    ) -> Result<Answer<PartId>, BackupError> {
        let upload = upload.clone();
        let payload = PutPayload::from(bytes);
        self.ask("write", key, move |store, path| async move { store.put_part(&path, &upload, part, payload).await })
    }

    /// Gives an upload its name.
    pub(super) fn finish_upload(&self, key: &str, upload: &MultipartId, parts: Vec<PartId>) -> Result<(), BackupError> {
        let upload = upload.clone();
        let finished = self.ask("write", key, move |store, path| async move {
            store.complete_multipart(&path, &upload, parts).await.map(drop)
        });
        finished?.wait()
    }

    /// Ends an upload that has no record, whether it got its name or not; nothing of it stays.
    pub(super) fn end_upload(&self, key: &str, upload: &str) -> Result<(), BackupError> {
        let upload = MultipartId::from(upload.trim());
        let ended =
            self.ask("remove", key, move |store, path| async move { store.abort_multipart(&path, &upload).await });
        match ended?.wait() {
            // It is finished, or was ended before.
            Ok(()) | Err(BackupError::Remote { fault: Fault::Gone, .. }) => self.remove(key),
            Err(error) => Err(error),
        }
    }

    /// What tells which upload is under way.
    pub(super) fn mark(key: &str) -> String {
        format!("{key}.{PARTIAL}")
    }
}

/// None: it is larger than that.
async fn small(store: Arc<AmazonS3>, path: Path, longest: u64) -> Result<Option<Vec<u8>>, Error> {
    let got = store.get(&path).await?;
    if got.meta.size > longest {
        return Ok(None);
    }
    got.bytes().await.map(|bytes| Some(bytes.to_vec()))
}

fn too_large(path: PathBuf) -> BackupError {
    BackupError::Record { path, why: "it is no object of a record's size".to_owned() }
}

async fn limited<T>(within: Duration, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(within, asked).await.unwrap_or_else(|_| {
        let source = format!("nothing came within {} s", within.as_secs());
        Err(Error::Generic { store: "S3", source: source.into() })
    })
}

/// An error in our words: what S3 calls it, and no more of the answer.
fn told(doing: &'static str, path: PathBuf, error: Error) -> BackupError {
    let all = whole(&error);
    let code = between(&all, "<Code>", "</Code>");
    let fault = match &error {
        _ if code == Some("RequestTimeTooSkewed") => Fault::Clock,
        // A key that the other side takes for one, and nothing here can be asked for.
        Error::InvalidPath { .. } => Fault::Foreign,
        // Amazon sends on who asks at the wrong region, and says to where only in words.
        _ if all.contains("incorrectly configured region") || code == Some("PermanentRedirect") => Fault::Elsewhere,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Fault::Refused,
        // Not every question has its refusal told so.
        _ if code.is_some_and(|code| REFUSALS.contains(&code)) => Fault::Refused,
        _ if code == Some("NoSuchBucket") => Fault::NoBucket,
        Error::NotFound { .. } => Fault::Gone,
        _ if all.contains("status code") || code.is_some() => Fault::Declined,
        _ => Fault::Away,
    };
    let said = match (code, between(&all, "<Message>", "</Message>")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => innermost(&error),
    };
    BackupError::Remote { doing, path, fault, source: said.into() }
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(begin)?;
    rest.split_once(end).map(|(inner, _)| inner)
}

/// The cause of all causes: those before it repeat it.
fn innermost(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let text = cause.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(300).collect()
}
