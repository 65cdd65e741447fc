//! Where it listens, whose webhooks it takes, who gets notices.

use super::{bad, good};
use crate::host::{
    Event, Target,
    voice::{Forge, Format},
};

#[test]
fn targets_of_notices_are_read() {
    let settings = good(
        "\
listen: 127.0.0.1:9180
webhook: {secret_file: /etc/reconcile/webhook}
notify:
  - webhook: {url_file: /etc/reconcile/slack-url, format: slack, on: [failed, deployed]}
  - webhook: {url: \"https://hooks.example.com/T0?x=1\"}
  - email: {server: mail.example.com, from: a@example.com, to: [b@example.com]}
  - commit_status: {forge: gitea, api: \"https://git.example.com/api/v1\", repository: ops/manifests, token_file: /t}
",
    )
    .settings;
    assert_eq!(settings.listen.map(|address| address.to_string()).as_deref(), Some("127.0.0.1:9180"));
    assert_eq!(settings.webhook.secret_file.map(|path| path.to_string()).as_deref(), Some("/etc/reconcile/webhook"));
    let [Target::Webhook(slack), Target::Webhook(json), Target::Email(mail), Target::CommitStatus(status)] =
        settings.notify.as_slice()
    else {
        panic!("{:?}", settings.notify)
    };
    assert_eq!((slack.format, slack.on.as_slice()), (Format::Slack, [Event::Failed, Event::Deployed].as_slice()));
    assert_eq!((json.format, json.on.as_slice()), (Format::Json, Event::usual().as_slice()));
    assert!(!json.on.contains(&Event::Deployed));
    assert_eq!(mail.port(), 587);
    assert_eq!(status.forge, Forge::Gitea);
    // What may be a token is in no debugging output.
    assert!(!format!("{json:?}").contains("T0"), "{json:?}");
}

#[test]
fn mail_goes_to_the_usual_port_of_its_kind() {
    let port = |more: &str| {
        let text = "notify: [{email: {server: m.example.com, from: a@example.com, to: [b@example.com]";
        match good(&format!("{text}{more}}}}}]\n")).settings.notify.as_slice() {
            [Target::Email(mail)] => mail.port(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((port(""), port(", tls: tls"), port(", tls: off"), port(", port: 2525")), (587, 465, 25, 2525));
}

#[test]
fn a_mistake_in_a_target_is_told_where_it_stands() {
    let table = [
        ("listen: localhost:9180\n", "h.yaml:1:9: `localhost:9180` is not an address and port: write `address:port`"),
        ("listen: 127.0.0.1:0\n", "h.yaml:1:9: `127.0.0.1:0` is not an address and port"),
        ("webhook: {secret_file: /s}\n", "h.yaml:1:24: a webhook without a place to come to\n  hint: write `listen`"),
        ("notify: [{webhook: {ulr: \"https://a.b\"}}]\n", "h.yaml:1:21: unknown key `ulr` in `notify.0.webhook`"),
        ("notify: [{webhok: {url: \"https://a.b\"}}]\n", "h.yaml:1:11: unknown key `webhok` in `notify.0`"),
        ("notify: [{webhook: {}}]\n", "neither `url` nor `url_file` says where it goes"),
        ("notify: [{webhook: null}]\n", "h.yaml:1:11: `webhook` has no value"),
        ("notify: [{}]\n", "the mapping has 0 keys, which is too few"),
        ("notify: [{webhook: {url_file: /u}, email: {server: a, from: a@b.c, to: [a@b.c]}}]\n", "2 keys"),
        ("notify: [{webhook: {url: \"https://a.b\", url_file: /u}}]\n", "h.yaml:1:51: `url` says it already"),
        ("notify: [{webhook: {url_file: /u, on: []}}]\n", "the list is empty"),
        ("notify: [{webhook: {url_file: /u, on: [broken]}}]\n", "`broken` is none of `failed`"),
        (
            "notify: [{email: {server: m.example.com, from: ops, to: [a@b.c]}}]\n",
            "`ops` is not a mail address: write it without a name, as in `ops@example.com`",
        ),
        (
            "notify: [{email: {server: m.example.com, from: a@b.c, to: [a@b.c], username: a}}]\n",
            "a user without a password",
        ),
        (
            "notify: [{email: {server: m.example.com, from: a@b.c, to: [a@b.c], username: a, password_file: /p, \
             tls: off}}]\n",
            "a password would travel in the clear",
        ),
        ("notify: [{commit_status: {forge: gitea, repository: a/b, token_file: /t}}]\n", "`gitea` has no usual `api`"),
        (
            "notify: [{commit_status: {forge: gitlab, api: \"http://git.example.com\", repository: a/b, token_file: \
             /t}}]\n",
            "a token would travel in the clear",
        ),
        (
            "notify: [{commit_status: {forge: github, repository: manifests, token_file: /t}}]\n",
            "`manifests` is not a repository on a forge: write `owner/name`",
        ),
    ];
    for (text, expected) in table {
        let said = bad(text);
        assert!(said.contains(expected), "{text}\n{said}\nexpected: {expected}");
    }
}

#[test]
fn what_may_be_a_token_in_a_wrong_url_is_not_repeated() {
    for url in [
        "https://hooks.example.com/secret token",
        "https://user:secret@example.com/",
        "https:///secret",
        "ftp://a.b/secret",
        "hooks.example.com/secret",
    ] {
        let said = bad(&format!("notify: [{{webhook: {{url: \"{url}\"}}}}]\n"));
        assert!(said.contains("is not a URL") && !said.contains("secret"), "{said}");
    }
}

#[test]
fn a_password_in_the_clear_may_go_to_this_machine() {
    good(
        "notify: [{email: {server: localhost, from: a@b.c, to: [a@b.c], username: a, password_file: /p, tls: off}}]\n",
    );
    good(
        "notify: [{commit_status: {forge: gitea, api: \"http://127.0.0.1:3000/api/v1\", repository: a/b, token_file: /t}}]\n",
    );
}
