//! What is not supported is refused by name, and never left out.

use super::{
    sealing::{Plain, Sealing, map, text},
    value,
};

fn with(more: &'static str) -> String {
    Sealing { more, clear: "", ..Sealing::default() }.yaml(&map([("a", text("b"))]))
}

#[test]
fn settings_that_are_not_supported_are_refused_by_name() {
    assert_eq!(value(&with(""), "a"), Ok("b".to_owned()));
    for harmless in ["mac_only_encrypted: false", "shamir_threshold: 1", "key_groups: []", "pgp: []\nkms: null"] {
        assert_eq!(value(&with(harmless), "a"), Ok("b".to_owned()), "{harmless}");
    }
    for (more, expected) in [
        ("mac_only_encrypted: true", "it uses `mac_only_encrypted`, which is not supported"),
        ("mac_only_encrypted: maybe", "it uses `mac_only_encrypted`, which is not supported"),
        ("shamir_threshold: 2", "it uses `shamir_threshold`, which is not supported"),
        ("key_groups:\n    - age: []", "it uses `key_groups`, which is not supported"),
        ("encrypted_comment_regex: sec", "it uses `encrypted_comment_regex`, which is not supported"),
        ("unencrypted_comment_regex: sec", "it uses `unencrypted_comment_regex`, which is not supported"),
        (
            "encrypted_regex: a\nunencrypted_suffix: b",
            "it has both `unencrypted_suffix` and `encrypted_regex`: SOPS writes one of them",
        ),
        ("shiny_rule: x", "its `sops` part says `shiny_rule`, which is not known here"),
    ] {
        assert_eq!(value(&with(more), "a"), Err(expected.to_owned()), "{more}");
    }
    let expected = "its `encrypted_regex` is no regular expression that is supported";
    assert_eq!(value(&with("encrypted_regex: (a"), "a"), Err(expected.to_owned()));
}

#[test]
fn without_an_age_recipient_it_says_who_holds_the_key() {
    let file = with("");
    let begin = file.find("    age:").unwrap();
    let end = file.find("    lastmodified").unwrap();
    let instead = |part: &str| format!("{}{part}{}", &file[..begin], &file[end..]);
    let services = "    pgp:\n    -   fp: AB\n        enc: x\n    kms: []\n    hc_vault:\n    -   engine: x\n";
    let expected = "it has no age recipient: its data key is held by `pgp`, `hc_vault`";
    assert_eq!(value(&instead(services), "a"), Err(expected.to_owned()));
    assert_eq!(value(&instead("    age: []\n"), "a"), Err("it has no age recipient".to_owned()));
    assert_eq!(value(&instead(""), "a"), Err("it has no age recipient".to_owned()));
    let broken = "    age:\n    -   recipient: age1x\n";
    assert_eq!(value(&instead(broken), "a"), Err("its `sops` part is incomplete: `age`".to_owned()));
}

#[test]
fn what_yaml_can_hide_is_refused_with_its_place() {
    for (before, expected) in [
        ("b: &x 1\n", "s.yaml:1:7: an anchor (`&name`) is not supported"),
        ("b: !x y\n", "s.yaml:1:4: a tag (`!name`) is not supported"),
        ("\"a\": x\n", "s.yaml:2:1: key `a` stands here twice"),
        ("b: \"p4ss\\u202e\"\n", "s.yaml:1:4: a text holds a hidden character"),
        ("b_unencrypted: 0x1f\n", AMBIGUOUS),
        ("b_unencrypted: 010\n", AMBIGUOUS),
        ("b_unencrypted: 1_000\n", AMBIGUOUS),
        ("b_unencrypted: 2026-11-28\n", AMBIGUOUS),
        ("b_unencrypted: .inf\n", AMBIGUOUS),
        ("b_unencrypted: 99999999999999999999\n", AMBIGUOUS),
    ] {
        assert_eq!(
            value(&format!("{before}{}", with("unencrypted_suffix: _unencrypted")), "a"),
            Err(expected.to_owned())
        );
    }
}

