//! What `status` tells: a look without a pass.

use super::{
    Asker, Head, Host, PassError, Wish,
    aim::{self, Aim},
    attempt, environment,
    fetch::Fetched,
    gate::{Standing, gate},
    health, last_words,
    left::{self, Left},
    report,
};
use crate::{
    blame::Blame,
    desired::{Desired, DesiredService},
    engine::Engine,
    observe::Look,
    plan::{Cause, FieldChange, cast::Cast},
    record::target,
    show::{AppAccount, AppReport, ContainerAccount, ServiceAccount, Status, SuspendedReport, report::RouteReport},
    value::{AppId, AppName},
};
use jiff::Timestamp;

/// How the apps of an environment are: those of the branch and those that are on the host.
///
/// # Errors
/// The engine does not answer.
pub async fn of<E: Engine>(host: &Host<E>, wish: &Wish, head: &Head) -> Result<Vec<AppAccount>, PassError> {
    let look = environment::look(host, &wish.environment).await?;
    let mut known = wish.known.clone();
    let mut accounts = Vec::new();
    for app in environment::names(wish, head, &look) {
        let (standing, account) = one(host, wish, head, &app, &look).await;
        known.insert(AppId::new(&wish.environment, &app), standing);
        accounts.push(account);
    }
    for account in accounts.iter_mut().filter(|account| account.status == Status::OutOfSync) {
        let Some(Ok(desired)) = head.apps.get(&account.app) else { continue };
        if desired.sync.depends_on.iter().all(|other| known.contains_key(other)) {
            account.left.extend(gate(desired, &known).err().map(|waits| waits.told()));
        }
    }
    Ok(accounts)
}

async fn one<E: Engine>(
    host: &Host<E>,
    wish: &Wish,
    head: &Head,
    app: &AppName,
    look: &Look,
) -> (Standing, AppAccount) {
    let unseen = |report: AppReport| (Standing::of(&report), told(wish, report));
    let desired = match head.apps.get(app) {
        Some(Ok(desired)) => desired.clone(),
        None => Desired::gone(wish.environment.clone(), app.clone()),
        Some(Err(problems)) => return unseen(report::invalid(app, problems, None)),
    };
    let mut aim = match aim::take(host, wish, app, (&desired, &head.files), look, &Fetched::default()).await {
        Ok(aim) => aim,
        Err(error) => return unseen(report::unknown(app, report::chain(Blame::World, &error), None)),
    };
    aim.ask_again(host, look).await;
    let report = report::planned(&aim);
    let error = match attempt::obstacles(host, head.trees.get(app), &mut aim).await {
        Ok(found) => match report::obstacles(&found) {
            Some(obstacles) => Some(obstacles),
            None => last_words::of(&host.ledger, &aim, report.held.as_ref()).await,
        },
        Err(error) => Some(report::chain(Blame::World, &error)),
    };
    let drift = drift(&report);
    let services = aim.desired.services.values().map(|service| account(service, &aim, &report.routes)).collect();
    let now = aim.observed.now;
    let left = left::left(&aim, Asker::Daemon).filter(|_| !report.suspended);
    let standing = Standing::of(&report);
    let account = AppAccount {
        revision: target::in_force(&aim.ledger).map(|entry| entry.number),
        suspended: aim.ledger.suspended_at(now).map(SuspendedReport::from),
        error,
        drift,
        services,
        retry_at: match left.as_ref().and(report.wakes_at) {
            Some(opens) => Some(opens),
            None => retries_at(host, wish, app).await.filter(|at| *at > now),
        },
        left: left.iter().map(Left::note).collect(),
        ..told(wish, report)
    };
    (standing, account)
}

/// When the daemon tries it again. Of a ledger that cannot be read the report tells already.
async fn retries_at<E: Engine>(host: &Host<E>, wish: &Wish, app: &AppName) -> Option<Timestamp> {
    host.ledger.retries_at(&wish.environment, app).await.ok().flatten()
}

/// The account of an app of which only the report is known.
fn told(wish: &Wish, report: AppReport) -> AppAccount {
    AppAccount {
        environment: wish.environment.clone(),
        app: report.app,
        status: report.status,
        health: report.health,
        revision: None,
        held: report.held,
        suspended: None,
        // A pass that ran once and ended retries nothing by itself.
        retry_at: None,
        drift: None,
        error: report.error,
        services: Vec::new(),
        copies: report.copies.items,
        left: Vec::new(),
    }
}

fn drift(report: &AppReport) -> Option<Vec<FieldChange>> {
    let changes = report.changes.iter().filter(|change| change.cause == Cause::Drift);
    let fields: Vec<FieldChange> = changes.flat_map(|change| change.fields.clone()).collect();
    (!fields.is_empty()).then_some(fields)
}

fn account(service: &DesiredService, aim: &Aim, routes: &[RouteReport]) -> ServiceAccount {
    let cast = Cast::of(service, &aim.desired, &aim.observed);
    let members = cast.current.into_iter().chain(cast.others);
    ServiceAccount {
        service: service.name.clone(),
        health: health::of_service(service, &aim.desired, &aim.observed),
        image: service.spec.image.clone(),
        containers: members
            .map(|member| ContainerAccount {
                id: member.container.id.clone(),
                name: member.name.to_owned(),
                state: member.container.life.clone(),
            })
            .collect(),
        route: routes.iter().find(|route| route.service == service.name).cloned(),
    }
}
