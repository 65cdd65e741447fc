use super::{plain, processor_time, told};
use crate::yaml::{
    Node,
    parse::{DEEPEST, LARGEST, MOST_NODES, parse},
};
use serde_json::json;
use std::time::Duration;

fn good(text: &str) -> Node {
    parse("a.yaml", text).unwrap_or_else(|problems| panic!("{}", told(&problems)))
}

fn bad(text: &str) -> String {
    told(&parse("a.yaml", text).expect_err("must be refused"))
}

#[test]
fn scalars_keep_the_letters_they_were_written_with() {
    let tree = good("version: 1.10\nport: 0080\nflag: NO\nquoted: \"8080\"\nblock: |\n  a\n  b\nnothing: ~\nempty:\n");
    let expected = json!({"version": "1.10", "port": "0080", "flag": "NO", "quoted": "8080", "block": "a\nb\n",
        "nothing": null, "empty": null});
    assert_eq!(plain(&tree), expected);
}

#[test]
fn an_empty_text_in_quotes_is_no_null() {
    assert_eq!(plain(&good("a: ''\nb: \"null\"\n")), json!({"a": "", "b": "null"}));
}

#[test]
fn places_count_lines_and_characters_from_one() {
    let tree = good("# größe\nservices:\n  wëb: {image: \"x\", größe: 1}\n  list:\n    - a\n    - b: c\n");
    let at = |path: &[&str]| tree.place_of(path).to_string();
    assert_eq!(at(&["services", "wëb"]), "a.yaml:3:8");
    assert_eq!(at(&["services", "wëb", "größe"]), "a.yaml:3:28");
    assert_eq!(at(&["services", "list", "1", "b"]), "a.yaml:6:10");
    assert_eq!(at(&["services", "list", "9"]), "a.yaml:5:5");
}

