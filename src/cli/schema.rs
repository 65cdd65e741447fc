//! `schema`: what editors check manifests with, and what else is generated.

use super::{Complaint, reference, results};
use crate::{host, manifest as manifests, show};
use clap::Args;
use std::{fs, io::ErrorKind};

/// Where the schema of manifests is kept in a repository.
pub const MANIFEST: &str = "schema/manifest.schema.json";
const HOST: &str = "schema/host.schema.json";

/// Prints the schema of manifests.
#[derive(Debug, Args)]
pub struct Schema {
    /// Compares the generated files that are here (`schema/`, `docs/reference/`) with what this release would write.
    #[arg(long)]
    pub check: bool,
    /// Writes the generated files that are here anew.
    #[arg(long, conflicts_with = "check")]
    pub write: bool,
}

impl Schema {
    /// Prints, compares or writes.
    ///
    /// # Errors
    /// A generated file is stale, missing where it must be, or cannot be read or written.
    pub fn run(&self) -> Result<(), Complaint> {
        if !self.check && !self.write {
            return results::print(&manifest());
        }
        let mut stale = Vec::new();
        for (path, content) in documents() {
            let found = match fs::read_to_string(path) {
                Ok(text) => text,
                Err(error) if error.kind() == ErrorKind::NotFound && path != MANIFEST => continue,
                Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
                Err(error) => return Err(Complaint::about(format!("cannot read `{path}`"), error)),
            };
            let Some(difference) = show::difference(path, &found, &content) else { continue };
            if self.check {
                results::print(&difference)?;
                stale.push(format!("`{path}`"));
            } else {
                write(path, &content)?;
                results::print(&format!("wrote {path}\n"))?;
            }
        }
        if stale.is_empty() {
            return Ok(());
        }
        Err(Complaint::says(format!("not as this release generates it: {}", stale.join(", ")))
            .with_hint("reconcile schema --write".to_owned()))
    }
}

fn write(path: &str, content: &str) -> Result<(), Complaint> {
    let folder = std::path::Path::new(path).parent().unwrap_or(std::path::Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, content))
        .map_err(|error| Complaint::about(format!("cannot write `{path}`"), error))
}

/// Everything that is generated, with its place in a repository.
#[must_use]
pub fn documents() -> [(&'static str, String); 5] {
    [
        (MANIFEST, manifest()),
        (HOST, pretty(&host::schema())),
        ("docs/reference/cli.md", reference::command_line()),
        ("docs/reference/manifest.md", reference::manifest()),
        ("docs/reference/host.md", reference::host()),
    ]
}

/// The schema of manifests as it stands in a file.
#[must_use]
pub fn manifest() -> String {
    pretty(&manifests::schema())
}

fn pretty(schema: &serde_json::Value) -> String {
    format!("{schema:#}\n")
}
