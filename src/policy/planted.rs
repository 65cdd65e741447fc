//! Binds below a path that another container writes: whoever writes a folder can put a link there, at the very moment
//! between the look and the engine's own, and have anything of the host mounted.

use super::{Denial, Subject, app::bodies, bind};
use crate::desired::ContainerSpec;

pub(super) fn judge(subject: &Subject<'_>, spec: &ContainerSpec) -> Vec<Denial> {
    let written = || {
        bodies(subject.app).flat_map(|(role, spec)| {
            let writable = bind::of(spec).filter(|(_, read_only)| !read_only);
            writable.map(move |(path, _)| (role.clone(), path)).collect::<Vec<_>>()
        })
    };
    let planted = bind::of(spec).filter_map(|(path, _)| {
        let (writer, folder) = written().find(|(_, folder)| bind::is_strictly_below(path, folder))?;
        Some(Denial {
            field: subject.field("volumes"),
            rule: "policy.data_roots",
            message: format!(
                "`{path}` lies below `{folder}`, where {writer} can put a link to anywhere; mount `{folder}` here too"
            ),
            allow: None,
        })
    });
    planted.collect()
}
