//! `init`: a manifests repository to begin with.

use super::{Complaint, arguments::Global, arguments::Output, results};
use crate::{source, value::AppName, value::EnvironmentName};
use clap::Args;
use serde::Serialize;
use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

/// Makes a manifests repository: a first manifest, its schema, previews for CI, patterns for Renovate.
///
/// A file that is there already is left alone, so it is safe to say again. The environment is the one that
/// `--environment` names, or `production`.
#[derive(Debug, Args)]
pub struct Init {
    /// Where [default: here].
    pub directory: Option<PathBuf>,
    /// The name of the first app.
    #[arg(long = "app", value_name = "NAME", default_value = "web")]
    pub first_app: AppName,
}

/// What became of each file.
#[derive(Debug, Default, Serialize)]
struct Made {
    created: Vec<String>,
    kept: Vec<String>,
}

impl Init {
    /// Writes what is missing.
    ///
    /// # Errors
    /// A file or folder cannot be made.
    pub fn run(&self, global: &Global) -> Result<(), Complaint> {
        let directory = self.directory.clone().unwrap_or_else(|| PathBuf::from("."));
        let environments = match global.environment.as_slice() {
            [] => vec!["production".parse::<EnvironmentName>()?],
            named => named.to_vec(),
        };
        let mut made = Made::default();
        for (path, content) in files(&environments, &self.first_app) {
            let new = write_new(&directory.join(&path), &content)?;
            if new { made.created.push(path) } else { made.kept.push(path) }
        }
        let repository = source::create(&directory).map_err(super::session::source)?;
        results::report(global.output, &made, || text(&made), || text(&made))?;
        if global.output == Output::Text {
            if repository {
                anstream::eprintln!("made a git repository with the branch `main`; commit the files to begin");
            }
            anstream::eprintln!("next: edit the manifest, `reconcile validate`, commit, `reconcile --dry-run`");
        }
        Ok(())
    }
}

fn files(environments: &[EnvironmentName], app: &AppName) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = (8080..)
        .zip(environments)
        .map(|(port, environment): (u16, _)| {
            // Environments may live on one host, where a port is published once.
            let manifest = include_str!("template/manifest.yaml").replace("8080:80", &format!("{port}:80"));
            (format!("environments/{environment}/{app}.yaml"), manifest)
        })
        .collect();
    files.extend(
        [
            (super::schema::MANIFEST, super::schema::manifest()),
            (".gitlab-ci.yml", include_str!("template/gitlab-ci.yml").to_owned()),
            (".github/workflows/preview.yml", include_str!("template/github-preview.yml").to_owned()),
            ("renovate.json", include_str!("template/renovate.json").to_owned()),
        ]
        .map(|(path, content)| (path.to_owned(), content)),
    );
    files
}

/// True when the file was made; one that is there is not touched, even when it appears in this moment.
fn write_new(path: &Path, content: &str) -> Result<bool, Complaint> {
    let failed = |error| Complaint::about(format!("cannot make `{}`", path.display()), error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(content.as_bytes()).map(|()| true).map_err(failed),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

fn text(made: &Made) -> String {
    let created = made.created.iter().map(|path| format!("created {path}\n"));
    let kept = made.kept.iter().map(|path| format!("kept {path}: it is there already\n"));
    created.chain(kept).collect()
}
