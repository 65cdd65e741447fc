//! Where people who come from Compose trip: each with its rewrite.

use crate::yaml::{Diagnostic, Key, Node, Value};

/// The tree in our own words (`environment` becomes `env`), and what must be written otherwise.
pub(in crate::manifest) fn rewritten(mut tree: Node) -> (Node, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    for (_, service) in children(&mut tree, "services") {
        spell_environment(service, &mut problems);
    }
    (tree, problems)
}

/// The entries of the mapping under a key.
fn children<'a>(node: &'a mut Node, key: &str) -> impl Iterator<Item = &'a mut (Key, Node)> {
    let entries = match &mut node.value {
        Value::Mapping(entries) => entries.iter_mut().find(|(k, _)| k.text == key),
        Value::Null | Value::Scalar { .. } | Value::Sequence(_) => None,
    };
    let entries = match entries.map(|(_, node)| &mut node.value) {
        Some(Value::Mapping(entries)) => entries.as_mut_slice(),
        Some(Value::Null | Value::Scalar { .. } | Value::Sequence(_)) | None => &mut [],
    };
    entries.iter_mut()
}

fn spell_environment(service: &mut Node, problems: &mut Vec<Diagnostic>) {
    let Value::Mapping(entries) = &mut service.value else { return };
    let Some(index) = entries.iter().position(|(key, _)| key.text == "environment") else { return };
    if let Some((env, _)) = entries.iter().find(|(key, _)| key.text == "env") {
        let (line, (key, _)) = (env.place.line, entries.remove(index));
        let message = "`environment` and `env` mean the same: write all variables below one of them";
        problems.push(Diagnostic::new(&key.place, message).with_hint(format!("`env` stands in line {line}")));
        return;
    }
    if let Some((key, _)) = entries.get_mut(index) {
        "env".clone_into(&mut key.text);
    }
}
