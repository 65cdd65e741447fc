//! Users with their passwords' hashes, as Caddy takes them: bcrypt alone.

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// A user with the hash of the password.
#[derive(Clone, Debug)]
pub struct Account {
    name: String,
    hash: SecretString,
}

impl Account {
    /// In Caddy's own words.
    pub fn told(&self) -> Value {
        let hash = BASE64_STANDARD.encode(self.hash.expose_secret());
        json!({"username": self.name, "password": hash})
    }
}

/// The users of a text in htpasswd's form.
///
/// # Errors
/// Which line cannot be used, and why; nothing of what stands in it.
pub fn accounts(text: &str) -> Result<Vec<Account>, String> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(number, line)| account(line).map_err(|why| format!("line {number}: {why}"))).collect()
}

fn account(line: &str) -> Result<Account, String> {
    let Some((name, hash)) = line.split_once(':').filter(|(name, _)| !name.is_empty()) else {
        return Err("it is no `name:hash`".to_owned());
    };
    // It would be read as a placeholder, and say what the proxy's own variables hold.
    if name.contains(['{', '}']) {
        return Err("a name with `{` or `}` is not taken".to_owned());
    }
    let is_bcrypt = ["$2a$", "$2b$", "$2y$"].iter().any(|kind| hash.starts_with(kind)) && hash.len() == 60;
    let is_plain = hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"$./".contains(&byte));
    if !is_bcrypt || !is_plain {
        return Err("caddy takes hashes of bcrypt alone, and this is another".to_owned());
    }
    Ok(Account { name: name.to_owned(), hash: hash.to_owned().into() })
}

#[cfg(test)]
mod tests {
    use super::accounts;

    const HASH: &str = "$2y$05$abcdefghijklmnopqrstuuJ7X0TqRkzH0d7cC1oTQhIeL8BPcQ6Fm";

    #[test]
    fn bcrypt_is_taken_and_whatever_else_is_named_without_what_it_says() {
        assert_eq!(HASH.len(), 60);
        let told = accounts(&format!("# people\nada:{HASH}\n\nbob:{HASH}\r\n")).unwrap();
        assert_eq!(told.len(), 2);
        for (line, wanted) in [
            ("ada:$apr1$abc$SECRETHASH", "line 1: caddy takes hashes of bcrypt alone, and this is another"),
            ("ada:{SHA}SECRETHASH", "line 1: caddy takes hashes of bcrypt alone, and this is another"),
            ("SECRETHASH", "line 1: it is no `name:hash`"),
            (":SECRETHASH", "line 1: it is no `name:hash`"),
        ] {
            assert_eq!(accounts(line).unwrap_err(), wanted);
        }
        let hostile = accounts(&format!("{{env.HOME}}:{HASH}")).unwrap_err();
        assert_eq!(hostile, "line 1: a name with `{` or `}` is not taken");
        assert!(!format!("{told:?}").contains(HASH));
    }
}
