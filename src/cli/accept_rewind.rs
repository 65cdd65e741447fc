//! `accept-rewind`: a branch whose history was rewritten on purpose is followed again.

use super::{
    Complaint, results,
    session::{Session, source},
    settings,
};
use crate::record::Accepted;
use clap::Args;
use jiff::Timestamp;
use std::str::FromStr;

/// Accepts that the branch was rewound: what it is now is followed, although it does not come after what was.
#[derive(Debug, Args)]
pub struct AcceptRewind {
    /// The commit that the branch is at now: its id, or the first seven digits of it or more.
    #[arg(value_name = "SHA")]
    pub commit: CommitId,
}

/// The id of a commit, or its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitId(String);

impl FromStr for CommitId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if (7..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Self(text.to_ascii_lowercase()));
        }
        Err("write 7 to 40 hex digits, as `git rev-parse` prints them".to_owned())
    }
}

impl AcceptRewind {
    /// Records it for the environments of this run; the next pass acts on it.
    ///
    /// # Errors
    /// The branch is at another commit; the source cannot be read, or the ledger not be written.
    pub async fn run(&self, session: &Session) -> Result<(), Complaint> {
        let tip = {
            let (repository, tip) = session.head()?;
            if !repository.is_named_by(&tip, &self.commit.0).map_err(source)? {
                return Err(Complaint::says(format!(
                    "`{}` is not what `{}` is at: {}",
                    self.commit.0, tip.reference, tip.id
                ))
                .with_hint(format!(
                    "look at it (`git log {}`); if it is meant: `reconcile accept-rewind {}`",
                    tip.id, tip.id
                )));
            }
            tip
        };
        let environments = session.environments()?;
        let ledger = session.writing().await?;
        for environment in environments {
            let followed = session.followed(&environment);
            let before = ledger.accepted(&followed).await?.map(|accepted| accepted.commit);
            let accepted = Accepted { commit: tip.id.clone(), at: Timestamp::now(), by: Some(settings::user()) };
            ledger.accept(&followed, accepted).await?;
            let before = before.map_or(String::new(), |before| format!(" in place of {before}"));
            results::tell(&format!("{environment} follows {}{before}, from the next pass on\n", tip.revision()));
        }
        Ok(())
    }
}
