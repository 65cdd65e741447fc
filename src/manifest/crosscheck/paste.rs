//! `${NAME}` pasted from a file that is interpolated elsewhere.

use crate::yaml::{Diagnostic, Node, Value};

/// Every `${NAME}` in a value; `literal` values say that they mean it.
pub(in crate::manifest) fn pasted(tree: &Node) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    search(tree, &mut Vec::new(), &mut problems);
    problems
}

fn search<'a>(node: &'a Node, path: &mut Vec<&'a str>, problems: &mut Vec<Diagnostic>) {
    match &node.value {
        Value::Null => {}
        Value::Scalar { text, .. } => {
            if let Some(name) = reference(text) {
                problems.push(refusal(node, path, name));
            }
        }
        Value::Sequence(items) => items.iter().for_each(|item| search(item, path, problems)),
        Value::Mapping(entries) => {
            for (key, value) in entries.iter().filter(|(key, _)| !matches!(key.text.as_str(), "literal" | "template")) {
                path.push(&key.text);
                search(value, path, problems);
                path.pop();
            }
        }
    }
}

/// What stands between the braces of the first `${NAME…}`.
fn reference(text: &str) -> Option<&str> {
    let named = |rest: &&str| rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    text.split("${").skip(1).find(named).map(|rest| rest.split('}').next().unwrap_or(rest))
}

fn refusal(node: &Node, path: &[&str], name: &str) -> Diagnostic {
    let problem = Diagnostic::new(&node.place, format!("`${{{name}}}` is not replaced: nothing is interpolated here"));
    let plain: String = name.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    problem.with_hint(match path {
        [.., "env", _] if name.starts_with("secret:") => {
            format!("write `{{template: \"…${{{name}}}…\"}}` for a text with a secret in it")
        }
        [.., "env", _] => format!("write the value itself, or `{{literal: \"${{{name}}}\"}}` for these very letters"),
        [.., "command" | "entrypoint" | "test"] => {
            format!("write the value itself, or `${plain}` for a shell in the container to replace")
        }
        ["configs", .., "content"] => {
            "write the value itself, or put the text into a file of the repository (`file`), which is taken as it is"
                .to_owned()
        }
        _ => "write the value itself".to_owned(),
    })
}
