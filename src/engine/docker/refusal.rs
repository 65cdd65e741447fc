//! What the engines' words on a failed pull mean. Only people's hints depend on it: whether an image is here is seen by
//! looking.

use crate::{engine::PullFault, value::ImageReference};

/// Words by which a fault is known, the surest first. Measured: Docker 20.10.24 and Podman 4.3.1 against Debian's
/// docker-registry 2.8 and registries that answer as told.
const WORDS: &[(PullFault, &[&str])] = &[
    (PullFault::Limited, &["toomanyrequests", "too many requests", "statuscode: 429", "http 429"]),
    (
        PullFault::Unauthorized,
        &["unauthorized", "no basic auth credentials", "authentication required", "incorrect username or password"],
    ),
    (PullFault::Denied, &["denied", "forbidden", "statuscode: 403"]),
    (PullFault::Unknown, &["manifest unknown", "name unknown", "blob unknown", "not found: manifest"]),
    (PullFault::Distrusted, &["x509:", "server gave http response to https client", "tls: "]),
    (PullFault::Stalled, &["deadline exceeded", "client.timeout", "awaiting headers"]),
    (
        PullFault::Away,
        &[
            "connection refused",
            "connection reset",
            "no such host",
            "network is unreachable",
            "no route to host",
            "i/o timeout",
            "handshake timeout",
            "dial tcp",
            "unexpected http status: 5",
            ": eof",
            "unexpected eof",
        ],
    ),
];

/// The fault in an engine's message about an image.
pub fn fault(message: &str, reference: &str) -> PullFault {
    // A repository may be called `denied`.
    let repository = reference.parse::<ImageReference>().map(|image| image.repository().to_owned()).unwrap_or_default();
    let said = if repository.is_empty() { message.to_owned() } else { message.replace(&repository, "") };
    let said = said.to_lowercase();
    let known = WORDS.iter().find(|(_, words)| words.iter().any(|word| said.contains(word)));
    known.map_or(PullFault::Other, |(fault, _)| *fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use PullFault::{Away, Denied, Distrusted, Limited, Other, Stalled, Unauthorized, Unknown};

    #[test]
    fn docker_is_understood() {
        let table = [
            (Unauthorized, "unauthorized: authentication required"),
            (Unauthorized, "Head \"http://127.0.0.1:5000/v2/team/app/manifests/1\": no basic auth credentials"),
            (Unknown, "manifest for 127.0.0.1:5000/team/app:99 not found: manifest unknown: manifest unknown"),
            (Unknown, "name unknown"),
            (Unknown, "manifest unknown"),
            (Denied, "denied"),
            (
                Denied,
                "pull access denied for team/app, repository does not exist or may require 'docker login': denied: \
                 requested access to the resource is denied",
            ),
            (Limited, "toomanyrequests: You have reached your pull rate limit."),
            (
                Limited,
                "error parsing HTTP 429 response body: invalid character 's' looking for beginning of value: \"slow \
                 down\"",
            ),
            (Away, "Get \"http://127.0.0.1:5003/v2/\": dial tcp 127.0.0.1:5003: connect: connection refused"),
            (
                Away,
                "Get \"https://registry.invalid/v2/\": dial tcp: lookup registry.invalid on 10.255.255.53:53: dial udp \
                 10.255.255.53:53: connect: network is unreachable",
            ),
            (Away, "received unexpected HTTP status: 502 Bad Gateway"),
            (Stalled, "Get \"http://127.0.0.1:5002/v2/\": context deadline exceeded"),
            (Distrusted, "Get \"https://r.example/v2/\": x509: certificate signed by unknown authority"),
            (Distrusted, "Get \"https://r.example/v2/\": http: server gave HTTP response to HTTPS client"),
            (Other, "write /var/lib/docker/tmp/GetImageBlob1: no space left on device"),
        ];
        for (meant, message) in table {
            assert_eq!(fault(message, "127.0.0.1:5000/team/app:1"), meant, "{message}");
        }
    }

    #[test]
    fn podman_is_understood() {
        let at = "initializing source docker://127.0.0.1:5000/team/app:1: ";
        let reading = "reading manifest 1 in 127.0.0.1:5000/team/app: ";
        let table = [
            (Unauthorized, format!("{at}{reading}unauthorized: authentication required")),
            (Unknown, format!("{at}{reading}manifest unknown: manifest unknown")),
            (Unknown, format!("{at}{reading}name unknown")),
            (Denied, format!("{at}{reading}denied")),
            (Limited, format!("{at}{reading}toomanyrequests: You have reached your pull rate limit.")),
            (Limited, format!("{at}{reading}StatusCode: 429, slow down")),
            (Away, format!("{at}{reading}received unexpected HTTP status: 500 Internal Server Error")),
            (
                Away,
                format!(
                    "{at}pinging container registry 127.0.0.1:5003: Get \"https://127.0.0.1:5003/v2/\": dial tcp \
                     127.0.0.1:5003: connect: connection refused"
                ),
            ),
        ];
        for (meant, message) in table {
            assert_eq!(fault(&message, "127.0.0.1:5000/team/app:1"), meant, "{message}");
        }
    }

    #[test]
    fn a_repository_may_be_called_like_a_fault() {
        let message = "reading manifest 1 in 127.0.0.1:5000/denied/unauthorized: manifest unknown";
        assert_eq!(fault(message, "127.0.0.1:5000/denied/unauthorized:1"), Unknown);
    }
}
