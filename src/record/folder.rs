//! The folders of an app's revisions: `<n>/{manifest.yaml,spec.json,plan.json,outcome-<attempt>.json}`, each file
//! written once.

use super::{Documents, RecordError, private};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs, io,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

pub(super) const MANIFEST: &str = "manifest.yaml";
const SPEC: &str = "spec.json";
const PLAN: &str = "plan.json";
/// Begins the names of what is being made or removed; numbers never do.
const UNFINISHED: &str = ".";

/// File name to SHA-256 in hex.
pub(super) type Digests = BTreeMap<String, String>;

/// All folders of one app.
#[derive(Clone, Debug)]
pub(super) struct Folders {
    path: PathBuf,
}

impl Folders {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Makes the folder of a revision, whole or not at all, and tells the digests of its files.
    ///
    /// Nobody else may be writing to this app's folders: what an earlier process left unfinished is removed first.
    pub(super) fn write(&self, number: u32, documents: &Texts) -> Result<Digests, RecordError> {
        private::make_directory(&self.path)?;
        self.sweep()?;
        let unfinished = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&self.path)
            .map_err(RecordError::file("make a directory in", &self.path))?;
        let mut digests = Digests::new();
        for (name, text) in &documents.0 {
            private::write_file(&unfinished.path().join(name), text)?;
            digests.insert((*name).to_owned(), digest(text));
        }
        private::flush_directory(unfinished.path())?;
        let folder = self.folder(number);
        fs::rename(unfinished.path(), &folder).map_err(RecordError::file("make", &folder))?;
        // It has another name now, so there is nothing left to remove.
        let _ = unfinished.keep();
        private::flush_directory(&self.path)?;
        Ok(digests)
    }

    /// Writes how an attempt ended, under the next free number of attempts.
    pub(super) fn write_outcome(&self, number: u32, detail: &Value) -> Result<(), RecordError> {
        let folder = self.folder(number);
        // A folder that somebody removed is no reason to forget how the attempt ended.
        private::make_directory(&folder)?;
        let text = json("written", &folder, detail)?;
        let write = || -> io::Result<()> {
            let mut unfinished = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&folder)?;
            unfinished.write_all(&text)?;
            unfinished.as_file().sync_all()?;
            let mut attempt = 1_u32;
            loop {
                match unfinished.persist_noclobber(folder.join(outcome(attempt))) {
                    Ok(_) => return Ok(()),
                    Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => {
                        unfinished = refused.file;
                        attempt += 1;
                    }
                    Err(refused) => return Err(refused.error),
                }
            }
        };
        write().map_err(RecordError::file("write an outcome in", &folder))?;
        private::flush_directory(&folder)
    }

    /// How the newest attempt at a revision ended; none where no attempt did, or somebody removed what told it.
    pub(super) fn newest_outcome(&self, number: u32) -> Result<Option<Value>, RecordError> {
        let folder = self.folder(number);
        let newest = names(&folder)?.iter().filter_map(|name| attempt(name)).max();
        let Some(newest) = newest else { return Ok(None) };
        let path = folder.join(outcome(newest));
        let text = fs::read(&path).map_err(RecordError::file("read", &path))?;
        let read = serde_json::from_slice(&text);
        read.map(Some).map_err(|source| RecordError::Document { doing: "read as JSON", path, source: Box::new(source) })
    }

    /// The merged manifest of a revision, if it is still what was recorded.
    pub(super) fn manifest(&self, number: u32, digests: &Digests) -> Result<Value, RecordError> {
        let path = self.folder(number).join(MANIFEST);
        let text = fs::read_to_string(&path).map_err(RecordError::file("read", &path))?;
        let found = digest(text.as_bytes());
        let recorded = digests.get(MANIFEST).cloned().unwrap_or_default();
        if found != recorded {
            return Err(RecordError::Altered { path, recorded, found });
        }
        parse(&text).map_err(|source| RecordError::Document { doing: "read as YAML", path, source })
    }

    /// The numbers that have a folder.
    pub(super) fn numbers(&self) -> Result<Vec<u32>, RecordError> {
        Ok(names(&self.path)?.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Removes the folder of a revision. It is renamed first, so that no half of one is ever seen.
    pub(super) fn remove(&self, number: u32) -> Result<(), RecordError> {
        let folder = self.folder(number);
        let gone = self.path.join(format!("{UNFINISHED}{number}"));
        let remove = |path: &Path| match fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        };
        let rename = || match fs::rename(&folder, &gone) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            renamed => renamed,
        };
        remove(&gone).and_then(|()| rename()).and_then(|()| remove(&gone)).map_err(RecordError::file("remove", &folder))
    }

    fn sweep(&self) -> Result<(), RecordError> {
        for name in names(&self.path)?.iter().filter(|name| name.starts_with(UNFINISHED)) {
            let path = self.path.join(name);
            fs::remove_dir_all(&path).map_err(RecordError::file("remove", &path))?;
        }
        Ok(())
    }

    fn folder(&self, number: u32) -> PathBuf {
        self.path.join(number.to_string())
    }
}

