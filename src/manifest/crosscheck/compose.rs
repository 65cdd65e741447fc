//! Where people who come from Compose trip: each with its rewrite.

use crate::yaml::{Diagnostic, Key, Node, Value};

/// The tree in our own words (`environment` becomes `env`), and what must be written otherwise.
pub(in crate::manifest) fn rewritten(mut tree: Node) -> (Node, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    for section in ["networks", "volumes"] {
        if let Some(Node { place, value: Value::Sequence(names) }) = tree.get(section) {
            let map =
                names.iter().filter_map(scalar).map(|name| format!("{name}: {{}}")).collect::<Vec<_>>().join(", ");
            problems.push(Diagnostic::new(place, format!("`{section}` is a map: write `{section}: {{{map}}}`")));
        }
    }
    let services = match &mut tree.value {
        Value::Mapping(entries) => entries.iter_mut().find(|(key, _)| key.text == "services").map(|(_, node)| node),
        Value::Null | Value::Scalar { .. } | Value::Sequence(_) => None,
    };
    if let Some(Node { value: Value::Mapping(services), .. }) = services {
        for (_, service) in services {
            spell_environment(service, &mut problems);
            judge(service, &mut problems);
        }
    }
    (tree, problems)
}

fn scalar(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar { text, .. } => Some(text),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
    }
}

fn items(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.value) {
        Some(Value::Sequence(items)) => items,
        Some(Value::Null | Value::Scalar { .. } | Value::Mapping(_)) | None => &[],
    }
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

fn judge(service: &Node, problems: &mut Vec<Diagnostic>) {
    for field in ["env", "labels", "sysctls"] {
        let list = service.get(field).filter(|node| matches!(node.value, Value::Sequence(_)));
        problems.extend(list.map(|list| as_map(field, list)));
    }
    for port in items(service.get("ports")).iter().filter(|port| matches!(port.value, Value::Mapping(_))) {
        problems.push(short_form(port, "ports", "8000:8000", short_port(port)));
    }
    for volume in items(service.get("volumes")).iter().filter(|volume| matches!(volume.value, Value::Mapping(_))) {
        problems.push(short_form(volume, "volumes", "data:/data", short_volume(volume)));
    }
    if let Some((extends, name)) = service.get("extends").and_then(|node| scalar(node).map(|name| (node, name))) {
        let message = format!("`extends` of a service is a map: write `extends: {{service: {name}}}`");
        problems.push(Diagnostic::new(&extends.place, message));
    }
}

/// `- KEY=value` as `KEY: value`.
fn as_map(field: &str, list: &Node) -> Diagnostic {
    let quoted = |value: &str| {
        let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"_./-".contains(&b));
        if plain && !value.is_empty() { value.to_owned() } else { format!("{value:?}") }
    };
    let entries = items(Some(list)).iter().filter_map(scalar).map(|item| match item.split_once('=') {
        Some((key, value)) => format!("{key}: {}", quoted(value)),
        None => format!("{item}: \"…\""),
    });
    let map = entries.collect::<Vec<_>>().join(", ");
    let name = if field == "env" { "environment variables" } else { field };
    Diagnostic::new(&list.place, format!("{name} are a map here, not a list: write `{field}: {{{map}}}`"))
}

fn short_form(node: &Node, field: &str, example: &str, rewrite: Option<String>) -> Diagnostic {
    let write = rewrite.unwrap_or_else(|| format!("as in `\"{example}\"`"));
    Diagnostic::new(&node.place, format!("`{field}` have the short form only: write {write}"))
}

fn short_port(node: &Node) -> Option<String> {
    let field = |key| node.get(key).and_then(scalar);
    let (host, container) = (field("published")?, field("target")?);
    let address = field("host_ip").map(|ip| format!("{ip}:")).unwrap_or_default();
    let protocol = field("protocol").filter(|name| *name != "tcp").map(|name| format!("/{name}")).unwrap_or_default();
    Some(format!("`\"{address}{host}:{container}{protocol}\"`"))
}

fn short_volume(node: &Node) -> Option<String> {
    let field = |key| node.get(key).and_then(scalar);
    let target = field("target")?;
    if field("type") == Some("tmpfs") {
        return Some(format!("`tmpfs: [\"{target}\"]` instead"));
    }
    let mode = if field("read_only") == Some("true") { ":ro" } else { "" };
    Some(format!("`\"{}:{target}{mode}\"`", field("source")?))
}

/// Variables without a value, where nothing below could be removed by that: Compose would ask the host for them.
pub(in crate::manifest) fn passed_through(base: &Node, patch: &Node) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (name, service) in mapping(patch.get("services")).iter().filter(|(_, node)| node.get("extends").is_none()) {
        let below = base.get("services").and_then(|node| node.get(&name.text)).and_then(|node| node.get("env"));
        for (key, _) in mapping(service.get("env")).iter().filter(|(_, node)| node.value == Value::Null) {
            if below.and_then(|env| env.get(&key.text)).is_none() {
                let message = format!("`{}` has no value, and nothing is taken from the host's environment", key.text);
                let hint = format!("write the value, or `{}: \"\"` for an empty one", key.text);
                problems.push(Diagnostic::new(&key.place, message).with_hint(hint));
            }
        }
    }
    problems
}

fn mapping(node: Option<&Node>) -> &[(Key, Node)] {
    match node.map(|node| &node.value) {
        Some(Value::Mapping(entries)) => entries,
        Some(Value::Null | Value::Scalar { .. } | Value::Sequence(_)) | None => &[],
    }
}
