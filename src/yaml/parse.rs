//! From text to the tree, or to every reason why not.
//!
//! Manifests are YAML's plain part: mappings, lists, scalars. What lets a reader and a machine see different things
//! (anchors, merge keys, tags, duplicate keys, bidi controls) is refused by name. Budgets: research/trust.md §6.

use super::{
    Diagnostic, Key, Node, Place, Value,
    diagnostic::quoted,
    letters::{self, is_hidden},
};
use serde_yaml::granit_parser::{ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, Span, options};
use std::{collections::HashMap, sync::Arc};

/// The largest file that is read, in bytes.
pub const LARGEST: usize = 256 * 1024;
/// How deep mappings and lists may be nested.
pub const DEEPEST: usize = 32;
/// How many values and keys a file may have.
pub const MOST_NODES: usize = 50_000;
/// After so many errors the rest is not looked for.
const MOST_ERRORS: usize = 100;

/// Parses one document; `file` is the name every place carries.
///
/// # Errors
/// All refusals at once, in the order of the file; a broken syntax or a spent budget ends the search.
pub fn parse(file: &str, text: &str) -> Result<Node, Vec<Diagnostic>> {
    let file: Arc<str> = file.into();
    if text.len() > LARGEST {
        let message = format!("the file has {} bytes, at most {LARGEST} are read", text.len());
        return Err(vec![Diagnostic::new(&Place { file, line: 1, column: 1 }, message)]);
    }
    // What people cannot see they cannot be told about by the parser's words: first show it.
    let hidden = letters::judge(&file, text);
    if !hidden.is_empty() {
        return Err(hidden);
    }
    let mut reading = Reading::new(file);
    reading.read(text);
    reading.finish()
}

/// A mapping or list that is not closed yet.
enum Open {
    Sequence { place: Place, items: Vec<Node> },
    Mapping { place: Place, entries: Vec<(Key, Node)>, seen: HashMap<String, Place>, key: Pending },
}

/// What a mapping waits for.
enum Pending {
    Key,
    /// The value of this key; of none where the key was refused.
    Value(Option<Key>, Place),
}

struct Reading {
    file: Arc<str>,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    nodes: usize,
    problems: Vec<Diagnostic>,
}

/// Whether reading goes on.
#[derive(PartialEq, Eq)]
enum Next {
    On,
    Stop,
}

impl Reading {
    fn new(file: Arc<str>) -> Self {
        Self { file, open: Vec::new(), root: None, documents: 0, nodes: 0, problems: Vec::new() }
    }

    fn read(&mut self, text: &str) {
        let mut options = options! {
            disallow_directives: true,
            emit_unresolved_aliases: true,
            flow_nesting_limit: DEEPEST,
            block_nesting_limit: DEEPEST,
        };
        options.set_emit_comments(false);
        for next in Parser::new_from_str_with_options(text, options) {
            let step = match next {
                Ok((event, span)) => self.event(event, &span),
                Err(error) => {
                    self.problems.push(self.not_yaml(&error));
                    Next::Stop
                }
            };
            if step == Next::Stop || self.problems.len() >= MOST_ERRORS {
                return;
            }
        }
    }

    fn finish(mut self) -> Result<Node, Vec<Diagnostic>> {
        let start = Place { file: Arc::clone(&self.file), line: 1, column: 1 };
        if self.problems.is_empty() {
            match self.root {
                Some(root) if root.value != Value::Null => return Ok(root),
                Some(_) | None => self.problems.push(Diagnostic::new(&start, "the file is empty")),
            }
        }
        self.problems.sort_by(|a, b| a.place.cmp(&b.place));
        Err(self.problems)
    }

