//! The generated schema.

use crate::manifest::{Manifest, schema, shape};
use serde_json::{Value, json};

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

/// Writes every default of `schema` that `value` leaves out; how many.
fn write_defaults(schema: &Value, value: &mut Value) -> usize {
    let branches = schema["anyOf"].as_array().into_iter().flatten();
    let mut written = branches.map(|branch| write_defaults(branch, value)).sum();
    for item in value.as_array_mut().into_iter().flatten() {
        written += write_defaults(&schema["items"], item);
    }
    let Value::Object(fields) = value else { return written };
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if let (false, false) = (fields.contains_key(name), property["default"].is_null()) {
            fields.insert(name.clone(), property["default"].clone());
            written += 1;
        }
    }
    for (name, field) in fields.iter_mut() {
        let property = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
        written += write_defaults(property, field);
    }
    written
}

#[test]
fn a_default_of_the_schema_changes_nothing_when_it_is_written() {
    let bare = json!({
        "networks": {"backend": {}},
        "volumes": {"data": {}},
        "services": {
            "db": {"image": "db:1"},
            "web": {
                "image": "web:1",
                "depends_on": {"db": {}},
                "healthcheck": {"http": {"port": 80}},
                "rollout": {},
                "proxy": {"hosts": ["a.example.com"], "port": 80, "timeouts": {}, "rate_limit": {"rate": "10/s"}},
                "tls": {"hsts": {}},
            },
        },
        "jobs": {"migrate": {"service": "web", "command": ["true"]}},
        "backup": {
            "items": [{"name": "files", "type": "volume", "volume": "data"}],
            "hooks": {"before": [{"service": "web", "command": ["true"]}]},
            "encryption": {},
            "retention": {},
            "drill": {"schedule": "@monthly"},
        },
        "sync": {"windows": [{"kind": "deny", "schedule": "0 8 * * *", "duration": "1h"}]},
    });
    let mut written = bare.clone();
    assert_eq!(write_defaults(shape(), &mut written), 71, "{written:#}");
    let manifest = |value: &Value| serde_json::from_value::<Manifest>(value.clone()).unwrap();
    assert_eq!(manifest(&written), manifest(&bare));
    assert_eq!(serde_json::to_value(manifest(&written)).unwrap(), serde_json::to_value(manifest(&bare)).unwrap());
}

#[test]
fn the_schema_in_the_repository_is_the_generated_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/manifest.schema.json");
    let stands = std::fs::read_to_string(path).unwrap();
    assert!(stands == format!("{:#}\n", schema()), "run `reconcile schema --write`");
}