const AMBIGUOUS: &str = "s.yaml:1:16: an unencrypted number or time that readers of YAML take for different values";

#[test]
fn clear_numbers_and_words_enter_the_mac_as_sops_writes_them() {
    for (written, plain) in [
        ("1e3", Plain::Float(1000.0)),
        ("1.50", Plain::Float(1.5)),
        ("-7", Plain::Int(-7)),
        ("TRUE", Plain::Bool(true)),
        ("yes", text("yes")),
        ("1.2.3.4", text("1.2.3.4")),
        ("10m", text("10m")),
        (".env", text(".env")),
    ] {
        let document = map([("x_unencrypted", plain), ("a", text("b"))]);
        let file = Sealing::default().yaml(&document);
        let second = file.find('\n').unwrap();
        let file = format!("x_unencrypted: {written}{}", &file[second..]);
        assert_eq!(value(&file, "a"), Ok("b".to_owned()), "{written}");
    }
}

#[test]
fn keys_that_could_be_two_things_are_refused() {
    let file = Sealing::default().yaml(&map([("a", text("b")), ("c:d", text("e"))]));
    let expected = "key `c:d` holds a `:`: SOPS cannot tell it from a key in a mapping";
    assert_eq!(value(&file, "a"), Err(expected.to_owned()));
    let file =
        Sealing { more: "unencrypted_regex: ^ü", clear: "", ..Sealing::default() }.yaml(&map([("ä", text("b"))]));
    let expected = "key `ä` is not ASCII, and which keys are encrypted is told by a regular expression";
    assert_eq!(value(&file, "ä"), Err(expected.to_owned()));
}

#[test]
fn other_formats_are_named() {
    for (file, expected) in [
        ("A=ENC[AES256_GCM]\nsops_mac=ENC[x]\n", "it is a SOPS file in the dotenv format; YAML and JSON are supported"),
        ("[a]\nb = ENC[x]\n[sops]\n", "it is a SOPS file in the INI format; YAML and JSON are supported"),
        ("a: b\n", "it has no `sops` part, so it is no file that SOPS wrote"),
        ("a: b\nsops: yes\n", "it has no `sops` part, so it is no file that SOPS wrote"),
        ("- a\n", "it has no `sops` part, so it is no file that SOPS wrote"),
        ("{\"a\": 1,\n \"a\": 2}", "it is not the JSON that SOPS writes: line 2, column 4"),
        ("{\"a\": 99999999999999999}", "it is not the JSON that SOPS writes: line 1, column 23"),
        ("{\"a\": ", "it is not the JSON that SOPS writes: line 1, column 6"),
    ] {
        assert_eq!(value(file, "a"), Err(expected.to_owned()), "{file}");
    }
}

#[test]
fn a_comment_is_no_value_but_in_a_list_may_be() {
    let file = Sealing::default().yaml(&map([("list", Plain::List(vec![text("x")])), ("a", text("b"))]));
    let commented = format!("# why\n{}", file.replace("\"a\":", "#ENC[AES256_GCM,data:x]\n\"a\":"));
    assert_eq!(value(&commented, "a"), Ok("b".to_owned()));
    let listed = file.replace("    - ENC", "    - ENC[AES256_GCM,data:a1w=,iv:aA==,tag:aA==,type:comment]\n    - ENC");
    assert_eq!(value(&listed, "a"), Err("a comment stands in the list `list`, which is not supported".to_owned()));
    // A comment that entered the MAC, as some versions let it in a list.
    let counted = Sealing::default().mac(&map([("list", Plain::List(vec![text("why"), text("x")])), ("a", text("b"))]));
    let begin = file.find("    mac:").unwrap();
    let end = begin + file[begin..].find('\n').unwrap();
    let file = format!("{}    mac: {counted}{}", &file[..begin], &file[end..]);
    let error = super::open("s.yaml", &file, &super::host().identity).unwrap_err();
    assert!(error.to_string().contains("do not agree with its MAC"), "{error}");
    assert!(error.hint().unwrap().contains("comment in a list"), "{:?}", error.hint());
}
