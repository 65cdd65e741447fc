//! `secret list`: what apps want and whether it is there. There is no value in it.

use super::{
    escape::{cell, plain, short},
    table::table,
};
use crate::value::{AppName, EnvironmentName, SecretName};
use serde::Serialize;
use std::fmt::Write;

/// A secret that an app uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretAccount {
    pub environment: EnvironmentName,
    pub app: AppName,
    pub secret: SecretName,
    /// Who keeps it.
    pub kept: Keeper,
    /// On the host an absolute path, in the repository one from its root.
    pub file: String,
    /// The keys that lead to it in a file with several.
    pub key: Option<String>,
    /// Why it cannot be had; none where it can.
    pub error: Option<String>,
    pub hint: Option<String>,
}

/// Who keeps a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Keeper {
    Host,
    Repository,
}

/// The secrets in a table; below it why some cannot be had.
#[must_use]
pub fn secrets(accounts: &[SecretAccount], width: Option<usize>) -> String {
    if accounts.is_empty() {
        return "No app uses a secret.\n".to_owned();
    }
    let mut out = table(HEADER, &accounts.iter().map(row).collect::<Vec<_>>(), width);
    for account in accounts {
        let Some(error) = &account.error else { continue };
        let _ = writeln!(out, "\n{}/{}: {}", account.environment, account.app, plain(error));
        if let Some(hint) = &account.hint {
            let _ = writeln!(out, "  hint: {}", plain(hint));
        }
    }
    out
}

/// The same as a table of markdown.
#[must_use]
pub fn markdown_secrets(accounts: &[SecretAccount]) -> String {
    let mut out = format!("| {} |\n|{}\n", HEADER.join(" | "), "---|".repeat(HEADER.len()));
    for account in accounts {
        let cells = row(account).map(|text| cell(&text));
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

const HEADER: [&str; 6] = ["ENVIRONMENT", "APP", "SECRET", "KEPT BY", "FILE", "STATE"];

fn row(account: &SecretAccount) -> [String; 6] {
    let file = match &account.key {
        Some(key) => format!("{} ({})", short(&account.file), short(key)),
        None => short(&account.file),
    };
    let kept = match account.kept {
        Keeper::Host => "host",
        Keeper::Repository => "repository",
    };
    let state = if account.error.is_none() { "there" } else { "not to be had" };
    [
        account.environment.to_string(),
        account.app.to_string(),
        account.secret.to_string(),
        kept.to_owned(),
        file,
        state.to_owned(),
    ]
}
