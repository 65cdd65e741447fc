//! Labels that are not for manifests: the tool's own and the engines'.

use super::{Denial, Subject};
use crate::desired::{ContainerSpec, label};

/// Judged on the body too: a revision that was stored before a prefix was reserved has not seen the check of today.
pub(super) fn judge(subject: &Subject<'_>, spec: &ContainerSpec) -> Vec<Denial> {
    let reserved = spec.labels.keys().filter_map(|name| Some((name, label::reserved(name)?)));
    let denial = |(name, owner): (&String, &str)| Denial {
        field: subject.field("labels"),
        rule: "labels",
        message: format!("label `{name}` is reserved for {owner}"),
        allow: None,
    };
    reserved.map(denial).collect()
}
