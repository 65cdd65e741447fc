//! A writer of SOPS files, from the description of the format.

use aes_gcm::{
    AesGcm, KeyInit,
    aead::{Aead, Payload, consts::U32, generic_array::GenericArray},
    aes::Aes256,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha512};

/// A value before it is sealed.
#[derive(Clone, Debug, PartialEq)]
pub enum Plain {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    Null,
    List(Vec<Plain>),
    Map(Vec<(String, Plain)>),
}

pub fn text(value: &str) -> Plain {
    Plain::Text(value.to_owned())
}

pub fn map<const N: usize>(entries: [(&str, Plain); N]) -> Plain {
    Plain::Map(entries.map(|(key, value)| (key.to_owned(), value)).to_vec())
}

/// How a file is sealed.
pub struct Sealing {
    pub data_key: [u8; 32],
    pub recipients: Vec<String>,
    pub last_modified: &'static str,
    /// Lines of the `sops` part beside the usual ones, for YAML.
    pub more: &'static str,
    /// Keys that stay in clear text, by their end.
    pub clear: &'static str,
}

impl Sealing {
    /// As SOPS seals by itself.
    pub fn to(recipient: &str) -> Self {
        Self {
            data_key: [7; 32],
            recipients: vec![recipient.to_owned()],
            last_modified: "2026-11-28T12:00:00Z",
            more: "unencrypted_suffix: _unencrypted",
            clear: "_unencrypted",
        }
    }

    /// The document as YAML.
    pub fn yaml(&self, document: &Plain) -> String {
        let (mut body, mac) = (String::new(), self.mac(document));
        let Plain::Map(entries) = document else { panic!("a document is a mapping") };
        self.yaml_entries(entries, &mut Vec::new(), 0, &mut body);
        let age: String = self
            .recipients
            .iter()
            .map(|recipient| {
                let enc = self.wrapped(recipient).lines().map(|line| format!("          {line}\n")).collect::<String>();
                format!("      - recipient: {recipient}\n        enc: |\n{enc}")
            })
            .collect();
        let more: String = self.more.lines().map(|line| format!("    {line}\n")).collect();
        format!(
            "{body}sops:\n    age:\n{age}    lastmodified: \"{}\"\n    mac: {mac}\n{more}    version: 3.11.0\n",
            self.last_modified
        )
    }

    /// The document as JSON, indented by tabs.
    pub fn json(&self, document: &Plain) -> String {
        let serde_json::Value::Object(mut whole) = self.json_item(document, &mut Vec::new()) else { panic!() };
        let age: Vec<_> = self
            .recipients
            .iter()
            .map(|recipient| serde_json::json!({"recipient": recipient, "enc": self.wrapped(recipient)}))
            .collect();
        whole.insert(
            "sops".to_owned(),
            serde_json::json!({
                "age": age, "lastmodified": self.last_modified, "mac": self.mac(document),
                "unencrypted_suffix": "_unencrypted", "version": "3.11.0",
            }),
        );
        let mut out = Vec::new();
        let form = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        serde::Serialize::serialize(&whole, &mut serde_json::Serializer::with_formatter(&mut out, form)).unwrap();
        String::from_utf8(out).unwrap()
    }

    pub fn wrapped(&self, recipient: &str) -> String {
        let recipient: ::age::x25519::Recipient = recipient.parse().unwrap();
        ::age::encrypt_and_armor(&recipient, &self.data_key).unwrap()
    }

    pub fn mac(&self, document: &Plain) -> String {
        let mut hash = Sha512::new();
        digest(document, &mut hash);
        let mac: String = hash.finalize().iter().map(|byte| format!("{byte:02X}")).collect();
        self.seal(&mac, self.last_modified, "str")
    }

    pub fn seal(&self, plain: &str, beside: &str, kind: &str) -> String {
        let nonce: [u8; 32] = std::array::from_fn(|_| fastrand::u8(..));
        let payload = Payload { msg: plain.as_bytes(), aad: beside.as_bytes() };
        let cipher = AesGcm::<Aes256, U32>::new(GenericArray::from_slice(&self.data_key));
        let sealed = cipher.encrypt(GenericArray::from_slice(&nonce), payload).unwrap();
        let (data, tag) = sealed.split_at(sealed.len() - 16);
        let [data, nonce, tag] = [data, &nonce, tag].map(|bytes| STANDARD.encode(bytes));
        format!("ENC[AES256_GCM,data:{data},iv:{nonce},tag:{tag},type:{kind}]")
    }

