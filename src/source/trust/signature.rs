//! The signature of one commit.

use super::{Distrust, Repository, Signers, git};
use git2::{ErrorCode, Oid};
use ssh_key::{Algorithm, EcdsaCurve, HashAlg, PublicKey, SshSig};

/// What git signs commits for.
pub const NAMESPACE: &str = "git";

/// Checks that a commit is signed by somebody who may, under their own address.
pub fn check(repository: &Repository, id: Oid, signers: &Signers) -> Result<(), Distrust> {
    let commit = id.to_string();
    let (armored, content) = match repository.git.extract_signature(&id, None) {
        Ok(found) => found,
        Err(error) if error.code() == ErrorCode::NotFound => return Err(Distrust::Unsigned { commit }),
        Err(error) => return Err(git("read the signature of", &commit)(error)),
    };
    if let Some(kind) = other_kind(&armored) {
        return Err(Distrust::NotSsh { commit, kind });
    }
    let signature = SshSig::from_pem(&*armored)
        .map_err(|error| Distrust::Unreadable { commit: commit.clone(), why: error.to_string() })?;
    let kind = signature.public_key().algorithm();
    if !is_supported(&kind) {
        return Err(Distrust::UnsupportedKey { commit, kind: kind.to_string() });
    }
    if signature.namespace() != NAMESPACE {
        return Err(Distrust::Namespace { commit, namespace: signature.namespace().escape_debug().to_string() });
    }
    let key = PublicKey::from(signature.public_key().clone());
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    let principals = signers.of(&key);
    if principals.is_empty() {
        return Err(Distrust::UnknownSigner { commit, fingerprint });
    }
    if key.verify(NAMESPACE, &content, &signature).is_err() {
        return Err(Distrust::Altered { commit, fingerprint });
    }
    let found = repository.git.find_commit(id).map_err(git("read", &commit))?;
    let email = String::from_utf8_lossy(found.committer().email_bytes()).into_owned();
    if principals.iter().any(|list| crate::source::pattern::list_means(list, &email)) {
        return Ok(());
    }
    let principals = principals.into_iter().map(str::to_owned).collect();
    Err(Distrust::OtherPrincipal { commit, fingerprint, principals, email: email.escape_debug().to_string() })
}

fn other_kind(armored: &[u8]) -> Option<&'static str> {
    if armored.starts_with(b"-----BEGIN PGP") {
        Some("OpenPGP")
    } else if armored.starts_with(b"-----BEGIN SIGNED MESSAGE") {
        Some("X.509")
    } else {
        None
    }
}

fn is_supported(kind: &Algorithm) -> bool {
    matches!(
        kind,
        Algorithm::Ed25519
            | Algorithm::SkEd25519
            | Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 }
            | Algorithm::SkEcdsaSha2NistP256
    )
}
