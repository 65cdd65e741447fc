//! The copies of an app, with every default filled in.

use super::Resolving;
use crate::{
    desired::backup::{
        Backup, BeforeDeploy, Compression, Consistency, Data, Drill, Hook, Item, Origin, Retention, Server,
    },
    manifest::{self, backup as written},
};

impl Resolving<'_> {
    pub(super) fn backup(&self) -> Option<Backup> {
        let section = self.manifest.backup.as_ref()?;
        let retention = &section.retention;
        Some(Backup {
            // The cross-check saw that nothing is missing.
            items: section.items.iter().filter_map(|item| self.item(item)).collect(),
            schedule: section.schedule.clone(),
            timezone: section.timezone.clone(),
            jitter: section.jitter.into(),
            catch_up: section.catch_up.into(),
            timeout: section.timeout.into(),
            before: section.hooks.before.iter().map(hook).collect(),
            after: section.hooks.after.iter().map(hook).collect(),
            compression: match section.compression {
                written::Compression::Zstd => Compression::Zstd,
                written::Compression::Gzip => Compression::Gzip,
                written::Compression::None => Compression::None,
            },
            recipients: section.encryption.age.clone(),
            repositories: section.repositories.clone(),
            retention: Retention {
                last: retention.keep_last,
                daily: retention.keep_daily,
                weekly: retention.keep_weekly,
                monthly: retention.keep_monthly,
                within: retention.keep_within.into(),
                min_verified: retention.min_verified,
            },
            judges_content: section.verify == written::Verify::Content,
            max_age: section.max_age.map(Into::into),
            before_deploy: match section.before_deploy {
                written::BeforeDeploy::Never => BeforeDeploy::Never,
                written::BeforeDeploy::Changed => BeforeDeploy::Changed,
                written::BeforeDeploy::Always => BeforeDeploy::Always,
            },
            drill: section
                .drill
                .as_ref()
                .map(|drill| Drill { schedule: drill.schedule.clone(), healthcheck: drill.healthcheck }),
        })
    }

    fn item(&self, item: &written::Item) -> Option<Item> {
        let volume = || item.volume.as_ref().map(|key| self.volume_name(key));
        let server = || {
            Some(Server {
                service: item.service.clone()?,
                database: item.database.clone()?,
                user: item.user_from.as_ref().and_then(origin),
                password: item.password_from.as_ref().and_then(origin),
            })
        };
        let data = match item.kind {
            written::ItemType::Sqlite => Data::Sqlite { volume: volume()?, path: item.path.as_ref()?.to_string() },
            written::ItemType::Postgres => Data::Postgres(server()?),
            written::ItemType::Mysql => Data::Mysql(server()?),
            written::ItemType::Redis => {
                Data::Redis { service: item.service.clone()?, password: item.password_from.as_ref().and_then(origin) }
            }
            written::ItemType::Volume => Data::Volume {
                volume: volume()?,
                exclude: item.exclude.clone(),
                consistency: match item.consistency {
                    written::Consistency::None => Consistency::None,
                    written::Consistency::Pause => Consistency::Pause,
                    written::Consistency::Stop => Consistency::Stop,
                },
            },
            written::ItemType::Exec => Data::Exec { service: item.service.clone()?, command: item.command.clone()?.0 },
        };
        Some(Item { name: item.name.clone(), data })
    }
}

fn hook(hook: &written::Hook) -> Hook {
    Hook {
        service: hook.service.clone(),
        user: hook.user.as_ref().map(|manifest::Text(user)| user.clone()),
        command: hook.command.0.clone(),
    }
}

fn origin(origin: &written::Origin) -> Option<Origin> {
    let variable = origin.env.as_ref().map(|name| Origin::Variable(name.to_string()));
    variable.or_else(|| origin.file.as_ref().map(|path| Origin::File(path.to_string())))
}