    /// A value as it stands in the file; without quotes.
    fn leaf(&self, value: &Plain, path: &[&str]) -> String {
        let plain = bytes(value);
        let kind = match value {
            Plain::Text(_) => "str",
            Plain::Int(_) => "int",
            Plain::Float(_) => "float",
            Plain::Bool(_) => "bool",
            Plain::Null | Plain::List(_) | Plain::Map(_) => panic!("no leaf"),
        };
        if plain.is_empty() || self.is_clear(path) {
            return plain;
        }
        let beside: String = path.iter().map(|key| format!("{key}:")).collect();
        self.seal(&plain, &beside, kind)
    }

    fn is_clear(&self, path: &[&str]) -> bool {
        !self.clear.is_empty() && path.iter().any(|key| key.ends_with(self.clear))
    }

    fn yaml_entries<'a>(
        &self,
        entries: &'a [(String, Plain)],
        path: &mut Vec<&'a str>,
        depth: usize,
        out: &mut String,
    ) {
        for (key, value) in entries {
            path.push(key);
            out.push_str(&format!("{}{}:", "    ".repeat(depth), quoted(key)));
            self.yaml_item(value, path, depth, out);
            path.pop();
        }
    }

    fn yaml_item<'a>(&self, value: &'a Plain, path: &mut Vec<&'a str>, depth: usize, out: &mut String) {
        match value {
            Plain::Null => out.push_str(" null\n"),
            Plain::Map(entries) if entries.is_empty() => out.push_str(" {}\n"),
            Plain::List(items) if items.is_empty() => out.push_str(" []\n"),
            Plain::Map(entries) => {
                out.push('\n');
                self.yaml_entries(entries, path, depth + 1, out);
            }
            Plain::List(items) => {
                out.push('\n');
                for item in items {
                    out.push_str(&format!("{}-", "    ".repeat(depth + 1)));
                    self.yaml_item(item, path, depth + 1, out);
                }
            }
            Plain::Text(_) if self.is_clear(path) => out.push_str(&format!(" {}\n", quoted(&bytes(value)))),
            Plain::Bool(truth) if self.is_clear(path) => out.push_str(&format!(" {truth}\n")),
            Plain::Text(_) | Plain::Int(_) | Plain::Float(_) | Plain::Bool(_) => {
                let leaf = self.leaf(value, path);
                out.push_str(&if leaf.is_empty() { " \"\"\n".to_owned() } else { format!(" {leaf}\n") });
            }
        }
    }

    fn json_item<'a>(&self, value: &'a Plain, path: &mut Vec<&'a str>) -> serde_json::Value {
        match value {
            Plain::Null => serde_json::Value::Null,
            Plain::List(items) => items.iter().map(|item| self.json_item(item, path)).collect(),
            Plain::Map(entries) => {
                let mut object = serde_json::Map::new();
                for (key, value) in entries {
                    path.push(key);
                    object.insert(key.clone(), self.json_item(value, path));
                    path.pop();
                }
                object.into()
            }
            Plain::Bool(truth) if self.is_clear(path) => (*truth).into(),
            Plain::Int(number) if self.is_clear(path) => (*number).into(),
            Plain::Float(number) if self.is_clear(path) => (*number).into(),
            Plain::Text(_) | Plain::Int(_) | Plain::Float(_) | Plain::Bool(_) => self.leaf(value, path).into(),
        }
    }
}

/// What of a value enters the MAC.
fn bytes(value: &Plain) -> String {
    match value {
        Plain::Text(text) => text.clone(),
        Plain::Int(number) => number.to_string(),
        Plain::Float(number) => number.to_string(),
        Plain::Bool(true) => "True".to_owned(),
        Plain::Bool(false) => "False".to_owned(),
        Plain::Null | Plain::List(_) | Plain::Map(_) => String::new(),
    }
}

fn digest(value: &Plain, hash: &mut Sha512) {
    match value {
        Plain::List(items) => items.iter().for_each(|item| digest(item, hash)),
        Plain::Map(entries) => entries.iter().for_each(|(_, value)| digest(value, hash)),
        leaf => hash.update(bytes(leaf)),
    }
}

/// JSON's quotes are YAML's too.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}
