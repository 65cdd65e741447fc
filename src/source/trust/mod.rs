//! Whether a commit is believed: signed by somebody who may sign, and no step back behind what was accepted before.
//!
//! Encryption of the way proves the server, not who wrote the commit; and an old commit is as well signed today as it was
//! then. Neither the engine nor the ledger is known here.

mod distrust;
mod signature;
mod signers;

pub use distrust::Distrust;
pub use signers::{BadSigners, Signers};

use super::{Commit, Repository};
use git2::{Oid, Sort};

/// Which commits must be signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// None.
    #[default]
    Off,
    /// The tip.
    Head,
    /// The tip, and every commit since the last that was accepted; those on the far side of a merge too.
    Strict,
}

/// What a commit must be to be believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    pub mode: Mode,
    /// Who may sign.
    pub signers: Signers,
    /// Whether the tip must come after what was accepted before.
    pub forward_only: bool,
}

/// Judges the tip of a branch. `accepted` is the commit that was accepted the last time; with none, only the tip itself
/// is judged: nobody signs a whole past.
///
/// # Errors
/// The first reason to distrust it, with the commit that gives it.
pub fn judge(repository: &Repository, tip: &Commit, accepted: Option<&str>, rules: &Rules) -> Result<(), Distrust> {
    let tip_id = id(&tip.id)?;
    // An accepted commit that the repository no longer has is behind nothing.
    let base = accepted.map(id).transpose()?.filter(|base| repository.git.find_commit(*base).is_ok());
    if let Some(accepted) = accepted.filter(|_| rules.forward_only) {
        let descends = match base {
            Some(base) if base == tip_id => true,
            Some(base) => repository.git.graph_descendant_of(tip_id, base).map_err(git("compare", &tip.id))?,
            None => false,
        };
        if !descends {
            return Err(Distrust::Rewound { accepted: accepted.to_owned(), tip: tip.id.clone() });
        }
    }
    match (rules.mode, base) {
        (Mode::Off, _) => Ok(()),
        (Mode::Head, _) | (Mode::Strict, None) => signature::check(repository, tip_id, &rules.signers),
        (Mode::Strict, Some(base)) => {
            signature::check(repository, tip_id, &rules.signers)?;
            let failed = git("list the commits before", &tip.id);
            let walk = || -> Result<Vec<Oid>, git2::Error> {
                let mut walk = repository.git.revwalk()?;
                walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE)?;
                walk.push(tip_id)?;
                walk.hide(base)?;
                walk.collect()
            };
            walk().map_err(failed)?.into_iter().try_for_each(|id| signature::check(repository, id, &rules.signers))
        }
    }
}

fn id(text: &str) -> Result<Oid, Distrust> {
    Oid::from_str(text).map_err(git("read the id", text))
}

fn git(doing: &'static str, commit: &str) -> impl FnOnce(git2::Error) -> Distrust {
    let commit = commit.to_owned();
    move |source| Distrust::Git { doing, commit, source }
}
