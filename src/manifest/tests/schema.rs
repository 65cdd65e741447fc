//! The generated schema.

use crate::manifest::{schema, shape};
use serde_json::Value;

/// Calls `visit` with every property: its path, whether it must be written, its schema.
fn properties(schema: &Value, path: &str, visit: &mut impl FnMut(&str, bool, &Value)) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let required = schema["required"].as_array().is_some_and(|required| required.contains(&name.as_str().into()));
        visit(&path, required, property);
        properties(property, &path, visit);
    }
    for keyword in ["additionalProperties", "items"] {
        if schema[keyword].is_object() {
            properties(&schema[keyword], &format!("{path}.*"), visit);
        }
    }
    for branch in schema["anyOf"].as_array().into_iter().flatten() {
        properties(branch, path, visit);
    }
}

#[test]
fn every_field_has_a_title_a_description_and_an_example() {
    let mut bare = Vec::new();
    properties(shape(), "", &mut |path, _, property| {
        for keyword in ["title", "description", "examples"] {
            if property[keyword].is_null() {
                bare.push(format!("{path}: {keyword}"));
            }
        }
    });
    assert_eq!(bare, Vec::<String>::new());
}

#[test]
fn an_example_is_valid_where_it_stands() {
    let mut wrong = Vec::new();
    properties(shape(), "", &mut |path, _, property| {
        let validator = jsonschema::draft7::new(property).unwrap();
        for example in property["examples"].as_array().into_iter().flatten() {
            if let Err(error) = validator.validate(example) {
                wrong.push(format!("{path}: {example}: {error}"));
            }
        }
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_field_that_may_be_left_out_names_its_default() {
    let mut silent = Vec::new();
    properties(shape(), "", &mut |path, required, property| {
        let text = property["description"].as_str().unwrap_or_default();
        if !required && !text.contains("Default: ") {
            silent.push(path.to_owned());
        }
    });
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn the_published_schema_has_none_of_our_own_keywords() {
    let text = serde_json::to_string(&schema()).unwrap();
    for keyword in ["x-refused", "x-unsupported", "\"required\":["] {
        assert!(!text.contains(keyword), "{keyword}");
    }
    jsonschema::meta::validate(&schema()).unwrap();
}
