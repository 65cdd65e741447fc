//! What people seal is read as they wrote it.

use super::{
    sealing::{Plain, Sealing, map, text},
    value,
};

fn document() -> Plain {
    map([
        ("db_password", text("s3cret\n")),
        ("port", Plain::Int(5432)),
        ("ratio", Plain::Float(0.25)),
        ("strict", Plain::Bool(true)),
        ("hosts", Plain::List(vec![text("a"), map([("name", text("b"))])])),
        ("tls", map([("key", text("-----BEGIN KEY-----\nx: y\n")), ("inner", map([("ü", text("ß"))]))])),
        ("note_unencrypted", text("seen by all")),
        ("on_unencrypted", Plain::Bool(false)),
        ("limit_unencrypted", Plain::Int(-3)),
        ("share_unencrypted", Plain::Float(1.5)),
        ("nothing", Plain::Null),
        ("empty", text("")),
        ("none", Plain::List(Vec::new())),
    ])
}

#[test]
fn every_sealed_value_opens_under_its_keys() {
    let sealing = Sealing::default();
    for file in [sealing.yaml(&document()), sealing.json(&document())] {
        for (key, expected) in [
            ("db_password", "s3cret\n"),
            ("port", "5432"),
            ("ratio", "0.25"),
            ("strict", "true"),
            ("tls.key", "-----BEGIN KEY-----\nx: y\n"),
            ("tls.inner.ü", "ß"),
        ] {
            assert_eq!(value(&file, key), Ok(expected.to_owned()), "{key} of\n{file}");
        }
    }
}

#[test]
fn what_is_no_sealed_value_is_not_given_out() {
    let sealing = Sealing::default();
    for file in [sealing.yaml(&document()), sealing.json(&document())] {
        for (key, expected) in [
            ("password", "there is no value `password` in it"),
            ("tls", "there is no value `tls` in it"),
            ("hosts", "`hosts` is in a list: only values of mappings have an address"),
            ("hosts.name", "`hosts.name` is in a list: only values of mappings have an address"),
            (
                "note_unencrypted",
                "`note_unencrypted` is not encrypted, so it is no secret, and nothing proves that it belongs there",
            ),
            (
                "empty",
                "`empty` is empty: SOPS does not encrypt an empty value, so nothing proves that it belongs there",
            ),
            (
                "nothing",
                "`nothing` is empty: SOPS does not encrypt an empty value, so nothing proves that it belongs there",
            ),
            ("sops.mac", "there is no value `sops.mac` in it"),
            ("", "there is no value `` in it"),
        ] {
            assert_eq!(value(&file, key), Err(expected.to_owned()), "{key}");
        }
    }
}

#[test]
fn a_key_with_a_dot_is_an_address_as_long_as_it_is_the_only_one() {
    let file = Sealing::default().yaml(&map([("tls.key", text("one"))]));
    assert_eq!(value(&file, "tls.key"), Ok("one".to_owned()));
    let file = Sealing::default().yaml(&map([("tls.key", text("one")), ("tls", map([("key", text("two"))]))]));
    let expected = "two values have the address `tls.key`: a key with a dot, and keys in a mapping";
    assert_eq!(value(&file, "tls.key"), Err(expected.to_owned()));
}

#[test]
fn without_a_key_the_file_says_which_it_has() {
    let file = Sealing::default().yaml(&document());
    let error = super::open("s.yaml", &file, &super::host().identity).unwrap().value(None).unwrap_err();
    assert_eq!(error.to_string(), "it holds several values, and no `key` says which is meant");
    assert!(error.hint().unwrap().starts_with("write `key`, one of `db_password`, `port`"), "{:?}", error.hint());
}

#[test]
fn each_recipient_opens_it() {
    let recipients = vec![super::pair().recipient, super::host().recipient.clone(), super::pair().recipient];
    let file = Sealing { recipients, ..Sealing::default() }.yaml(&document());
    assert_eq!(value(&file, "port"), Ok("5432".to_owned()));
}

#[test]
fn which_keys_are_sealed_is_told_by_one_rule() {
    let document = map([
        ("data", map([("password", text("p")), ("user", text("u"))])),
        ("kind", text("Secret")),
        ("keep_clear", map([("a", text("b"))])),
    ]);
    let clear = |suffix, more| Sealing { clear: suffix, more, ..Sealing::default() }.yaml(&document);
    let file = clear("_clear", "unencrypted_suffix: _clear");
    assert_eq!(value(&file, "kind"), Ok("Secret".to_owned()));
    let file = clear("_clear", "unencrypted_regex: _clear$");
    assert_eq!(value(&file, "data.user"), Ok("u".to_owned()));
    // Every key but `data` stays clear: seal the rest by hand.
    let only_data = |more| {
        let all = Sealing { clear: "", more, ..Sealing::default() };
        let lines: Vec<String> = all.yaml(&document).lines().map(str::to_owned).collect();
        let plain = |line: &String| match line.trim_start() {
            rest if rest.starts_with("\"kind\":") => "kind: Secret".to_owned(),
            rest if rest.starts_with("\"a\":") => "    a: b".to_owned(),
            _ => line.clone(),
        };
        lines.iter().map(plain).collect::<Vec<_>>().join("\n")
    };
    for more in ["encrypted_regex: ^(data|stringData)$", "encrypted_suffix: ata"] {
        let file = only_data(more);
        assert_eq!(value(&file, "data.password"), Ok("p".to_owned()), "{more}");
        assert!(value(&file, "kind").unwrap_err().contains("is not encrypted"), "{more}");
    }
    // Without the rule the clear value is one that somebody put there.
    let expected = "`kind` stands there unencrypted, which its `sops` part forbids";
    assert_eq!(value(&only_data("unencrypted_suffix: _other"), "data.user"), Err(expected.to_owned()));
    let expected = "`data.password` is encrypted, which its `sops` part forbids";
    assert_eq!(value(&only_data("unencrypted_regex: ^data$"), "data.user"), Err(expected.to_owned()));
}
