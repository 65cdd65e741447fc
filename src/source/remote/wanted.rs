//! What is asked of a repository elsewhere: a branch, a tag, a commit, or an expression about one of them.

use git2::Oid;

/// A reference as people write it, in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// None: the branch that the repository's HEAD stands for.
    pub base: Option<&'a str>,
    /// `~1`, `^2`, or nothing.
    pub suffix: &'a str,
}

/// A reference that a server told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub name: String,
    pub id: Oid,
    /// What a symbolic one stands for.
    pub target: Option<String>,
}

impl<'a> Wanted<'a> {
    /// Takes a reference apart.
    pub fn of(reference: Option<&'a str>) -> Self {
        let Some(reference) = reference else { return Self { base: None, suffix: "" } };
        let (base, suffix) = reference.split_at(reference.find(['~', '^', ':']).unwrap_or(reference.len()));
        let (base, suffix) = base.find("@{").map_or((base, suffix), |at| reference.split_at(at));
        Self { base: Some(base).filter(|base| !matches!(*base, "" | "HEAD" | "@")), suffix }
    }

    /// The full names it may have, the first that is there being meant. A branch goes before a tag of its name, else
    /// whoever may push a tag could stand in for the branch.
    pub fn names(&self) -> Vec<String> {
        match self.base {
            None => Vec::new(),
            Some(base) if base.starts_with("refs/heads/") || base.starts_with("refs/tags/") => vec![base.to_owned()],
            // Whoever may push a branch could name it so.
            Some(_) if self.is_id() => Vec::new(),
            Some(base) => vec![format!("refs/heads/{base}"), format!("refs/tags/{base}")],
        }
    }

    /// Whether it may be the id of a commit, or the beginning of one.
    pub fn may_be_id(&self) -> bool {
        self.base
            .is_some_and(|base| (7..=40).contains(&base.len()) && base.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }

    fn is_id(&self) -> bool {
        self.may_be_id() && self.base.is_some_and(|base| base.len() == 40)
    }

    /// Whether a reference is a tag that was found because there is no branch of its name.
    pub fn is_tag_for_want_of_a_branch(&self, told: &Told) -> bool {
        self.base.is_some_and(|base| told.name.strip_prefix("refs/tags/") == Some(base))
    }

    /// Of what a server told, the reference to fetch: exactly the one that is meant, or HEAD's for a commit's id.
    pub fn among<'t>(&self, told: &'t [Told]) -> Option<&'t Told> {
        let named = |name: &str| told.iter().find(|told| told.name == name);
        let found = self.names().iter().find_map(|name| named(name));
        match found {
            Some(found) => Some(found),
            None if self.base.is_none() || self.may_be_id() => {
                let head = named("HEAD")?;
                let branch = head.target.as_deref().filter(|target| target.starts_with("refs/heads/"));
                Some(branch.and_then(named).unwrap_or(head))
            }
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Told, Wanted};
    use git2::Oid;

    #[test]
    fn a_reference_is_taken_apart() {
        for (reference, base, suffix) in [
            (None, None, ""),
            (Some("HEAD"), None, ""),
            (Some("HEAD~2"), None, "~2"),
            (Some("main"), Some("main"), ""),
            (Some("topic/one^2~1"), Some("topic/one"), "^2~1"),
            (Some("v1^{commit}"), Some("v1"), "^{commit}"),
            (Some("main@{1}~1"), Some("main"), "@{1}~1"),
        ] {
            assert_eq!(Wanted::of(reference), Wanted { base, suffix }, "{reference:?}");
        }
    }

    #[test]
    fn what_is_meant_is_found_exactly_among_what_is_told() {
        let id = Oid::from_bytes(&[7; 20]).unwrap();
        let told =
            |name: &str, target: Option<&str>| Told { name: name.to_owned(), id, target: target.map(str::to_owned) };
        let all = [
            told("HEAD", Some("refs/heads/main")),
            told("refs/heads/main", None),
            told("refs/heads/main2", None),
            told("refs/heads/x/release", None),
            told("refs/tags/main", None),
            told("refs/tags/v1", None),
            told("refs/pull/1/head", None),
            told("refs/heads/0707070707070707070707070707070707070707", None),
        ];
        for (reference, name) in [
            (None, Some("refs/heads/main")),
            (Some("main"), Some("refs/heads/main")),
            (Some("refs/tags/main"), Some("refs/tags/main")),
            (Some("v1"), Some("refs/tags/v1")),
            (Some("v1~1"), Some("refs/tags/v1")),
            (Some("0707070"), Some("refs/heads/main")),
            (Some("0707070707070707070707070707070707070707"), Some("refs/heads/main")),
            (Some("release"), None),
            (Some("mai"), None),
            (Some("refs/pull/1/head"), None),
            (Some("heads/main"), None),
        ] {
            let found = Wanted::of(reference).among(&all).map(|told| told.name.as_str());
            assert_eq!(found, name, "{reference:?}");
        }
        assert_eq!(Wanted::of(None).among(&all[1..]), None, "a repository without HEAD");
        let odd = [told("HEAD", Some("refs/pull/1/head")), told("refs/pull/1/head", None)];
        assert_eq!(Wanted::of(None).among(&odd), Some(&odd[0]), "a HEAD that is no branch is nothing but a commit");
    }
}
