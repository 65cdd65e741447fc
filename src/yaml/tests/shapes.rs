use super::told;
use crate::yaml::{Required, check, parse};
use serde_json::{Value as Json, json};

/// A schema as schemars writes it, with a bit of everything.
fn schema() -> Json {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            "services": {
                "title": "Services",
                "type": "object",
                "propertyNames": {"format": "name"},
                "additionalProperties": {"$ref": "#/definitions/Service"},
                "minProperties": 1,
                "examples": [{"web": {"image": "app:1"}}]
            }
        },
        "required": ["services"],
        "additionalProperties": false,
        "x-unsupported": ["backup"],
        "x-refused": {"version": "`version` means nothing any more: remove the line"},
        "definitions": {
            "Service": {
                "type": "object",
                "properties": {
                    "image": {"title": "Image", "type": "string", "minLength": 1, "examples": ["app:1.4"]},
                    "command": {
                        "title": "Command",
                        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}]
                    },
                    "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
                    "pull_policy": {
                        "oneOf": [
                            {"const": "missing"}, {"const": "always"},
                            {"title": "every_<duration>", "type": "string", "format": "name", "maxLength": 3}
                        ]
                    },
                    "env": {
                        "type": "object",
                        "additionalProperties": {"anyOf": [{"type": "number"}, {"type": "boolean"}, {"type": "string"}]}
                    },
                    "ports": {
                        "title": "Published ports",
                        "type": "array",
                        "uniqueItems": true,
                        "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
                        "examples": [["8000:8000"]]
                    },
                    "read_only": {"title": "Read-only root", "type": "boolean"},
                    "pids_limit": {"type": ["integer", "null"], "minimum": 1, "maximum": 4096},
                    "cpus": {"type": "number"},
                    "rollout": {"allOf": [{"$ref": "#/definitions/Rollout"}], "title": "How changes roll out"},
                    "probe": {
                        "oneOf": [
                            {"type": "object", "required": ["tcp"], "additionalProperties": false,
                             "properties": {"tcp": {"type": "object", "required": ["port"],
                                "additionalProperties": false, "properties": {"port": {"type": "integer"}}}}},
                            {"type": "object", "required": ["disable"], "additionalProperties": false,
                             "properties": {"disable": {"const": true}}}
                        ]
                    },
                    "old": {"x-rewrite": "`old` is now `new`"}
                },
                "required": ["image"],
                "additionalProperties": false
            },
            "Rollout": {
                "title": "Rollout",
                "type": "object",
                "properties": {"max_parallel": {"type": "integer", "format": "uint32", "minimum": 1}},
                "additionalProperties": false
            }
        }
    })
}

fn judged(text: &str, required: Required) -> Result<Json, String> {
    let tree = parse("a.yaml", text).map_err(|problems| told(&problems))?;
    check(&tree, &schema(), required).map_err(|problems| told(&problems))
}

/// A service of one line on top of `image: a`, so that its field stands in line 4.
fn field(line: &str) -> Result<Json, String> {
    let value = judged(&format!("services:\n  web:\n    image: a\n    {line}\n"), Required::Yes)?;
    Ok(value["services"]["web"].clone())
}

