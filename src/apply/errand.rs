//! From a step to the one request it makes of the engine, with every name turned into the id of a container of ours.

use super::{
    copy_first::CopyFirst,
    deliver::{DeliveredFile, Delivery},
    gateway,
};
use crate::{
    desired::{
        DeliveryName, Desired, DesiredJob, DesiredService,
        delivery::{Kind, below, mounts},
        label,
        spec::{Adjustable, ContainerSpec, FileAccess, Mount, Network},
    },
    engine::{CreateContainer, CreateNetwork},
    observed::{Delivered, Observed, Role, fold},
    plan::Step,
    proxy::SiteName,
    secret::{Gathered, Roots, SecretValue, template},
    value::{OnChange, ServiceName},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

/// A request of the engine with all it needs. `shown`: the files on this host that were delivered for a container.
#[derive(Clone, Debug, PartialEq)]
pub enum Errand {
    Pull { reference: String, platform: Option<String> },
    CopyFirst(Box<CopyFirst>),
    CreateNetwork(CreateNetwork),
    RemoveNetwork { id: String },
    CreateVolume { name: String, labels: BTreeMap<String, String> },
    Create { container: Box<CreateContainer>, shown: Vec<PathBuf> },
    Start { id: String, name: String, shown: Vec<PathBuf> },
    Await { id: String, name: String, service: Box<DesiredService> },
    AwaitExit { id: String, name: String, role: Role, timeout: Duration },
    Stop { id: String, grace: Duration },
    Remove { id: String },
    Rename { id: String, to: String },
    Adjust { id: String, to: Adjustable },
    Unpause { id: String },
    Connect { id: String, network: String, aliases: BTreeSet<String> },
    Disconnect { id: String, network: String },
    Tag { image_id: String, tag: String },
    Untag { tag: String },
    Deliver(Box<Delivery>),
    Signal { id: String, folders: Vec<PathBuf> },
    Withdraw { folder: PathBuf },
    Gateway(gateway::Errand),
}

/// What an errand needs to know beside the step.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    pub installation: &'a str,
    pub desired: &'a Desired,
    /// The ledger's number of the entry that is being applied.
    pub revision: Option<u32>,
    /// The values of the app's secrets.
    pub secrets: &'a Gathered,
    /// Where files for containers lie.
    pub roots: &'a Roots,
}

/// Seconds between stop signal and kill where the manifest gives none: the engines' own default.
const GRACE: u64 = 10;

/// How long a service whose end is waited for may take; a job says so itself.
const UNTIL_EXIT: Duration = Duration::from_secs(600);

/// The request a step makes; none when what it speaks of is not there (somebody was faster).
#[must_use]
pub fn errand(step: &Step, observed: &Observed, context: &Context<'_>) -> Option<Errand> {
    let id = |name: &str| observed.containers.get(name).map(|container| container.id.clone());
    let desired = context.desired;
    Some(match step {
        Step::Pull { reference, platform } => Errand::Pull { reference: reference.clone(), platform: platform.clone() },
        Step::CopyFirst { .. } => Errand::CopyFirst(Box::new(CopyFirst {
            installation: context.installation.to_owned(),
            environment: desired.environment.clone(),
            app: desired.app.clone(),
            backup: observed.applied.owed.as_ref()?.backup.clone(),
            before_revision: context.revision,
        })),
        Step::CreateNetwork { network } => Errand::CreateNetwork(create_network(network, context)?),
        Step::RemoveNetwork { id, .. } => Errand::RemoveNetwork { id: id.clone() },
        Step::CreateVolume { volume } => create_volume(volume, context)?,
        Step::Create { container, role } => Errand::Create {
            container: Box::new(create(container, role, observed, context)?),
            shown: context.shown(role, &desired.deliveries(role)),
        },
        Step::Start { container, role } => Errand::Start {
            id: id(container)?,
            name: container.clone(),
            shown: context.shown(role, &observed.containers.get(container)?.deliveries),
        },
        Step::Await { container, role } => match role {
            Role::Service(service) => Errand::Await {
                id: id(container)?,
                name: container.clone(),
                service: Box::new(desired.services.get(service)?.clone()),
            },
            Role::Job(_) => return None,
        },
        Step::AwaitExit { container, role } => {
            let timeout = match role {
                Role::Service(_) => UNTIL_EXIT,
                Role::Job(job) => desired.jobs.get(job).map_or(UNTIL_EXIT, |job: &DesiredJob| job.timeout),
            };
            Errand::AwaitExit { id: id(container)?, name: container.clone(), role: role.clone(), timeout }
        }
        Step::Stop { container, role } => Errand::Stop { id: id(container)?, grace: grace(role, desired) },
        Step::Remove { container, .. } => Errand::Remove { id: id(container)? },
        Step::Rename { container, to, .. } => Errand::Rename { id: id(container)?, to: to.clone() },
        Step::Adjust { container, role } => {
            Errand::Adjust { id: id(container)?, to: fold::body(desired, role)?.adjustable.clone() }
        }
        Step::Unpause { container, .. } => Errand::Unpause { id: id(container)? },
        Step::Connect { container, network, role } => {
            let aliases = match &fold::body(desired, role)?.network {
                Network::Networks(networks) => networks.get(network).cloned().unwrap_or_default(),
                Network::Host | Network::None | Network::Service(_) => BTreeSet::new(),
            };
            Errand::Connect { id: id(container)?, network: network.clone(), aliases }
        }
        Step::Disconnect { container, network, .. } => {
            Errand::Disconnect { id: id(container)?, network: network.clone() }
        }
        Step::Tag { image_id, tag } => Errand::Tag { image_id: image_id.clone(), tag: tag.clone() },
        Step::Untag { tag } => Errand::Untag { tag: tag.clone() },
        Step::Deliver { delivery } => {
            Errand::Deliver(Box::new(self::delivery(delivery, &observed.deliveries, context)?))
        }
        Step::Signal { container, .. } => {
            let shown = &observed.containers.get(container)?.deliveries;
            let folders = shown.iter().map(|delivery| context.folder(delivery)).collect();
            Errand::Signal { id: id(container)?, folders }
        }
        Step::Withdraw { delivery } => Errand::Withdraw { folder: context.folder(delivery) },
        Step::Route { .. }
        | Step::SeeRouted { .. }
        | Step::Drain { .. }
        | Step::Unroute { .. }
        | Step::StandIn { .. }
        | Step::Certify { .. }
        | Step::ShowCertificate { .. } => Errand::Gateway(of_route(step, observed, context)?),
    })
}

