//! The certificates of a host: what is held of each, and how another is obtained.

use super::{
    Attempts, Cost, Due, Facts, Held, Origin, Pair, Provenance, Settings, TlsError, Wanted, account,
    acme::Conversation,
    authority,
    disk::{self, Disk},
    due, preflight,
    wanted::CertificateName,
};
use crate::value::{AppName, EnvironmentName};
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

const CHAIN: &str = "chain.pem";
const KEY: &str = "key.pem";

/// When an authority that says nothing of renewals is asked again, and one that failed to.
const ASK_DAILY: Duration = Duration::from_secs(24 * 3_600);
const ASK_SOON: Duration = Duration::from_secs(6 * 3_600);
const ASK_OFTENEST: Duration = Duration::from_secs(600);

/// The certificates of a host.
#[derive(Clone, Debug)]
pub struct Certificates {
    disk: Disk,
    settings: Settings,
}

impl Certificates {
    /// Those in a folder. Nothing is made before it is needed: who only looks leaves no trace.
    #[must_use]
    pub fn open(folder: PathBuf, settings: Settings) -> Self {
        Self { disk: Disk::at(folder), settings }
    }

    /// What is held. It reads a few files and waits for nobody.
    #[must_use]
    pub fn look(&self, wanted: &Wanted) -> Held {
        match wanted.origin() {
            Origin::Files { certificate, key } => given(certificate, key),
            Origin::Acme | Origin::Internal => match self.disk.current(wanted.name().as_str()) {
                None => Held::Missing,
                Some((folder, name)) => {
                    let prefix = self.provenance(wanted.origin()).map(|of| format!("{}-", of.as_str()));
                    let ours = prefix.is_some_and(|prefix| name.starts_with(&prefix));
                    pair(folder.join(CHAIN), folder.join(KEY), ours)
                }
            },
        }
    }

    /// What was asked of an authority, and when it may be asked again.
    #[must_use]
    pub fn attempts(&self, wanted: &Wanted) -> Attempts {
        let path = self.disk.path(wanted.name().as_str()).join(self.notes(wanted.origin()));
        let about = super::held::listed(wanted.names());
        let noted = disk::read(&path).ok().flatten().and_then(|text| serde_json::from_slice::<Attempts>(&text).ok());
        noted.filter(|noted| noted.about == about).unwrap_or_else(|| Attempts { about, ..Attempts::default() })
    }

    /// What is to be done now.
    #[must_use]
    pub fn due(&self, now: Timestamp, wanted: &Wanted) -> Due {
        due(now, &self.look(wanted), wanted, &self.attempts(wanted))
    }

    /// What the proxy answers challenges with, after the token and a dot; none where nobody needed it yet.
    ///
    /// # Errors
    /// The account's key cannot be read.
    pub fn known_thumbprint(&self) -> Result<Option<String>, TlsError> {
        Ok(account::find(&self.disk, &self.settings.directory)?.map(|key| key.thumbprint))
    }

    /// As [`Certificates::known_thumbprint`]; the account's key is made where there is none. No authority hears of it.
    ///
    /// # Errors
    /// The account's key can neither be read nor made.
    pub fn thumbprint(&self) -> Result<String, TlsError> {
        Ok(account::find_or_make(&self.disk, &self.settings.directory)?.thumbprint)
    }

    /// The certificate of the host's own authority, for people to import; none where nobody needed it yet.
    #[must_use]
    pub fn authority(&self) -> Option<PathBuf> {
        authority::certificate(&self.disk)
    }

    /// Obtains what is wanted, if that is due: however often it is called, an authority is asked no more than [`due()`]
    /// allows.
    ///
    /// # Errors
    /// See [`TlsError`]; it is noted when another may follow.
    pub async fn obtain(&self, wanted: &Wanted, now: Timestamp) -> Result<Held, TlsError> {
        let held = self.look(wanted);
        let mut attempts = self.attempts(wanted);
        match due(now, &held, wanted, &attempts) {
            Due::Ask | Due::Hold { .. } | Due::Given => return Ok(held),
            Due::Wait { until, why } => return Err(TlsError::TooSoon { name: wanted.name().clone(), until, why }),
            Due::Now(_) => {}
        }
        let obtained = match wanted.origin() {
            Origin::Internal => authority::issue(&self.disk, wanted, now),
            Origin::Acme => self.order(wanted, now, &held, &attempts).await,
            Origin::Files { .. } => return Ok(held),
        };
        let kept = obtained.and_then(|(chain, key)| self.keep(wanted, now, &chain, &key));
        match &kept {
            Ok(()) => attempts.succeeded(),
            Err(error) => attempts.failed(now, cost(error), error.told(), error.whole()),
        }
        let noted = self.note(wanted, &attempts);
        kept.and(noted).map(|()| self.look(wanted))
    }

