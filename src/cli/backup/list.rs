//! `backup list`: the copies that are there, by their own records: no engine, no repository, no ledger is asked.

use super::{is_meant, places, told_unread};
use crate::{
    backup::{AnyPlace, BackupError, Found, Of},
    cli::{Complaint, Verdict, results, session::Session},
    show::{self, CopyAccount},
    value::{AppName, ItemName},
};
use clap::Args;

/// Lists the copies that are there, newest first, those of apps and items that no manifest has any more too.
#[derive(Debug, Args)]
pub struct List {
    /// Only those of this app.
    pub app: Option<AppName>,
    /// Only those of this item; may be given more than once.
    #[arg(long, value_name = "ITEM")]
    pub item: Vec<ItemName>,
}

impl List {
    /// Prints them, and tells of places that cannot be read: then it has failed.
    ///
    /// # Errors
    /// They cannot be printed.
    pub async fn run(&self, session: &Session) -> Result<Verdict, Complaint> {
        let mut accounts = Vec::new();
        let (all, faults) = found(session, self.app.as_ref(), &self.item).await?;
        for (place, of, found) in all {
            accounts.extend(found.copies.iter().map(|copy| CopyAccount::there(place.name(), copy)));
            accounts.extend(found.faults.iter().map(|fault| CopyAccount::unread(place.name(), &of, fault)));
        }
        for (of, failure) in places::depot(session).remembered.failures.all() {
            let environments = &session.settings.environments;
            let here = environments.is_empty() || environments.contains(&of.environment);
            // A later copy in the first place says nothing of one that lags.
            let is_past =
                failure.behind.is_none() && accounts.iter().any(|account| account.is_copy_after(&of, failure.at));
            if here && !is_past && self.app.as_ref().is_none_or(|app| *app == of.app) && is_meant(&self.item, &of.item)
            {
                accounts.push(CopyAccount::not_made(&of, &failure));
            }
        }
        results::report(
            session.settings.output,
            &accounts,
            // That there is none is not known where one may be unread.
            || {
                if accounts.is_empty() && !faults.is_empty() {
                    String::new()
                } else {
                    show::copies(&accounts, results::width())
                }
            },
            || show::markdown_copies(&accounts),
        )?;
        Ok(told_unread(faults, Verdict::Done))
    }
}

/// The copies of the environments of this run, item by item, where they can be read.
pub(super) async fn found(
    session: &Session,
    app: Option<&AppName>,
    items: &[ItemName],
) -> Result<(Vec<(AnyPlace, Of, Found)>, Vec<BackupError>), Complaint> {
    let (environments, app, items) = (session.settings.environments.clone(), app.cloned(), items.to_vec());
    let is_wanted = move |of: &Of| {
        let here = environments.is_empty() || environments.contains(&of.environment);
        here && app.as_ref().is_none_or(|app| *app == of.app) && is_meant(&items, &of.item)
    };
    let (answers, faults) = places::asked(session, move |place| {
        let items = place.items()?.into_iter().filter(&is_wanted);
        items.map(|of| Ok((AnyPlace::clone(place), of.clone(), place.copies(&of)?))).collect::<Result<Vec<_>, _>>()
    })
    .await?;
    Ok((answers.into_iter().flat_map(|(_, found)| found).collect(), faults))
}
