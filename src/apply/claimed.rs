//! Hosts that containers of others answer at already, where the host's proxy believes what containers say of themselves.

use crate::{
    blame::Blame,
    desired::{Desired, Route, label},
    engine::{Answer, Engine},
    observed::Role,
    plan::{Obstacle, Plan},
    proxy::{Claim, Driver},
};
use std::collections::BTreeSet;

/// Looks at what others say to a proxy that watches the engine, once a plan would begin a container that is reached
/// through it, or lead to one: two that answer at one host would be mixed.
///
/// # Errors
/// The engine does not answer.
pub async fn check<E: Engine>(
    engine: &E,
    installation: &str,
    driver: &dyn Driver,
    desired: &Desired,
    plan: &Plan,
) -> Answer<Vec<Obstacle>> {
    let Some(network) = driver.watches() else { return Ok(Vec::new()) };
    // One that runs already may be led to only now.
    let begun: BTreeSet<&Role> = plan.steps.iter().filter_map(|it| it.step.begins().or(it.step.leads())).collect();
    let routed = desired.services.values().filter(|service| begun.contains(&Role::Service(service.name.clone())));
    let routed: Vec<_> = routed.filter_map(|service| Some((&service.name, service.route.as_ref()?))).collect();
    if routed.is_empty() {
        return Ok(Vec::new());
    }
    let everyone = engine.containers(&Vec::new()).await?;
    let others = everyone.iter().filter(|summary| {
        // What our own environments want is known from their manifests.
        let is_ours = summary.labels.get(label::INSTALLATION).is_some_and(|of| of == installation);
        !is_ours && summary.life.is_up() && summary.networks.contains(network)
    });
    let mut obstacles = Vec::new();
    for summary in others {
        let Some(other) = engine.container(&summary.id).await? else { continue };
        let claims = driver.claims(&other.body.env, &other.labels);
        for (service, route) in &routed {
            obstacles.extend(claims.iter().find(|claim| is_wanted(route, claim)).map(|claim| Obstacle {
                blame: Blame::World,
                service: Some((*service).clone()),
                summary: format!(
                    "container `{}` answers at `{}` already, below `{}`",
                    other.name, claim.host, claim.path
                ),
                hint: Some("stop it, or give one of them another host or path".to_owned()),
            }));
        }
    }
    Ok(obstacles)
}

fn is_wanted(route: &Route, claim: &Claim) -> bool {
    let answers =
        route.hosts.contains(&claim.host) && route.path.trim_end_matches('/') == claim.path.trim_end_matches('/');
    answers || route.redirect_from.contains(&claim.host)
}