    /// Asks an authority when it wants what is held renewed, where it says such things.
    ///
    /// # Errors
    /// See [`TlsError`]. It is asked again all the same, and meanwhile renewed as if it said nothing.
    pub async fn ask(&self, wanted: &Wanted, now: Timestamp) -> Result<(), TlsError> {
        let held = self.look(wanted);
        let (Origin::Acme, Some(pair)) = (wanted.origin(), held.pair()) else { return Ok(()) };
        let Some(key) = account::find(&self.disk, &self.settings.directory)? else { return Ok(()) };
        let Some(certificate) = first(&pair.chain) else { return Ok(()) };
        let advice = self.conversation(wanted, &key).advice(&certificate, &pair.facts.fingerprint).await;
        let mut attempts = self.attempts(wanted);
        match &advice {
            Ok(Some((window, again))) => attempts.advised(now, Some(window.clone()), (*again).max(ASK_OFTENEST)),
            Ok(None) => attempts.advised(now, None, ASK_DAILY),
            Err(_) => attempts.advised(now, attempts.window.clone(), ASK_SOON),
        }
        self.note(wanted, &attempts)?;
        advice.map(drop)
    }

    /// Removes certificates of an app that nobody wants and that are of no use any more. One that is good is kept: who
    /// takes a route away and brings it back does not order again.
    ///
    /// # Errors
    /// The folder cannot be read, or something in it not be removed.
    pub fn tidy(
        &self,
        now: Timestamp,
        (environment, app): (&EnvironmentName, &AppName),
        wanted: &BTreeSet<CertificateName>,
    ) -> Result<(), TlsError> {
        let prefix = CertificateName::prefix(environment, app);
        for place in self.disk.places()?.into_iter().filter(|place| place.starts_with(&prefix)) {
            let is_wanted = wanted.iter().any(|name| name.as_str() == place);
            let is_good = || {
                let (folder, _) = self.disk.current(&place)?;
                let held = pair(folder.join(CHAIN), folder.join(KEY), true);
                Some(held.pair().is_some_and(|pair| now < pair.facts.not_after))
            };
            if !is_wanted && !is_good().unwrap_or(false) {
                self.disk.remove(&place)?;
            }
        }
        Ok(())
    }

    async fn order(
        &self,
        wanted: &Wanted,
        now: Timestamp,
        held: &Held,
        attempts: &Attempts,
    ) -> Result<(String, String), TlsError> {
        let key = account::find_or_make(&self.disk, &self.settings.directory)?;
        preflight::check(wanted.names(), &key, self.settings.preflight).await?;
        // What is not noted before would be asked again and again by a tool that dies on it, or has no room to note it.
        let mut begun = attempts.clone();
        begun.failed(now, Cost::Counted, None, "the order was begun, and nothing tells how it ended".to_owned());
        self.note(wanted, &begun)?;
        let known = |pair: &&Pair| attempts.window.as_ref().is_some_and(|of| of.fingerprint == pair.facts.fingerprint);
        let replaced = held.pair().filter(known).and_then(|pair| first(&pair.chain));
        self.conversation(wanted, &key).order(replaced.as_ref()).await
    }

