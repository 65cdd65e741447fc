//! Images, and their names in every form a manifest may use.

use super::{entries, image_id, list, texts};
use crate::engine::ImageView;
use serde_json::Value;
use std::collections::BTreeSet;

/// Images of a list; one without a name is left out.
pub fn images(said: &Value) -> Vec<ImageView> {
    list(said).iter().map(image).filter(|image| !image.references.is_empty()).collect()
}

/// One image, of a list or of an inspection; only the latter tells volumes and health check.
pub fn image(said: &Value) -> ImageView {
    let mut digests: Vec<String> = texts(&said["RepoDigests"]).filter(|name| !name.contains("<none>")).collect();
    let tags = texts(&said["RepoTags"]).filter(|name| !name.contains("<none>"));
    let config = &said["Config"];
    let test = texts(&config["Healthcheck"]["Test"]).next();
    let references = tags.chain(digests.iter().cloned()).flat_map(|name| spellings(&name)).collect();
    // Podman gives a digest to what was built or named here, too; no registry knows it.
    digests.retain(|name| !name.starts_with("localhost/") && !name.starts_with("reconcile.local/"));
    ImageView {
        id: image_id(&said["Id"]),
        references,
        volumes: entries(&config["Volumes"]).map(|(path, _)| path.clone()).collect(),
        exposed: entries(&config["ExposedPorts"]).map(|(port, _)| port.clone()).collect(),
        has_healthcheck: test.is_some_and(|first| first != "NONE"),
        digests,
    }
}

/// All ways to write a name the engine has: Docker leaves its hub out, Podman writes it, or `localhost` for a local one.
fn spellings(name: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::from([name.to_owned()]);
    let first = name.split('/').next().filter(|first| *first != name).unwrap_or_default();
    let hosted = first.contains(['.', ':']) || first == "localhost";
    let short = match name.strip_prefix("docker.io/").or_else(|| name.strip_prefix("localhost/")) {
        Some(short) => Some(short),
        None => (!hosted).then_some(name),
    };
    if let Some(short) = short {
        let short = short.strip_prefix("library/").unwrap_or(short);
        all.insert(short.to_owned());
        if first != "localhost" {
            let path = if short.contains('/') { short.to_owned() } else { format!("library/{short}") };
            all.insert(format!("docker.io/{path}"));
            all.insert(format!("docker.io/{short}"));
        }
    }
    let untagged: Vec<String> = all.iter().filter_map(|name| name.strip_suffix(":latest")).map(str::to_owned).collect();
    all.extend(untagged);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_short_name_is_found_under_either_engines_spelling() {
        for engine in ["bb:1", "localhost/bb:1", "docker.io/library/bb:1"] {
            assert!(spellings(engine).contains("bb:1"), "{engine}");
        }
        assert!(spellings("docker.io/org/app:2").contains("org/app:2"));
        assert!(spellings("nginx:latest").contains("nginx"));
    }

    #[test]
    fn a_name_of_another_registry_has_no_short_form() {
        let name = "registry.example.com/app:1".to_owned();
        assert_eq!(spellings(&name), BTreeSet::from([name]));
    }

    #[test]
    fn a_reference_with_tag_and_digest_is_found_by_its_digest() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let image = image(&json!({ "Id": "sha256:1", "RepoDigests": [format!("reg.example:5000/app@{digest}")] }));
        assert!(image.answers_to(&format!("reg.example:5000/app:1@{digest}")));
        assert!(image.answers_to(&format!("reg.example:5000/app@{digest}")));
        assert!(!image.answers_to("reg.example:5000/app:1"));
        assert!(image.answers_to("sha256:1"));
    }

    #[test]
    fn an_image_without_a_name_is_not_listed() {
        let said = json!([{ "Id": "sha256:1", "RepoTags": ["<none>:<none>"], "RepoDigests": null }]);
        assert!(images(&said).is_empty());
    }
}