#[test]
fn scalars_become_what_the_schema_says() {
    let table = [
        ("command: 8080", json!({"image": "a", "command": "8080"})),
        ("command: [sleep, 1.10, true, ~x]", json!({"image": "a", "command": ["sleep", "1.10", "true", "~x"]})),
        ("command: ~", json!({"image": "a", "command": null})),
        ("restart: no", json!({"image": "a", "restart": "no"})),
        ("read_only: true", json!({"image": "a", "read_only": true})),
        ("pids_limit: 12", json!({"image": "a", "pids_limit": 12})),
        ("pids_limit:", json!({"image": "a", "pids_limit": null})),
        ("cpus: 0.5", json!({"image": "a", "cpus": 0.5})),
        ("cpus: 2", json!({"image": "a", "cpus": 2})),
        ("ports: [8080, \"8081\", \"1:2\"]", json!({"image": "a", "ports": [8080, "8081", "1:2"]})),
        (
            "env: {A: 1, B: 1.10, C: true, D: True, E: 007, F: \"1\", G: 1e3, H: 0.5}",
            json!({"image": "a", "env": {"A": 1, "B": "1.10", "C": true, "D": "True", "E": "007", "F": "1", "G": "1e3", "H": 0.5}}),
        ),
        ("pull_policy: always", json!({"image": "a", "pull_policy": "always"})),
        ("rollout: {max_parallel: 2}", json!({"image": "a", "rollout": {"max_parallel": 2}})),
        ("probe: {tcp: {port: 1}}", json!({"image": "a", "probe": {"tcp": {"port": 1}}})),
        ("probe: {disable: true}", json!({"image": "a", "probe": {"disable": true}})),
    ];
    for (line, expected) in table {
        assert_eq!(field(line), Ok(expected), "{line}");
    }
}

#[test]
fn a_wrong_value_says_where_what_and_what_is_expected() {
    let table = [
        (
            "imgae: b",
            "a.yaml:4:5: unknown key `imgae` in `services.web`\n  hint: did you mean `image`? valid keys: `image`, \
          `command`, `restart`, `pull_policy`, `env`, `ports`, `read_only`, `pids_limit`, `cpus`, `rollout`, `probe`, `old`",
        ),
        (
            "restart: alway",
            "a.yaml:4:14: `alway` is none of `no`, `always`, `on-failure`, `unless-stopped`\n  \
          hint: did you mean `always`?",
        ),
        (
            "read_only: yes",
            "a.yaml:4:16: expected `true` or `false` (Read-only root), found `yes`\n  hint: write `true`",
        ),
        (
            "read_only: OFF",
            "a.yaml:4:16: expected `true` or `false` (Read-only root), found `OFF`\n  hint: write `false`",
        ),
        (
            "read_only: \"true\"",
            "a.yaml:4:16: expected `true` or `false` (Read-only root), found `true`\n  \
          hint: remove the quotes: `true`",
        ),
        ("pids_limit: 0", "a.yaml:4:17: `0` is out of range: expected a whole number from 1 to 4096"),
        (
            "pids_limit: 012",
            "a.yaml:4:17: expected a whole number, found `012`\n  \
          hint: write it without leading zeros: `12`",
        ),
        ("pids_limit: 1.5", "a.yaml:4:17: expected a whole number, found `1.5`"),
        ("pids_limit: 99999999999999999999", "a.yaml:4:17: expected a whole number, found `99999999999999999999`"),
        ("cpus: inf", "a.yaml:4:11: expected a number, found `inf`"),
        ("cpus: .nan", "a.yaml:4:11: expected a number, found `.nan`"),
        (
            "ports: 8000:8000",
            "a.yaml:4:12: expected a list (Published ports), found `8000:8000`\n  \
          hint: for example `[\"8000:8000\"]`",
        ),
        (
            "ports: {a: 1}",
            "a.yaml:4:12: expected a list (Published ports), found a mapping\n  \
          hint: for example `[\"8000:8000\"]`",
        ),
        ("ports: [1, \"1:1\", 1]", "a.yaml:4:23: `1` stands here twice"),
        ("command: {a: b}", "a.yaml:4:14: expected text, or a list (Command), found a mapping"),
        ("env:", "a.yaml:4:5: `env` has no value: expected a mapping"),
        ("env: {A: }", "a.yaml:4:11: `A` has no value: expected a number, or `true` or `false`, or text"),
        ("env: [A=1]", "a.yaml:4:10: expected a mapping, found a list"),
        (
            "pull_policy: alwyas",
            "a.yaml:4:18: `alwyas` is none of `missing`, `always`, nor text (every_<duration>)\n  \
          hint: did you mean `always`?",
        ),
        ("rollout: {max_parallel: 0}", "a.yaml:4:29: `0` is out of range: expected a whole number of at least 1"),
        ("rollout: fast", "a.yaml:4:14: expected a mapping (How changes roll out), found `fast`"),
        (
            "probe: {tcp: {prot: 1}}",
            "a.yaml:4:13: key `port` is missing in `services.web.probe.tcp`: expected a whole number\n\
          a.yaml:4:19: unknown key `prot` in `services.web.probe.tcp`\n  hint: did you mean `port`? valid keys: `port`",
        ),
        ("old: 1", "a.yaml:4:5: `old` is now `new`"),
    ];
    for (line, expected) in table {
        assert_eq!(field(line).expect_err(line), expected, "{line}");
    }
}

