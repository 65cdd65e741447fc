//! Healthchecks, rollouts and dependencies that could never work.

use super::findings::Findings;
use crate::{
    desired::{Condition, resolve::start_first_refusal},
    manifest::{Healthcheck, Manifest, OrderChoice, Service},
    value::{Duration, Restart, ServiceName},
};

pub(super) fn service(manifest: &Manifest, name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    if let Some(check) = &service.healthcheck {
        healthcheck(name, check, findings);
    }
    rollout(name, service, findings);
    for (other, dependency) in &service.depends_on.0 {
        let ends = manifest.services.get(other).map(|other| match other.restart {
            Restart::No | Restart::OnFailure(_) => true,
            Restart::Always | Restart::UnlessStopped => false,
        });
        if dependency.condition == Condition::ServiceCompletedSuccessfully && ends == Some(false) {
            let restart = manifest.services.get(other).map(|other| other.restart).unwrap_or_default();
            let path = ["services", name.as_str(), "depends_on", other.as_str()];
            let message = format!("`{other}` never completes: with `restart: {restart}` it is started again and again");
            findings.advise(&path, message, format!("write `restart: no` at `{other}`, or make it a job"));
        }
        if dependency.condition == Condition::ServiceHealthy
            && manifest.services.get(other).is_some_and(|other| other.healthcheck.as_ref().is_some_and(|c| c.disable))
        {
            let path = ["services", name.as_str(), "depends_on", other.as_str()];
            findings.add(&path, format!("`{other}` never becomes healthy: its healthcheck is disabled"));
        }
    }
}

fn healthcheck(name: &ServiceName, check: &Healthcheck, findings: &mut Findings<'_>) {
    let path = ["services", name.as_str(), "healthcheck"];
    let at = |field| ["services", name.as_str(), "healthcheck", field];
    let kinds: Vec<&str> = [
        ("http", check.http.is_some()),
        ("tcp", check.tcp.is_some()),
        ("test", check.test.is_some()),
        ("disable", check.disable),
    ]
    .into_iter()
    .filter_map(|(kind, set)| set.then_some(kind))
    .collect();
    match kinds.as_slice() {
        [] => findings.advise(
            &path,
            "the healthcheck does not say what is asked",
            "write one of `http: {port: 8080}`, `tcp: {port: 5432}`, `test: [CMD, …]`, `disable: true`",
        ),
        [_] => {}
        [_, second, ..] => {
            findings.advise(&at(second), format!("`{}` exclude one another", kinds.join("`, `")), "keep one of them");
        }
    }
    if let Some(test) = &check.test {
        let words: Vec<&str> = test.0.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["NONE"] | ["CMD", _, ..] | ["CMD-SHELL", _] => {}
            ["CMD-SHELL", ..] => findings.add(&at("test"), "after `CMD-SHELL` stands one text, the line for the shell"),
            ["CMD"] => findings.add(&at("test"), "after `CMD` stands the program to run"),
            _ => {
                let hint = format!("write `test: [CMD, {}]`", words.join(", "));
                findings.advise(&at("test"), "a list begins with `CMD`, `CMD-SHELL` or `NONE`", hint);
            }
        }
    }
    let zero = Duration::default();
    let spans = [("interval", check.interval), ("timeout", check.timeout), ("start_interval", check.start_interval)];
    for (field, _) in spans.into_iter().filter(|(_, span)| *span == zero) {
        findings.add(&at(field), format!("`{field}` must be longer than 0s"));
    }
}

fn rollout(name: &ServiceName, service: &Service, findings: &mut Findings<'_>) {
    let at = |field| ["services", name.as_str(), "rollout", field];
    let rollout = &service.rollout;
    if rollout.order == OrderChoice::StartFirst
        && let Some(reason) = start_first_refusal(service)
    {
        let message = format!("`start-first` is not possible for `{name}`: {reason}");
        findings.advise(&at("order"), message, "write `stop-first`, or `auto`, which chooses");
    }
    if rollout.healthy_deadline == Duration::default() {
        findings.add(&at("healthy_deadline"), "`healthy_deadline` must be longer than 0s");
    } else if let Some(least) = rollout.min_healthy_time.filter(|least| *least >= rollout.healthy_deadline) {
        let deadline = rollout.healthy_deadline;
        let message = format!("`min_healthy_time` {least} never passes before `healthy_deadline` {deadline}");
        findings.advise(&at("min_healthy_time"), message, "make it shorter, or the deadline longer");
    }
}
