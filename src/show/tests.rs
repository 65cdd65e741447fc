use super::{
    AppAccount, AppReport, Compared, ContainerAccount, EnvironmentReport, ErrorReport, HealthWord, HeldReport,
    HistoryEntry, Origin, ServiceAccount, Status, Summary, SuspendedReport,
};
use crate::{
    blame::Blame,
    desired::Order,
    observed::Life,
    plan::{Action, Cause, Change, FieldChange, Interruption, Resource},
    record::{Outcome, Provenance},
};
use std::collections::BTreeMap;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn change(resource: Resource, action: Action, cause: Cause) -> Change {
    Change { resource, action, cause, order: None, interruption: Interruption::None, fields: Vec::new() }
}

fn service(name: &str) -> Resource {
    Resource::Service(name.parse().unwrap())
}

fn field(path: &str, before: Option<&str>, after: Option<&str>) -> FieldChange {
    FieldChange { path: path.to_owned(), before: before.map(str::to_owned), after: after.map(str::to_owned) }
}

fn app(name: &str, changes: Vec<Change>) -> AppReport {
    AppReport {
        app: name.parse().unwrap(),
        status: if changes.is_empty() { Status::Synced } else { Status::OutOfSync },
        health: HealthWord::Healthy,
        held: None,
        changes,
        outcome: None,
        error: None,
        notes: Vec::new(),
        engine_socket: Vec::new(),
        routes: Vec::new(),
        copies: Default::default(),
        left: Vec::new(),
        images: BTreeMap::new(),
        suspended: false,
        wakes_at: None,
    }
}

fn report(apps: Vec<AppReport>) -> EnvironmentReport {
    EnvironmentReport {
        format: super::report::FORMAT,
        environment: "production".parse().unwrap(),
        revision: format!("main@sha1:{COMMIT}"),
        status: apps.iter().map(|app| app.status).max().unwrap_or(Status::Synced),
        summary: Summary::of(apps.iter().flat_map(|app| &app.changes)),
        apps,
        origin: Origin {
            source: "/srv/manifests".to_owned(),
            compared: Compared::Host {
                engine: "docker 20.10.24 at unix:///var/run/docker.sock".to_owned(),
                host: "vps1".to_owned(),
            },
        },
    }
}

fn rollout() -> Vec<Change> {
    vec![
        change(Resource::Volume("production-web_data".to_owned()), Action::Create, Cause::Commit),
        Change {
            order: Some(Order::StopFirst),
            interruption: Interruption::Brief,
            fields: vec![
                field("services.db.image", Some("pg:15"), Some("pg:16")),
                field("services.db.env.PGDATA", None, Some("")),
            ],
            ..change(service("db"), Action::Replace, Cause::Commit)
        },
        Change {
            order: Some(Order::StartFirst),
            fields: vec![field("image id", Some("sha256:aa"), Some("known after pull"))],
            ..change(service("web"), Action::Replace, Cause::Image)
        },
        Change {
            fields: vec![field("services.cache.mem_limit", Some("128m"), Some("64m"))],
            ..change(service("cache"), Action::Repair, Cause::Drift)
        },
        Change { interruption: Interruption::Stopped, ..change(service("old"), Action::Delete, Cause::Commit) },
        change(Resource::Job("migrate".parse().unwrap()), Action::Run, Cause::Commit),
    ]
}

fn failure() -> ErrorReport {
    ErrorReport {
        blame: Blame::Revision,
        summary: "exited before it was ready".to_owned(),
        service: Some("web".parse().unwrap()),
        exit_code: Some(3),
        oom: false,
        log: vec!["starting".to_owned(), "boom \u{1b}[2Jon purpose".to_owned()],
        hint: Some("read its log: docker logs production-web-web-12345678".to_owned()),
    }
}

