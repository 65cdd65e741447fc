//! `extends`: files laid over files, services over services, places kept.

use super::{crosscheck, schema::layer};
use crate::yaml::{self, Diagnostic, Key, Node, Place, Required, Value, merge};
use std::collections::{BTreeMap, BTreeSet};

/// How many files may stand below one another.
const DEEPEST: usize = 4;

/// A file with all that it extends.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layers {
    /// Merged; none where a file could not be read.
    pub tree: Option<Node>,
    /// What is wrong with any of the files by itself.
    pub problems: Vec<Diagnostic>,
}

/// Reads the file at `path` and what it extends, and lays them over one another.
pub(super) fn layers(files: &BTreeMap<String, String>, root: &str, path: &str) -> Layers {
    let mut problems = Vec::new();
    let mut chain = vec![path.to_owned()];
    let mut trees = Vec::new();
    while let Some(tree) = chain.last().and_then(|path| read(files, path, &mut problems)) {
        let (tree, extends) = taken(tree, "extends");
        trees.push(tree);
        let Some(extends) = extends else { break };
        match followed(files, root, &chain, &extends) {
            Ok(next) => chain.push(next),
            Err(problem) => {
                problems.push(problem);
                trees.clear();
                break;
            }
        }
    }
    // Without one of the files nobody can say what the whole lacks.
    let whole = trees.len() == chain.len();
    let tree = trees.into_iter().rev().fold(None, |base, patch| Some(laid_over(base, patch, &mut problems)));
    Layers { tree: tree.filter(|_| whole), problems }
}

/// Files that others name, found by their lines alone: what is wrong with these is told by the apps above them.
pub(super) fn named(files: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (path, text) in files {
        let line = text.lines().find_map(|line| line.strip_prefix("extends:"));
        let target = line.map(|line| line.split(" #").next().unwrap_or(line).trim().trim_matches(['"', '\'']));
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        named.extend(target.and_then(|target| normal(folder, target)));
    }
    named
}

/// The tree of one file, judged by itself.
fn read(files: &BTreeMap<String, String>, path: &str, problems: &mut Vec<Diagnostic>) -> Option<Node> {
    let tree = match yaml::parse(path, files.get(path)?) {
        Ok(tree) => tree,
        Err(errors) => {
            problems.extend(errors);
            return None;
        }
    };
    let (tree, mut found) = crosscheck::compose::rewritten(tree);
    found.extend(crosscheck::paste::pasted(&tree));
    let known: BTreeSet<Place> = found.iter().map(|problem| problem.place.clone()).collect();
    let shape = yaml::check(&tree, layer(), Required::No).err().unwrap_or_default();
    // A rewrite says more than the shape's error at the same place.
    found.extend(shape.into_iter().filter(|problem| !known.contains(&problem.place)));
    problems.extend(found);
    Some(tree)
}

/// The file that `extends` names, as a path below the repository's root.
fn followed(
    files: &BTreeMap<String, String>,
    root: &str,
    chain: &[String],
    extends: &Node,
) -> Result<String, Diagnostic> {
    let bad = |message: String| Diagnostic::new(&extends.place, message);
    let Value::Scalar { text, .. } = &extends.value else {
        return Err(bad("`extends` names a file, as in `../_base/gateway.yaml`".to_owned()));
    };
    let from = chain.last().and_then(|path| path.rsplit_once('/')).map_or("", |(folder, _)| folder);
    let inside = |path: &String| root.is_empty() || path.starts_with(&format!("{root}/"));
    let Some(path) = normal(from, text).filter(inside) else {
        return Err(bad(format!("`{text}` leaves `{root}/`: a manifest extends only files in it")));
    };
    if let Some(start) = chain.iter().position(|seen| *seen == path) {
        let circle: Vec<String> = chain.iter().skip(start).chain([&path]).map(|path| format!("`{path}`")).collect();
        return Err(bad(format!("files extend one another in a circle: {}", circle.join(" → "))));
    }
    if !files.contains_key(&path) {
        let problem = bad(format!("`{text}` is not there: no file `{path}`"));
        return Err(match nearest(files, root, &path) {
            Some(near) => problem.with_hint(format!("did you mean `{}`?", relative(from, near))),
            None => problem.with_hint("the path begins at the folder of this file, as in `../_base/gateway.yaml`"),
        });
    }
    if chain.len() > DEEPEST {
        return Err(bad(format!("more than {DEEPEST} files extend one another: lay some of them together")));
    }
    Ok(path)
}

/// `from` and `path` together without `.` and `..`; none where it leaves the repository.
fn normal(from: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains('\\') || path.contains("://") {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

fn nearest<'a>(files: &'a BTreeMap<String, String>, root: &str, path: &str) -> Option<&'a str> {
    let close = |candidate: &&str| strsim::damerau_levenshtein(candidate, path) <= 3;
    let inside = files.keys().map(String::as_str).filter(|candidate| candidate.starts_with(root));
    inside.filter(close).min_by_key(|candidate| strsim::damerau_levenshtein(candidate, path))
}

