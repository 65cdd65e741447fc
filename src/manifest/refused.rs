//! Words that people bring from Compose and that mean nothing here: each with what to write instead.

use serde_json::{Value, json};

pub(super) fn app() -> Value {
    json!({
        "version": "`version` is not needed: remove the line",
        "name": "`name` is not needed: the app is named after its file; remove the line",
        "include": "`include` is not supported: write `extends: ../_base/<app>.yaml`, or make it an app of its own",
        "environment": "`environment` stands below a service: write `services: {<service>: {env: {…}}}`",
    })
}

pub(super) fn service() -> Value {
    json!({
        "build": "`build` is not supported: build and push the image in CI, then write `image: <registry>/<name>:<tag>`",
        "links": "`links` is not needed: services of an app reach each other by name; remove it, and write \
                  `depends_on: [<service>]` where the order matters",
        "external_links": "`external_links` is not supported: write an external network below `networks` of the app \
                           and name it in `networks` of the service",
        "profiles": "`profiles` is not supported: write the service only in the environments that need it, \
                     `environments/<environment>/<app>.yaml` with `extends: ../_base/<app>.yaml`",
        "deploy": "`deploy` is not supported: write `mem_limit` and `cpus` for `resources.limits`, \
                   `mem_reservation` for `resources.reservations`, `restart` for `restart_policy`, `rollout` for \
                   `update_config`, `gpus` for `devices`",
        "env_file": "`env_file` is not supported, the host has no checkout to read it from: write the variables \
                     below `env`",
        "container": "`container` means nothing here: write `container_name`",
        "volumes_from": "`volumes_from` is not supported: name the volumes below `volumes` of this service too",
        "domainname": "`domainname` is not supported: write `hostname: host.domain`",
        "memswap_limit": "`memswap_limit` is not supported: write `mem_limit`",
        "cpu_count": "`cpu_count` is not supported: write `cpus`",
        "cpu_shares": "`cpu_shares` is not supported: write `cpus`",
        "cpu_quota": "`cpu_quota` is not supported: write `cpus`",
        "cpu_period": "`cpu_period` is not supported: write `cpus`",
        "dns_search": "`dns_search` is not supported: write full names",
        "pid": "`pid` is not supported: a container has its own processes",
        "ipc": "`ipc` is not supported: a container has its own shared memory; write `shm_size` for more of it",
        "userns_mode": "`userns_mode` is not supported: user namespaces are the engine's setting",
        "cgroup_parent": "`cgroup_parent` is not supported: control groups are the engine's setting",
        "runtime": "`runtime` is not supported: write `gpus` for graphics processors",
        "develop": "`develop` is not supported: remove it",
    })
}

pub(super) fn network() -> Value {
    json!({
        "driver_opts": "`driver_opts` is not supported: make the network by hand and write `external: true`",
        "ipam": "`ipam` is not supported: make the network by hand and write `external: true`",
        "attachable": "`attachable` is not needed on one host: remove the line",
        "enable_ipv6": "`enable_ipv6` is not supported: make the network by hand and write `external: true`",
    })
}

pub(super) fn volume() -> Value {
    json!({
        "driver": "`driver` is not supported: remove the line for the engine's own (`local`), or make the volume by \
                   hand and write `external: true`",
        "driver_opts": "`driver_opts` is not supported: mount a path of the host (`/srv/data:/data`), or make the \
                        volume by hand and write `external: true`",
    })
}

pub(super) fn secret() -> Value {
    json!({
        "external": "`external` is not needed: write `{}`, and the value into the host's directory of secrets",
        "environment": "`environment` is not supported: write `{}`, and the value into the host's directory of secrets",
        "content": "`content` is not supported, a repository is no place for a secret: write `{}`, and the value into \
                    the host's directory of secrets",
        "name": "`name` is not needed: a secret is named by its key",
    })
}

pub(super) fn config() -> Value {
    json!({
        "external": "`external` is not supported: write `content` or `file`",
        "environment": "`environment` is not supported: write `content` or `file`",
        "name": "`name` is not needed: a config is named by its key",
    })
}

pub(super) fn healthcheck() -> Value {
    json!({
        "path": "`path` stands below `http`: write `http: {path: /healthz, port: 8080}`",
        "port": "`port` stands below `http` or `tcp`: write `http: {path: /, port: 8080}` or `tcp: {port: 5432}`",
        "command": "`command` means nothing here: write `test: [CMD, …]`",
        "cmd": "`cmd` means nothing here: write `test: [CMD, …]`",
    })
}

pub(super) fn proxy() -> Value {
    json!({
        "host": "`host` is written as a list: `hosts: [api.example.com]`",
        "domains": "`domains` means nothing here: write `hosts: [api.example.com]`",
        "websocket": "`websocket` is not needed, WebSockets always pass: remove the line",
        "drain": "`drain` stands below `rollout`: write `rollout: {drain: 10s}`",
        "tls": "`tls` stands beside `proxy`, below the service",
        "driver": "the host says which proxy there is: `proxy: {driver: …}` in its host file",
        "snippet": "text of a proxy's own language is not taken: write `headers`, `rate_limit`, `allow_from`, \
                    `basic_auth`, `max_body`, `timeouts`",
        "config": "text of a proxy's own language is not taken: write `headers`, `rate_limit`, `allow_from`, \
                   `basic_auth`, `max_body`, `timeouts`",
    })
}

pub(super) fn tls() -> Value {
    json!({
        "acme": "the account and the authority are the host's: `acme: {email: …, directory: …}` in its host file",
        "email": "the account is the host's: `acme: {email: …}` in its host file",
        "certificate": "`certificate` means nothing here: write `cert_file`",
        "key": "`key` means nothing here: write `key_file`",
        "ciphers": "`ciphers` is not supported: write `policy: modern` or `policy: intermediate`",
        "protocols": "`protocols` is not supported: write `policy: modern` or `policy: intermediate`",
    })
}

pub(super) fn backup() -> Value {
    json!({
        "catchUp": "`catchUp` is written `catch_up` here",
        "maxAge": "`maxAge` is written `max_age` here",
        "beforeDeploy": "`beforeDeploy` is written `before_deploy` here",
        "repository": "`repository` is written `repositories`, a list of names that the host file gives to places",
        "path": "where copies go is the host's to say: `backup: {repositories: …}` in its host file",
        "keep_last": "`keep_last` stands below `retention`: write `retention: {keep_last: 3}`",
        "keep_daily": "`keep_daily` stands below `retention`: write `retention: {keep_daily: 7}`",
    })
}
