//! Tables of manifests and of mistakes.

use super::{App, Loaded, load};
use crate::{
    desired::{Context, Desired, resolve},
    yaml::Diagnostic,
};
use std::collections::BTreeMap;

mod across;
mod environments;
mod golden;
mod layering;
mod mistakes;
mod order;
mod resolving;
mod routing;
mod schema;

/// `line:column: what is wrong (what next)`
fn told(problem: &Diagnostic) -> String {
    let place = &problem.place;
    let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{}:{}: {}{hint}", place.line, place.column, problem.message)
}

fn files(texts: &[(&str, &str)]) -> BTreeMap<String, String> {
    texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

fn production(texts: &[(&str, &str)]) -> Loaded {
    load(&files(texts), &"production".parse().unwrap(), "environments")
}

/// The app `web` in `production` of this text.
fn web(text: &str) -> App {
    let mut loaded = production(&[("environments/production/web.yaml", text)]);
    match loaded.apps.remove("web").unwrap() {
        Ok(app) => app,
        Err(problems) => panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}

fn desired(text: &str) -> Desired {
    resolve(&web(text), &Context::default())
}
