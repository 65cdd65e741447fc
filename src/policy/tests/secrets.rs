use super::{asked, judged, told};
use crate::{
    desired::{ContainerSpec, spec::SecretVariable},
    observed::Role,
};
use std::collections::BTreeMap;

fn with_secret() -> ContainerSpec {
    let text = "x://${secret:password}@${secret:user}".parse().unwrap();
    let variable = SecretVariable { text, digests: BTreeMap::new() };
    ContainerSpec {
        image: "nginx:1".to_owned(),
        secret_env: BTreeMap::from([("URL".to_owned(), variable)]),
        ..ContainerSpec::default()
    }
}

#[test]
fn a_secret_in_a_variable_needs_a_line_of_the_host_file() {
    let denied = "services.web.env.URL: variable `URL` would show secret `password`, `user` to everybody who may \
                  inspect the container (`policy.secret_env`) → secret_env: true";
    assert_eq!(told(&judged("", with_secret())), denied);
    assert_eq!(told(&judged("secret_env: true", with_secret())), "");
    // A job has its service's variables, of which the service tells.
    assert_eq!(told(&asked("", with_secret(), Role::Job("migrate".parse().unwrap()), false)), "");
}
