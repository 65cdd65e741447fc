//! Copies of apps' data: what was made, what is there, what is wrong with it.

use super::{
    escape::{cell, plain},
    table::table,
};
use crate::{
    backup::{BackupError, Copy, CopyId, Failure, Of, run::Made},
    cause,
    value::{AppName, EnvironmentName, ItemName, RepositoryName, Size},
};
use jiff::Timestamp;
use serde::Serialize;
use std::fmt::Write;

/// A copy, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CopyAccount {
    pub environment: EnvironmentName,
    pub app: AppName,
    /// None: it is about the whole run.
    pub item: Option<ItemName>,
    /// Where it is; none where it was just made, in every place of the manifest.
    pub repository: Option<RepositoryName>,
    /// What its own record tells.
    pub copy: Option<Copy>,
    /// Copies that were removed after it.
    pub removed: Vec<CopyId>,
    pub error: Option<String>,
    pub hint: Option<String>,
}

impl CopyAccount {
    fn of(environment: &EnvironmentName, app: &AppName, item: Option<&ItemName>) -> Self {
        Self {
            environment: environment.clone(),
            app: app.clone(),
            item: item.cloned(),
            repository: None,
            copy: None,
            removed: Vec::new(),
            error: None,
            hint: None,
        }
    }

    fn with(self, error: &BackupError) -> Self {
        Self { error: Some(cause::whole(error)), hint: error.hint(), ..self }
    }

    /// What a run made of an item.
    #[must_use]
    pub fn made(environment: &EnvironmentName, app: &AppName, made: &Made) -> Self {
        let account = Self { removed: made.removed.clone(), ..Self::of(environment, app, Some(&made.item)) };
        match (&made.outcome, made.troubles().next()) {
            (Ok(copy), None) => Self { copy: Some(copy.clone()), ..account },
            (Ok(copy), Some(error)) => Self { copy: Some(copy.clone()), ..account.with(error) },
            (Err(error), _) => account.with(error),
        }
    }

    /// What went wrong beside the items.
    #[must_use]
    pub fn failed(environment: &EnvironmentName, app: &AppName, error: &BackupError) -> Self {
        Self::of(environment, app, None).with(error)
    }

    /// A copy that is there.
    #[must_use]
    pub fn there(repository: &RepositoryName, copy: &Copy) -> Self {
        let account = Self::of(&copy.environment, &copy.app, Some(&copy.item));
        Self { repository: Some(repository.clone()), copy: Some(copy.clone()), ..account }
    }

    /// A copy that is not right.
    #[must_use]
    pub fn wrong(repository: &RepositoryName, copy: &Copy, error: &BackupError) -> Self {
        let copy = Copy { verified: None, ..copy.clone() };
        Self::there(repository, &copy).with(error)
    }

    /// A record that cannot be read.
    #[must_use]
    pub fn unread(repository: &RepositoryName, of: &Of, error: &BackupError) -> Self {
        let account = Self::of(&of.environment, &of.app, Some(&of.item));
        Self { repository: Some(repository.clone()), ..account.with(error) }
    }

    /// An item whose last run made no copy, or one that did not get everywhere.
    #[must_use]
    pub fn not_made(of: &Of, failure: &Failure) -> Self {
        Self {
            error: Some(failure.told("")),
            hint: failure.hint.clone(),
            ..Self::of(&of.environment, &of.app, Some(&of.item))
        }
    }

    /// Whether it is a copy of the item that can be relied on, and was taken after that.
    #[must_use]
    pub fn is_copy_after(&self, of: &Of, at: Timestamp) -> bool {
        self.copy.as_ref().is_some_and(|copy| Of::copy(copy) == *of && copy.is_good() && copy.taken_at > at)
    }

    /// Whether there is a copy to rely on, and nothing went wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.error.is_none() && self.copy.as_ref().is_some_and(Copy::is_good)
    }
}

const HEADER: [&str; 7] = ["ENVIRONMENT", "APP", "ITEM", "COPY", "SIZE", "STORED", "STATE"];

/// The copies in a table; below it what is wrong.
#[must_use]
pub fn copies(accounts: &[CopyAccount], width: Option<usize>) -> String {
    if accounts.is_empty() {
        return "There is no copy.\n".to_owned();
    }
    let mut out = table(HEADER, &accounts.iter().map(row).collect::<Vec<_>>(), width);
    for account in accounts {
        let item = account.item.as_ref().map(|item| format!("/{item}")).unwrap_or_default();
        let of = format!("{}/{}{item}", account.environment, account.app);
        if let Some(suspect) = account.copy.as_ref().and_then(|copy| copy.suspect.as_ref()) {
            let _ = writeln!(out, "\n{of}: suspect: {}", plain(suspect));
        }
        if let Some(error) = &account.error {
            let _ = writeln!(out, "\n{of}: {}", plain(error));
        }
        if let Some(hint) = &account.hint {
            let _ = writeln!(out, "  hint: {}", plain(hint));
        }
    }
    out
}

/// The same as a table of markdown.
#[must_use]
pub fn markdown_copies(accounts: &[CopyAccount]) -> String {
    let mut out = format!("| {} |\n|{}\n", HEADER.join(" | "), "---|".repeat(HEADER.len()));
    for account in accounts {
        let cells = row(account).map(|text| cell(&text));
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

fn row(account: &CopyAccount) -> [String; 7] {
    let copy = account.copy.as_ref();
    let state = match copy {
        None => "failed".to_owned(),
        Some(copy) if copy.suspect.is_some() => "suspect".to_owned(),
        Some(copy) => match &copy.verified {
            None => "not verified".to_owned(),
            Some(verified) => match verified.level {
                crate::backup::Level::Checksum => "verified (checksum)".to_owned(),
                crate::backup::Level::Content => "verified".to_owned(),
            },
        },
    };
    let place = account.repository.as_ref().map(|name| format!(" in {name}")).unwrap_or_default();
    let pinned = if copy.is_some_and(|copy| copy.pinned) { ", kept for a restore" } else { "" };
    let before = copy.and_then(|copy| copy.before_revision);
    let before = before.map(|number| format!(", before revision {number}")).unwrap_or_default();
    let drilled = match copy.and_then(|copy| copy.drilled.as_ref()) {
        Some(drilled) if drilled.trouble.is_some() => ", a drill of it failed",
        Some(_) => ", drilled",
        None => "",
    };
    let none = || "-".to_owned();
    [
        account.environment.to_string(),
        account.app.to_string(),
        account.item.as_ref().map_or_else(none, ToString::to_string),
        copy.map_or_else(none, |copy| copy.id.to_string()),
        copy.map_or_else(none, |copy| Size::from_bytes(copy.content.bytes).rounded()),
        copy.map_or_else(none, |copy| Size::from_bytes(copy.stored.bytes).rounded()),
        format!("{state}{drilled}{pinned}{before}{place}"),
    ]
}
