//! The last commit that was accepted of each branch, for each environment: a branch that goes back behind it was rewound.

use super::{Ledger, ledger::Answer};
use crate::value::EnvironmentName;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// A branch of a source, as an environment follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The repository's path or URL.
    pub source: String,
    /// The branch; `HEAD` where none was named.
    pub reference: String,
    pub environment: EnvironmentName,
}

/// A commit that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// 40 hex digits.
    pub commit: String,
    pub at: Timestamp,
    /// Who said so, where it was not the branch's own progress.
    pub by: Option<String>,
}

impl Ledger {
    /// What was accepted of a branch.
    pub async fn accepted(&self, followed: &Followed) -> Answer<Option<Accepted>> {
        let followed = followed.clone();
        self.database.read("read what was accepted", move |connection| Ok(find(connection, &followed)?)).await
    }

    /// Accepts a commit of a branch; what was accepted before is forgotten. Nothing is written where it is the same.
    pub async fn accept(&self, followed: &Followed, accepted: Accepted) -> Answer<()> {
        let same = self.accepted(followed).await?.is_some_and(|before| before.commit == accepted.commit);
        if same && accepted.by.is_none() {
            return Ok(());
        }
        let followed = followed.clone();
        self.database
            .write("write what was accepted", move |connection| {
                let Followed { source, reference, environment } = &followed;
                connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO accepted (source, reference, environment, commit_id, at, by)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![
                        source,
                        reference,
                        environment.as_str(),
                        accepted.commit,
                        accepted.at.as_microsecond(),
                        accepted.by
                    ])?;
                Ok(())
            })
            .await
    }
}

fn find(connection: &Connection, followed: &Followed) -> rusqlite::Result<Option<Accepted>> {
    // A look at the database of an earlier release finds it as that release left it.
    if !connection.table_exists(None, "accepted")? {
        return Ok(None);
    }
    connection
        .prepare_cached(
            "SELECT commit_id, at, by FROM accepted WHERE source = ?1 AND reference = ?2 AND environment = ?3",
        )?
        .query_row(params![followed.source, followed.reference, followed.environment.as_str()], |row| {
            let at = Timestamp::from_microsecond(row.get(1)?).unwrap_or(Timestamp::UNIX_EPOCH);
            Ok(Accepted { commit: row.get(0)?, at, by: row.get(2)? })
        })
        .optional()
}
