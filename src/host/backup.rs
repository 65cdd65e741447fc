//! Where copies of apps' data go.

use crate::{
    value::{AbsolutePath, BucketName, KeyPrefix, RepositoryName, WebUrl},
    yaml::{Diagnostic, Key, Node, Value},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap};

/// The places for copies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Backup")]
pub struct Backup {
    /// The places by name; without any there is `local`, the folder `backups` of the state directory.
    #[schemars(
        title = "Repositories",
        schema_with = "repositories",
        example = serde_json::json!({"local": {"type": "local", "path": "/var/lib/reconcile/backups"}})
    )]
    pub repositories: BTreeMap<RepositoryName, Repository>,
}

/// A place for copies, with its own settings and no other's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Keys", into = "Keys")]
pub enum Repository {
    /// A folder of this host, which nobody else writes.
    Local { path: AbsolutePath },
    /// A bucket.
    S3(S3),
}

/// A bucket of S3, or of what speaks as it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3 {
    /// Who is asked; none is Amazon's own in the region.
    pub endpoint: Option<WebUrl>,
    pub region: String,
    pub bucket: BucketName,
    /// Where in the bucket; none is all of it.
    pub prefix: Option<KeyPrefix>,
    pub access_key_id: String,
    pub secret_access_key_file: AbsolutePath,
}

/// What a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(title = "Type", inline, example = &"local")]
enum Kind {
    Local,
    S3,
}

/// A place for copies. Settings of another type than its own are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Repository", inline)]
struct Keys {
    /// What it is: `local` is a folder of this host, `s3` a bucket.
    #[serde(rename = "type")]
    #[schemars(title = "Type", example = &"local")]
    kind: Kind,
    /// Of `local`: the folder, closed to others and written by nobody else. Default: none, it has to be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Folder", example = &"/var/lib/reconcile/backups")]
    path: Option<AbsolutePath>,
    /// Of `s3`: who is asked. Default: Amazon's own in the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Endpoint", example = &"https://s3.example.com")]
    endpoint: Option<WebUrl>,
    /// Of `s3`: the region. Default: `us-east-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Region", length(min = 1), example = &"eu-central-1")]
    region: Option<String>,
    /// Of `s3`: the bucket, which is there already. Default: none, it has to be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Bucket", example = &"example-backups")]
    bucket: Option<BucketName>,
    /// Of `s3`: where in the bucket copies lie. Default: at its root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Prefix", example = &"hosts/web1")]
    prefix: Option<KeyPrefix>,
    /// Of `s3`: the name of the key that may list, read, write and delete there. Default: none, it has to be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Access key", length(min = 1), example = &"AKIAIOSFODNN7EXAMPLE")]
    access_key_id: Option<String>,
    /// Of `s3`: the file with that key's secret, closed to others (mode 0600). It is read whenever the bucket is asked.
    /// Default: none, it has to be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Secret key", example = &"/etc/reconcile/s3-secret")]
    secret_access_key_file: Option<AbsolutePath>,
}

/// Whose setting a key is, and whether it has to be written there, with what it is like.
const SETTINGS: [(&str, Kind, Option<&str>); 7] = [
    ("path", Kind::Local, Some("path: /var/lib/reconcile/backups")),
    ("endpoint", Kind::S3, None),
    ("region", Kind::S3, None),
    ("bucket", Kind::S3, Some("bucket: example-backups")),
    ("prefix", Kind::S3, None),
    ("access_key_id", Kind::S3, Some("access_key_id: AKIAIOSFODNN7EXAMPLE")),
    ("secret_access_key_file", Kind::S3, Some("secret_access_key_file: /etc/reconcile/s3-secret")),
];

/// What a place of a type cannot do without.
#[derive(Debug, thiserror::Error)]
#[error("key `{0}` is missing")]
struct Missing(&'static str);

impl TryFrom<Keys> for Repository {
    type Error = Missing;

    fn try_from(keys: Keys) -> Result<Self, Missing> {
        Ok(match keys.kind {
            Kind::Local => Self::Local { path: keys.path.ok_or(Missing("path"))? },
            Kind::S3 => Self::S3(S3 {
                endpoint: keys.endpoint,
                region: keys.region.unwrap_or_else(|| "us-east-1".to_owned()),
                bucket: keys.bucket.ok_or(Missing("bucket"))?,
                prefix: keys.prefix,
                access_key_id: keys.access_key_id.ok_or(Missing("access_key_id"))?,
                secret_access_key_file: keys.secret_access_key_file.ok_or(Missing("secret_access_key_file"))?,
            }),
        })
    }
}

impl From<Repository> for Keys {
    fn from(repository: Repository) -> Self {
        let none = Self {
            kind: Kind::Local,
            path: None,
            endpoint: None,
            region: None,
            bucket: None,
            prefix: None,
            access_key_id: None,
            secret_access_key_file: None,
        };
        match repository {
            Repository::Local { path } => Self { path: Some(path), ..none },
            Repository::S3(S3 { endpoint, region, bucket, prefix, access_key_id, secret_access_key_file }) => Self {
                kind: Kind::S3,
                endpoint,
                region: Some(region),
                bucket: Some(bucket),
                prefix,
                access_key_id: Some(access_key_id),
                secret_access_key_file: Some(secret_access_key_file),
                ..none
            },
        }
    }
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::S3 => "s3",
        }
    }
}

