//! Judges a tree by our own generated schema and resolves its scalars by it.
//!
//! The schema is what schemars writes for draft-07. YAML does not say whether `1.10` is a number or a version; the
//! schema does: where text is allowed, text keeps every letter. `pattern` is for editors only: `format` names the
//! parser of the type itself (`value::check_format`), whose error says more.

mod choice;
mod list;
mod mapping;
mod scalar;
mod schema;
mod words;

use super::{Diagnostic, Node, Place, Value};
use schema::Shape;
use serde_json::Value as Json;

/// After so many errors the rest is not looked for: a hostile file must not cost more than a wrong one.
const MOST_ERRORS: usize = 100;

/// Whether missing keys are errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Required {
    Yes,
    /// For files others extend: what is missing here may stand there.
    No,
}

/// Judges `node` by `schema` and gives its value as JSON, ready to be deserialised.
///
/// Of the schema it reads `$ref`, `allOf`, `type`, `properties`, `required`, `additionalProperties`, `propertyNames`,
/// `items`, `anyOf`, `oneOf`, `enum`, `const`, `format` and the limits of numbers, texts, lists and mappings; and ours:
/// `x-refused` (key to error text), `x-unsupported` (keys of rooms not built yet), `x-rewrite` (error text of a
/// property that may not be used).
///
/// # Errors
/// Everything that is wrong, in the order of the places.
pub fn check(node: &Node, schema: &Json, required: Required) -> Result<Json, Vec<Diagnostic>> {
    let mut judge = Judge { root: schema, required, path: Vec::new(), problems: Vec::new() };
    let value = judge.value(node, &Shape::of(schema, schema), &node.place);
    if judge.problems.is_empty() {
        return Ok(value);
    }
    judge.problems.sort_by(|a, b| a.place.cmp(&b.place));
    Err(judge.problems)
}

struct Judge<'a> {
    root: &'a Json,
    required: Required,
    /// Keys and indexes down to the value in hand.
    path: Vec<String>,
    problems: Vec<Diagnostic>,
}

impl<'a> Judge<'a> {
    fn shape(&self, schema: &'a Json) -> Shape<'a> {
        Shape::of(self.root, schema)
    }

    /// Judges one value; `owner` is the place of its key. What is wrong gives null and an entry in `problems`.
    fn value(&mut self, node: &Node, shape: &Shape<'a>, owner: &Place) -> Json {
        if self.problems.len() >= MOST_ERRORS {
            return Json::Null;
        }
        if let Some(branches) = shape.branches() {
            return self.choice(node, shape, branches, owner);
        }
        match &node.value {
            Value::Null if shape.allows(schema::Kind::Null) => Json::Null,
            Value::Null => self.nothing(shape, owner),
            Value::Scalar { text, plain } => match scalar::resolve(text, *plain, shape) {
                Ok(value) => value,
                Err(problem) => self.refuse(Diagnostic { place: node.place.clone(), ..problem }),
            },
            Value::Sequence(items) if shape.allows(schema::Kind::List) => self.list(node, items, shape),
            Value::Mapping(entries) if shape.allows(schema::Kind::Mapping) => self.mapping(entries, shape, owner),
            Value::Sequence(_) | Value::Mapping(_) => {
                let message = format!("expected {}, found {}", shape.expected(), words::found(node));
                self.refuse(words::with_example(Diagnostic::new(&node.place, message), shape))
            }
        }
    }

    fn nothing(&mut self, shape: &Shape<'a>, owner: &Place) -> Json {
        let name = self.path.last().map_or_else(String::new, |key| format!("`{key}` has "));
        let problem = Diagnostic::new(owner, format!("{name}no value: expected {}", shape.expected()));
        let problem = if shape.allows(schema::Kind::Text) {
            problem.with_hint("write `\"\"` for an empty text, or remove the key")
        } else {
            words::with_example(problem, shape)
        };
        self.refuse(problem)
    }

    fn refuse(&mut self, problem: Diagnostic) -> Json {
        self.problems.push(problem);
        Json::Null
    }

    /// Judges apart: what is wrong goes into the answer instead of the whole.
    fn apart(&mut self, node: &Node, shape: &Shape<'a>, owner: &Place) -> Result<Json, Vec<Diagnostic>> {
        let before = std::mem::take(&mut self.problems);
        let value = self.value(node, shape, owner);
        let problems = std::mem::replace(&mut self.problems, before);
        if problems.is_empty() { Ok(value) } else { Err(problems) }
    }
}
