//! Whose objects of Caddy's configuration are whose, by their `@id`.

use crate::{proxy::SiteName, value::ServiceName};
use serde_json::Value;

/// What ours begin with. A dot is in no name, so no two services have the same.
const OURS: &str = "reconcile_";

/// The `@id` of a service's route; what else is told of it has the same and a word more.
pub fn id(name: &SiteName, service: &ServiceName) -> String {
    format!("{OURS}{}.{}.{service}", name.environment, name.app)
}

/// True for an object of one app.
pub fn is_of(name: &SiteName, object: &Value) -> bool {
    has(object, &format!("{OURS}{}.{}.", name.environment, name.app))
}

/// True for an object of any app.
pub fn is_ours(object: &Value) -> bool {
    has(object, OURS)
}

fn has(object: &Value, prefix: &str) -> bool {
    object["@id"].as_str().is_some_and(|id| id.starts_with(prefix))
}

/// Puts what is wanted of an app in the place of what there is of it: ours first, in their order, then those of others,
/// which are left as they are. What stands first is met first.
pub fn arrange<R: Ord>(list: &mut Vec<Value>, name: &SiteName, wanted: Vec<Value>, rank: impl Fn(&Value) -> R) {
    let (mut ours, theirs): (Vec<Value>, Vec<Value>) = std::mem::take(list).into_iter().partition(is_ours);
    ours.retain(|object| !is_of(name, object));
    ours.extend(wanted);
    ours.sort_by_key(rank);
    *list = ours;
    list.extend(theirs);
}

/// The list at a path; empty where there is none.
pub fn list(there: &Value, path: &[&str]) -> Vec<Value> {
    let found = path.iter().try_fold(there, |value, key| value.get(key));
    found.and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Puts a list at a path, with what is above it; an empty one is taken away with what was there for its sake.
pub fn put(there: &mut Value, path: &[&str], list: Vec<Value>) {
    if self::list(there, path) == list {
        return;
    }
    if list.is_empty() {
        remove(there, path);
        return;
    }
    let place = path.iter().fold(there, |value, key| {
        if !value.is_object() {
            *value = Value::Object(serde_json::Map::new());
        }
        &mut value[*key]
    });
    *place = Value::Array(list);
}

/// Takes away what is at a path, and what holds nothing else.
pub fn remove(there: &mut Value, path: &[&str]) {
    let Some((first, rest)) = path.split_first() else { return };
    let Some(object) = there.as_object_mut() else { return };
    if let Some(below) = object.get_mut(*first) {
        if !rest.is_empty() {
            remove(below, rest);
        }
        if rest.is_empty() || below.as_object().is_some_and(serde_json::Map::is_empty) {
            object.remove(*first);
        }
    }
}

/// The smallest part in which two configurations differ, that is there in both: where it is, and what it should be.
pub fn narrowest<'a>(before: &Value, after: &'a Value) -> (Vec<String>, &'a Value) {
    let mut path = Vec::new();
    let (mut before, mut after) = (before, after);
    loop {
        let differing: Vec<(String, &Value, &'a Value)> = match (before, after) {
            (Value::Object(one), Value::Object(other)) if one.len() == other.len() && one.keys().eq(other.keys()) => {
                let both = one.iter().zip(other.values());
                both.filter(|((_, b), a)| b != a).map(|((key, b), a)| (key.clone(), b, a)).collect()
            }
            (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
                let both = one.iter().zip(other).enumerate();
                both.filter(|(_, (b, a))| b != a).map(|(index, (b, a))| (index.to_string(), b, a)).collect()
            }
            (
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_),
                _,
            ) => Vec::new(),
        };
        match differing.as_slice() {
            // A path is part of a URL.
            [(key, b, a)] if key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)) => {
                path.push(key.clone());
                (before, after) = (b, a);
            }
            _ => return (path, after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{list, narrowest, put, remove};
    use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
    use serde_json::{Value, json};

    fn values() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<u8>().prop_map(Value::from), "[a-c/]{0,2}".prop_map(Value::from)];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c/]{1,2}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// What is written at the narrowest place makes of what was what is to be.
        #[test]
        fn the_narrowest_change_is_the_whole_change(before in values(), after in values()) {
            let (path, value) = narrowest(&before, &after);
            let mut changed = before.clone();
            let place = path.iter().fold(&mut changed, |value, key| match value {
                Value::Array(items) => &mut items[key.parse::<usize>().unwrap()],
                other => &mut other[key],
            });
            *place = value.clone();
            assert_eq!(changed, after);
            assert!(path.iter().all(|key| !key.contains('/')));
        }
    }

    #[test]
    fn one_element_that_differs_is_all_that_is_written() {
        let before = json!({"routes": [{"@id": "a", "to": 1}, {"@id": "b", "to": 2}], "listen": [":80"]});
        let mut after = before.clone();
        after["routes"][1]["to"] = json!(3);
        assert_eq!(narrowest(&before, &after), (vec!["routes".into(), "1".into(), "to".into()], &json!(3)));
        after["routes"][0]["to"] = json!(3);
        assert_eq!(narrowest(&before, &after).0, ["routes"]);
        // A key more is no change of what is there.
        after = json!({"routes": before["routes"], "listen": [":80"], "more": 1});
        assert_eq!(narrowest(&before, &after).0, [""; 0]);
    }

    #[test]
    fn what_is_put_makes_its_way_and_what_is_empty_takes_it_along() {
        let mut there = json!({"http": {}});
        put(&mut there, &["tls", "certificates", "load_files"], vec![json!(1)]);
        assert_eq!(list(&there, &["tls", "certificates", "load_files"]), [json!(1)]);
        put(&mut there, &["tls", "automation", "policies"], vec![json!(2)]);
        put(&mut there, &["tls", "certificates", "load_files"], Vec::new());
        assert_eq!(there, json!({"http": {}, "tls": {"automation": {"policies": [2]}}}));
        put(&mut there, &["tls", "automation", "policies"], Vec::new());
        assert_eq!(there, json!({"http": {}}), "what was empty before is left to others");
        put(&mut there, &["http", "servers"], Vec::new());
        assert_eq!(there, json!({"http": {}}));
        remove(&mut there, &["nothing", "there"]);
        assert_eq!(there, json!({"http": {}}));
    }
}
