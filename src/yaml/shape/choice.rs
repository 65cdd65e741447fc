//! Values that may have one of several forms (`anyOf`, `oneOf`).

use super::{
    Judge,
    scalar::written,
    schema::{Kind, Shape},
    words,
};
use crate::yaml::{Diagnostic, Node, Place, Value, diagnostic::quoted};
use serde_json::Value as Json;

impl<'a> Judge<'a> {
    pub(super) fn choice(&mut self, node: &Node, shape: &Shape<'a>, branches: &'a [Json], owner: &Place) -> Json {
        let branches = self.leaves(branches);
        let fitting: Vec<&Shape<'a>> = branches.iter().filter(|branch| fits(node, branch)).collect();
        match fitting.as_slice() {
            [] if node.value == Value::Null => {
                let expected = forms(shape, &branches);
                let name = self.path.last().map_or_else(String::new, |key| format!("`{key}` has "));
                let problem = Diagnostic::new(owner, format!("{name}no value: expected {expected}"));
                self.refuse(words::with_example(problem, shape))
            }
            [] => {
                let message = format!("expected {}, found {}", forms(shape, &branches), words::found(node));
                self.refuse(words::with_example(Diagnostic::new(&node.place, message), shape))
            }
            [only] => self.value(node, only, owner),
            several => match &node.value {
                Value::Scalar { text, .. } => self.scalar_choice(node, text, several, shape),
                Value::Null | Value::Sequence(_) | Value::Mapping(_) => self.nearest_branch(node, several, owner),
            },
        }
    }

    /// The branches, with those of choices inside them.
    fn leaves(&self, branches: &'a [Json]) -> Vec<Shape<'a>> {
        let mut leaves = Vec::new();
        for branch in branches {
            let shape = self.shape(branch);
            match shape.branches() {
                Some(inner) => leaves.extend(self.leaves(inner)),
                None => leaves.push(shape),
            }
        }
        leaves
    }

    /// The first reading that gives back the very letters, else the first that holds at all.
    fn scalar_choice(&mut self, node: &Node, text: &str, branches: &[&Shape<'a>], shape: &Shape<'a>) -> Json {
        let mut held = Vec::new();
        let mut failed = Vec::new();
        for branch in branches {
            match self.apart(node, branch, &node.place) {
                Ok(value) => held.push(value),
                Err(problems) => failed.push((branch, problems)),
            }
        }
        let exact = held.iter().position(|value| written(value) == text).unwrap_or(0);
        if let Some(value) = held.into_iter().nth(exact) {
            return value;
        }
        // Words a person chooses from are told together; a single other branch speaks for itself.
        let listed: Vec<String> = branches.iter().filter_map(|branch| branch.words()).flatten().map(written).collect();
        let mut open: Vec<_> = failed.into_iter().filter(|(branch, _)| branch.words().is_none()).collect();
        if listed.is_empty() && open.len() == 1 {
            self.problems.extend(open.pop().into_iter().flat_map(|(_, problems)| problems));
            return Json::Null;
        }
        let others = open.iter().map(|(branch, _)| branch.expected());
        let message = if listed.is_empty() {
            let expected = shape.text("title").map_or_else(|| others.collect::<Vec<_>>().join(", or "), str::to_owned);
            format!("expected {expected}, found {}", quoted(text))
        } else {
            let others: String = others.map(|other| format!(", nor {other}")).collect();
            format!("{} is none of {}{others}", quoted(text), words::listed(&listed))
        };
        let problem =
            words::with_nearest(Diagnostic::new(&node.place, message), text, listed.iter().map(String::as_str));
        self.refuse(words::with_example(problem, shape))
    }

    /// Of several lists or mappings the one with the fewest errors is what was meant.
    fn nearest_branch(&mut self, node: &Node, branches: &[&Shape<'a>], owner: &Place) -> Json {
        let mut nearest: Option<Vec<Diagnostic>> = None;
        for branch in branches {
            match self.apart(node, branch, owner) {
                Ok(value) => return value,
                Err(problems) if nearest.as_ref().is_none_or(|near| problems.len() < near.len()) => {
                    nearest = Some(problems);
                }
                Err(_) => {}
            }
        }
        self.problems.extend(nearest.into_iter().flatten());
        Json::Null
    }
}

/// Whether a branch is for values of this kind at all.
fn fits(node: &Node, branch: &Shape<'_>) -> bool {
    let one_of = |kinds: &[Kind]| kinds.iter().any(|kind| branch.allows(*kind));
    match &node.value {
        Value::Null => one_of(&[Kind::Null]),
        Value::Scalar { .. } => one_of(&[Kind::Boolean, Kind::Integer, Kind::Number, Kind::Text]),
        Value::Sequence(_) => one_of(&[Kind::List]),
        Value::Mapping(_) => one_of(&[Kind::Mapping]),
    }
}

/// What would be right, in words.
fn forms(shape: &Shape<'_>, branches: &[Shape<'_>]) -> String {
    let forms: Vec<String> = branches
        .iter()
        .filter(|branch| branch.kinds() != [Kind::Null])
        .map(|branch| match branch.words() {
            Some(words) => words::listed(&words.into_iter().map(written).collect::<Vec<_>>()),
            None => branch.expected(),
        })
        .collect();
    let forms = forms.join(", or ");
    shape.text("title").map_or_else(|| forms.clone(), |title| format!("{forms} ({title})"))
}