/// The names in a folder; none where there is no folder.
fn names(folder: &Path) -> Result<Vec<String>, RecordError> {
    let failed = || RecordError::file("read", folder);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed())?,
    };
    entries.map(|entry| Ok(entry.map_err(failed())?.file_name().to_string_lossy().into_owned())).collect()
}

/// The file that tells how an attempt ended.
fn outcome(attempt: u32) -> String {
    format!("outcome-{attempt}.json")
}

/// The attempt whose end a file tells.
fn attempt(name: &str) -> Option<u32> {
    name.strip_prefix("outcome-")?.strip_suffix(".json")?.parse().ok()
}

/// The documents of a revision as they are written.
pub(super) struct Texts(Vec<(&'static str, Vec<u8>)>);

impl Texts {
    pub(super) fn of(documents: Documents<'_>) -> Result<Self, RecordError> {
        let manifest = write_yaml(documents.manifest).map_err(|source| RecordError::Document {
            doing: "written as YAML",
            path: MANIFEST.into(),
            source,
        })?;
        Ok(Self(vec![
            (MANIFEST, manifest.into_bytes()),
            (SPEC, json("written", Path::new(SPEC), documents.spec)?),
            (PLAN, json("written", Path::new(PLAN), documents.plan)?),
        ]))
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

fn write_yaml(manifest: &Value) -> Result<String, Cause> {
    Ok(serde_yaml::to_string(manifest)?)
}

fn parse(text: &str) -> Result<Value, Cause> {
    Ok(serde_yaml::from_str(text)?)
}

fn json(doing: &'static str, path: &Path, value: &Value) -> Result<Vec<u8>, RecordError> {
    serde_json::to_vec_pretty(value).map_err(|source| RecordError::Document {
        doing,
        path: path.to_owned(),
        source: Box::new(source),
    })
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRAPS: &[&str] = &[
        "",
        "no",
        "NO",
        "yes",
        "on",
        "true",
        "null",
        "~",
        "1.10",
        "0x1f",
        "0o17",
        "1e3",
        "0123",
        "12:30:45",
        "2026-11-20",
        "=",
        "<<",
        "- a",
        "a: b",
        "a #c",
        "#c",
        " lead",
        "trail ",
        "[",
        "{",
        "!t",
        "&a",
        "*a",
        "'",
        "\"",
        "a\nb\n",
        "\na\n\n",
        "\t",
        "a\tb",
        "${X}",
        ".inf",
        ".nan",
        "---",
        "...",
        "?",
        ":",
        "%a",
        "@a",
        "`a",
        "|",
        ">",
        "\r\n",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "\0",
        "\u{202e}",
        "é",
        "🦀",
        "_",
        "1_000",
        "-",
        "+1",
        "-0",
        "0",
    ];

    /// What a merged manifest can be made of: JSON with the texts that YAML would take for something else.
    fn manifests() -> impl Strategy<Value = Value> {
        let texts = prop_oneof![any::<String>(), "[ -~]{0,12}", prop::sample::select(TRAPS).prop_map(str::to_owned),];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1_000_000_i32..1_000_000).prop_map(|n| Value::from(f64::from(n) / 64.0)),
            texts.clone().prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(4, 48, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((texts.clone(), inner), 0..6)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        });
        prop::collection::vec(("[a-z]{1,8}", value), 1..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect()))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

        #[test]
        fn a_manifest_is_read_back_as_it_was_written(manifest in manifests()) {
            let text = write_yaml(&manifest).unwrap();
            prop_assert_eq!(parse(&text).unwrap(), manifest, "{}", text);
        }
    }
}
