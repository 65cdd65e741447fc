//! Apps of other environments that those of a run depend on.

use super::{Complaint, converge::head, head::Rendered};
use crate::{
    desired::Desired,
    engine::Engine,
    pass::{Asker, Ending, Host, Mode, Standing, Wish, environment},
    show::EnvironmentReport,
    source::Commit,
    value::{AppId, AppName, EnvironmentName},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a tree says of its environments.
pub type Tree = BTreeMap<EnvironmentName, Rendered>;

/// What is known of the apps of a host, as far as this run came.
#[derive(Debug, Default)]
pub struct Neighbours {
    known: BTreeMap<AppId, Standing>,
}

impl Neighbours {
    /// A pass over an environment is over, or its plan was shown.
    pub fn learn(&mut self, report: &EnvironmentReport) {
        let standings = report.apps.iter().map(|app| (AppId::new(&report.environment, &app.app), Standing::of(app)));
        self.known.extend(standings);
    }

    /// How the apps stand that those of this environment depend on: what this run did not come by is looked at.
    ///
    /// # Errors
    /// The engine or the record cannot be read.
    pub async fn of<E: Engine>(
        &mut self,
        host: &Host<E>,
        tree: &Tree,
        commit: &Commit,
        environment: &EnvironmentName,
        ending: &Ending,
    ) -> Result<BTreeMap<AppId, Standing>, Complaint> {
        let mut unknown: BTreeMap<EnvironmentName, BTreeSet<AppName>> = BTreeMap::new();
        for other in elsewhere(tree, environment).filter(|other| !self.known.contains_key(other)) {
            unknown.entry(other.environment).or_default().insert(other.app);
        }
        for (environment, apps) in unknown {
            let head = head(commit, tree.get(&environment).cloned().unwrap_or_default());
            let look = Wish {
                environment,
                mode: Mode::DryRun,
                apps,
                replace: Vec::new(),
                hold: None,
                allow_empty: false,
                max_deletes: None,
                by: Asker::Person,
                known: BTreeMap::new(),
            };
            self.learn(&environment::run(host, &look, &head, ending).await?);
        }
        Ok(self.known.clone())
    }
}

/// What apps of this environment depend on in others.
fn elsewhere(tree: &Tree, environment: &EnvironmentName) -> impl Iterator<Item = AppId> {
    let apps = tree.get(environment).into_iter().flat_map(|rendered| rendered.apps.values());
    let named = apps.filter_map(|read| read.as_ref().ok()).flat_map(|desired: &Desired| desired.sync.depends_on.iter());
    named.filter(move |other| other.environment != *environment).cloned()
}

/// The environments of a run, those first that others depend on. Where two depend on each other the order stays.
#[must_use]
pub fn in_order(environments: Vec<EnvironmentName>, tree: &Tree) -> Vec<EnvironmentName> {
    let mut waiting = environments;
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let is_free = |name: &EnvironmentName| !elsewhere(tree, name).any(|other| waiting.contains(&other.environment));
        let next = waiting.iter().position(is_free).unwrap_or(0);
        ordered.push(waiting.remove(next));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::head::Manifests;

    fn tree(depends_on: &[(&str, &str)]) -> Tree {
        let text = |others: &str| format!("services: {{web: {{image: 'bb:1'}}}}\nsync: {{depends_on: [{others}]}}\n");
        let files =
            depends_on.iter().map(|(path, others)| (format!("environments/{path}.yaml"), text(others))).collect();
        Manifests { files, folder: "environments".to_owned(), ..Manifests::default() }.render()
    }

    fn ordered(names: &[&str], tree: &Tree) -> Vec<String> {
        let names = names.iter().map(|name| name.parse().unwrap()).collect();
        in_order(names, tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn environments_come_after_those_that_they_depend_on() {
        let chain = tree(&[("a/web", "b/web"), ("b/web", "c/web"), ("c/web", ""), ("d/web", "")]);
        assert_eq!(ordered(&["a", "b", "c", "d"], &chain), ["c", "b", "a", "d"]);
        // What is not run does not hold up.
        assert_eq!(ordered(&["a", "d"], &chain), ["a", "d"]);
        let crossed = tree(&[("a/web", "b/db"), ("b/db", ""), ("b/web", "a/db"), ("a/db", "")]);
        assert_eq!(ordered(&["a", "b"], &crossed), ["a", "b"]);
    }
}
