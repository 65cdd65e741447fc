//! `status` for people.

use super::{
    account::{AppAccount, word},
    escape::{plain, short},
    report::CopyReport,
    table::table,
    text, words,
};
use std::fmt::Write;

/// Apps in a table; below it what needs attention, and with one app its services.
#[must_use]
pub fn status(apps: &[AppAccount], width: Option<usize>) -> String {
    if apps.is_empty() {
        return "No apps.\n".to_owned();
    }
    let rows: Vec<[String; 6]> = apps.iter().map(row).collect();
    let mut out = table(["ENVIRONMENT", "APP", "STATUS", "HEALTH", "REVISION", "NOTE"], &rows, width);
    if let [only] = apps
        && !only.services.is_empty()
    {
        let services: Vec<[String; 4]> = only.services.iter().map(service_row).collect();
        let _ = write!(out, "\n{}", table(["SERVICE", "HEALTH", "IMAGE", "CONTAINERS"], &services, width));
        let routes: Vec<[String; 4]> = only.services.iter().filter_map(route_row).collect();
        if !routes.is_empty() {
            let _ = write!(out, "\n{}", table(["ROUTE", "ANSWERS", "CERTIFICATE UNTIL", "HOSTS"], &routes, width));
        }
    }
    if let [only] = apps
        && !only.copies.is_empty()
    {
        let copies: Vec<[String; 5]> = only.copies.iter().map(copy_row).collect();
        let _ =
            write!(out, "\n{}", table(["ITEM", "NEWEST VERIFIED COPY", "TAKEN", "OVERDUE", "DRILLED"], &copies, width));
    }
    for app in apps {
        attention(&mut out, app);
    }
    out
}

fn row(app: &AppAccount) -> [String; 6] {
    [
        app.environment.to_string(),
        app.app.to_string(),
        format!("{:?}", app.status),
        format!("{:?}", app.health),
        app.revision.map_or("-".to_owned(), |number| number.to_string()),
        note(app),
    ]
}

/// The weightiest thing to say of an app, in a few words.
fn note(app: &AppAccount) -> String {
    let retry = app.retry_at.map(|at| format!("again at {at:.0}"));
    [
        app.suspended.as_ref().map(|_| "suspended".to_owned()),
        app.held.as_ref().map(|held| held.revision.map_or("held".to_owned(), |number| format!("held at {number}"))),
        app.error.as_ref().map(|_| "error".to_owned()),
        retry,
        app.drift.as_ref().map(|_| "drift".to_owned()),
        app.copies.iter().any(|copy| copy.overdue).then(|| "backup overdue".to_owned()),
        app.copies.iter().any(|copy| copy.drill_failed).then(|| "drill failed".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(", ")
}

fn service_row(service: &super::ServiceAccount) -> [String; 4] {
    let containers: Vec<String> = service
        .containers
        .iter()
        .map(|container| format!("{} {}", plain(&container.name), plain(word(&container.state))))
        .collect();
    [service.service.to_string(), format!("{:?}", service.health), short(&service.image), containers.join(", ")]
}

fn route_row(service: &super::ServiceAccount) -> Option<[String; 4]> {
    let route = service.route.as_ref()?;
    let until = route.certificate_until.map_or("-".to_owned(), |at| format!("{at:.0}"));
    let answers = if route.answers { "yes" } else { "no" };
    Some([service.service.to_string(), answers.to_owned(), until, short(&route.hosts.join(", "))])
}

fn copy_row(copy: &CopyReport) -> [String; 5] {
    let failed = if copy.drill_failed { ", failed" } else { "" };
    [
        copy.item.to_string(),
        copy.newest.as_ref().map_or("-".to_owned(), ToString::to_string),
        copy.taken_at.map_or("-".to_owned(), |at| format!("{at:.0}")),
        if copy.overdue { "yes" } else { "no" }.to_owned(),
        copy.drilled_at.map_or("-".to_owned(), |at| format!("{at:.0}{failed}")),
    ]
}

fn attention(out: &mut String, app: &AppAccount) {
    let name = format!("{}/{}", app.environment, app.app);
    if let Some(suspended) = &app.suspended {
        let until = suspended.until.map_or("until `reconcile resume`".to_owned(), |at| format!("until {at:.0}"));
        let reason = suspended.reason.as_deref().map(|reason| format!(": {}", short(reason))).unwrap_or_default();
        let _ = writeln!(out, "\n{name}: suspended by {} {until}{reason}", short(&suspended.by));
    }
    if let Some(held) = &app.held {
        let _ = writeln!(out, "\n{name}: {}", words::held(held));
    }
    for left in &app.left {
        let _ = writeln!(out, "\n{name}: {}", plain(left));
    }
    for route in app.services.iter().filter_map(|service| service.route.as_ref()) {
        if let Some(trouble) = &route.trouble {
            let _ = writeln!(out, "\n{name}: {}", plain(trouble));
        }
    }
    for trouble in app.copies.iter().filter_map(|copy| copy.trouble.as_ref()) {
        let _ = writeln!(out, "\n{name}: {}", plain(trouble));
    }
    if let Some(drift) = &app.drift {
        let _ = writeln!(out, "\n{name}: drift");
        for field in drift {
            let _ = writeln!(out, "  {}", text::field_line(field));
        }
    }
    if let Some(error) = &app.error {
        let _ = write!(out, "\n{name}: {}", text::error(error));
    }
}
