//! Mappings: keys that are there, keys that are missing, keys that mean nothing.

use super::{Judge, MOST_ERRORS, Required, scalar, schema::Shape, words};
use crate::yaml::{Diagnostic, Key, Node, Place, diagnostic::quoted};
use serde_json::{Map, Value as Json};

/// So many valid keys are still read by people.
const SHORT: usize = 12;

impl<'a> Judge<'a> {
    pub(super) fn mapping(&mut self, entries: &[(Key, Node)], shape: &Shape<'a>, owner: &Place) -> Json {
        let mut values = Map::new();
        for (key, node) in entries {
            if self.problems.len() >= MOST_ERRORS {
                break;
            }
            self.path.push(key.text.clone());
            if let Some(value) = self.entry(key, node, shape) {
                values.insert(key.text.clone(), value);
            }
            self.path.pop();
        }
        if self.required == Required::Yes {
            self.missing(entries, shape, owner);
        }
        self.judge_count(entries.len(), shape, owner);
        Json::Object(values)
    }

    fn entry(&mut self, key: &Key, node: &Node, shape: &Shape<'a>) -> Option<Json> {
        let property = shape.object("properties").and_then(|properties| properties.get(&key.text));
        if let Some(property) = property {
            let property = self.shape(property);
            if let Some(rewrite) = property.text("x-rewrite") {
                self.problems.push(Diagnostic::new(&key.place, rewrite));
                return None;
            }
            return Some(self.value(node, &property, &key.place));
        }
        if let Some(problem) = known_but_refused(key, shape) {
            self.problems.push(problem);
            return None;
        }
        // schemars writes maps whose keys have a pattern this way; the key is judged by `propertyNames`.
        let patterned = shape.object("patternProperties").and_then(|patterns| patterns.values().next());
        match patterned.or_else(|| shape.get("additionalProperties")) {
            Some(Json::Bool(false)) => {
                let problem = self.unknown(key, shape);
                self.problems.push(problem);
                None
            }
            other => {
                self.judge_key(key, shape);
                let other = self.shape(other.unwrap_or(&Json::Bool(true)));
                Some(self.value(node, &other, &key.place))
            }
        }
    }

    fn judge_key(&mut self, key: &Key, shape: &Shape<'a>) {
        let Some(names) = shape.get("propertyNames") else { return };
        if let Err(problem) = scalar::resolve(&key.text, false, &self.shape(names)) {
            self.problems.push(Diagnostic { place: key.place.clone(), ..problem });
        }
    }

    fn unknown(&self, key: &Key, shape: &Shape<'a>) -> Diagnostic {
        let at = match self.path.split_last() {
            Some((_, [])) | None => String::new(),
            Some((_, parents)) => format!(" in {}", quoted(&parents.join("."))),
        };
        let problem = Diagnostic::new(&key.place, format!("unknown key {}{at}", quoted(&key.text)));
        let valid: Vec<&str> = shape.object("properties").into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        let mut hints = Vec::new();
        if let Some(word) = words::nearest(&key.text, valid.iter().copied()) {
            hints.push(format!("did you mean `{word}`?"));
        }
        if (1..=SHORT).contains(&valid.len()) {
            let valid: Vec<String> = valid.iter().map(|&key| key.to_owned()).collect();
            hints.push(format!("valid keys: {}", words::listed(&valid)));
        }
        if hints.is_empty() { problem } else { problem.with_hint(hints.join(" ")) }
    }

    fn missing(&mut self, entries: &[(Key, Node)], shape: &Shape<'a>, owner: &Place) {
        for name in shape.list("required").into_iter().flatten().filter_map(Json::as_str) {
            if entries.iter().any(|(key, _)| key.text == name) {
                continue;
            }
            let at = if self.path.is_empty() { String::new() } else { format!(" in {}", quoted(&self.path.join("."))) };
            let property = shape.object("properties").and_then(|properties| properties.get(name));
            let property = self.shape(property.unwrap_or(&Json::Bool(true)));
            let message = format!("key `{name}` is missing{at}: expected {}", property.expected());
            self.problems.push(words::with_example(Diagnostic::new(owner, message), &property));
        }
    }

    fn judge_count(&mut self, count: usize, shape: &Shape<'a>, owner: &Place) {
        let wrong = if shape.size("minProperties").is_some_and(|least| count < least && self.required == Required::Yes)
        {
            Some(format!("the mapping has {count} keys, which is too few: expected {}", shape.expected()))
        } else {
            let most = shape.size("maxProperties").filter(|most| count > *most);
            most.map(|most| format!("the mapping has {count} keys, at most {most} are allowed"))
        };
        if let Some(message) = wrong {
            self.problems.push(words::with_example(Diagnostic::new(owner, message), shape));
        }
    }
}

/// A word people bring from elsewhere, or one whose room is not built yet.
fn known_but_refused(key: &Key, shape: &Shape<'_>) -> Option<Diagnostic> {
    let text = shape.object("x-refused").and_then(|refused| refused.get(&key.text)).and_then(Json::as_str);
    if let Some(text) = text {
        return Some(Diagnostic::new(&key.place, text));
    }
    let unsupported = shape.list("x-unsupported")?.iter().any(|word| word.as_str() == Some(&key.text));
    unsupported.then(|| Diagnostic::new(&key.place, format!("`{}` is not supported yet", key.text)))
}