#[test]
fn a_missing_value_stands_at_its_key() {
    assert_eq!(good("a: 1\nbee:\nc: 2\n").place_of(&["bee"]).to_string(), "a.yaml:2:1");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_let_through() {
    assert_eq!(plain(&good("\u{feff}a: 1\r\nb: [c]\r\n")), json!({"a": "1", "b": ["c"]}));
}

#[test]
fn what_is_not_plain_yaml_is_refused_by_name_and_place() {
    let table = [
        ("", "a.yaml:1:1: the file is empty"),
        ("# only a comment\n", "a.yaml:1:1: the file is empty"),
        ("--- \n", "a.yaml:1:1: the file is empty"),
        ("~\n", "a.yaml:1:1: the file is empty"),
        (
            "a: &x 1\n",
            "a.yaml:1:7: an anchor (`&name`) is not supported\n  hint: write the value out, or use `extends`",
        ),
        (
            "a: 1\nb: *x\n",
            "a.yaml:2:4: an alias (`*name`) is not supported\n  hint: write the value out, or use `extends`",
        ),
        (
            "a:\n  <<: {b: 1}\n",
            "a.yaml:2:3: the merge key `<<` is not supported\n  hint: write the keys out, or use `extends`",
        ),
        (
            "a: !!str 1\n",
            "a.yaml:1:4: a tag (`!name`) is not supported\n  hint: remove it; quote a value that must be text",
        ),
        (
            "a: !mine {b: 1}\n",
            "a.yaml:1:4: a tag (`!name`) is not supported\n  hint: remove it; quote a value that must be text",
        ),
        ("a: !x!y 1\n", "a.yaml:1:4: a tag (`!name`) is not supported\n  hint: remove it"),
        ("%YAML 1.2\n---\na: 1\n", "a.yaml:1:1: a directive (`%…`) is not supported\n  hint: remove the line"),
        (
            "a: 1\n---\nb: 2\n",
            "a.yaml:2:1: a second document begins here; a file holds one\n  hint: make it a file of its own and remove the `---`",
        ),
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3:1: key `a` stands here twice\n  hint: the first is in line 1"),
        ("a: {b: 1, \"b\": 2}\n", "a.yaml:1:11: key `b` stands here twice\n  hint: the first is in line 1"),
        (
            "? [a]\n: b\n",
            "a.yaml:1:3: a key must be text, not a list or mapping\n  hint: is a quote missing around `{…}` or `[…]`?",
        ),
        (
            "a: {{name}: b}\n",
            "a.yaml:1:5: a key must be text, not a list or mapping\n  hint: is a quote missing around `{…}` or `[…]`?",
        ),
        (": b\n", "a.yaml:1:1: a key is empty\n  hint: write `key: value`"),
        ("a:\n\tb: 1\n", "a.yaml:2:2: a tab where YAML wants spaces\n  hint: indent with spaces"),
        (
            "a: b: c\n",
            "a.yaml:1:5: a `:` where no key can stand\n  hint: check the indentation; quote a value that holds `: `",
        ),
        ("a: \"\\e[31mred\"\n", "a.yaml:1:4: `\\u{1b}[31mred` holds the hidden character U+001B"),
        ("\"a\\tb\": 1\n", "a.yaml:1:1: `a\\tb` holds the hidden character U+0009"),
        ("a: \"\\u202egnp\"\n", "a.yaml:1:4: `\\u{202e}gnp` holds the hidden character U+202E"),
        ("a: x\u{202e}y\n", "a.yaml:1:5: the hidden character U+202E stands here\n  hint: remove it"),
        ("a: 1 # \u{2066}\n", "a.yaml:1:8: the hidden character U+2066 stands here\n  hint: remove it"),
        ("a: \u{1b}[0m\n", "a.yaml:1:4: the hidden character U+001B stands here\n  hint: remove it"),
        ("a: [1\n", "a.yaml:1:4: this is not YAML: unclosed bracket '['"),
        (
            "a:\n  b: \"c\nd: 1\n",
            "a.yaml:3:1: this is not YAML: a quoted text has no end where it should\n  hint: close it with the quote it begins with",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(bad(text), expected, "{text:?}");
    }
}

#[test]
fn all_refusals_come_at_once() {
    let told = bad("a: &x 1\nb: *x\nc: 1\nc: 2\nd: !t e\n");
    let places: Vec<_> = told.lines().filter(|line| !line.starts_with(' ')).map(|line| &line[..10]).collect();
    assert_eq!(places, ["a.yaml:1:7", "a.yaml:2:4", "a.yaml:4:1", "a.yaml:5:4"]);
}

#[test]
fn an_error_shows_nothing_of_the_lines_around_it() {
    for text in ["password: hunter2\nb: [\n", "password: hunter2\n\tb: 1\n", "password: hunter2\npassword: swordfish\n"]
    {
        let told = bad(text);
        assert!(!told.contains("hunter2") && !told.contains("swordfish"), "{told}");
    }
}

#[test]
fn line_feeds_and_tabs_are_fine_in_values() {
    assert_eq!(plain(&good("a: \"x\\n\\ty\"\n")), json!({"a": "x\n\ty"}));
}

#[test]
fn nesting_is_bounded_and_the_bound_itself_is_fine() {
    let nested = |deep: usize| format!("{}{}", "[".repeat(deep), "]".repeat(deep));
    good(&nested(DEEPEST));
    assert_eq!(bad(&nested(DEEPEST + 1)), "a.yaml:1:33: nested more than 32 deep");
    let mixed: String = (0..20).map(|i| format!("{}k:\n", "  ".repeat(i))).collect();
    let mixed = format!("{mixed}{}{}", " ".repeat(40), nested(20));
    assert!(bad(&mixed).ends_with("nested more than 32 deep"));
}

#[test]
fn values_and_bytes_are_bounded() {
    let list = |n: usize| format!("[{}]", vec!["1"; n].join(","));
    good(&list(MOST_NODES - 1));
    assert!(bad(&list(MOST_NODES)).ends_with("more than 50000 values"));
    let text = format!("a: {}", "x".repeat(LARGEST));
    assert_eq!(bad(&text), format!("a.yaml:1:1: the file has {} bytes, at most {LARGEST} are read", text.len()));
}

#[test]
fn a_bomb_fails_fast() {
    let laughs: String =
        (1..40).map(|i| format!("k{i}: &k{i} [{}]\n", vec![format!("*k{}", i - 1); 9].join(","))).collect();
    let keys: String = (0..20_000).map(|i| format!("k{i}: 1\n")).collect();
    let bombs = [
        laughs,
        "[".repeat(LARGEST),
        "{".repeat(LARGEST),
        "- ".repeat(LARGEST / 2),
        "? ".repeat(LARGEST / 2),
        "a:\n".repeat(LARGEST / 3),
        format!("{keys}k0: 1\n"),
        "!".repeat(LARGEST),
        "#\n".repeat(LARGEST / 2),
        "\"".repeat(LARGEST),
    ];
    for bomb in bombs {
        let begun = processor_time();
        bad(&bomb);
        let begins = bomb.get(..20).unwrap_or_default().to_owned();
        let taken = processor_time() - begun;
        assert!(taken < Duration::from_secs(2), "{begins:?} took {taken:?}");
    }
}
