//! What the host's proxy does for an app.

use crate::{desired::SpecHash, value::ServiceName};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// The proxy, as far as one app is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Front {
    /// Why nothing is known of it; none where it answers. What a service has to be led to meanwhile is not begun, and
    /// what runs is left to run.
    pub away: Option<String>,
    /// Where the routes of its services lead now; those that the manifest no longer has too.
    pub routes: BTreeMap<ServiceName, Leading>,
    /// Certificates of its routes.
    pub certificates: BTreeMap<ServiceName, Certificate>,
    /// What a client sees of its routes; nothing is known of those that were not asked.
    pub sights: BTreeMap<ServiceName, Sight>,
    /// Ids of containers that had time to answer what was under way when requests went to the next.
    pub drained: BTreeSet<String>,
    /// The proxy listens to what containers say of themselves, and leads to those that run.
    pub listens: bool,
    /// What clients lose while routes change, because of how this host is; none where nothing is known to be lost.
    pub lapse: Option<String>,
    /// What each container says to it, by the container's id.
    pub said: BTreeMap<String, BTreeMap<String, String>>,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leading {
    /// Digest of the route as the proxy has it.
    pub digest: SpecHash,
    /// Keyed digest of the users that are asked for; none where nobody is.
    pub users: Option<String>,
    /// The id of the container it leads to.
    pub container: String,
    /// The proxy serves it, and the container is where the proxy looks for it.
    pub leads: bool,
    /// What the proxy was given is not as it was written.
    pub altered: bool,
    /// An answer of that container came through the proxy.
    pub seen: bool,
}

/// The certificate of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    pub held: Held,
    pub wanted: Wanted,
}

/// What there is that a proxy could show. It need not be what is wanted: until an authority has given one, it is one of
/// the host's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Nothing.
    Nothing,
    /// A certificate, and the proxy shows another one or none.
    Unshown,
    /// A certificate, and the proxy shows it.
    Shown,
}

/// What is to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing: what is held is good.
    Nothing,
    /// One is to be had now, for the first time or anew.
    Now,
    /// One was asked for and did not come; it is asked for again in its time.
    Later,
}

impl Certificate {
    /// A good one that is shown.
    pub const CURRENT: Self = Self { held: Held::Shown, wanted: Wanted::Nothing };
}

/// What a client sees of a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// Why nothing comes from the service; none where it answers.
    pub fault: Option<String>,
    /// How long the certificate that is shown is good, whoever issued it.
    pub shown: Option<Life>,
}

/// How long a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Life {
    /// Less than a third of it is left, by when whoever renews it should have done so.
    #[must_use]
    pub fn is_nearly_over(&self, now: Timestamp) -> bool {
        let whole = self.until.duration_since(self.from);
        self.until.duration_since(now) < whole.checked_div(3).unwrap_or(SignedDuration::ZERO)
    }
}

impl Front {
    /// What is wrong with the route of a service, as a client sees it; nothing where all is well or nothing is known.
    #[must_use]
    pub fn trouble(&self, service: &ServiceName, now: Timestamp) -> Option<String> {
        if let Some(why) = &self.away {
            return Some(format!("nothing is known of the route of `{service}`: {why}"));
        }
        let sight = self.sights.get(service)?;
        if let Some(fault) = &sight.fault {
            return Some(format!("the route of `{service}` does not answer: {fault}"));
        }
        if let Some(life) = sight.shown.filter(|life| life.is_nearly_over(now)) {
            return Some(match life.until <= now {
                true => format!("the certificate of `{service}` is over since {:.0}", life.until),
                false => format!(
                    "the certificate of `{service}` is over at {:.0}: less than a third of its life is left",
                    life.until
                ),
            });
        }
        let awaited = self.certificates.get(service).is_some_and(|certificate| certificate.wanted == Wanted::Later);
        awaited.then(|| format!("the certificate of `{service}` is not to be had yet"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_certificate_is_trouble_when_less_than_a_third_of_its_life_is_left() {
        let web: ServiceName = "web".parse().unwrap();
        let life = Life { from: at("2026-01-01T00:00:00Z"), until: at("2026-04-01T00:00:00Z") };
        let sight = Sight { fault: None, shown: Some(life) };
        let front = Front { sights: [(web.clone(), sight)].into(), ..Front::default() };
        assert_eq!(front.trouble(&web, at("2026-03-01T00:00:00Z")), None);
        let told = front.trouble(&web, at("2026-03-03T00:00:00Z")).unwrap();
        assert_eq!(
            told,
            "the certificate of `web` is over at 2026-04-01T00:00:00Z: less than a third of its life is left"
        );
        let told = front.trouble(&web, at("2026-04-02T00:00:00Z")).unwrap();
        assert_eq!(told, "the certificate of `web` is over since 2026-04-01T00:00:00Z");
    }

    #[test]
    fn nothing_is_said_of_a_route_that_nobody_asked() {
        let web: ServiceName = "web".parse().unwrap();
        assert_eq!(Front::default().trouble(&web, Timestamp::UNIX_EPOCH), None);
        let sight = Sight { fault: Some("answered 502".to_owned()), shown: None };
        let front = Front { sights: [(web.clone(), sight)].into(), ..Front::default() };
        let told = front.trouble(&web, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(told, "the route of `web` does not answer: answered 502");
    }
}
