//! Binds below a path that another container writes: whoever writes a folder can put a link there, at the very moment
//! between the look and the engine's own, and have anything of the host mounted.

use super::{Denial, Subject, app::bodies, bind};
use crate::{desired::ContainerSpec, observed::Role};
use std::{collections::BTreeMap, path::Path};

pub(super) fn judge(subject: &Subject<'_>, spec: &ContainerSpec) -> Vec<Denial> {
    if bind::of(spec).next().is_none() {
        return Vec::new();
    }
    let mut written: BTreeMap<String, (Role, &str)> = BTreeMap::new();
    for (role, spec) in bodies(subject.app) {
        for (path, _) in bind::of(spec).filter(|(_, read_only)| !read_only) {
            written.extend(bind::plain(path).map(|plain| (plain, (role.clone(), path.as_str()))));
        }
    }
    let planted = bind::of(spec).filter_map(|(path, _)| {
        // Each folder above it is looked up: many paths are not compared with as many others.
        let plain = bind::plain(path)?;
        let mut above = Path::new(&plain).ancestors().skip(1).filter_map(Path::to_str);
        let (writer, folder) = above.find_map(|folder| written.get(folder))?;
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
