//! Drills: what came of copies that were restored where they harm nobody.

use super::{
    escape::{cell, plain},
    table::table,
};
use crate::{
    backup::{BackupError, Copy, CopyId},
    cause,
    value::{AppName, EnvironmentName, ItemName},
};
use serde::Serialize;
use std::fmt::Write;

/// What came of the drill of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrillAccount {
    pub environment: EnvironmentName,
    pub app: AppName,
    pub item: ItemName,
    /// None: no copy was found, or none is drilled.
    pub copy: Option<CopyId>,
    /// How long it took.
    pub seconds: Option<u64>,
    /// What went wrong.
    pub error: Option<String>,
    /// Nobody but its own command knows what a copy of it is good for.
    pub left_out: bool,
}

impl DrillAccount {
    /// What became of it.
    #[must_use]
    pub fn of(
        environment: &EnvironmentName,
        app: &AppName,
        item: &ItemName,
        drilled: Result<Copy, BackupError>,
    ) -> Self {
        let account = Self::left_out(environment, app, item);
        let account = Self { left_out: false, ..account };
        match drilled {
            Ok(copy) => Self {
                copy: Some(copy.id),
                seconds: copy.drilled.as_ref().map(|drilled| drilled.seconds),
                error: copy.drilled.and_then(|drilled| drilled.trouble),
                ..account
            },
            Err(error) => Self { error: Some(cause::whole(&error)), ..account },
        }
    }

    /// One that is not drilled.
    #[must_use]
    pub fn left_out(environment: &EnvironmentName, app: &AppName, item: &ItemName) -> Self {
        let (environment, app, item) = (environment.clone(), app.clone(), item.clone());
        Self { environment, app, item, copy: None, seconds: None, error: None, left_out: true }
    }

    /// Nothing went wrong.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.error.is_none()
    }
}

const HEADER: [&str; 6] = ["ENVIRONMENT", "APP", "ITEM", "COPY", "SECONDS", "STATE"];

/// Drills in a table; below it what went wrong.
#[must_use]
pub fn drills(accounts: &[DrillAccount], width: Option<usize>) -> String {
    let mut out = table(HEADER, &accounts.iter().map(row).collect::<Vec<_>>(), width);
    for account in accounts {
        if let Some(error) = &account.error {
            let _ = writeln!(out, "\n{}/{}/{}: {}", account.environment, account.app, account.item, plain(error));
        }
    }
    out
}

/// The same as a table of markdown.
#[must_use]
pub fn markdown_drills(accounts: &[DrillAccount]) -> String {
    let mut out = format!("| {} |\n|{}\n", HEADER.join(" | "), "---|".repeat(HEADER.len()));
    for account in accounts {
        let cells = row(account).map(|text| cell(&text));
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

fn row(account: &DrillAccount) -> [String; 6] {
    let state = match (&account.error, account.left_out) {
        (Some(_), _) => "failed",
        (None, true) => "left out: only its command knows",
        (None, false) => "restored",
    };
    [
        account.environment.to_string(),
        account.app.to_string(),
        account.item.to_string(),
        account.copy.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
        account.seconds.map_or_else(|| "-".to_owned(), |seconds| seconds.to_string()),
        state.to_owned(),
    ]
}
