//! Why a SOPS file is not opened.

use crate::{
    secret::age::AgeError,
    yaml::{Diagnostic, Place, diagnostic::quoted},
};

/// More names are not shown.
const MOST: usize = 12;

/// Why a SOPS file is not opened. Nothing of what it holds is said.
#[derive(Debug, thiserror::Error)]
pub enum SopsError {
    #[error("it is a SOPS file in the {format} format; YAML and JSON are supported")]
    OtherFormat { format: &'static str },
    #[error("{place}: {message}")]
    Yaml { place: Place, message: String },
    #[error("it is not the JSON that SOPS writes: line {line}, column {column}")]
    Json { line: usize, column: usize },
    #[error("{place}: an unencrypted number or time that readers of YAML take for different values")]
    Ambiguous { place: Place },
    #[error("it has no `sops` part, so it is no file that SOPS wrote")]
    NoMetadata,
    #[error("its `sops` part is incomplete: `{what}`")]
    Incomplete { what: &'static str },
    #[error("its `sops` part says {}, which is not known here", quoted(.name))]
    Unknown { name: String },
    #[error("it uses `{what}`, which is not supported")]
    Unsupported { what: &'static str },
    #[error("it has both `{one}` and `{other}`: SOPS writes one of them")]
    TwoRules { one: &'static str, other: &'static str },
    #[error("its `{rule}` is no regular expression that is supported")]
    Regex { rule: &'static str },
    #[error("key {} is not ASCII, and which keys are encrypted is told by a regular expression", quoted(.key))]
    NotAscii { key: String },
    #[error("key {} holds a `:`: SOPS cannot tell it from a key in a mapping", quoted(.key))]
    Colon { key: String },
    #[error("it has no age recipient{}", held_by(.services))]
    NoAge { services: Vec<&'static str> },
    #[error("it is for other recipients: {}", list(.recipients))]
    NotForUs { recipients: Vec<String> },
    #[error("its data key for `{recipient}` cannot be opened")]
    DataKey { recipient: String, source: AgeError },
    #[error("its data key has the wrong length")]
    DataKeyLength,
    #[error("{} stands there unencrypted, which its `sops` part forbids", quoted(.key))]
    NotSealed { key: String },
    #[error("{} is encrypted, which its `sops` part forbids", quoted(.key))]
    Unselected { key: String },
    #[error("{} is not written as SOPS writes an encrypted value", quoted(.key))]
    Form { key: String },
    #[error("a comment stands in the list {}, which is not supported", quoted(.key))]
    Comment { key: String },
    #[error("{} was changed, renamed, moved, or encrypted with another data key", quoted(.key))]
    Seal { key: String },
    #[error("its `mac` or `lastmodified` was changed")]
    MacDamaged,
    #[error("its values do not agree with its MAC: one was edited, added, removed or moved without SOPS")]
    Mac,
    #[error("it holds several values, and no `key` says which is meant")]
    NoKeyNamed { there: Vec<String> },
    #[error("there is no value {} in it", quoted(.key))]
    Missing { key: String, there: Vec<String> },
    #[error("two values have the address {}: a key with a dot, and keys in a mapping", quoted(.key))]
    TwoValues { key: String },
    #[error("{} is in a list: only values of mappings have an address", quoted(.key))]
    InList { key: String },
    #[error("{} is not encrypted, so it is no secret, and nothing proves that it belongs there", quoted(.key))]
    Clear { key: String },
    #[error("{} is empty: SOPS does not encrypt an empty value, so nothing proves that it belongs there", quoted(.key))]
    Empty { key: String },
}

impl SopsError {
    /// The first problem of a file. A value that a message shows may be one that somebody forgot to encrypt.
    pub(super) fn yaml(problems: &[Diagnostic]) -> Self {
        let Some(first) = problems.first() else { return Self::NoMetadata };
        let shows_value = first.message.starts_with('`');
        let message = if shows_value { "a text holds a hidden character".to_owned() } else { first.message.clone() };
        Self::Yaml { place: first.place.clone(), message }
    }

    /// The place alone: messages of the parser may show a value.
    pub(super) fn json(error: &serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column() }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        const AGAIN: &str =
            "take the file from an earlier commit, and change it with `sops edit`, which keeps it whole";
        Some(match self {
            Self::OtherFormat { .. } => "encrypt it as YAML: `sops encrypt NAME.yaml`".to_owned(),
            Self::Ambiguous { .. } => "quote it, or let SOPS encrypt it".to_owned(),
            Self::NoMetadata => "encrypt it: `sops encrypt --age age1… --in-place FILE`".to_owned(),
            Self::Unsupported { what: "mac_only_encrypted" } => {
                "leave it out of `.sops.yaml` and encrypt again: without it the MAC covers every value".to_owned()
            }
            Self::Unsupported { what: "key_groups" | "shamir_threshold" } => {
                "encrypt it for age recipients without groups: any one of them opens it".to_owned()
            }
            Self::Unsupported { .. } => "choose what is encrypted by keys: `encrypted_regex`".to_owned(),
            Self::NoAge { .. } | Self::NotForUs { .. } => {
                "add this host's recipient: `sops rotate --add-age age1… --in-place FILE`; `age-keygen -y` prints it from \
                 the host file's `secrets.age_identity`"
                    .to_owned()
            }
            Self::Mac => format!(
                "{AGAIN}; a file with a comment in a list cannot be read either: some versions of SOPS count it, others do not"
            ),
            Self::NotSealed { .. } | Self::Unselected { .. } | Self::Seal { .. } | Self::MacDamaged => AGAIN.to_owned(),
            Self::NoKeyNamed { there } => format!("write `key`, one of {}", list(there)),
            Self::Missing { there, .. } => format!("it has {}", list(there)),
            Self::TwoValues { .. } | Self::Colon { .. } | Self::NotAscii { .. } => "rename a key with `sops edit`".to_owned(),
            Self::Comment { .. } => "remove it, or put it above the list, with `sops edit`".to_owned(),
            Self::InList { .. } => "give it a key of its own with `sops edit`".to_owned(),
            Self::Clear { .. } => "write it into the manifest itself, or let SOPS encrypt it".to_owned(),
            Self::Empty { .. } => "write a value with `sops edit`".to_owned(),
            Self::DataKey { source, .. } => return Some(source.hint()),
            Self::Yaml { .. }
            | Self::Json { .. }
            | Self::Incomplete { .. }
            | Self::Unknown { .. }
            | Self::TwoRules { .. }
            | Self::Regex { .. }
            | Self::DataKeyLength
            | Self::Form { .. } => return None,
        })
    }
}

fn held_by(services: &[&str]) -> String {
    if services.is_empty() { String::new() } else { format!(": its data key is held by `{}`", services.join("`, `")) }
}

fn list(there: &[String]) -> String {
    if there.is_empty() {
        return "no value".to_owned();
    }
    there.iter().take(MOST).map(|address| quoted(address)).collect::<Vec<_>>().join(", ")
}
