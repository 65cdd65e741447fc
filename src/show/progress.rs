//! Steps in words, while they are done and when they are done.

use super::escape::short;
use crate::{desired::delivery::Kind, observed::Role, plan::Step};

/// A step in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// ``pulling `web:1` ``
    pub doing: String,
    /// ``pulled `web:1` ``
    pub done: String,
    /// It may take long enough for somebody to wonder.
    pub long: bool,
}

/// The words of a step; none where nobody cares.
#[must_use]
pub fn words(step: &Step) -> Option<Words> {
    let (doing, done) = match step {
        Step::Pull { reference, .. } => ("pulling {}", ("pulled {}", vec![reference.as_str()])),
        Step::CopyFirst { items } => {
            let named = items.iter().map(|item| item.as_str()).collect::<Vec<_>>().join(", ");
            return Some(Words {
                doing: filled("copying {} before anything changes", &[&named]),
                done: filled("copied {}", &[&named]),
                long: true,
            });
        }
        Step::CreateNetwork { network } => ("creating network {}", ("created network {}", vec![network.as_str()])),
        Step::RemoveNetwork { network, .. } => ("removing network {}", ("removed network {}", vec![network.as_str()])),
        Step::CreateVolume { volume } => ("creating volume {}", ("created volume {}", vec![volume.as_str()])),
        Step::Create { container, .. } => ("creating {}", ("created {}", vec![container.as_str()])),
        Step::Start { container, .. } => ("starting {}", ("started {}", vec![container.as_str()])),
        Step::Await { role, .. } => ("waiting until {} is ready", ("{} is ready", vec![name(role)])),
        Step::AwaitExit { role: role @ Role::Job(_), .. } => ("running job {}", ("job {} is done", vec![name(role)])),
        Step::AwaitExit { role: role @ Role::Service(_), .. } => {
            ("waiting for the end of {}", ("{} has ended", vec![name(role)]))
        }
        Step::Stop { container, .. } => ("stopping {}", ("stopped {}", vec![container.as_str()])),
        Step::Remove { container, .. } => ("removing {}", ("removed {}", vec![container.as_str()])),
        Step::Rename { container, to, .. } => {
            ("renaming {} to {}", ("renamed {} to {}", vec![container.as_str(), to.as_str()]))
        }
        Step::Adjust { container, .. } => {
            ("changing the limits of {}", ("changed the limits of {}", vec![container.as_str()]))
        }
        Step::Unpause { container, .. } => ("letting {} run on", ("{} runs on", vec![container.as_str()])),
        Step::Connect { container, network, .. } => {
            ("connecting {} to {}", ("connected {} to {}", vec![container.as_str(), network.as_str()]))
        }
        Step::Disconnect { container, network, .. } => {
            ("disconnecting {} from {}", ("disconnected {} from {}", vec![container.as_str(), network.as_str()]))
        }
        Step::Deliver { delivery } => match delivery.kind {
            Kind::Secrets => ("delivering secrets to {}", ("delivered secrets to {}", vec![name(&delivery.role)])),
            Kind::Configs => ("delivering configs to {}", ("delivered configs to {}", vec![name(&delivery.role)])),
        },
        Step::Signal { container, .. } => ("signalling {}", ("signalled {}", vec![container.as_str()])),
        Step::Route { container, .. } => ("leading requests to {}", ("requests go to {}", vec![container.as_str()])),
        Step::SeeRouted { container, .. } => {
            ("looking for {} through the proxy", ("{} answers through the proxy", vec![container.as_str()]))
        }
        Step::Drain { container, .. } => {
            ("letting {} answer what is under way", ("{} has answered what was under way", vec![container.as_str()]))
        }
        Step::Unroute { service } => {
            ("taking the route of {} away", ("took the route of {} away", vec![service.as_str()]))
        }
        Step::StandIn { service } => (
            "making a certificate for {} meanwhile",
            ("a certificate of this host's own stands in for that of {}", vec![service.as_str()]),
        ),
        Step::Certify { service } => {
            ("getting the certificate of {}", ("the certificate of {} is here", vec![service.as_str()]))
        }
        Step::ShowCertificate { service } => {
            ("letting the proxy show the certificate of {}", ("the certificate of {} is shown", vec![service.as_str()]))
        }
        Step::Tag { .. } | Step::Untag { .. } | Step::Withdraw { .. } => return None,
    };
    let (done, names) = done;
    let long = step.waits() || matches!(step, Step::Pull { .. } | Step::Stop { .. } | Step::Certify { .. });
    Some(Words { doing: filled(doing, &names), done: filled(done, &names), long })
}

fn name(role: &Role) -> &str {
    match role {
        Role::Service(name) => name.as_str(),
        Role::Job(name) => name.as_str(),
    }
}

/// The names in their places, in backticks and harmless.
fn filled(text: &str, names: &[&str]) -> String {
    names.iter().fold(text.to_owned(), |text, name| text.replacen("{}", &format!("`{}`", short(name)), 1))
}

#[cfg(test)]
mod tests {
    use super::{Step, words};
    use crate::observed::Role;

    #[test]
    fn a_step_is_told_before_and_after_in_the_words_of_the_manifest() {
        let told = |step: &Step| words(step).map(|words| (words.doing, words.done, words.long));
        let role = || Role::Service("web".parse().unwrap());
        let container = || "test-app-web-1234".to_owned();
        assert_eq!(
            told(&Step::Pull { reference: "web:1\u{1b}".to_owned(), platform: None }),
            Some(("pulling `web:1\\u{1b}`".to_owned(), "pulled `web:1\\u{1b}`".to_owned(), true))
        );
        assert_eq!(
            told(&Step::Await { container: container(), role: role() }),
            Some(("waiting until `web` is ready".to_owned(), "`web` is ready".to_owned(), true))
        );
        assert_eq!(
            told(&Step::Rename { container: container(), to: "web".to_owned(), role: role() }),
            Some((
                "renaming `test-app-web-1234` to `web`".to_owned(),
                "renamed `test-app-web-1234` to `web`".to_owned(),
                false
            ))
        );
        assert_eq!(told(&Step::Untag { tag: "a".to_owned() }), None);
    }
}
