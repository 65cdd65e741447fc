//! What was done to a file behind the back of SOPS is seen.

use super::{
    pair,
    sealing::{Plain, Sealing, map, text},
    value,
};

fn document() -> Plain {
    map([
        ("first", text("alpha")),
        ("second", text("beta")),
        ("count", Plain::Int(12)),
        ("list", Plain::List(vec![text("one"), text("two")])),
        ("inner", map([("third", text("gamma"))])),
        ("open_unencrypted", text("clear")),
    ])
}

/// Lines of the file, changed.
fn changed(file: &str, change: impl Fn(&mut Vec<String>)) -> String {
    let mut lines: Vec<String> = file.lines().map(str::to_owned).collect();
    change(&mut lines);
    lines.join("\n") + "\n"
}

fn line(lines: &[String], begin: &str) -> usize {
    lines.iter().position(|line| line.trim_start().starts_with(begin)).unwrap()
}

/// The sealed value of a line.
fn sealed(line: &str) -> String {
    line[line.find("ENC[").unwrap()..].to_owned()
}

const MAC: &str = "its values do not agree with its MAC: one was edited, added, removed or moved without SOPS";

#[test]
fn every_alteration_is_refused_and_says_what_it_is() {
    let sealing = Sealing::default();
    let file = sealing.yaml(&document());
    assert_eq!(value(&file, "first"), Ok("alpha".to_owned()));
    let other = Sealing { data_key: [8; 32], ..Sealing::default() };
    let seal = |key: &str| format!("`{key}` was changed, renamed, moved, or encrypted with another data key");
    let replace = |begin: &'static str, with: String| {
        changed(&file, move |lines| {
            let at = line(lines, begin);
            lines[at].clone_from(&with);
        })
    };
    let cases: Vec<(&str, String, String)> = vec![
        ("an edited clear value", file.replace("\"clear\"", "\"clean\""), MAC.to_owned()),
        ("a renamed key", file.replace("\"first\":", "\"fjrst\":"), seal("fjrst")),
        ("a renamed parent", file.replace("\"inner\":", "\"outer\":"), seal("outer.third")),
        ("a dropped value", changed(&file, |lines| drop(lines.remove(line(lines, "\"second\"")))), MAC.to_owned()),
        (
            "a dropped item of a list",
            changed(&file, |lines| {
                let at = line(lines, "- ENC");
                lines.remove(at);
            }),
            MAC.to_owned(),
        ),
        (
            "swapped items of a list",
            changed(&file, |lines| {
                let at = line(lines, "- ENC");
                lines.swap(at, at + 1);
            }),
            MAC.to_owned(),
        ),
        (
            "swapped lines",
            changed(&file, |lines| {
                let at = line(lines, "\"first\"");
                lines.swap(at, at + 1);
            }),
            MAC.to_owned(),
        ),
        (
            "swapped values",
            changed(&file, |lines| {
                let (one, two) = (line(lines, "\"first\""), line(lines, "\"second\""));
                let (first, second) = (sealed(&lines[one]), sealed(&lines[two]));
                lines[one] = format!("first: {second}");
                lines[two] = format!("second: {first}");
            }),
            seal("first"),
        ),
        (
            "an added value",
            changed(&file, |lines| lines.insert(0, "\"added_unencrypted\": x".to_owned())),
            MAC.to_owned(),
        ),
        (
            "an edited time of the last change",
            file.replace("2026-11-28T12:00:00Z", "2026-11-28T12:00:01Z"),
            "its `mac` or `lastmodified` was changed".to_owned(),
        ),
        (
            "a value of another data key",
            replace("\"first\"", format!("first: {}", other.seal("alpha", "first:", "str"))),
            seal("first"),
        ),
        (
            "a value in clear text",
            replace("\"first\"", "first: alpha".to_owned()),
            "`first` stands there unencrypted, which its `sops` part forbids".to_owned(),
        ),
        (
            "another data key for us",
            {
                let wrapped = |sealing: &Sealing| {
                    let armored = sealing.wrapped(&sealing.recipients[0]);
                    armored.lines().map(|line| format!("          {line}\n")).collect::<String>()
                };
                let begin = file.find("          -----BEGIN").unwrap();
                let end = file.find("    lastmodified").unwrap();
                format!("{}{}{}", &file[..begin], wrapped(&other), &file[end..])
            },
            seal("first"),
        ),
        (
            "a MAC of other values",
            replace("mac:", format!("    mac: {}", sealing.mac(&map([("first", text("omega"))])))),
            MAC.to_owned(),
        ),
        (
            "no MAC",
            changed(&file, |lines| drop(lines.remove(line(lines, "mac:")))),
            "its `sops` part is incomplete: `mac`".to_owned(),
        ),
        (
            "another type",
            changed(&file, |lines| {
                let at = line(lines, "\"first\"");
                lines[at] = lines[at].replace("type:str", "type:strings");
            }),
            "`first` is not written as SOPS writes an encrypted value".to_owned(),
        ),
        (
            "a shorter nonce",
            changed(&file, |lines| {
                let at = line(lines, "\"first\"");
                let nonce = lines[at].find("iv:").unwrap() + 3;
                lines[at].replace_range(nonce..nonce + 4, "");
            }),
            "`first` is not written as SOPS writes an encrypted value".to_owned(),
        ),
        ("cut off", file[..file.len() / 2].to_owned(), String::new()),
    ];
    for (what, altered, expected) in cases {
        assert_ne!(altered, file, "{what}");
        let said = value(&altered, "first").unwrap_err();
        assert!(expected.is_empty() || said == expected, "{what}: {said}");
        assert!(!said.contains("alpha"), "{what}: {said}");
    }
}

#[test]
fn a_file_for_others_names_them() {
    let stranger = pair();
    let file = Sealing { recipients: vec![stranger.recipient.clone()], ..Sealing::default() }.yaml(&document());
    assert_eq!(value(&file, "first"), Err(format!("it is for other recipients: `{}…`", &stranger.recipient[..60])));
    // Our name on another's key opens nothing.
    let renamed = file.replace(&stranger.recipient, &super::host().recipient);
    let expected = format!(
        "its data key for `{}` cannot be opened: it is for other recipients: no identity that is here opens it",
        super::host().recipient
    );
    assert_eq!(value(&renamed, "first"), Err(expected));
}
