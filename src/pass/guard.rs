//! The brake on removals: a vanished folder, a wrong branch or a typo must not take a host down.

use super::{Head, Settings, Wish};
use crate::{desired::label, observe::Look, value::AppName};
use std::collections::BTreeSet;

/// Why a pass removes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub summary: String,
    pub hint: String,
}

/// What of the environment on the host is gone from the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    /// Apps that are gone whole.
    pub apps: BTreeSet<AppName>,
    /// How many containers go, those of services gone from apps that stay included.
    pub containers: usize,
    /// How many apps the environment has on the host.
    pub on_host: usize,
}

/// Counts what is gone among the apps that are asked for. An app whose file is invalid is not gone.
#[must_use]
pub fn gone(head: &Head, look: &Look, wish: &Wish) -> Gone {
    let here = look.apps();
    let asked = |app: &AppName| wish.apps.is_empty() || wish.apps.contains(app);
    let apps: BTreeSet<AppName> =
        here.iter().filter(|app| asked(app) && !head.apps.contains_key(*app)).cloned().collect();
    let goes = |labels: &std::collections::BTreeMap<String, String>| {
        let Some(app) = labels.get(label::APP).and_then(|app| app.parse::<AppName>().ok()) else { return false };
        if label::unprunable(labels) || !asked(&app) {
            return false;
        }
        match head.apps.get(&app) {
            None => true,
            Some(Err(_)) => false,
            Some(Ok(desired)) => {
                labels.get(label::SERVICE).is_some_and(|service| !desired.services.contains_key(service.as_str()))
            }
        }
    };
    let containers = look.containers.values().filter(|detail| goes(&detail.labels)).count();
    Gone { apps, containers, on_host: here.len() }
}

/// Why the removals are refused, if they are.
#[must_use]
pub fn refusal(gone: &Gone, head: &Head, settings: &Settings, wish: &Wish) -> Option<Refusal> {
    if gone.apps.is_empty() && gone.containers == 0 {
        return None;
    }
    if !head.other.is_empty() && wish.max_deletes.is_none() {
        return Some(misplaced(head, gone.containers));
    }
    if head.apps.is_empty() && !wish.allow_empty {
        return Some(Refusal {
            summary: format!(
                "environment `{}` has no apps in this revision, and {} on the host: nothing is removed",
                wish.environment, gone.on_host
            ),
            hint: "say `--allow-empty` for this run if that is meant".to_owned(),
        });
    }
    let limit = wish.max_deletes.unwrap_or(settings.max_deletes);
    if gone.containers > limit {
        return Some(Refusal {
            summary: format!(
                "{} containers would be removed, more than `max_deletes` ({limit}) allows: nothing is removed",
                gone.containers
            ),
            hint: format!("say `--max-deletes {}` for this run if that is meant", gone.containers),
        });
    }
    let most = gone.apps.len() * 2 > gone.on_host;
    if most && wish.max_deletes.is_none() && !wish.allow_empty {
        return Some(Refusal {
            summary: format!(
                "{} of the {} apps of environment `{}` would be removed, more than half: nothing is removed",
                gone.apps.len(),
                gone.on_host,
                wish.environment
            ),
            hint: format!("say `--max-deletes {}` for this run if that is meant", gone.containers),
        });
    }
    None
}

/// An app's file may be there and stand in the wrong place: then the app only seems to be gone.
fn misplaced(head: &Head, containers: usize) -> Refusal {
    let files: BTreeSet<String> = head.other.iter().map(|problem| format!("`{}`", problem.place.file)).collect();
    let next: BTreeSet<&str> = head.other.iter().map(|problem| problem.message.as_str()).collect();
    let (files, next) = (Vec::from_iter(files), Vec::from_iter(next));
    let what = match files.as_slice() {
        [file] => format!("{file} is no manifest as it is, and may be an app that only seems to be gone"),
        several => {
            format!("{} are no manifests as they are, and may be apps that only seem to be gone", several.join(", "))
        }
    };
    Refusal {
        summary: format!("{what}: nothing is removed"),
        hint: format!(
            "{}; commit that and run again, or say `--max-deletes {containers}` for this run if the removal is meant",
            next.join("; ")
        ),
    }
}
