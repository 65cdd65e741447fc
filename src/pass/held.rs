//! Containers that a run of copies held still and was killed go on, of whatever app, before anybody knows what the branch says: one
//! of them may be what serves it.

use super::Host;
use crate::{
    apply::back_up,
    backup::Holding,
    cause::whole,
    engine::Engine,
    record::{AppLock, lock::Attempt},
};

/// Lets them go on. Whoever has an app's lock sees to those of the app itself.
pub async fn bring_back<E: Engine>(host: &Host<E>) {
    let (settings, engine) = (&host.settings, &host.hands.engine);
    for (environment, app) in Holding::noted(&settings.depot.begun) {
        let of = (&environment, &app);
        let freed = match AppLock::attempt(&settings.lock_dir, &settings.engine, &environment, &app) {
            Ok(Attempt::Busy(_)) => continue,
            Ok(Attempt::Acquired(_lock)) => {
                back_up::bring_back(engine, &settings.installation, &settings.depot.begun, of)
                    .await
                    .map_err(|error| whole(&error))
            }
            Err(error) => Err(whole(&error)),
        };
        match freed {
            Ok(_) => {
                tracing::warn!(%environment, %app, "a run of copies was killed: the containers that it held still go on")
            }
            Err(error) => tracing::error!(%environment, %app, error, "containers that a copy held still do not go on"),
        }
    }
}