    fn event(&mut self, event: Event<'_>, span: &Span) -> Next {
        let place = self.place(&span.start);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a second document begins here; a file holds one";
                    self.refuse(&place, message, "make it a file of its own and remove the `---`");
                    return Next::Stop;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_properties(span, &place, anchor, tag.is_some());
                // Where nothing is written the parser says `~`; only its span is honest.
                let text = if span.start == span.end { String::new() } else { text.into_owned() };
                return self.scalar(text, style == ScalarStyle::Plain, place);
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_properties(span, &place, anchor, tag.is_some());
                return self.begin(Open::Sequence { place: place.clone(), items: Vec::new() }, &place);
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_properties(span, &place, anchor, tag.is_some());
                let (entries, seen) = (Vec::new(), HashMap::new());
                return self.begin(Open::Mapping { place: place.clone(), entries, seen, key: Pending::Key }, &place);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let node = match self.open.pop() {
                    Some(Open::Sequence { place, items }) => Node { place, value: Value::Sequence(items) },
                    Some(Open::Mapping { place, entries, .. }) => Node { place, value: Value::Mapping(entries) },
                    None => return Next::On,
                };
                self.place_node(node);
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.refuse(&place, "an alias (`*name`) is not supported", "write the value out, or use `extends`");
                return self.scalar(String::new(), true, place);
            }
            // The rest is not data: comments, marks of beginning and end.
            _ => {}
        }
        Next::On
    }

    fn refuse_properties(&mut self, span: &Span, place: &Place, anchor: usize, tagged: bool) {
        if anchor != 0 {
            self.refuse(place, "an anchor (`&name`) is not supported", "write the value out, or use `extends`");
        }
        if tagged {
            let place = span.tag_start.as_ref().map_or_else(|| place.clone(), |start| self.place(start));
            self.refuse(&place, "a tag (`!name`) is not supported", "remove it; quote a value that must be text");
        }
    }

    fn begin(&mut self, open: Open, place: &Place) -> Next {
        if let Some(Open::Mapping { key: Pending::Key, .. }) = self.open.last() {
            self.refuse(
                place,
                "a key must be text, not a list or mapping",
                "is a quote missing around `{…}` or `[…]`?",
            );
        }
        if self.open.len() >= DEEPEST {
            self.problems.push(Diagnostic::new(place, format!("nested more than {DEEPEST} deep")));
            return Next::Stop;
        }
        self.open.push(open);
        self.count(place)
    }

    fn scalar(&mut self, text: String, plain: bool, place: Place) -> Next {
        let is_key = matches!(self.open.last(), Some(Open::Mapping { key: Pending::Key, .. }));
        // The file itself holds none, so it came from an escape such as `"\\u001b"`.
        if let Some(hidden) = text.chars().find(|c| is_hidden(*c) || (is_key && matches!(c, '\n' | '\t'))) {
            let message = format!("{} holds the hidden character U+{:04X}", quoted(&text), u32::from(hidden));
            self.problems.push(Diagnostic::new(&place, message));
        }
        let counted = self.count(&place);
        if is_key {
            self.key(text, plain, place);
        } else {
            let empty = plain && text.is_empty();
            let place = match self.open.last() {
                Some(Open::Mapping { key: Pending::Value(_, at), .. }) if empty => at.clone(),
                Some(_) | None => place,
            };
            let value = if plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") {
                Value::Null
            } else {
                Value::Scalar { text, plain }
            };
            self.place_node(Node { place, value });
        }
        counted
    }

    fn key(&mut self, text: String, plain: bool, place: Place) {
        let Some(Open::Mapping { seen, key, .. }) = self.open.last_mut() else { return };
        let problem = if plain && text == "<<" {
            Some(("the merge key `<<` is not supported".to_owned(), "write the keys out, or use `extends`".to_owned()))
        } else if text.is_empty() {
            Some(("a key is empty".to_owned(), "write `key: value`".to_owned()))
        } else {
            let twice = |first: &Place| {
                (format!("key {} stands here twice", quoted(&text)), format!("the first is in line {}", first.line))
            };
            seen.get(&text).map(twice)
        };
        if let Some((message, hint)) = problem {
            *key = Pending::Value(None, place.clone());
            self.refuse(&place, &message, &hint);
        } else {
            seen.insert(text.clone(), place.clone());
            *key = Pending::Value(Some(Key { place: place.clone(), text }), place);
        }
    }

    /// Puts a finished node where it belongs.
    fn place_node(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::Sequence { items, .. }) => items.push(node),
            Some(Open::Mapping { entries, key, .. }) => match std::mem::replace(key, Pending::Key) {
                Pending::Value(Some(key), _) => entries.push((key, node)),
                Pending::Value(None, _) => {}
                // A list or mapping as key, refused when it began: its value is still to come.
                Pending::Key => *key = Pending::Value(None, node.place),
            },
        }
    }

    fn count(&mut self, place: &Place) -> Next {
        self.nodes += 1;
        if self.nodes <= MOST_NODES {
            return Next::On;
        }
        self.problems.push(Diagnostic::new(place, format!("more than {MOST_NODES} values")));
        Next::Stop
    }

    fn refuse(&mut self, place: &Place, message: &str, hint: &str) {
        self.problems.push(Diagnostic::new(place, message).with_hint(hint));
    }

    fn place(&self, marker: &Marker) -> Place {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place { file: Arc::clone(&self.file), line: number(marker.line()).max(1), column: number(marker.col() + 1) }
    }

    fn not_yaml(&self, error: &ScanError) -> Diagnostic {
        let place = self.place(error.marker());
        let say = |message: &str, hint: &str| Diagnostic::new(&place, message).with_hint(hint);
        match error.kind() {
            ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::TabInPlainScalar => say("a tab where YAML wants spaces", "indent with spaces"),
            ErrorKind::RecursionLimitExceeded => Diagnostic::new(&place, format!("nested more than {DEEPEST} deep")),
            ErrorKind::DirectiveDisallowed => say("a directive (`%…`) is not supported", "remove the line"),
            ErrorKind::MappingValueNotAllowed => {
                say("a `:` where no key can stand", "check the indentation; quote a value that holds `: `")
            }
            ErrorKind::UndeclaredTagHandle => say("a tag (`!name`) is not supported", "remove it"),
            kind if kind.to_string().contains("quoted scalar") => say(
                "this is not YAML: a quoted text has no end where it should",
                "close it with the quote it begins with",
            ),
            // The kind's own text is fixed words: it repeats nothing of the file but a single character.
            kind => Diagnostic::new(&place, format!("this is not YAML: {kind}")),
        }
    }
}
