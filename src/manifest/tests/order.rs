//! What apps wait for, over all environments of a tree.

use super::{files, told};
use crate::manifest::{App, Surroundings, load, order};
use std::collections::{BTreeMap, BTreeSet};

/// What is said of apps given as `environment/app` and what they depend on; one that begins with `!` has mistakes.
fn said(apps: &[(&str, &str)], together: &[&str], partial: bool) -> Vec<String> {
    let text = |others: &str| match others.strip_prefix('!') {
        Some(_) => "services: wrong\n".to_owned(),
        None => format!("services: {{web: {{image: 'bb:1'}}}}\nsync: {{depends_on: [{others}]}}\n"),
    };
    let texts: Vec<_> = apps.iter().map(|(path, others)| (format!("environments/{path}.yaml"), text(others))).collect();
    let texts = files(&texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect::<Vec<_>>());
    let environments = crate::manifest::environments("environments", texts.keys().map(String::as_str));
    let loaded: BTreeMap<_, _> =
        environments.into_iter().map(|name| (name.clone(), load(&texts, &name, "environments").apps)).collect();
    let surroundings = Surroundings {
        apps: loaded.iter().map(|(name, apps)| (name.clone(), apps.keys().cloned().collect())).collect(),
        together: together.iter().map(|name| name.parse().unwrap()).collect::<BTreeSet<_>>(),
        partial,
    };
    let valid: BTreeMap<_, BTreeMap<_, &App>> = loaded
        .iter()
        .map(|(name, apps)| {
            (name.clone(), apps.iter().filter_map(|(app, read)| Some((app.clone(), read.as_ref().ok()?))).collect())
        })
        .collect();
    let problems = order(&valid, &surroundings);
    problems.iter().map(|(environment, app, problem)| format!("{environment}/{app} {}", told(problem))).collect()
}

#[test]
fn what_is_there_may_be_waited_for() {
    let apps = [("production/web", "db, staging/proxy"), ("production/db", ""), ("staging/proxy", "")];
    assert_eq!(said(&apps, &[], false), Vec::<String>::new());
    assert_eq!(said(&apps, &["production", "staging"], false), Vec::<String>::new());
    // One with mistakes is there: what is wrong with it is told of it alone.
    assert_eq!(said(&[("production/web", "db"), ("production/db", "!")], &[], false), Vec::<String>::new());
}

#[test]
fn what_is_nowhere_is_told_with_what_may_have_been_meant() {
    let apps = [
        ("production/web", "databse, web, stagin/proxy, staging/proxi, proxy, nobody"),
        ("production/database", ""),
        ("staging/proxy", ""),
    ];
    assert_eq!(
        said(&apps, &[], false),
        [
            "production/web 2:21: environment `production` has no app `databse` (did you mean `database`?)",
            "production/web 2:30: `web` waits for itself (remove the line)",
            "production/web 2:35: there is no environment `stagin` (did you mean `staging/proxy`?)",
            "production/web 2:49: environment `staging` has no app `proxi` (did you mean `staging/proxy`?)",
            "production/web 2:64: environment `production` has no app `proxy` (did you mean `staging/proxy`?)",
            "production/web 2:71: environment `production` has no app `nobody` (add `production/nobody.yaml`, or remove the line)",
        ]
    );
    // Of one file that stands alone nobody knows what else there is.
    assert_eq!(said(&apps[..1], &[], true), ["production/web 2:30: `web` waits for itself (remove the line)"]);
}

#[test]
fn another_host_cannot_be_waited_for() {
    let apps = [("production/web", "staging/proxy"), ("staging/proxy", "test/db"), ("test/db", "")];
    assert_eq!(
        said(&apps, &["production"], false),
        [
            "production/web 2:21: environment `staging` is not on this host (what another host does cannot be seen from here: \
          remove the line, or add the environment to `environments` of the host file if it lives here)"
        ]
    );
    assert_eq!(said(&apps, &["production", "staging", "test"], false), Vec::<String>::new());
}

#[test]
fn a_circle_is_told_in_order_to_each_that_is_in_it() {
    let apps = [
        ("production/a", "b"),
        ("production/b", "c, d"),
        ("production/c", "staging/x"),
        ("production/d", ""),
        ("production/front", "a"),
        ("staging/x", "production/a"),
    ];
    let circle = |place: &str, circle: &str| {
        format!(
            "{place}: apps wait for one another in a circle: `{circle}` (take one of them out of `sync.depends_on`)"
        )
    };
    assert_eq!(
        said(&apps, &[], false),
        [
            circle("production/a 2:21", "a → b → c → staging/x → a"),
            circle("production/b 2:21", "b → c → staging/x → a → b"),
            circle("production/c 2:21", "c → staging/x → a → b → c"),
            circle("staging/x 2:21", "x → production/a → production/b → production/c → x"),
        ]
    );
    let two = [("production/a", "b"), ("production/b", "a")];
    assert_eq!(said(&two, &[], false).len(), 2);
}
