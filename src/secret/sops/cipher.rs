//! One sealed value: AES-256-GCM with a nonce of 32 bytes.

use aes_gcm::{
    AesGcm, KeyInit, Tag,
    aead::{AeadInPlace, consts::U32, generic_array::GenericArray},
    aes::Aes256,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::zeroize::Zeroizing;

/// Bytes of a data key.
pub(super) const KEY: usize = 32;
const NONCE: usize = 32;
const TAG: usize = 16;

/// What every value of a file is sealed with.
pub(super) struct DataKey(AesGcm<Aes256, U32>);

/// The type that a value had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// SOPS writes `True` and `False`.
    Truth,
    /// A number, a time, bytes: as they are written.
    Other,
}

/// A value that was opened.
pub(super) struct Opened {
    pub(super) plain: Zeroizing<Vec<u8>>,
    pub(super) kind: Kind,
}

/// Why a value was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is not written as SOPS writes it.
    Form,
    /// It is a comment of a list, which SOPS keeps among its values.
    Comment,
    /// It was sealed with another key or under other keys, or was changed.
    Seal,
}

/// A value as it is written: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.
struct Sealed {
    data: Vec<u8>,
    nonce: [u8; NONCE],
    tag: [u8; TAG],
    kind: Kind,
}

/// Whether a text says of itself that it is sealed.
pub(super) fn is_sealed(text: &str) -> bool {
    text.starts_with("ENC[")
}

impl DataKey {
    pub(super) fn new(key: &[u8; KEY]) -> Self {
        Self(AesGcm::new(GenericArray::from_slice(key)))
    }

    /// Opens a value that was sealed together with `beside`.
    pub(super) fn open(&self, text: &str, beside: &str) -> Result<Opened, Fault> {
        if text.ends_with(",type:comment]") {
            return Err(Fault::Comment);
        }
        let Sealed { data, nonce, tag, kind } = Sealed::parse(text).ok_or(Fault::Form)?;
        let mut plain = Zeroizing::new(data);
        self.0
            .decrypt_in_place_detached(
                GenericArray::from_slice(&nonce),
                beside.as_bytes(),
                &mut plain,
                Tag::from_slice(&tag),
            )
            .map_err(|_| Fault::Seal)?;
        Ok(Opened { plain, kind })
    }
}

impl Sealed {
    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.strip_prefix("ENC[AES256_GCM,")?.strip_suffix(']')?.split(',');
        let mut field = |name: &str| fields.next()?.strip_prefix(name)?.strip_prefix(':');
        let (data, nonce, tag, kind) = (field("data")?, field("iv")?, field("tag")?, field("type")?);
        let bytes = |text: &str| STANDARD.decode(text).ok();
        if fields.next().is_some() {
            return None;
        }
        let kind = match kind {
            "str" => Kind::Text,
            "bool" => Kind::Truth,
            "int" | "float" | "time" | "bytes" => Kind::Other,
            _ => return None,
        };
        Some(Self {
            data: bytes(data)?,
            nonce: bytes(nonce)?.try_into().ok()?,
            tag: bytes(tag)?.try_into().ok()?,
            kind,
        })
    }
}
