//! The account at an ACME authority: a key, made here before anybody hears of it, and the name the authority gave it.

use super::{
    Settings, TlsError,
    disk::{self, Disk},
    error::problem,
    facts::hex,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use instant_acme::{Account, AccountBuilder, Error, Key};
use rcgen::KeyPair;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const KEY: &str = "key.pem";
const REGISTERED: &str = "account.json";

/// What the authority knows of an account.
#[derive(Serialize, Deserialize)]
struct Registered {
    id: String,
    email: Option<String>,
}

/// The account's key, by which it answers challenges.
pub struct AccountKey {
    place: String,
    pkcs8: PrivatePkcs8KeyDer<'static>,
    /// RFC 7638.
    pub thumbprint: String,
}

/// The key of the account at a directory; none where it was not made yet.
pub fn find(disk: &Disk, directory: &str) -> Result<Option<AccountKey>, TlsError> {
    let place = place(directory);
    let path = disk.path(&place).join(KEY);
    let Some(pem) = disk::read(&path).map_err(TlsError::disk("read", &path))? else { return Ok(None) };
    let damaged = |why: &str| TlsError::Damaged { path: path.clone(), why: why.to_owned() };
    let Ok(PrivateKeyDer::Pkcs8(pkcs8)) = PrivateKeyDer::from_pem_slice(&pem) else {
        return Err(damaged("it is no key (PKCS #8, PEM)"));
    };
    let key = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &rcgen::PKCS_ECDSA_P256_SHA256);
    let key = key.map_err(|_| damaged("it is no key on P-256"))?;
    Ok(Some(AccountKey { place, thumbprint: thumbprint(&key), pkcs8 }))
}

/// As [`find`]; it is made where there is none.
pub fn find_or_make(disk: &Disk, directory: &str) -> Result<AccountKey, TlsError> {
    if let Some(key) = find(disk, directory)? {
        return Ok(key);
    }
    let _alone = disk.lock()?;
    if find(disk, directory)?.is_none() {
        let key = KeyPair::generate();
        let key = key.map_err(|source| TlsError::Making { name: "the account".to_owned(), source })?;
        disk.write(&place(directory), KEY, key.serialize_pem().as_bytes())?;
    }
    find(disk, directory)?.ok_or_else(|| TlsError::Damaged {
        path: disk.path(&place(directory)),
        why: "the key is gone again".to_owned(),
    })
}

impl AccountKey {
    /// The account at the authority, which hears of it the first time, and of its address where that is another.
    ///
    /// # Errors
    /// Those of the authority; an account that it does not know is forgotten here, so that the next time makes it.
    pub async fn log_in(&self, disk: &Disk, http: AccountBuilder, settings: &Settings) -> Result<Account, LogInError> {
        let known = disk::read(&disk.path(&self.place).join(REGISTERED)).ok().flatten();
        let known = known.and_then(|text| serde_json::from_slice::<Registered>(&text).ok());
        let directory = settings.directory.clone();
        let (account, told) = match known {
            Some(Registered { id, email }) => (http.from_parts(id, self.pkcs8.clone_key(), directory).await?, email),
            None => {
                let key = Key::from_pkcs8_der(self.pkcs8.clone_key())?;
                let made = http.create_from_key((key, PrivateKeyDer::Pkcs8(self.pkcs8.clone_key())), directory).await;
                let (account, _) = made?;
                self.note(disk, account.id(), None)?;
                (account, None)
            }
        };
        if told != settings.email {
            let contact = settings.email.as_ref().map(|email| format!("mailto:{email}"));
            let contacts: Vec<&str> = contact.iter().map(String::as_str).collect();
            account.update_contacts(&contacts).await.inspect_err(|error| self.forget_unknown(disk, error))?;
            self.note(disk, account.id(), settings.email.clone())?;
        }
        Ok(account)
    }

    fn note(&self, disk: &Disk, id: &str, email: Option<String>) -> Result<(), TlsError> {
        let registered = serde_json::json!(Registered { id: id.to_owned(), email });
        disk.write(&self.place, REGISTERED, registered.to_string().as_bytes())
    }

    /// Forgets the account's name where the authority does not know it (any more): it is given another.
    pub fn forget_unknown(&self, disk: &Disk, error: &Error) {
        if problem(error) == Some("accountDoesNotExist") {
            // What is not removed is told again the next time.
            let _ = std::fs::remove_file(disk.path(&self.place).join(REGISTERED));
        }
    }
}

/// Why an account cannot be used.
pub enum LogInError {
    Here(TlsError),
    There(Error),
}

impl From<TlsError> for LogInError {
    fn from(error: TlsError) -> Self {
        Self::Here(error)
    }
}

impl From<Error> for LogInError {
    fn from(error: Error) -> Self {
        Self::There(error)
    }
}

/// The folder of the account at a directory: each authority has its own.
fn place(directory: &str) -> String {
    format!("_accounts/{}", short(directory))
}

/// What tells one directory from another, in a folder's name.
pub fn short(directory: &str) -> String {
    hex(&Sha256::digest(directory.as_bytes()))[..8].to_owned()
}

/// RFC 7638 of a key on P-256.
fn thumbprint(key: &KeyPair) -> String {
    let point = key.public_key_raw();
    let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let text = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}