    fn conversation<'a>(&'a self, wanted: &'a Wanted, key: &'a account::AccountKey) -> Conversation<'a> {
        Conversation { disk: &self.disk, settings: &self.settings, wanted, key }
    }

    /// Puts what was obtained where it holds, once it is seen to be what was wanted.
    fn keep(&self, wanted: &Wanted, now: Timestamp, chain: &str, key: &str) -> Result<(), TlsError> {
        let unfit = |why: String| {
            let (name, directory) = (wanted.name().clone(), self.issuer(wanted.origin()));
            TlsError::NotAsOrdered { name, directory, why }
        };
        let facts = Facts::read(chain.as_bytes(), key.as_bytes()).map_err(|why| unfit(why.to_string()))?;
        let uncovered = facts.uncovered(wanted.names());
        if !uncovered.is_empty() {
            return Err(unfit(format!("it is not for {}", super::held::listed(&uncovered))));
        }
        let provenance = self.provenance(wanted.origin()).unwrap_or_else(|| Provenance::of("internal", "none"));
        let folder = format!("{}-{}", provenance.as_str(), &facts.digest[..16]);
        let files: [(&str, &[u8]); 2] = [(CHAIN, chain.as_bytes()), (KEY, key.as_bytes())];
        self.disk.keep(wanted.name().as_str(), &folder, &files)?;
        // It is kept all the same: where the clock is wrong, it is right tomorrow.
        match self.look(wanted).good(now, wanted) {
            Ok(_) => Ok(()),
            Err(fault) => {
                let (name, directory) = (wanted.name().clone(), self.issuer(wanted.origin()));
                Err(TlsError::NotToday { name, directory, why: fault.to_string() })
            }
        }
    }

    fn note(&self, wanted: &Wanted, attempts: &Attempts) -> Result<(), TlsError> {
        let text = serde_json::json!(attempts).to_string();
        self.disk.write(wanted.name().as_str(), &self.notes(wanted.origin()), text.as_bytes())
    }

    /// The file of attempts at an authority: what one said is no other's.
    fn notes(&self, origin: &Origin) -> String {
        match origin {
            Origin::Acme => format!("acme-{}.json", account::short(&self.settings.directory)),
            Origin::Internal | Origin::Files { .. } => "internal.json".to_owned(),
        }
    }

    /// What certificates of today's authority come from; none where it is not made yet, or is somebody else's.
    fn provenance(&self, origin: &Origin) -> Option<Provenance> {
        match origin {
            Origin::Acme => Some(Provenance::of("acme", &account::short(&self.settings.directory))),
            Origin::Internal => authority::provenance(&self.disk),
            Origin::Files { .. } => None,
        }
    }

    fn issuer(&self, origin: &Origin) -> String {
        match origin {
            Origin::Acme => self.settings.directory.clone(),
            Origin::Internal | Origin::Files { .. } => "the host's own authority".to_owned(),
        }
    }
}

/// What an error cost.
fn cost(error: &TlsError) -> Cost {
    match error {
        TlsError::Astray(_)
        | TlsError::Disk { .. }
        | TlsError::Damaged { .. }
        | TlsError::NoRoots { .. }
        | TlsError::Making { .. }
        | TlsError::NoClient { .. }
        | TlsError::TooSoon { .. } => Cost::Free,
        TlsError::Authority { .. }
        | TlsError::Unproven { .. }
        | TlsError::NotAsOrdered { .. }
        | TlsError::NotToday { .. }
        | TlsError::TooLong { .. } => Cost::Counted,
    }
}

/// Others may not read a key, nor write it.
const OPEN: u32 = 0o026;

/// Files that somebody else puts there.
fn given(certificate: &Path, key: &Path) -> Held {
    match fs::metadata(key) {
        Ok(about) if about.mode() & OPEN != 0 => {
            Held::Unusable(format!("`{}` is open to others (mode {:04o})", key.display(), about.mode() & 0o7777))
        }
        Ok(_) | Err(_) => pair(certificate.to_owned(), key.to_owned(), true),
    }
}

fn pair(chain: PathBuf, key: PathBuf, of_this_authority: bool) -> Held {
    let content = |path: &Path| match disk::read(path) {
        Ok(Some(content)) => Ok(content),
        Ok(None) => Err(format!("`{}` is not there", path.display())),
        Err(error) => Err(format!("cannot read `{}`: {error}", path.display())),
    };
    let read = |what: &Path, other: &Path| Ok((content(what)?, content(other)?));
    match read(&chain, &key) {
        Err(why) => Held::Unusable(why),
        Ok((certificates, private)) => match Facts::read(&certificates, &private) {
            Ok(facts) => Held::Pair(Pair { facts, chain, key, of_this_authority }),
            Err(unfit) => Held::Unusable(format!("`{}`: {unfit}", chain.display())),
        },
    }
}

fn first(chain: &Path) -> Option<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(&disk::read(chain).ok()??).ok()
}
