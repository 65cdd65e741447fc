//! Fetches an image with what opens its registry, and says in people's words why one does not come.

use super::perform::{Hands, StepError};
use crate::{
    engine::{Engine, EngineError, PullFault, PullImage},
    observed::{Effect, Image},
    registry::{Found, KeyringError},
    value::{ImageReference, RegistryName},
};

/// Why an image did not come.
#[derive(Debug, thiserror::Error)]
pub enum NotPulled {
    /// The host file's own user cannot log in: nobody was asked.
    #[error("cannot pull image `{reference}`")]
    NoPassword { reference: String, source: Box<KeyringError> },
    /// The engine tells why.
    #[error("{what}")]
    Refused { what: String, hint: String, source: EngineError },
}

impl NotPulled {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NoPassword { source, .. } => source.hint(),
            Self::Refused { hint, .. } => hint.clone(),
        }
    }
}

impl<E: Engine> Hands<E> {
    /// Fetches an image. Its registry is asked with what the host file or the engine's own login gives, if anything.
    pub(super) async fn pull(&self, reference: &str, platform: Option<&str>) -> Result<Effect, StepError> {
        let image = reference.parse::<ImageReference>().ok();
        let found = match &image {
            Some(image) => self.keyring.find(image),
            None => Ok(Found::default()),
        };
        let found = found
            .map_err(|source| NotPulled::NoPassword { reference: reference.to_owned(), source: Box::new(source) })?;
        let doing = || format!("pull image `{reference}`");
        let wanted = PullImage { reference, platform, credentials: found.credentials.as_ref() };
        let away = |source| StepError::Engine { doing: doing(), source };
        match (self.engine.pull(&wanted).await, &image) {
            (Ok(()), _) => {}
            (Err(source @ EngineError::NotPulled { fault, .. }), Some(image)) => {
                return Err(refused(image, fault, &found, source).into());
            }
            (Err(source), _) => return Err(away(source)),
        }
        match self.engine.image(reference).await.map_err(away)? {
            Some(view) => Ok(Effect::Pulled(Image {
                digest: view.digest_for(reference),
                id: view.id,
                volumes: view.volumes,
                has_healthcheck: view.has_healthcheck,
            })),
            None => Err(StepError::Surprise { what: format!("image `{reference}` was pulled and is not here") }),
        }
    }
}

fn refused(image: &ImageReference, fault: PullFault, found: &Found, source: EngineError) -> NotPulled {
    let registry = image.registry_name();
    let (what, hint) = words(image, &registry, fault, found);
    NotPulled::Refused { what, hint, source }
}

