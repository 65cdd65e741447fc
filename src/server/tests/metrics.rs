//! Figures, read back as a monitoring system would see them.

use crate::{
    plan::{Action, Cause, Change, Interruption, Resource},
    record::Outcome,
    server::Metrics,
    show::report::{AppReport, CopiesReport, CopyReport, HealthWord, RouteReport, Status},
    value::EnvironmentName,
};
use jiff::Timestamp;
use std::{collections::BTreeMap, time::Duration};

fn production() -> EnvironmentName {
    "production".parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn report(app: &str, outcome: Option<Outcome>, drifted: &[&str]) -> AppReport {
    let change = |name: &&str| Change {
        resource: Resource::Service(name.parse().unwrap()),
        action: Action::Repair,
        cause: Cause::Drift,
        order: None,
        interruption: Interruption::None,
        fields: Vec::new(),
    };
    AppReport {
        app: app.parse().unwrap(),
        status: Status::Synced,
        health: HealthWord::Healthy,
        held: None,
        suspended: false,
        wakes_at: None,
        changes: drifted.iter().map(change).collect(),
        outcome,
        error: None,
        notes: Vec::new(),
        engine_socket: Vec::new(),
        routes: Vec::new(),
        copies: Default::default(),
        left: Vec::new(),
        images: BTreeMap::new(),
    }
}

fn pass(metrics: &Metrics, report: &AppReport) {
    metrics.pass(&production(), report, Duration::from_millis(70), at(1000));
}

/// The value of a series; none where there is no such series.
fn value(metrics: &Metrics, series: &str) -> Option<String> {
    let text = metrics.render(at(2000));
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ').map(str::to_owned))
}

const WEB: &str = r#"environment="production",app="web""#;

#[test]
fn a_pass_is_counted_by_how_it_ended_and_an_app_has_one_status() {
    let metrics = Metrics::new();
    pass(&metrics, &report("web", Some(Outcome::Succeeded), &[]));
    let failed = AppReport {
        status: Status::OutOfSync,
        health: HealthWord::Degraded,
        ..report("web", Some(Outcome::Failed), &[])
    };
    metrics.pass(&production(), &failed, Duration::from_secs(20), at(1500));
    let of = |series: &str| value(&metrics, &series.replace("WEB", WEB));
    let one = Some("1".to_owned());
    assert_eq!(of(r#"reconcile_passes_total{WEB,outcome="Succeeded"}"#), one);
    assert_eq!(of(r#"reconcile_passes_total{WEB,outcome="Failed"}"#), one);
    assert_eq!(of(r#"reconcile_app_sync_status{WEB,status="Synced"}"#), Some("0".to_owned()));
    assert_eq!(of(r#"reconcile_app_sync_status{WEB,status="OutOfSync"}"#), one);
    assert_eq!(of(r#"reconcile_app_health{WEB,health="Healthy"}"#), Some("0".to_owned()));
    assert_eq!(of(r#"reconcile_app_health{WEB,health="Degraded"}"#), one);
    // A failed pass is no success.
    assert_eq!(of("reconcile_app_last_success_timestamp_seconds{WEB}"), Some("1000.0".to_owned()));
    let durations = r#"reconcile_pass_duration_seconds_bucket{le="LE",environment="production"}"#;
    let up_to = |most: &str| of(&durations.replace("LE", most));
    assert_eq!((up_to("0.05"), up_to("0.1"), up_to("60.0")), (Some("0".into()), one, Some("2".into())));
}

#[test]
fn drift_is_counted_once_until_it_is_repaired() {
    let metrics = Metrics::new();
    let drift = || value(&metrics, &format!("reconcile_app_drift_total{{{WEB}}}")).unwrap();
    // Only looked at, as where drift is reported and left.
    for (drifted, expected) in [(vec![], "0"), (vec!["a"], "1"), (vec!["a"], "1"), (vec!["a", "b"], "2")] {
        pass(&metrics, &report("web", None, &drifted));
        assert_eq!(drift(), expected);
    }
    // Repaired each time, and there again.
    for expected in ["2", "3", "4"] {
        pass(&metrics, &report("web", Some(Outcome::Succeeded), &["a"]));
        assert_eq!(drift(), expected);
    }
    // What failed to be repaired is still the same.
    pass(&metrics, &report("web", Some(Outcome::Failed), &["a"]));
    pass(&metrics, &report("web", Some(Outcome::Failed), &["a"]));
    assert_eq!(drift(), "5");
}

#[test]
fn what_is_gone_has_no_series_left() {
    let metrics = Metrics::new();
    for outcome in [
        Some(Outcome::Succeeded),
        Some(Outcome::Failed),
        Some(Outcome::RolledBack),
        Some(Outcome::Held),
        Some(Outcome::Blocked),
        Some(Outcome::NonConvergent),
        None,
    ] {
        pass(&metrics, &report("web", outcome, &["a"]));
        pass(&metrics, &report("shop", outcome, &[]));
    }
    metrics.revision(&production(), &"web".parse().unwrap(), 7);
    assert_eq!(value(&metrics, &format!("reconcile_app_revision{{{WEB}}}")), Some("7".to_owned()));
    metrics.forget(&production(), &"web".parse().unwrap());
    let text = metrics.render(at(2000));
    assert!(!text.contains("\"web\"") && text.contains("\"shop\""), "{text}");
    metrics.halted(&production(), true);
    metrics.behind(&production(), None);
    metrics.forget_environment(&production());
    let text = metrics.render(at(2000));
    assert!(!text.contains("production"), "{text}");
}

#[test]
fn lag_grows_while_a_commit_waits_and_is_nothing_in_sync() {
    let metrics = Metrics::new();
    let lag = || value(&metrics, r#"reconcile_source_lag_seconds{environment="production"}"#);
    assert_eq!(lag(), None);
    metrics.behind(&production(), Some(at(1990)));
    assert_eq!(lag().as_deref(), Some("10.0"));
    // A clock that stepped back is no negative wait.
    metrics.behind(&production(), Some(at(3000)));
    assert_eq!(lag().as_deref(), Some("0.0"));
    metrics.behind(&production(), None);
    assert_eq!(lag().as_deref(), Some("0.0"));
}

#[test]
fn counts_of_notices_are_taken_over_and_never_go_down() {
    let metrics = Metrics::new();
    let sent = || value(&metrics, r#"reconcile_notices_total{result="sent"}"#).unwrap();
    for (count, expected) in [(3, "3"), (5, "5"), (2, "5")] {
        metrics.notices(count, 0, 0);
        assert_eq!(sent(), expected);
    }
}

#[test]
fn a_route_has_figures_as_long_as_it_is_there() {
    let metrics = Metrics::new();
    let route = |answers, until| RouteReport {
        service: "api".parse().unwrap(),
        hosts: vec!["api.example.com".to_owned()],
        answers,
        certificate_until: until,
        trouble: None,
    };
    let told = |routes| AppReport { routes, ..report("web", None, &[]) };
    let up = format!("reconcile_route_up{{{WEB},service=\"api\"}}");
    let expiry = format!("reconcile_certificate_expiry_timestamp_seconds{{{WEB},service=\"api\"}}");
    pass(&metrics, &told(vec![route(true, Some(at(5000)))]));
    assert_eq!((value(&metrics, &up), value(&metrics, &expiry)), (Some("1".to_owned()), Some("5000.0".to_owned())));
    pass(&metrics, &told(vec![route(false, None)]));
    assert_eq!((value(&metrics, &up), value(&metrics, &expiry)), (Some("0".to_owned()), None));
    pass(&metrics, &told(Vec::new()));
    assert_eq!((value(&metrics, &up), value(&metrics, &expiry)), (None, None));
}

#[test]
fn an_item_has_figures_of_its_drills_once_there_was_one_and_as_long_as_it_is_told() {
    let metrics = Metrics::new();
    let item = |drilled_at, drill_failed| CopyReport {
        item: "db".parse().unwrap(),
        newest: None,
        taken_at: Some(at(4000)),
        age_seconds: None,
        overdue: false,
        drilled_at,
        drill_failed,
        trouble: None,
    };
    let told = |items| AppReport { copies: CopiesReport { items, degrade: false }, ..report("web", None, &[]) };
    let figures = || {
        ["last_verified_timestamp_seconds", "last_drill_timestamp_seconds", "drill_failed"]
            .map(|figure| value(&metrics, &format!("reconcile_backup_{figure}{{{WEB},item=\"db\"}}")))
    };
    let some = |text: &str| Some(text.to_owned());
    pass(&metrics, &told(vec![item(None, false)]));
    assert_eq!(figures(), [some("4000.0"), None, None]);
    pass(&metrics, &told(vec![item(Some(at(5000)), true)]));
    assert_eq!(figures(), [some("4000.0"), some("5000.0"), some("1")]);
    pass(&metrics, &told(vec![item(Some(at(6000)), false)]));
    assert_eq!(figures(), [some("4000.0"), some("6000.0"), some("0")]);
    pass(&metrics, &told(Vec::new()));
    assert_eq!(figures(), [None, None, None]);
}