fn bare(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn a_plan_names_field_before_after_and_cause() {
    let mut web = app("web", rollout());
    web.notes = vec!["`services.web.ports` has no address: it is bound to 127.0.0.1".to_owned()];
    insta::assert_snapshot!(bare(&super::plan(&report(vec![app("quiet", Vec::new()), web]))), @r#"
    docker 20.10.24 at unix:///var/run/docker.sock on vps1: production from /srv/manifests@main@sha1:0123456789abcdef0123456789abcdef01234567

    web: OutOfSync, Healthy
        + volume/production-web_data  (create, cause: commit)
      -/+ service/db  (replace, cause: commit, stop-first, interruption: brief)
            services.db.image: pg:15 → pg:16
            services.db.env.PGDATA: (none) → ""
      +/- service/web  (replace, cause: image, start-first, interruption: none)
            image id: sha256:aa → known after pull
        ~ service/cache  (repair, cause: drift)
            services.cache.mem_limit: 128m → 64m
        - service/old  (delete, cause: commit, interruption: stopped)
        > job/migrate  (run, cause: commit)
      note: `services.web.ports` has no address: it is bound to 127.0.0.1

    Plan: 1 to create, 2 to replace, 1 to repair, 1 to delete, 1 to run.
    "#);
}

#[test]
fn an_empty_plan_is_in_sync() {
    insta::assert_snapshot!(bare(&super::plan(&report(vec![app("web", Vec::new())]))), @r#"
    docker 20.10.24 at unix:///var/run/docker.sock on vps1: production from /srv/manifests@main@sha1:0123456789abcdef0123456789abcdef01234567

    In sync.
    "#);
}

#[test]
fn a_held_app_says_where_by_whom_and_until_when_and_is_not_in_sync() {
    let mut web = app("web", Vec::new());
    web.status = Status::OutOfSync;
    web.held = Some(HeldReport {
        revision: Some(3),
        by: "ann".to_owned(),
        reason: "latency\u{202e}".to_owned(),
        until: "resume".to_owned(),
    });
    insta::assert_snapshot!(bare(&super::plan(&report(vec![web]))), @r#"
    docker 20.10.24 at unix:///var/run/docker.sock on vps1: production from /srv/manifests@main@sha1:0123456789abcdef0123456789abcdef01234567

    web: OutOfSync, Healthy
      held at revision 3 by ann until `reconcile resume`: latency\u{202e}

    Plan: 0 to create, 0 to replace, 0 to delete.
    "#);
}

#[test]
fn an_app_that_went_back_says_why_with_its_last_words() {
    let mut web = app("web", rollout());
    web.outcome = Some(Outcome::RolledBack);
    web.error = Some(failure());
    let mut db = app("db", vec![change(service("db"), Action::Create, Cause::Commit)]);
    (db.status, db.outcome) = (Status::Synced, Some(Outcome::Succeeded));
    web.changes.truncate(1);
    let applied = report(vec![db, web]);
    assert!(applied.failed());
    insta::assert_snapshot!(bare(&super::plan(&applied)), @r#"
    docker 20.10.24 at unix:///var/run/docker.sock on vps1: production from /srv/manifests@main@sha1:0123456789abcdef0123456789abcdef01234567

    db: Synced, Healthy, succeeded
        + service/db  (create, cause: commit)

    web: OutOfSync, Healthy, rolled back
        + volume/production-web_data  (create, cause: commit)
      error: service `web`: exited before it was ready
        the revision is at fault, exit code 3
        its last words:
        │ starting
        │ boom \u{1b}[2Jon purpose
      hint: read its log: docker logs production-web-web-12345678

    Applied: 1 created, 0 replaced, 0 deleted. Rolled back: web.
    "#);
}

#[test]
fn a_failure_that_is_only_remembered_does_not_fail_a_run_that_holds() {
    let mut web = app("web", Vec::new());
    web.outcome = Some(Outcome::Held);
    web.error = Some(failure());
    assert!(!web.failed());
}

#[test]
fn json_has_the_contracts_keys_and_none_of_our_notes() {
    let json = super::json(&report(vec![app("web", vec![rollout().remove(1)])])).unwrap();
    insta::assert_snapshot!(json, @r#"{"format":1,"environment":"production","revision":"main@sha1:0123456789abcdef0123456789abcdef01234567","status":"OutOfSync","summary":{"create":0,"replace":1,"update":0,"repair":0,"delete":0,"run":0},"apps":[{"app":"web","status":"OutOfSync","health":"Healthy","held":null,"changes":[{"resource":"service/db","action":"replace","cause":"commit","order":"stop-first","interruption":"brief","fields":[{"path":"services.db.image","before":"pg:15","after":"pg:16"},{"path":"services.db.env.PGDATA","before":null,"after":""}]}],"outcome":null,"error":null,"images":{}}]}"#);
}

#[test]
fn markdown_folds_details_and_escapes_what_others_wrote() {
    let mut web = app("web", vec![rollout().remove(1)]);
    web.changes[0].fields.push(field("services.db.env.X", Some("</pre><img src=x>"), Some("a|b\n@all `c`")));
    web.error = Some(failure());
    insta::assert_snapshot!(super::markdown(&[report(vec![web])]), @r#"
    ### production: 0 to create, 1 to replace, 0 to delete, **1 failed**

    <sub>docker 20.10.24 at unix:///var/run/docker.sock on vps1: production from /srv/manifests&#64;main&#64;sha1:0123456789abcdef0123456789abcdef01234567</sub>

    | | App | Resource | Action | Cause | Interruption |
    |---|---|---|---|---|---|
    | <code>-/+</code> | web | service/db | replace, stop-first | commit | brief |

    <details open><summary>web: OutOfSync, Healthy</summary>

    <pre>
    -/+ service/db
        services.db.image: pg:15 → pg:16
        services.db.env.PGDATA: (none) → ""
        services.db.env.X: &lt;/pre&gt;&lt;img src=x&gt; → a|b\n@all `c`
    error: service `web`: exited before it was ready
      the revision is at fault, exit code 3
      its last words:
      │ starting
      │ boom \u{1b}[2Jon purpose
    hint: read its log: docker logs production-web-web-12345678
    </pre>
    </details>
    "#);
}

#[test]
fn markdown_fits_a_comment_whatever_the_plan() {
    let many: Vec<AppReport> = (0..300)
        .map(|number| {
            let mut change = change(service("web"), Action::Update, Cause::Commit);
            change.fields = (0..20).map(|n| field(&format!("f{n}"), Some(&"x".repeat(900)), None)).collect();
            app(&format!("app{number}"), vec![change])
        })
        .collect();
    let comment = super::markdown(&[report(many)]);
    assert!(comment.len() <= 65_536, "{}", comment.len());
    assert!(comment.contains("more parts do not fit a comment"));
    assert_eq!(comment.matches("<details").count(), comment.matches("</details>").count());
}

fn account() -> AppAccount {
    AppAccount {
        environment: "production".parse().unwrap(),
        app: "web".parse().unwrap(),
        status: Status::OutOfSync,
        health: HealthWord::Degraded,
        revision: Some(7),
        held: None,
        suspended: Some(SuspendedReport {
            by: "ann".to_owned(),
            reason: Some("holiday".to_owned()),
            until: Some("2026-11-20T10:00:00Z".parse().unwrap()),
        }),
        retry_at: None,
        drift: Some(vec![field("State.Paused", Some("true"), Some("false"))]),
        error: Some(failure()),
        left: Vec::new(),
        copies: Vec::new(),
        services: vec![ServiceAccount {
            route: None,
            service: "web".parse().unwrap(),
            health: HealthWord::Degraded,
            image: "registry.example.com/web:1".to_owned(),
            containers: vec![ContainerAccount {
                id: "abc".to_owned(),
                name: "production-web-web-12345678".to_owned(),
                state: Life::Exited(3),
            }],
        }],
    }
}

#[test]
fn status_is_a_table_and_what_needs_attention() {
    insta::assert_snapshot!(bare(&super::status(&[account()], None)), @r#"
    ENVIRONMENT  APP  STATUS     HEALTH    REVISION  NOTE
    production   web  OutOfSync  Degraded  7         suspended, error, drift

    SERVICE  HEALTH    IMAGE                       CONTAINERS
    web      Degraded  registry.example.com/web:1  production-web-web-12345678 exited

    production/web: suspended by ann until 2026-11-20T10:00:00Z: holiday

    production/web: drift
      State.Paused: true → false

    production/web: error: service `web`: exited before it was ready
      the revision is at fault, exit code 3
      its last words:
      │ starting
      │ boom \u{1b}[2Jon purpose
    hint: read its log: docker logs production-web-web-12345678
    "#);
}

#[test]
fn status_as_a_comment_has_the_last_words_below_the_table() {
    let comment = super::markdown_status(&[account()]);
    let (table, below) = comment.split_once("\n\n").unwrap();
    assert!(table.starts_with("| Environment |") && table.contains("| production | web |"), "{comment}");
    assert!(below.starts_with("<details open><summary>production/web</summary>\n\n<pre>\n"), "{comment}");
    assert!(below.contains("exit code 3") && below.contains("│ boom \\u{1b}[2Jon purpose\n"), "{comment}");
}

#[test]
fn a_narrow_terminal_cuts_the_widest_column_only() {
    let table = super::status(&[account()], Some(60));
    assert!(table.lines().take(5).all(|line| line.chars().count() <= 60), "{table}");
    assert!(table.contains("production"), "{table}");
}

#[test]
fn status_json_has_the_contracts_keys() {
    insta::assert_snapshot!(super::json(&[account()]).unwrap(), @r#"[{"environment":"production","app":"web","status":"OutOfSync","health":"Degraded","revision":7,"held":null,"suspended":{"by":"ann","reason":"holiday","until":"2026-11-20T10:00:00Z"},"retry_at":null,"drift":[{"path":"State.Paused","before":"true","after":"false"}],"error":{"blame":"revision","summary":"exited before it was ready","service":"web","exit_code":3,"oom":false,"log":["starting","boom \u001b[2Jon purpose"],"hint":"read its log: docker logs production-web-web-12345678"},"services":[{"service":"web","health":"Degraded","image":"registry.example.com/web:1","containers":[{"id":"abc","name":"production-web-web-12345678","state":"exited"}]}]}]"#);
}

fn entry(number: u32, outcome: Option<Outcome>, stable: bool) -> HistoryEntry {
    HistoryEntry {
        environment: None,
        app: None,
        number,
        origin: Provenance {
            commit: COMMIT.to_owned(),
            author: "Ann <ann@example.com>".to_owned(),
            subject: "web: greet\u{1b}[31m in red".to_owned(),
            at: "2026-11-20T09:30:00.123Z".parse().unwrap(),
            cause: Cause::Commit,
            by: "Ann <ann@example.com>".to_owned(),
            reason: None,
        },
        outcome,
        stable,
        images: BTreeMap::from([("web:1".to_owned(), "sha256:aa".to_owned())]),
        copies: Vec::new(),
    }
}

#[test]
fn history_is_a_table_newest_first() {
    let entries = [entry(2, None, false), entry(1, Some(Outcome::Succeeded), true)];
    insta::assert_snapshot!(super::history(&entries, None), @r#"
    REVISION  AT                    COMMIT      CAUSE   BY                     OUTCOME            SUBJECT
    2         2026-11-20T09:30:00Z  0123456789  commit  Ann <ann@example.com>  unfinished         web: greet\u{1b}[31m in red
    1         2026-11-20T09:30:00Z  0123456789  commit  Ann <ann@example.com>  succeeded, stable  web: greet\u{1b}[31m in red
    "#);
    insta::assert_snapshot!(super::json(&entries[1]).unwrap(), @r#"{"number":1,"commit":"0123456789abcdef0123456789abcdef01234567","author":"Ann <ann@example.com>","subject":"web: greet\u001b[31m in red","at":"2026-11-20T09:30:00.123Z","cause":"commit","by":"Ann <ann@example.com>","reason":null,"outcome":"Succeeded","stable":true,"images":{"web:1":"sha256:aa"}}"#);
}
