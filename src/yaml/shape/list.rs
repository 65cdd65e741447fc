//! Lists.

use super::{Judge, schema::Shape, words};
use crate::yaml::{Diagnostic, Node};
use serde_json::Value as Json;
use std::collections::HashSet;

impl<'a> Judge<'a> {
    pub(super) fn list(&mut self, node: &Node, items: &[Node], shape: &Shape<'a>) -> Json {
        self.judge_length(node, items.len(), shape);
        let each = shape.get("items").filter(|each| each.is_object()).map(|each| self.shape(each));
        let unique = shape.get("uniqueItems") == Some(&Json::Bool(true));
        let mut seen = HashSet::new();
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            self.path.push(index.to_string());
            let item_shape = each.clone().unwrap_or_else(|| self.shape(&Json::Bool(true)));
            let value = self.value(item, &item_shape, &item.place);
            if unique && !value.is_null() && !seen.insert(value.to_string()) {
                self.problems.push(Diagnostic::new(&item.place, format!("{} stands here twice", words::found(item))));
            }
            values.push(value);
            self.path.pop();
        }
        Json::Array(values)
    }

    fn judge_length(&mut self, node: &Node, length: usize, shape: &Shape<'a>) {
        let expected = shape.expected();
        let wrong = if shape.size("minItems").is_some_and(|least| length < least) {
            let least = shape.size("minItems").unwrap_or(1);
            Some(if length == 0 {
                format!("the list is empty: expected {expected}")
            } else {
                format!("the list has {length} items, at least {least} are needed: expected {expected}")
            })
        } else {
            let most = shape.size("maxItems").filter(|most| length > *most);
            most.map(|most| format!("the list has {length} items, at most {most} are allowed"))
        };
        if let Some(message) = wrong {
            self.problems.push(words::with_example(Diagnostic::new(&node.place, message), shape));
        }
    }
}
