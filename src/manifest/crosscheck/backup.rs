//! Backups: items that say too little or too much, names that lead nowhere, and retention that keeps nothing.

use super::{
    findings::Findings,
    reference::{declare, unknown_service},
};
use crate::{
    manifest::{
        Manifest,
        backup::{Backup, Consistency, Hook, Item, ItemType, Retention},
    },
    value::{Duration, ServiceName},
};
use std::collections::BTreeSet;

/// A schedule comes again once a day, mostly.
const LONGEST_JITTER: Duration = Duration::from_secs(24 * 60 * 60);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What is wrong with an app's section.
pub(super) fn section(manifest: &Manifest, findings: &mut Findings<'_>) {
    let Some(backup) = &manifest.backup else { return };
    let mut names = BTreeSet::new();
    for (index, item) in backup.items.iter().enumerate() {
        let index = index.to_string();
        if !names.insert(&item.name) {
            let message = format!("two items are called `{}`", item.name);
            findings.advise(&["backup", "items", &index, "name"], message, "give one of them another name");
        }
        fields(item, &index, findings);
        names_of(manifest, item, &index, findings);
        if let Some(command) = &item.command
            && command.0.is_empty()
        {
            findings.add(&["backup", "items", &index, "command"], "the command is empty");
        }
    }
    for (when, hooks) in [("before", &backup.hooks.before), ("after", &backup.hooks.after)] {
        for (index, hook) in hooks.iter().enumerate() {
            hooked(manifest, hook, &["backup", "hooks", when, &index.to_string()], findings);
        }
    }
    let mut repositories = BTreeSet::new();
    for (index, repository) in backup.repositories.iter().enumerate() {
        if !repositories.insert(repository) {
            let path = ["backup", "repositories", &index.to_string()];
            findings.add(&path, format!("`{repository}` is named twice"));
        }
    }
    spans(backup, findings);
    retention(&backup.retention, findings);
}

/// A field of an item: its name, whether it is written, whose it is, and who cannot do without it.
type Field = (&'static str, bool, &'static [ItemType], &'static [ItemType]);

fn written(item: &Item) -> [Field; 8] {
    use ItemType::{Exec, Mysql, Postgres, Redis, Sqlite, Volume};
    [
        ("volume", item.volume.is_some(), &[Sqlite, Volume], &[Sqlite, Volume]),
        ("path", item.path.is_some(), &[Sqlite], &[Sqlite]),
        ("service", item.service.is_some(), &[Postgres, Mysql, Redis, Exec], &[Postgres, Mysql, Redis, Exec]),
        ("database", item.database.is_some(), &[Postgres, Mysql], &[Postgres, Mysql]),
        ("user_from", item.user_from.is_some(), &[Postgres, Mysql], &[]),
        ("password_from", item.password_from.is_some(), &[Postgres, Mysql, Redis], &[]),
        ("exclude", !item.exclude.is_empty(), &[Volume], &[]),
        ("consistency", item.consistency != Consistency::None, &[Volume], &[]),
    ]
}

fn fields(item: &Item, index: &str, findings: &mut Findings<'_>) {
    let command: Field = ("command", item.command.is_some(), &[ItemType::Exec], &[ItemType::Exec]);
    for (field, is_written, of, needed_by) in written(item).into_iter().chain([command]) {
        let kind = item.kind.word();
        if is_written && !of.contains(&item.kind) {
            let owners: Vec<String> = of.iter().map(|kind| format!("`{}`", kind.word())).collect();
            let path = ["backup", "items", index, field];
            findings.advise(&path, format!("`{field}` is of {}, and this is `{kind}`", owners.join(", ")), "remove it");
        }
        if !is_written && needed_by.contains(&item.kind) {
            let message = format!("key `{field}` is missing in item `{}`, which is `{kind}`", item.name);
            findings.advise(
                &["backup", "items", index],
                message,
                format!("write it, as in `{field}: {}`", sample(field)),
            );
        }
    }
}

fn sample(field: &str) -> &'static str {
    match field {
        "volume" => "data",
        "path" => "app.db",
        "service" => "postgres",
        "database" => "app",
        _ => "[dump.sh]",
    }
}

fn names_of(manifest: &Manifest, item: &Item, index: &str, findings: &mut Findings<'_>) {
    if let Some(volume) = &item.volume
        && !manifest.volumes.contains_key(volume)
    {
        let declared: Vec<&str> = manifest.volumes.keys().map(AsRef::as_ref).collect();
        let hint = declare(volume.as_str(), &declared, "volumes");
        findings.advise(&["backup", "items", index, "volume"], format!("volume `{volume}` is not declared"), hint);
    }
    if let Some(service) = &item.service {
        known(manifest, service, &["backup", "items", index, "service"], findings);
    }
}

fn known(manifest: &Manifest, service: &ServiceName, path: &[&str], findings: &mut Findings<'_>) {
    if !manifest.services.contains_key(service) {
        let services: Vec<&str> = manifest.services.keys().map(AsRef::as_ref).collect();
        let (message, hint) = unknown_service(service, &services);
        findings.advise(path, message, hint);
    }
}

fn hooked(manifest: &Manifest, hook: &Hook, path: &[&str], findings: &mut Findings<'_>) {
    known(manifest, &hook.service, &[path, &["service"]].concat(), findings);
    if hook.command.0.is_empty() {
        findings.add(&[path, &["command"]].concat(), "the command is empty");
    }
}

fn spans(backup: &Backup, findings: &mut Findings<'_>) {
    let nothing = Duration::default();
    if backup.timeout == nothing {
        findings.add(&["backup", "timeout"], "`timeout` must be longer than 0s");
    } else if backup.timeout > LONGEST_TIMEOUT {
        findings.add(&["backup", "timeout"], format!("`timeout` is {LONGEST_TIMEOUT} at most"));
    }
    if backup.jitter > LONGEST_JITTER {
        findings.add(&["backup", "jitter"], format!("`jitter` is {LONGEST_JITTER} at most"));
    }
    if backup.max_age == Some(nothing) {
        findings.advise(
            &["backup", "max_age"],
            "no copy is so young",
            "write a little more than the schedule's distance, as in `26h`",
        );
    }
    if backup.schedule.is_none() {
        for (field, is_written) in [("jitter", backup.jitter != nothing), ("max_age", backup.max_age.is_some())] {
            if is_written {
                let hint = "write `schedule`, as in `schedule: \"30 2 * * *\"`, or remove it";
                findings.advise(
                    &["backup", field],
                    format!("`{field}` is about a `schedule`, and there is none"),
                    hint,
                );
            }
        }
    }
}

fn retention(retention: &Retention, findings: &mut Findings<'_>) {
    let Retention { keep_last, keep_daily, keep_weekly, keep_monthly, keep_within, min_verified: _ } = retention;
    let counted = [keep_last, keep_daily, keep_weekly, keep_monthly];
    if counted.into_iter().all(|count| *count == 0) && *keep_within == Duration::default() {
        let hint = "write how many are kept, as in `keep_last: 3`, or leave `retention` out";
        findings.advise(&["backup", "retention"], "this keeps no copy at all", hint);
    }
}