/// What a step does to a route.
fn of_route(step: &Step, observed: &Observed, context: &Context<'_>) -> Option<gateway::Errand> {
    let desired = context.desired;
    let site = SiteName::of(desired);
    let place = |service: &ServiceName| gateway::Place { site: site.clone(), service: service.clone() };
    let routed = |role: &Role| desired.service_of(role).and_then(|it| Some((it, Box::new(it.route.clone()?))));
    let named = |name: &String| observed.containers.get(name).map(|it| (it.id.clone(), name.clone()));
    let of = |service: &ServiceName| routed(&Role::Service(service.clone())).map(|(_, route)| route);
    Some(match step {
        Step::Route { container, role } => {
            let (service, route) = routed(role)?;
            let users = match &route.basic_auth {
                // Without its users nothing is led there: it would be open to everybody.
                Some(secret) => {
                    let (digest, text) = (service.users()?.clone(), context.secrets.values.get(secret)?.clone());
                    Some(gateway::Users { digest, text })
                }
                None => None,
            };
            gateway::Errand::Route { place: place(&service.name), route, users, container: named(container)? }
        }
        Step::SeeRouted { container, role } => {
            let (service, route) = routed(role)?;
            let probe = service.probe.clone().map(Box::new);
            gateway::Errand::See { route, probe, container: named(container)? }
        }
        Step::Drain { role, .. } => gateway::Errand::Drain { time: routed(role)?.1.drain },
        Step::Unroute { service } => gateway::Errand::Unroute { place: place(service) },
        Step::StandIn { service } => gateway::Errand::StandIn { place: place(service), route: of(service)? },
        Step::Certify { service } => gateway::Errand::Certify { place: place(service), route: of(service)? },
        Step::ShowCertificate { service } => gateway::Errand::Show { place: place(service), route: of(service)? },
        Step::Pull { .. }
        | Step::CopyFirst { .. }
        | Step::CreateNetwork { .. }
        | Step::RemoveNetwork { .. }
        | Step::CreateVolume { .. }
        | Step::Create { .. }
        | Step::Start { .. }
        | Step::Await { .. }
        | Step::AwaitExit { .. }
        | Step::Stop { .. }
        | Step::Remove { .. }
        | Step::Rename { .. }
        | Step::Adjust { .. }
        | Step::Unpause { .. }
        | Step::Connect { .. }
        | Step::Disconnect { .. }
        | Step::Tag { .. }
        | Step::Untag { .. }
        | Step::Deliver { .. }
        | Step::Signal { .. }
        | Step::Withdraw { .. } => return None,
    })
}

impl Context<'_> {
    fn folder(&self, delivery: &DeliveryName) -> PathBuf {
        self.roots.folder(&self.desired.environment, &self.desired.app, delivery)
    }

    fn mounts(&self, body: &ContainerSpec, delivery: &DeliveryName) -> Vec<Mount> {
        mounts(body, delivery.kind, &self.folder(delivery).display().to_string())
    }

    /// The files on this host that a container of a role is shown of these deliveries.
    fn shown<'d>(&self, role: &Role, deliveries: impl IntoIterator<Item = &'d DeliveryName>) -> Vec<PathBuf> {
        let files = |delivery: &DeliveryName| {
            let folder = self.folder(delivery);
            self.desired.files(role, delivery.kind).into_keys().map(move |file| folder.join(file))
        };
        deliveries.into_iter().flat_map(files).collect()
    }
}