impl Repository {
    /// Whether it is on this host.
    #[must_use]
    pub const fn is_near(&self) -> bool {
        match self {
            Self::Local { .. } => true,
            Self::S3(_) => false,
        }
    }

    /// What of this host no container may see: where copies are, or what opens the place.
    #[must_use]
    pub const fn private_path(&self) -> &AbsolutePath {
        match self {
            Self::Local { path } => path,
            Self::S3(s3) => &s3.secret_access_key_file,
        }
    }
}

impl Backup {
    /// The names that manifests may use.
    #[must_use]
    pub fn names(&self) -> Vec<RepositoryName> {
        if self.repositories.is_empty() {
            return vec![RepositoryName::local()];
        }
        self.repositories.keys().cloned().collect()
    }

    /// Whether a manifest may use the name.
    #[must_use]
    pub fn has(&self, name: &RepositoryName) -> bool {
        self.names().contains(name)
    }
}

/// What the shape cannot say of the places, before they are read as what they are.
pub(super) fn cross_check(tree: &Node) -> Vec<Diagnostic> {
    let Some(places) = tree.get("backup").and_then(|backup| backup.get("repositories")) else { return Vec::new() };
    let Value::Mapping(places) = &places.value else { return Vec::new() };
    let mut found: Vec<Diagnostic> = places.iter().flat_map(|(name, place)| one(name, place)).collect();
    found.sort_by(|a, b| a.place.cmp(&b.place));
    found
}

fn one(name: &Key, place: &Node) -> Vec<Diagnostic> {
    let Value::Mapping(entries) = &place.value else { return Vec::new() };
    let text = |key: &str| match place.get(key).map(|node| &node.value) {
        Some(Value::Scalar { text, .. }) => Some(text.as_str()),
        Some(Value::Null | Value::Sequence(_) | Value::Mapping(_)) | None => None,
    };
    let Some(kind) = [Kind::Local, Kind::S3].into_iter().find(|kind| text("type") == Some(kind.word())) else {
        return Vec::new();
    };
    let strange = entries.iter().filter_map(|(key, _)| {
        let (_, of, _) = SETTINGS.iter().find(|(setting, of, _)| *setting == key.text && *of != kind)?;
        let message = format!("`{}` is of `{}`, and this place is `{}`", key.text, of.word(), kind.word());
        Some(Diagnostic::new(&key.place, message).with_hint("remove it"))
    });
    let missing = SETTINGS.iter().filter(|(key, of, _)| *of == kind && place.get(key).is_none());
    let missing = missing.filter_map(|(key, _, sample)| {
        let message =
            format!("key `{key}` is missing in `backup.repositories.{}`, which is `{}`", name.text, kind.word());
        Some(Diagnostic::new(&name.place, message).with_hint(format!("write it, as in `{}`", (*sample)?)))
    });
    let open = place.get("endpoint").filter(|_| {
        kind == Kind::S3
            && text("endpoint").and_then(|url| url.parse::<WebUrl>().ok()).is_some_and(|url| !url.is_private())
    });
    let open = open.map(|node| {
        Diagnostic::new(&node.place, "copies would travel in the clear").with_hint("write an `https://` URL")
    });
    strange.chain(missing).chain(open).collect()
}

impl JsonSchema for Repository {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Repository".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Keys::json_schema(generator);
        schema.insert(
            "examples".to_owned(),
            serde_json::json!([{"type": "local", "path": "/var/lib/reconcile/backups"}]),
        );
        schema
    }
}

/// A mapping whose keys are judged as names.
fn repositories(generator: &mut SchemaGenerator) -> Schema {
    let (name, place) = (generator.subschema_for::<RepositoryName>(), generator.subschema_for::<Repository>());
    json_schema!({"type": "object", "propertyNames": name, "additionalProperties": place})
}
