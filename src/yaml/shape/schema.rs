//! A schema as this room reads it: references followed, kinds named.

use serde_json::{Map, Value as Json};

/// What a value can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Null,
    Boolean,
    Integer,
    Number,
    Text,
    List,
    Mapping,
}

impl Kind {
    const ALL: [Self; 7] =
        [Self::Null, Self::Boolean, Self::Integer, Self::Number, Self::Text, Self::List, Self::Mapping];

    fn of_type(word: &str) -> Option<Self> {
        Some(match word {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::Text,
            "array" => Self::List,
            "object" => Self::Mapping,
            _ => return None,
        })
    }

    fn of_value(value: &Json) -> Self {
        match value {
            Json::Null => Self::Null,
            Json::Bool(_) => Self::Boolean,
            Json::Number(number) if number.is_f64() => Self::Number,
            Json::Number(_) => Self::Integer,
            Json::String(_) => Self::Text,
            Json::Array(_) => Self::List,
            Json::Object(_) => Self::Mapping,
        }
    }

    /// As people say it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "`true` or `false`",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Text => "text",
            Self::List => "a list",
            Self::Mapping => "a mapping",
        }
    }
}

/// A schema with all that `$ref` and `allOf` bring, outermost first: the outer title is the nearer one.
#[derive(Clone)]
pub(super) struct Shape<'a> {
    layers: Vec<&'a Map<String, Json>>,
    refuses_all: bool,
}

impl<'a> Shape<'a> {
    pub(super) fn of(root: &'a Json, schema: &'a Json) -> Self {
        let mut shape = Self { layers: Vec::new(), refuses_all: false };
        shape.collect(root, schema, 16);
        shape
    }

    fn collect(&mut self, root: &'a Json, schema: &'a Json, fuel: usize) {
        let layer = match schema {
            Json::Object(layer) => layer,
            other => {
                self.refuses_all |= *other == Json::Bool(false);
                return;
            }
        };
        self.layers.push(layer);
        // The schema is ours and has no circles; the fuel keeps a wrong one from hanging the tool.
        let Some(fuel) = fuel.checked_sub(1) else { return };
        let target = layer.get("$ref").and_then(Json::as_str).and_then(|path| root.pointer(path.strip_prefix('#')?));
        let parts = layer.get("allOf").and_then(Json::as_array).into_iter().flatten();
        for part in target.into_iter().chain(parts) {
            self.collect(root, part, fuel);
        }
    }

    pub(super) fn get(&self, keyword: &str) -> Option<&'a Json> {
        self.layers.iter().find_map(|layer| layer.get(keyword))
    }

    pub(super) fn text(&self, keyword: &str) -> Option<&'a str> {
        self.get(keyword).and_then(Json::as_str)
    }

    pub(super) fn size(&self, keyword: &str) -> Option<usize> {
        self.get(keyword).and_then(Json::as_u64).and_then(|size| usize::try_from(size).ok())
    }

    pub(super) fn object(&self, keyword: &str) -> Option<&'a Map<String, Json>> {
        self.get(keyword).and_then(Json::as_object)
    }

    pub(super) fn list(&self, keyword: &str) -> Option<&'a [Json]> {
        self.get(keyword).and_then(Json::as_array).map(Vec::as_slice)
    }

    pub(super) fn branches(&self) -> Option<&'a [Json]> {
        self.list("anyOf").or_else(|| self.list("oneOf"))
    }

    /// The values an `enum` or `const` names.
    pub(super) fn words(&self) -> Option<Vec<&'a Json>> {
        let listed = self.list("enum").map(|words| words.iter().collect());
        listed.or_else(|| self.get("const").map(|word| vec![word]))
    }

    /// What a value may be; all kinds where the schema does not say.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = if self.refuses_all {
            Vec::new()
        } else if let Some(named) = self.get("type") {
            let words = named.as_array().map_or(std::slice::from_ref(named), Vec::as_slice);
            words.iter().filter_map(Json::as_str).filter_map(Kind::of_type).collect()
        } else if let Some(words) = self.words() {
            words.into_iter().map(Kind::of_value).collect()
        } else if self.get("properties").is_some() {
            vec![Kind::Mapping]
        } else if self.get("items").is_some() {
            vec![Kind::List]
        } else {
            Kind::ALL.to_vec()
        };
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    pub(super) fn allows(&self, kind: Kind) -> bool {
        self.kinds().contains(&kind)
    }

    /// What is expected here, in words: the kinds, and the title where there is one.
    pub(super) fn expected(&self) -> String {
        let kinds: Vec<_> = self.kinds().into_iter().filter(|kind| *kind != Kind::Null).map(Kind::word).collect();
        let kinds = match kinds.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
            None => "nothing".to_owned(),
        };
        self.text("title").map_or_else(|| kinds.clone(), |title| format!("{kinds} ({title})"))
    }
}