fn words(image: &ImageReference, registry: &RegistryName, fault: PullFault, found: &Found) -> (String, String) {
    let login = format!("name a user below `registries` in the host file, or run `docker login {registry}` here");
    let passed_by = found.passed_by.iter().map(|why| format!("; {why}")).collect::<String>();
    match (fault, &found.credentials) {
        (PullFault::Unauthorized, Some(known)) => (
            format!("registry `{registry}` does not take the login of {} for image `{image}`", known.holder()),
            format!("see that user and password are right: they are from {}", found.origin),
        ),
        (PullFault::Unauthorized, None) => {
            (format!("registry `{registry}` wants a login for image `{image}`, and none is known{passed_by}"), login)
        }
        (PullFault::Denied, Some(known)) => (
            format!(
                "registry `{registry}` does not let {} have image `{image}`, or has none of that name",
                known.holder()
            ),
            "see that the name is right and that the user may pull it".to_owned(),
        ),
        (PullFault::Denied, None) => (
            format!(
                "registry `{registry}` does not let everybody have image `{image}`, or has none of that name{passed_by}"
            ),
            format!("see that the name is right; {login}"),
        ),
        (PullFault::Unknown, _) => (
            format!("registry `{registry}` has no image `{image}`"),
            "push it there, or correct its name: it is asked for again".to_owned(),
        ),
        (PullFault::Limited, None) => (
            format!("registry `{registry}` takes no more pulls for now, image `{image}` among them"),
            format!("it is tried again; where users may pull more than strangers, {login}"),
        ),
        (PullFault::Limited, Some(known)) => (
            format!(
                "registry `{registry}` takes no more pulls from {} for now, image `{image}` among them",
                known.holder()
            ),
            "it is tried again; pull less often, or from a mirror of your own".to_owned(),
        ),
        (PullFault::Away, _) => (
            format!("registry `{registry}` is away: image `{image}` cannot be pulled"),
            "see that it runs and that this host reaches it: it is asked again".to_owned(),
        ),
        (PullFault::Stalled, _) => (
            format!("registry `{registry}` says nothing: the pull of image `{image}` makes no progress"),
            "see that it is well, and what stands between it and this host: it is asked again".to_owned(),
        ),
        (PullFault::Distrusted, _) => (
            format!("the engine does not trust registry `{registry}`: image `{image}` is not pulled"),
            format!(
                "give the engine its certificate (`/etc/docker/certs.d/{registry}/ca.crt`, \
                 `/etc/containers/certs.d/{registry}/ca.crt`)"
            ),
        ),
        (PullFault::Other, _) => (
            format!("image `{image}` cannot be pulled from registry `{registry}`"),
            "it is tried again; see the engine's own log".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Credentials, credentials::Proof};

    fn told(fault: PullFault, found: &Found) -> (String, String) {
        let image: ImageReference = "registry.example.com/team/app:1".parse().unwrap();
        words(&image, &image.registry_name(), fault, found)
    }

    fn known() -> Found {
        let registry = "registry.example.com".parse().unwrap();
        let credentials = Credentials { registry, username: "ci".to_owned(), proof: Proof::Password("s3cret".into()) };
        Found {
            credentials: Some(credentials),
            origin: "`/root/.docker/config.json`".to_owned(),
            passed_by: Vec::new(),
        }
    }

    #[test]
    fn each_fault_is_told_as_itself_and_explained_in_the_documents() {
        let page = include_str!("../../docs/registries.md");
        let (nobody, somebody) = (Found::default(), known());
        let table = [
            (PullFault::Unauthorized, &nobody, "wants a login"),
            (PullFault::Unauthorized, &somebody, "does not take the login of"),
            (PullFault::Denied, &nobody, "does not let"),
            (PullFault::Denied, &somebody, "does not let"),
            (PullFault::Unknown, &somebody, "has no image"),
            (PullFault::Limited, &nobody, "takes no more pulls"),
            (PullFault::Limited, &somebody, "takes no more pulls"),
            (PullFault::Away, &somebody, "is away"),
            (PullFault::Stalled, &somebody, "says nothing"),
            (PullFault::Distrusted, &somebody, "does not trust registry"),
        ];
        for (fault, found, phrase) in table {
            let (what, hint) = told(fault, found);
            assert!(what.contains(phrase) && what.contains("`registry.example.com/team/app:1`"), "{what}");
            assert!(page.contains(phrase), "`{phrase}` is not explained");
            let all = format!("{what} {hint}");
            assert!(!hint.is_empty() && !all.contains("s3cret"), "{all}");
        }
    }

    #[test]
    fn what_was_passed_by_is_told_where_a_login_is_wanted() {
        let why =
            "`/root/.docker/config.json` leaves it to the credential helper `desktop` (`credsStore`), which is not run";
        let found = Found { passed_by: vec![why.to_owned()], ..Found::default() };
        assert!(told(PullFault::Unauthorized, &found).0.ends_with(why));
        assert!(told(PullFault::Denied, &found).0.ends_with(why));
        assert!(!told(PullFault::Unknown, &found).0.contains("helper"));
    }

    #[test]
    fn a_login_that_the_registry_does_not_take_is_told_with_its_place() {
        let (what, hint) = told(PullFault::Unauthorized, &known());
        let image = "registry.example.com/team/app:1";
        assert_eq!(
            what,
            format!("registry `registry.example.com` does not take the login of `ci` for image `{image}`")
        );
        assert_eq!(hint, "see that user and password are right: they are from `/root/.docker/config.json`");
    }
}
