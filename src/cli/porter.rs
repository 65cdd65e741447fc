//! `porter`: the tool's own errand in a container beside a volume. Nobody else calls it.

use super::results;
use crate::{
    backup::{
        driver::DATA,
        porter::{Errand, Naming, Step, Tree},
    },
    value::VolumeGlob,
};
use clap::{Args, Subcommand};
use std::{io, path::Path, process::ExitCode};

/// Does an errand of a copy, in a container of its own.
#[derive(Debug, Args)]
pub struct Porter {
    #[command(subcommand)]
    pub errand: Word,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum Word {
    /// Stays until it is stopped.
    Wait,
    /// Writes a snapshot of a database.
    Sqlite { path: String },
    /// Writes an archive of the volume.
    Archive { exclude: Vec<VolumeGlob> },
    /// Clears up what was left of a restore.
    Settle { path: String },
    /// Takes a database from the standard input.
    Put { path: String, bytes: u64, sha256: String },
    /// Gives it the name of the one that is there.
    Swap { path: String },
    /// Puts back what was there before.
    Back { path: String },
    /// Lets go of what was there before.
    Forget { path: String },
    /// Gives all that is in the volume to a user and a group.
    Own { user: u32, group: u32 },
    /// Tells whether so many bytes more have room.
    Room { bytes: u64 },
    /// Takes an archive from the standard input.
    PutFiles { bytes: u64, sha256: String, folder: String, only: Vec<String> },
    /// Takes a dump of Redis from the standard input.
    PutDump { bytes: u64, sha256: String, folder: String, dump: String, log: Option<String>, parts: Option<String> },
    /// Clears up what was left of a restore of files.
    SettleFiles { folder: String, only: Vec<String> },
    /// Gives what was unpacked the place of what is there.
    SwapFiles { folder: String, only: Vec<String> },
    /// Puts back the files that were there before.
    BackFiles { folder: String, only: Vec<String> },
    /// Lets go of the files that were there before.
    ForgetFiles { folder: String, only: Vec<String> },
}

fn files(folder: &str, only: &[String], step: Step) -> Errand {
    Errand::Files { tree: Tree { folder: folder.to_owned(), only: only.to_vec() }, step }
}

impl Porter {
    /// Does it. Standard output is data.
    pub fn run(&self) -> ExitCode {
        let errand = match &self.errand {
            Word::Wait => Errand::Wait,
            Word::Sqlite { path } => Errand::Sqlite { path: path.clone() },
            Word::Archive { exclude } => Errand::Archive { exclude: exclude.clone() },
            Word::Put { path, bytes, sha256 } => {
                Errand::Put { path: path.clone(), bytes: *bytes, sha256: sha256.clone() }
            }
            Word::Settle { path } => Errand::Settle { path: path.clone() },
            Word::Swap { path } => Errand::Swap { path: path.clone() },
            Word::Back { path } => Errand::Back { path: path.clone() },
            Word::Forget { path } => Errand::Forget { path: path.clone() },
            Word::Own { user, group } => Errand::Own { user: *user, group: *group },
            Word::Room { bytes } => Errand::Room { bytes: *bytes },
            Word::PutFiles { bytes, sha256, folder, only } => {
                files(folder, only, Step::Put { bytes: *bytes, sha256: sha256.clone() })
            }
            Word::PutDump { bytes, sha256, folder, dump, log, parts } => Errand::PutDump {
                folder: folder.clone(),
                naming: Naming { dump: dump.clone(), log: log.clone(), parts: parts.clone() },
                bytes: *bytes,
                sha256: sha256.clone(),
            },
            Word::SettleFiles { folder, only } => files(folder, only, Step::Settle),
            Word::SwapFiles { folder, only } => files(folder, only, Step::Swap),
            Word::BackFiles { folder, only } => files(folder, only, Step::Back),
            Word::ForgetFiles { folder, only } => files(folder, only, Step::Forget),
        };
        match errand.run(Path::new(DATA), Path::new("/"), &mut io::stdin().lock(), &mut io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                results::tell(&format!("{error}\n"));
                ExitCode::FAILURE
            }
        }
    }
}
