//! Reads the sources: their code without comments and tests, and the paths that they name.

use std::{fs, path::Path};

/// A file below `src/`.
pub struct SourceFile {
    /// From `src/`.
    pub path: String,
    text: String,
}

/// Every file below `src/` that is no test.
pub fn sources() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("tests") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("tests.rs") {
                let name = path.strip_prefix(&root).unwrap().display().to_string();
                files.push(SourceFile { path: name, text: fs::read_to_string(&path).unwrap() });
            }
        }
    }
    assert!(files.len() > 20, "the sources were not found");
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Whether a path is, or lies below, another.
pub fn names(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl SourceFile {
    /// Whether it belongs to a room: a folder, a file without its ending, or the file itself.
    pub fn is_in(&self, room: &str) -> bool {
        self.path == room
            || self.path == format!("{room}.rs")
            || self.path.strip_prefix(room).is_some_and(|rest| rest.starts_with('/'))
    }

    pub fn lines(&self) -> usize {
        self.text.lines().count()
    }

    /// Its lines with their numbers, without comments, up to a module of tests.
    pub fn code(&self) -> Vec<(usize, &str)> {
        let before_tests = self.text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let without_comment = |line| match str::find(line, "//") {
            Some(at) if !line[..at].ends_with(':') => &line[..at],
            _ => line,
        };
        before_tests.lines().map(without_comment).enumerate().map(|(at, line)| (at + 1, line)).collect()
    }

    /// The paths it names, with their lines: those of `use`, spelt out, and those in its code.
    pub fn paths(&self) -> Vec<(usize, String)> {
        let mut paths = Vec::new();
        let mut open: Option<(usize, String)> = None;
        for (line, code) in self.code() {
            let starts = code.trim_start().trim_start_matches("pub ").starts_with("use ");
            match &mut open {
                Some((_, text)) => text.push_str(code.trim()),
                None if starts => open = Some((line, code.trim().to_owned())),
                None => paths.extend(in_code(code).map(|path| (line, path))),
            }
            if let Some((line, text)) = open.take_if(|(_, text)| text.ends_with(';')) {
                let tree = text.trim_start_matches("pub ").trim_start_matches("use ").trim_end_matches(';');
                paths.extend(spelt_out("", tree).into_iter().map(|path| (line, path)));
            }
        }
        paths
    }
}

/// `a::{b, c::{self, d}}` as `a::b`, `a::c`, `a::c::d`.
fn spelt_out(prefix: &str, tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let joined = |part: &str| if prefix.is_empty() { part.to_owned() } else { format!("{prefix}::{part}") };
    match tree.find('{') {
        None => match tree.split(" as ").next().unwrap().trim() {
            "self" => vec![prefix.to_owned()],
            part => vec![joined(part)],
        },
        Some(open) => {
            let prefix = joined(tree[..open].trim_end_matches("::"));
            let prefix = prefix.trim_end_matches("::");
            let inside = tree[open + 1..].trim_end().strip_suffix('}').expect("a `use` that closes");
            branches(inside).into_iter().flat_map(|branch| spelt_out(prefix, branch)).collect()
        }
    }
}

/// The parts between the commas that are in no inner braces.
fn branches(inside: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, character) in inside.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inside[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inside[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// Words joined by `::` in a line of code.
fn in_code(code: &str) -> impl Iterator<Item = String> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        .map(|word| word.trim_matches(':'))
        .filter(|word| word.contains("::"))
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

#[test]
fn every_form_of_naming_is_seen() {
    let text = "pub use crate::{\n    plan::{self, Step}, // not crate::show\n    engine as e,\n};\nfn f() { std::fs::read(x); }\n#[cfg(test)]\nmod tests {\n use git2;\n}\n";
    let file = SourceFile { path: "room/file.rs".to_owned(), text: text.to_owned() };
    let paths: Vec<_> = file.paths().into_iter().map(|(line, path)| format!("{line} {path}")).collect();
    assert_eq!(paths, ["1 crate::plan", "1 crate::plan::Step", "1 crate::engine", "5 std::fs::read"]);
    assert!(file.is_in("room") && file.is_in("room/file.rs") && !file.is_in("roo"));
    assert!(names("std::fs::read", "std::fs") && !names("std::fsx", "std::fs"));
}
