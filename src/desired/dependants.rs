//! Who may ask a server for something, as far as a manifest tells.

use super::{
    Desired, DesiredService,
    backup::Data,
    spec::{Mount, MountSource},
};
use crate::value::ServiceName;
use std::collections::BTreeSet;

impl Desired {
    /// The services that may use what a service serves: all others, whether they say so in `depends_on` or not, but those that
    /// it depends on itself, and servers of other items that do not depend on it.
    #[must_use]
    pub fn dependants(&self, server: &ServiceName) -> BTreeSet<ServiceName> {
        let before = self.all_before(server);
        let servers = self.servers();
        let may = |service: &&ServiceName| {
            *service != server
                && !before.contains(*service)
                && (!servers.contains(service) || self.all_before(service).contains(server))
        };
        self.services.keys().filter(may).cloned().collect()
    }

    /// The services that run and have the volume of an item, each with the user that it runs as where a number says it.
    #[must_use]
    pub fn users_of(&self, data: &Data) -> Vec<(ServiceName, Option<(u32, u32)>)> {
        let volume = match data {
            Data::Sqlite { volume, .. } | Data::Volume { volume, .. } => Some(volume),
            Data::Postgres(_) | Data::Mysql(_) | Data::Redis { .. } | Data::Exec { .. } => None,
        };
        let has = |service: &DesiredService| match (volume, data.server()) {
            (Some(volume), _) => {
                let of = |mount: &Mount| mount.source == MountSource::Volume(volume.clone());
                service.running && service.spec.mounts.iter().any(of)
            }
            (None, Some(server)) => service.name == *server,
            (None, None) => false,
        };
        let used = self.services.values().filter(|service| has(service));
        used.map(|service| (service.name.clone(), service.spec.user.as_deref().and_then(numbers))).collect()
    }

    /// What a service depends on, and what that does.
    #[must_use]
    pub fn all_before(&self, service: &ServiceName) -> BTreeSet<ServiceName> {
        let (mut before, mut next) = (BTreeSet::new(), vec![service.clone()]);
        while let Some(service) = next.pop() {
            let depends_on = self.services.get(&service).into_iter().flat_map(|service| service.depends_on.keys());
            next.extend(depends_on.filter(|name| before.insert((*name).clone())).cloned());
        }
        before
    }

    fn servers(&self) -> BTreeSet<&ServiceName> {
        let items = self.backup.iter().flat_map(|backup| &backup.items);
        items.filter_map(|item| item.data.server()).collect()
    }
}

/// `1000:1000`, and `1000` for the group of that number, as images make them.
fn numbers(user: &str) -> Option<(u32, u32)> {
    let (user, group) = user.split_once(':').unwrap_or((user, user));
    Some((user.parse().ok()?, group.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use crate::{desired::resolve, manifest};

    #[test]
    fn whoever_may_ask_a_server_depends_on_it_and_other_servers_do_not() {
        let manifest = "services:\n  vault: {image: a:1}\n  pg: {image: a:1, depends_on: [vault]}\n  redis: {image: a:1}\n  \
                        web: {image: a:1, depends_on: [pg, redis]}\n  worker: {image: a:1}\n  search: {image: a:1, depends_on: [pg]}\n\
                        backup:\n  items:\n    - {name: pg, type: postgres, service: pg, database: shop}\n    \
                        - {name: cache, type: redis, service: redis}\n    - {name: index, type: redis, service: search}\n";
        let files = [("environments/production/shop.yaml".to_owned(), manifest.to_owned())].into();
        let mut loaded = manifest::load(&files, &"production".parse().unwrap(), "environments");
        let desired = resolve(&loaded.apps.remove("shop").unwrap().unwrap(), &resolve::Context::default());
        let of = |server: &str| {
            let found = desired.dependants(&server.parse().unwrap());
            found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("pg"), "search web worker");
        assert_eq!(of("redis"), "vault web worker");
    }
}
