//! Who may sign: a file in the form of ssh-keygen(1), "ALLOWED SIGNERS". An option that is not understood here limits what
//! a key may do, so a line with one is refused, and the file with it; to skip the line would be to guess.

use super::signature::NAMESPACE;
use crate::source::pattern::list_means;
use ssh_key::PublicKey;

/// Those who may sign commits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signers(Vec<Signer>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Signer {
    /// Patterns of e-mail addresses, with commas between.
    principals: String,
    key: PublicKey,
}

/// A line that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the allowed signers {why}")]
pub struct BadSigners {
    pub line: usize,
    pub why: String,
}

impl Signers {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// The first line that is not understood; there is none at all.
    pub fn read(text: &str) -> Result<Self, BadSigners> {
        let mut signers = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                signers.extend(signer(line).map_err(|why| BadSigners { line: at + 1, why })?);
            }
        }
        if signers.is_empty() {
            return Err(BadSigners {
                line: text.lines().count(),
                why: "is the last, and none allows a key for git".to_owned(),
            });
        }
        Ok(Self(signers))
    }

    /// Whom a key may sign for.
    pub(super) fn of(&self, key: &PublicKey) -> Vec<&str> {
        let same = |signer: &&Signer| signer.key.key_data() == key.key_data();
        self.0.iter().filter(same).map(|signer| signer.principals.as_str()).collect()
    }
}

/// A line; none where it allows its key for other things than git.
fn signer(line: &str) -> Result<Option<Signer>, String> {
    let (principals, rest) = line.split_once([' ', '\t']).ok_or("has an address and no key")?;
    if principals.contains('"') {
        return Err("has quotes in its addresses, which is not supported".to_owned());
    }
    let rest = rest.trim_start();
    let (options, key) = if is_key(rest) { ("", rest) } else { split_options(rest)? };
    let mut for_git = true;
    for option in separate(options)? {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        match (name.to_ascii_lowercase().as_str(), value.strip_prefix('"').and_then(|value| value.strip_suffix('"'))) {
            ("namespaces", Some(list)) => for_git &= list_means(list, NAMESPACE),
            _ => return Err(format!("has the option `{}`, which is not supported", name.escape_debug())),
        }
    }
    let key = PublicKey::from_openssh(key).map_err(|error| format!("has a key that cannot be read: {error}"))?;
    Ok(for_git.then(|| Signer { principals: principals.to_owned(), key }))
}

fn is_key(text: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].iter().any(|kind| text.starts_with(kind))
}

/// Options end at the first space that is in no quotes.
fn split_options(text: &str) -> Result<(&str, &str), String> {
    let mut quoted = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => return Ok((&text[..at], text[at..].trim_start())),
            _ => {}
        }
    }
    Err(if quoted { "has a quote without an end".to_owned() } else { "has no key".to_owned() })
}

/// Options with commas between, those in quotes apart.
fn separate(options: &str) -> Result<Vec<&str>, String> {
    let (mut quoted, mut begin, mut found) = (false, 0, Vec::new());
    for (at, character) in options.char_indices() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                found.push(&options[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    if !options.is_empty() {
        found.push(&options[begin..]);
    }
    if quoted { Err("has a quote without an end".to_owned()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::Signers;
    use ssh_key::PublicKey;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFiOnkLQAU+fv/uMGALgeUtIRZe7BGBrxcipRdWgQEXo";

    fn principals(text: &str) -> Vec<String> {
        let signers = Signers::read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        signers.of(&PublicKey::from_openssh(KEY).unwrap()).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn a_line_allows_a_key_for_addresses() {
        for line in [
            "ann@example.com KEY",
            "ann@example.com\tKEY a comment",
            "# note\n\n ann@example.com namespaces=\"git\" KEY",
            "ann@example.com namespaces=\"file,git\" KEY",
            "ann@example.com Namespaces=\"g*\" KEY",
        ] {
            assert_eq!(principals(&line.replace("KEY", KEY)), ["ann@example.com"], "{line}");
        }
        let two = format!("ann@example.com {KEY}\n*@ops.example.com,!root@* {KEY}\n");
        assert_eq!(principals(&two), ["ann@example.com", "*@ops.example.com,!root@*"]);
    }

    #[test]
    fn a_key_for_other_things_is_not_allowed_for_git() {
        let other = KEY.replace("QEXo", "QEXp");
        let text = format!("ann@example.com namespaces=\"file\" {KEY}\nbob@example.com {other}\n");
        assert_eq!(principals(&text), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_line_and_never_skipped() {
        for (line, why) in [
            (
                "ann@example.com cert-authority KEY",
                "line 2 of the allowed signers has the option `cert-authority`, which is not supported",
            ),
            ("ann@example.com valid-before=\"20300101\" KEY", "has the option `valid-before`"),
            ("ann@example.com namespaces=\"git\",valid-after=\"2020\" KEY", "has the option `valid-after`"),
            ("ann@example.com namespaces=git KEY", "has the option `namespaces`"),
            ("ann@example.com namespaces=\"git KEY", "has a quote without an end"),
            ("\"ann@example.com\" KEY", "has quotes in its addresses"),
            ("ann@example.com", "has an address and no key"),
            ("ann@example.com ssh-ed25519", "has a key that cannot be read"),
            ("ann@example.com ssh-ed25519 AAAA", "has a key that cannot be read"),
            ("ann@example.com nothing", "has no key"),
        ] {
            let text = format!("bob@example.com {KEY}\n{}\n", line.replace("KEY", KEY));
            let error = Signers::read(&text).expect_err(line).to_string();
            assert!(error.contains(why) && error.contains("line 2"), "{line}: {error}");
        }
        for text in ["", "# nobody\n"] {
            assert!(Signers::read(text).is_err(), "{text:?}");
        }
    }
}
