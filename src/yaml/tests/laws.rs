//! The laws of merging, over generated trees.

use super::plain;
use crate::yaml::{Key, Node, Place, Value, merge, parse};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn place() -> Place {
    Place { file: "any.yaml".into(), line: 1, column: 1 }
}

fn tree(json: &Json) -> Node {
    let value = match json {
        Json::Null => Value::Null,
        Json::Array(items) => Value::Sequence(items.iter().map(tree).collect()),
        Json::Object(entries) => {
            let key = |text: &String| Key { place: place(), text: text.clone() };
            Value::Mapping(entries.iter().map(|(text, node)| (key(text), tree(node))).collect())
        }
        Json::String(text) => Value::Scalar { text: text.clone(), plain: true },
        other => Value::Scalar { text: other.to_string(), plain: true },
    };
    Node { place: place(), value }
}

fn merged(base: &Json, patch: &Json) -> Json {
    plain(&merge(tree(base), tree(patch)))
}

/// The algorithm of RFC 7386 §2, word for word, on JSON.
fn reference(target: &Json, patch: &Json) -> Json {
    let Json::Object(patch) = patch else { return patch.clone() };
    let mut target = target.as_object().cloned().unwrap_or_default();
    for (name, value) in patch {
        if value.is_null() {
            target.shift_remove(name);
        } else {
            let below = reference(target.get(name).unwrap_or(&Json::Null), value);
            target.insert(name.clone(), below);
        }
    }
    Json::Object(target)
}

fn leaf(nulls: bool) -> BoxedStrategy<Json> {
    let text = prop_oneof![Just("x"), Just("y"), Just("")].prop_map(|text| json!(text));
    if nulls { prop_oneof![text, Just(Json::Null)].boxed() } else { text.boxed() }
}

fn document(nulls: bool) -> BoxedStrategy<Json> {
    let grown = leaf(nulls).prop_recursive(4, 24, 4, move |inner| {
        let entries = prop::collection::btree_map("[a-d]", inner.clone(), 0..4);
        prop_oneof![
            3 => entries.prop_map(|entries| Json::Object(entries.into_iter().collect())),
            1 => prop::collection::vec(inner, 0..3).prop_map(Json::Array),
        ]
    });
    let entries = prop::collection::btree_map("[a-d]", grown, 0..4);
    entries.prop_map(|entries| Json::Object(entries.into_iter().collect())).boxed()
}

/// Documents of one shape, as manifests are: what is a mapping in one is a mapping in all.
fn shaped() -> BoxedStrategy<Json> {
    let web = prop::option::of("[a-z]").prop_map(|text| text.map_or(json!({}), |text| json!({"image": text})));
    let fields = prop::collection::btree_map("[a-c]", "[a-z]", 0..3);
    (prop::option::of(web), prop::option::of(fields), prop::option::of(prop::collection::vec("[a-z]", 0..2)))
        .prop_map(|(web, env, ports)| {
            let entries =
                [("web", web), ("env", env.map(|env| json!(env))), ("ports", ports.map(|ports| json!(ports)))];
            let there = entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
            Json::Object(there.collect())
        })
        .boxed()
}

fn has_null(value: &Json) -> bool {
    match value {
        Json::Null => true,
        // Lists are replaced whole, their nulls with them.
        Json::Array(_) | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
        Json::Object(entries) => entries.values().any(has_null),
    }
}

proptest! {
    #[test]
    fn merging_is_what_the_rfc_says(base in document(false), patch in document(true)) {
        prop_assert_eq!(merged(&base, &patch), reference(&base, &patch));
    }

    #[test]
    fn an_empty_patch_changes_nothing(base in document(true)) {
        prop_assert_eq!(merged(&base, &json!({})), base);
    }

    #[test]
    fn an_empty_base_gives_the_patch(patch in document(false)) {
        prop_assert_eq!(merged(&json!({}), &patch), patch);
    }

    #[test]
    fn a_patch_twice_is_a_patch_once(base in document(false), patch in document(true)) {
        let once = merged(&base, &patch);
        prop_assert_eq!(merged(&once, &patch), once);
    }

    #[test]
    fn no_null_of_a_patch_survives(base in document(false), patch in document(true)) {
        prop_assert!(!has_null(&merged(&base, &patch)));
    }

    /// In general the RFC's merge is not associative (a null, or a text over a mapping, forgets what was below);
    /// over documents of one shape it is, and so a chain of `extends` may be read from either end.
    #[test]
    fn documents_of_one_shape_merge_in_any_grouping(a in shaped(), b in shaped(), c in shaped()) {
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
    }

    #[test]
    fn any_text_is_parsed_or_refused_with_places_inside_it(text in "[a-c:\\-\\[\\]{},&*!#|>'\"% \n\t?~<]{0,80}") {
        if let Err(problems) = parse("any.yaml", &text) {
            prop_assert!(!problems.is_empty());
            let lines = u32::try_from(text.lines().count()).unwrap() + 1;
            prop_assert!(problems.iter().all(|p| (1..=lines).contains(&p.place.line) && p.place.column >= 1));
        }
    }
}

/// Examples of RFC 7386, appendix A, whose target and patch a manifest can hold.
#[test]
fn the_examples_of_the_rfc_hold() {
    let table = [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
        (json!({"a": "b"}), json!({"a": null}), json!({})),
        (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
        (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
        (json!({"a": [{"b": "c"}]}), json!({"a": ["1"]}), json!({"a": ["1"]})),
        (json!({"e": null}), json!({"a": "1"}), json!({"e": null, "a": "1"})),
        (json!(["1", "2"]), json!({"a": "b", "c": null}), json!({"a": "b"})),
        (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
    ];
    for (base, patch, expected) in table {
        assert_eq!(merged(&base, &patch), expected, "{base} + {patch}");
    }
}

#[test]
fn each_value_keeps_the_file_it_came_from() {
    let base = parse("_base/a.yaml", "services:\n  web:\n    image: a:1\n    env: {A: 1}\n").unwrap();
    let patch = parse("production/a.yaml", "services:\n  web:\n    image: a:2\n").unwrap();
    let merged = merge(base, patch);
    assert_eq!(merged.place_of(&["services", "web", "image"]).to_string(), "production/a.yaml:3:12");
    assert_eq!(merged.place_of(&["services", "web", "env", "A"]).to_string(), "_base/a.yaml:4:14");
    assert_eq!(merged.place_of(&["services", "web"]).to_string(), "production/a.yaml:3:5");
}