/// What is to be written beside what is there; none where a secret's value is not known.
#[must_use]
pub fn delivery(
    delivery: &DeliveryName,
    there: &BTreeMap<DeliveryName, Delivered>,
    context: &Context<'_>,
) -> Option<Delivery> {
    let (desired, body) = (context.desired, context.desired.body_of(&delivery.role)?);
    let file = |path: &str, access: FileAccess, content: SecretValue| DeliveredFile {
        path: path.to_owned(),
        content,
        uid: access.uid,
        gid: access.gid,
        mode: access.mode,
    };
    let files: Option<Vec<DeliveredFile>> = match delivery.kind {
        Kind::Secrets => {
            let value = |name| context.secrets.values.get(name).cloned();
            body.secrets.iter().map(|(path, it)| Some(file(path, it.access, value(&it.secret)?))).collect()
        }
        Kind::Configs => {
            let value = |content: &String| SecretValue::new(content.clone().into_bytes());
            let files = body.configs.iter();
            Some(files.map(|(path, it)| file(below(path), it.access, value(&it.content))).collect())
        }
    };
    Some(Delivery {
        root: context.roots.of(delivery.kind).to_owned(),
        folder: context.folder(delivery),
        files: files?,
        tells: is_to_be_told(delivery, desired, there),
        in_memory: delivery.kind == Kind::Secrets && !context.roots.on_disk,
    })
}

/// Whether a file is replaced whose process hears of it by a signal.
fn is_to_be_told(delivery: &DeliveryName, desired: &Desired, there: &BTreeMap<DeliveryName, Delivered>) -> bool {
    let Some(there) = there.get(delivery) else { return false };
    let wanted = desired.files(&delivery.role, delivery.kind);
    there.files.iter().any(|(file, before)| {
        let other = wanted.get(file).is_some_and(|after| !before.agrees_with(after));
        other && desired.on_change(&delivery.role, file) == OnChange::Signal
    })
}

/// The grace of the body that is desired now: an old container's own is not known, and the engine keeps the longer of
/// what it was made with only when nothing is said.
fn grace(role: &Role, desired: &Desired) -> Duration {
    Duration::from_secs(fold::body(desired, role).and_then(|body| body.stop_grace_seconds).unwrap_or(GRACE))
}

fn create_network(name: &str, context: &Context<'_>) -> Option<CreateNetwork> {
    let wanted = context.desired.networks.get(name)?;
    let mut labels = wanted.labels.clone();
    labels.extend(label::of_app(context.installation, context.desired));
    labels.insert(label::NETWORK.to_owned(), wanted.key.clone());
    labels.insert(label::SPEC.to_owned(), wanted.spec_hash.to_string());
    Some(CreateNetwork { name: name.to_owned(), internal: wanted.internal, driver: wanted.driver.clone(), labels })
}

fn create_volume(name: &str, context: &Context<'_>) -> Option<Errand> {
    let wanted = context.desired.volumes.get(name)?;
    let labels = label::of_volume(context.installation, context.desired, wanted);
    Some(Errand::CreateVolume { name: name.to_owned(), labels })
}

fn create(name: &str, role: &Role, observed: &Observed, context: &Context<'_>) -> Option<CreateContainer> {
    let desired = context.desired;
    let mut spec = fold::body(desired, role)?.clone();
    for delivery in desired.deliveries(role) {
        let shown = context.mounts(&spec, &delivery);
        spec.mounts.extend(shown);
    }
    let variables = spec.secret_env.iter().map(|(name, variable)| {
        let value = template::render(&variable.text, &context.secrets.values).ok().flatten()?;
        Some((name.clone(), value))
    });
    let secret_env = variables.collect::<Option<BTreeMap<_, _>>>()?;
    let image_id = fold::image_id(observed, desired, role)?;
    let spec_hash = match role {
        Role::Service(service) => &desired.services.get(service)?.spec_hash,
        Role::Job(job) => &desired.jobs.get(job)?.spec_hash,
    };
    let mut labels = label::of_app(context.installation, desired);
    labels.extend([label::of_role(role)]);
    labels.insert(label::SPEC.to_owned(), spec_hash.to_string());
    labels.insert(label::IMAGE.to_owned(), image_id.clone());
    labels.extend(desired.sealed(role).map(|sealed| (label::SECRETS.to_owned(), sealed.to_string())));
    labels.extend(context.revision.map(|number| (label::REVISION.to_owned(), number.to_string())));
    let network = match &spec.network {
        Network::Networks(networks) => networks.iter().next().map(|(name, aliases)| (name.clone(), aliases.clone())),
        Network::Host | Network::None | Network::Service(_) => None,
    };
    let namespace_of = fold::namespace_of(observed, desired, role);
    Some(CreateContainer { name: name.to_owned(), image_id, spec, secret_env, network, namespace_of, labels })
}