/// `to` as a file in the folder `from` would write it.
fn relative(from: &str, to: &str) -> String {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(common).map(|_| "..");
    up.chain(to.iter().skip(common).copied()).collect::<Vec<_>>().join("/")
}

/// A mapping without one of its keys, and that key's value.
fn taken(mut node: Node, key: &str) -> (Node, Option<Node>) {
    let value = match &mut node.value {
        Value::Mapping(entries) => entries.iter().position(|(k, _)| k.text == key).map(|index| entries.remove(index).1),
        Value::Null | Value::Scalar { .. } | Value::Sequence(_) => None,
    };
    (node, value.filter(|value| value.value != Value::Null))
}

fn empty(place: &Place) -> Node {
    Node { place: place.clone(), value: Value::Mapping(Vec::new()) }
}

/// One file over what it extends, and its services over those they extend.
fn laid_over(base: Option<Node>, patch: Node, problems: &mut Vec<Diagnostic>) -> Node {
    let place = patch.place.clone();
    let base = base.unwrap_or_else(|| empty(&place));
    problems.extend(crosscheck::compose::passed_through(&base, &patch));
    let mut patch = filled(&base, patch);
    let mut extending = BTreeMap::new();
    if let Some(services) = entry(&mut patch, "services") {
        let (own, others): (Vec<_>, Vec<_>) =
            std::mem::take(services).into_iter().partition(|(_, node)| node.get("extends").is_none());
        *services = own;
        extending.extend(others.into_iter().map(|(key, node)| (key.text.clone(), (key, node))));
    }
    let mut tree = merge(base, patch);
    let mut done = Vec::new();
    while let Some(name) = extending.keys().next().cloned() {
        extend_service(&mut tree, &mut extending, &name, &mut done, problems);
        done.clear();
    }
    tree
}

/// Puts one service over the one it extends, that one first where it extends a third; false where that cannot be.
fn extend_service(
    tree: &mut Node,
    extending: &mut BTreeMap<String, (Key, Node)>,
    name: &str,
    path: &mut Vec<String>,
    problems: &mut Vec<Diagnostic>,
) -> bool {
    let Some((key, node)) = extending.remove(name) else { return true };
    path.push(name.to_owned());
    let (patch, extends) = taken(node, "extends");
    let target = extends.as_ref().and_then(|extends| extends.get("service"));
    let Some((Value::Scalar { text: target, .. }, place)) = target.map(|node| (&node.value, &node.place)) else {
        return false;
    };
    if let Some(start) = path.iter().position(|seen| seen == target) {
        let circle: Vec<&str> = path.iter().skip(start).chain([target]).map(String::as_str).collect();
        let message = format!("services extend one another in a circle: `{}`", circle.join(" → "));
        problems.push(Diagnostic::new(place, message));
        return false;
    }
    if !extend_service(tree, extending, target, path, problems) {
        return false;
    }
    let Some(services) = entry(tree, "services") else { return false };
    let find = |name: &str| services.iter().find(|(key, _)| key.text == name).map(|(_, node)| node.clone());
    let Some(base) = find(target) else {
        let message = format!("service `{name}` extends `{target}`, which is no service of this file");
        problems.push(Diagnostic::new(place, message));
        return false;
    };
    let below = match find(name) {
        Some(own) => merge(own, base),
        None => base,
    };
    let merged = merge(below, patch);
    match services.iter_mut().find(|(key, _)| key.text == name) {
        Some((_, own)) => *own = merged,
        None => services.push((key, merged)),
    }
    true
}

fn entry<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Vec<(Key, Node)>> {
    let Value::Mapping(entries) = &mut node.value else { return None };
    match entries.iter_mut().find(|(k, _)| k.text == key).map(|(_, node)| &mut node.value) {
        Some(Value::Mapping(entries)) => Some(entries),
        Some(Value::Null | Value::Scalar { .. } | Value::Sequence(_)) | None => None,
    }
}

/// Compose's `pgdata:` with nothing after it means `{}`: null removes only what the base has.
fn filled(base: &Node, mut patch: Node) -> Node {
    for section in ["networks", "volumes"] {
        fill(base.get(section), entry(&mut patch, section));
    }
    for (name, service) in entry(&mut patch, "services").into_iter().flatten() {
        let below = base.get("services").and_then(|services| services.get(&name.text));
        fill(below.and_then(|service| service.get("networks")), entry(service, "networks"));
    }
    patch
}

fn fill(base: Option<&Node>, entries: Option<&mut Vec<(Key, Node)>>) {
    for (key, node) in entries.into_iter().flatten() {
        if node.value == Value::Null && base.and_then(|base| base.get(&key.text)).is_none() {
            *node = empty(&key.place);
        }
    }
}