#[test]
fn a_key_of_another_spelling_is_recognised() {
    for (line, word) in [("readOnly: true", "read_only"), ("pull-policy: always", "pull_policy"), ("port: []", "ports")]
    {
        let told = field(line).expect_err(line);
        assert!(told.contains(&format!("did you mean `{word}`?")), "{told}");
    }
    assert!(!field("zzz: 1").expect_err("unknown").contains("did you mean"));
}

#[test]
fn what_is_missing_is_placed_at_its_parent_and_not_asked_of_a_base() {
    let text = "services:\n  web:\n    restart: always\n  db: {}\n";
    let expected = "a.yaml:2:3: key `image` is missing in `services.web`: expected text (Image)\n  hint: for example `app:1.4`\n\
                    a.yaml:4:3: key `image` is missing in `services.db`: expected text (Image)\n  hint: for example `app:1.4`";
    assert_eq!(judged(text, Required::Yes), Err(expected.to_owned()));
    assert_eq!(judged(text, Required::No), Ok(json!({"services": {"web": {"restart": "always"}, "db": {}}})));
    let empty = judged("{}", Required::Yes).expect_err("a manifest without services");
    assert_eq!(
        empty,
        "a.yaml:1:1: key `services` is missing: expected a mapping (Services)\n  hint: for example `{web: {image: app:1}}`"
    );
}

#[test]
fn known_words_are_refused_with_their_reason() {
    let told = judged("version: '3'\nbackup: {}\nservices: {Web: {image: ''}}\n", Required::Yes).expect_err("refused");
    let expected = "a.yaml:1:1: `version` means nothing any more: remove the line\n\
                    a.yaml:2:1: `backup` is not supported yet\n\
                    a.yaml:3:12: `Web` is not a network or volume name: use a-z, 0-9, `-` and `_`, begin and end with a letter \
                    or digit, at most 40 characters\n\
                    a.yaml:3:25: the text is empty: expected text (Image)\n  hint: for example `app:1.4`";
    assert_eq!(told, expected);
}

#[test]
fn an_error_stays_on_one_line_however_the_value_is_written() {
    let told = judged("services: {\"a\\nb\": {image: a}}\n", Required::Yes).expect_err("refused");
    assert!(told.starts_with("a.yaml:1:12: `a\\nb` holds the hidden character U+000A"), "{told}");
    let told = field(&format!("pull_policy: \"{}\\n\"", "x".repeat(5000))).expect_err("refused");
    assert!(told.lines().next().is_some_and(|line| line.len() < 200) && told.lines().count() == 1, "{told}");
    let policy = format!("{{policy: {{publish: [\"a\\n{}\"]}}}}", "x".repeat(5000));
    let told = crate::host::read("h.yaml", &policy).expect_err("refused");
    let line = told[0].to_string();
    assert!(line.starts_with("h.yaml:1:21: `a\\nx") && line.lines().count() == 1 && line.len() < 300, "{line}");
}

#[test]
fn a_file_of_errors_costs_no_more_than_a_wrong_one() {
    let keys: String = (0..12_000).map(|i| format!("unknown_key_{i}: x\n")).collect();
    let begun = super::processor_time();
    let told = judged(&keys, Required::Yes).expect_err("refused");
    assert!(told.lines().filter(|line| line.starts_with("a.yaml")).count() <= 101);
    let taken = super::processor_time() - begun;
    assert!(taken < std::time::Duration::from_secs(2), "{taken:?}");
}
