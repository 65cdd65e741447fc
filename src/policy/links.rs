//! Binds by the places that symbolic links lead to: a workload that may write a folder could plant one there.

use super::{Denial, Subject, bind};
use crate::{
    desired::ContainerSpec,
    host::Policy,
    value::{AbsolutePath, DataRoot},
};

/// Judges every bind again by its real path; `real` gives it, and none where nothing can be seen.
///
/// Below a data root no link is followed at all, so that what is judged is what the engine mounts; the root itself, and
/// what no container may see, may be links of whoever administers the host.
#[must_use]
pub fn follow(
    policy: &Policy,
    subject: &Subject<'_>,
    spec: &ContainerSpec,
    real: impl Fn(&str) -> Option<String>,
) -> Vec<Denial> {
    let followed = |path: &AbsolutePath| real(path.as_str()).and_then(|path| path.parse().ok());
    let roots = policy.data_roots.iter().map(|root| {
        let path = followed(&root.path).unwrap_or_else(|| root.path.clone());
        DataRoot { path, read_only: root.read_only }
    });
    let by_real_roots = Policy { data_roots: roots.collect(), ..policy.clone() };
    let told = subject.protected_paths;
    let protected: Vec<String> =
        bind::protected(told).map(str::to_owned).chain(bind::protected(told).filter_map(&real)).collect();
    let with_socket = subject.is_named_by(&policy.engine_socket);
    let denied = |path: &String, read_only| {
        // What is denied as it is written is told already.
        bind::judge(policy, path, read_only, with_socket, told).ok()?;
        let led = real(path)?;
        if let Err(denied) = bind::judge(&by_real_roots, &led, read_only, with_socket, &protected) {
            let mut denial = bind::denial(subject, denied, read_only);
            if led != *path {
                denial.message = format!("`{path}` leads to another place: {}", denial.message);
            }
            return Some(denial);
        }
        let (root, rest) = bind::below_its_root(policy, path)?;
        let expected = format!("{}{rest}", real(&root).unwrap_or(root).trim_end_matches('/'));
        (led != expected).then(|| Denial {
            field: subject.field("volumes"),
            rule: "policy.data_roots",
            message: format!(
                "`{path}` is a link or lies behind one, and links below a data root are not followed; it leads to `{led}`"
            ),
            allow: None,
        })
    };
    bind::of(spec).filter_map(|(path, read_only)| denied(path, read_only)).collect()
}
