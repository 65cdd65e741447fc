//! Binds by the paths that symbolic links lead to: a workload that may write a data root could plant one there.

use super::{Denial, Subject, bind};
use crate::{
    desired::ContainerSpec,
    host::Policy,
    value::{AbsolutePath, DataRoot},
};

/// Judges every bind again by its real path; `real` gives it, and none for what is not there.
///
/// Data roots and protected paths are followed as well, so that a data root may itself be a link. A link that changes after the look is not seen: the engine follows it alone.
#[must_use]
pub fn follow(
    policy: &Policy,
    subject: &Subject<'_>,
    spec: &ContainerSpec,
    real: impl Fn(&str) -> Option<String>,
) -> Vec<Denial> {
    let led = |path: &String| real(path).filter(|led| led != path);
    let followed = |path: &AbsolutePath| real(path.as_str()).and_then(|path| path.parse().ok());
    let roots = policy.data_roots.iter().map(|root| {
        let path = followed(&root.path).unwrap_or_else(|| root.path.clone());
        DataRoot { path, read_only: root.read_only }
    });
    let policy = Policy { data_roots: roots.collect(), ..policy.clone() };
    let protected: Vec<String> =
        subject.protected_paths.iter().flat_map(|path| [Some(path.clone()), led(path)]).flatten().collect();
    let with_socket = subject.is_named_by(&policy.engine_socket);
    bind::of(spec)
        .filter_map(|(path, read_only)| {
            let led = led(path)?;
            let denied = bind::judge(&policy, &led, read_only, with_socket, &protected).err()?;
            let mut denial = bind::denial(subject, denied, read_only);
            denial.message = format!("`{path}` leads to another place: {}", denial.message);
            Some(denial)
        })
        .collect()
}
