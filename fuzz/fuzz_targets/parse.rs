//! Any text becomes a tree, or errors with places inside it: `scripts/fuzz parse`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use reconcile::{
    host,
    yaml::{self, Diagnostic, Node, Value, parse},
};

fuzz_target!(|text: &str| {
    match yaml::parse("any.yaml", text) {
        Ok(tree) => {
            let nodes = judge(&tree, 0);
            assert!(nodes <= parse::MOST_NODES);
            let merged = yaml::merge(tree.clone(), tree.clone());
            assert_eq!(yaml::merge(merged.clone(), tree.clone()), merged, "a patch twice is a patch once");
        }
        Err(problems) => judge_problems(text, &problems),
    }
    if let Err(problems) = host::read("any.yaml", text) {
        judge_problems(text, &problems);
    }
});

/// Counts the nodes; none is deeper, hidden or placed at line or column 0.
fn judge(node: &Node, depth: usize) -> usize {
    assert!(depth <= parse::DEEPEST && node.place.line >= 1 && node.place.column >= 1);
    match &node.value {
        Value::Null => 1,
        Value::Scalar { text, .. } => {
            assert!(!text.chars().any(yaml::letters::is_hidden), "{text:?}");
            1
        }
        Value::Sequence(items) => 1 + items.iter().map(|item| judge(item, depth + 1)).sum::<usize>(),
        Value::Mapping(entries) => {
            let mut keys: Vec<_> = entries.iter().map(|(key, _)| &key.text).collect();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), entries.len(), "a key stands twice");
            1 + entries.iter().map(|(_, node)| judge(node, depth + 1)).sum::<usize>()
        }
    }
}

fn judge_problems(text: &str, problems: &[Diagnostic]) {
    assert!(!problems.is_empty());
    let lines = text.lines().count() + 1;
    for problem in problems {
        let told = problem.block();
        // A lone carriage return ends a line of YAML, but none of `str::lines`.
        let within = usize::try_from(problem.place.line).is_ok_and(|line| line >= 1 && line <= lines);
        assert!(within || text.contains('\r'), "{told}");
        assert!(!told.chars().any(|c| c != '\n' && yaml::letters::is_hidden(c)), "{told:?}");
    }
}
