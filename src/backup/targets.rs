//! The seam to containers whose data is replaced.

use super::{BackupError, User};
use crate::value::ServiceName;
use futures_util::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};

/// The containers of one app that a restore stops, and the volumes that it fills.
pub trait Targets: Send + Sync {
    /// The running containers of these services of the app.
    fn running<'a>(&'a self, services: &'a BTreeSet<ServiceName>) -> BoxFuture<'a, Result<Vec<User>, BackupError>>;

    /// The volume that a path of a service's container is in, and the path in it; none where it is in none.
    fn place<'a>(
        &'a self,
        service: &'a ServiceName,
        path: &'a str,
    ) -> BoxFuture<'a, Result<Option<(String, String)>, BackupError>>;

    /// Whether the engine has a volume of this name.
    fn has_volume<'a>(&'a self, volume: &'a str) -> BoxFuture<'a, Result<bool, BackupError>>;

    /// Makes a volume with labels, as a pass would.
    fn make_volume<'a>(
        &'a self,
        volume: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), BackupError>>;

    /// Starts the newest container of a service where none of it runs; tells whether there is one.
    fn wake<'a>(&'a self, service: &'a ServiceName) -> BoxFuture<'a, Result<bool, BackupError>>;
}
