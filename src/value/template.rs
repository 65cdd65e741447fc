//! A text with secrets in it: `postgresql://app:${secret:password|urlencode}@db/app`.

use super::{
    SecretName,
    text::{BadValue, text_form},
};
use std::{collections::BTreeSet, fmt, str::FromStr};

const KIND: &str = "a template";

/// A text with the names of secrets where their values go. `$${` stands for `${`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Template(Vec<Part>);

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Text(String),
    Secret { name: SecretName, encoding: Encoding },
}

/// How a value stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// As it is.
    Plain,
    /// As a part of a URL.
    Url,
}

impl Template {
    /// The value of one secret and nothing else.
    #[must_use]
    pub fn of_secret(name: SecretName) -> Self {
        Self(vec![Part::Secret { name, encoding: Encoding::Plain }])
    }

    /// What it is made of, in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The only secret of a template that is nothing else.
    #[must_use]
    pub fn only_secret(&self) -> Option<&SecretName> {
        match self.0.as_slice() {
            [Part::Secret { name, encoding: Encoding::Plain }] => Some(name),
            _ => None,
        }
    }

    /// The secrets in it.
    #[must_use]
    pub fn secrets(&self) -> BTreeSet<&SecretName> {
        let secrets = self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Secret { name, .. } => Some(name),
        });
        secrets.collect()
    }
}

impl FromStr for Template {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let bad = |reason: String| BadValue::new(KIND, text, reason);
        let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find("${") {
            let before = &rest[..at];
            if let Some(before) = before.strip_suffix('$') {
                plain.push_str(before);
                plain.push_str("${");
                rest = &rest[at + 2..];
                continue;
            }
            plain.push_str(before);
            let inside = &rest[at + 2..];
            let end =
                inside.find('}').ok_or_else(|| bad("`${` has no `}`; write `$${` for these letters".to_owned()))?;
            let part = secret(&inside[..end]).map_err(bad)?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(part);
            rest = &inside[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        if parts.iter().all(|part| matches!(part, Part::Text(_))) {
            return Err(bad(
                "there is no secret in it: write `${secret:<name>}`, or the text without `template`".to_owned()
            ));
        }
        Ok(Self(parts))
    }
}

/// What stands between the braces.
fn secret(inside: &str) -> Result<Part, String> {
    let Some(named) = inside.strip_prefix("secret:") else {
        return Err(format!(
            "`${{{inside}}}` is no secret: write `${{secret:<name>}}`, or `$${{{inside}}}` for these very letters"
        ));
    };
    let (name, encoding) = match named.split_once('|') {
        None => (named, Encoding::Plain),
        Some((name, "urlencode")) => (name, Encoding::Url),
        Some((_, other)) => return Err(format!("`{other}` is not known here: write `|urlencode`, or nothing")),
    };
    let name = name.parse().map_err(|error: super::BadName| error.to_string())?;
    Ok(Part::Secret { name, encoding })
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                Part::Text(plain) => f.write_str(&plain.replace("${", "$${"))?,
                Part::Secret { name, encoding: Encoding::Plain } => write!(f, "${{secret:{name}}}")?,
                Part::Secret { name, encoding: Encoding::Url } => write!(f, "${{secret:{name}|urlencode}}")?,
            }
        }
        Ok(())
    }
}

text_form!(
    Template,
    "template",
    "Text with secrets",
    r"\$\{secret:",
    ["postgresql://app:${secret:password|urlencode}@db/app"]
);

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn a_template_reads_back_as_it_was_written() {
        for text in [
            "${secret:a}",
            "x${secret:a}y",
            "postgresql://app:${secret:db_password|urlencode}@db/app",
            "${secret:a}${secret:b}",
            "$${literal} ${secret:a} $$${x}",
            "$ ${secret:a} $",
        ] {
            let template: Template = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(template.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_template_says_why() {
        for (text, reason) in [
            ("plain", "there is no secret in it"),
            ("$${secret:a}", "there is no secret in it"),
            ("${HOME}", "`${HOME}` is no secret: write `${secret:<name>}`, or `$${HOME}` for these very letters"),
            ("${secret:A}", "`A` is not a secret's name"),
            ("${secret:a|base64}", "`base64` is not known here: write `|urlencode`, or nothing"),
            ("${secret:a", "`${` has no `}`"),
        ] {
            let error = text.parse::<Template>().expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
