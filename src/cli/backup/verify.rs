//! `backup verify`: reads copies again, to the end, and writes down what was found.

use super::{list, told, told_unread};
use crate::{
    backup::{AnyPlace, BackupError, Copy, CopyId, judge, verify},
    cli::{Complaint, Verdict, session::Session},
    secret::age::Identities,
    show::CopyAccount,
    value::{AppName, ItemName},
};
use clap::Args;
use std::sync::Arc;

/// Reads copies again from the disk and compares them with what was written. One that is not right is told, and counts no
/// longer as verified.
#[derive(Debug, Args)]
pub struct Verify {
    /// Only those of this app.
    pub app: Option<AppName>,
    /// Only this copy.
    pub id: Option<CopyId>,
    /// Only those of this item; may be given more than once.
    #[arg(long, value_name = "ITEM")]
    pub item: Vec<ItemName>,
}

impl Verify {
    /// Verifies them, and tells what was found, and of places that cannot be read.
    ///
    /// # Errors
    /// There is no such copy.
    pub async fn run(&self, session: &Session) -> Result<Verdict, Complaint> {
        let identity = session.host.settings.secrets.age_identity.as_ref();
        let identities = identity.map(|path| Identities::read(path.as_str().as_ref())).transpose()?.map(Arc::new);
        let mut accounts = Vec::new();
        let (all, unread) = list::found(session, self.app.as_ref(), &self.item).await?;
        for (place, of, found) in all {
            accounts.extend(found.faults.iter().map(|fault| CopyAccount::unread(place.name(), &of, fault)));
            for copy in found.copies.into_iter().filter(|copy| self.id.as_ref().is_none_or(|id| *id == copy.id)) {
                accounts.extend(one(AnyPlace::clone(&place), copy, identities.clone()).await?);
            }
        }
        if let Some(id) = self.id.as_ref().filter(|_| accounts.is_empty() && unread.is_empty()) {
            return Err(Complaint::says(format!("there is no copy `{id}`"))
                .with_hint("`reconcile backup list` tells which there are".to_owned()));
        }
        Ok(told_unread(unread, told(session, &accounts)?))
    }
}

/// None: it was removed meanwhile.
async fn one(
    place: AnyPlace,
    copy: Copy,
    identities: Option<Arc<Identities>>,
) -> Result<Option<CopyAccount>, Complaint> {
    let verified = tokio::task::spawn_blocking(move || {
        let judge = judge(&copy.kind);
        match verify(place.as_ref(), &copy, identities.as_deref(), judge) {
            Ok(copy) => Some(CopyAccount::there(place.name(), &copy)),
            Err(BackupError::Removed { .. }) => None,
            Err(error) => Some(CopyAccount::wrong(place.name(), &copy, &error)),
        }
    });
    Ok(verified.await?)
}
