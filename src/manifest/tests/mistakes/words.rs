//! Words and values that are not what stands there, or that mean something in Compose only.

use super::Case;

#[rustfmt::skip]
pub(super) const CASES: &[Case] = &[
    (
        r##"
services:
  web:
    image: bb:1
    environment:
      - A=b
      - "C=d e"
"##,
        &[
            r##"5:7: environment variables are a map here, not a list: write `env: {A: b, C: "d e"}`"##,
        ],
    ),
    (
        r##"
services:
  web:
    image: bb:1
    env: {A: b}
    environment: {C: d}
"##,
        &[
            r##"5:5: `environment` and `env` mean the same: write all variables below one of them (`env` stands in line 4)"##,
        ],
    ),
    (
        r##"
services:
  web:
    image: bb:1
    env:
      A:
"##,
        &[
            r##"5:7: `A` has no value, and nothing is taken from the host's environment (write the value, or `A: ""` for an empty one)"##,
        ],
    ),
    (
        r##"
services:
  web:
    image: bb:1
    env:
      A: {secret: a}
      B: {template: x}
      C: {literal: '${X}'}
"##,
        &[
            r##"5:19: secret `a` is not declared (declare it at the top of the app: `secrets: {a: {}}`)"##,
            r##"6:21: `x` is not a template: there is no secret in it: write `${secret:<name>}`, or the text without `template` (for example `"postgresql://app:${secret:password|urlencode}@db/app"`)"##,
        ],
    ),
    (
        r##"
services:
  web:
    image: bb:1
    env: {"A B": c}
"##,
        &[
            r##"4:11: `A B` is not the name of a variable: write letters, digits, `_`, `.` and `-`, a letter or `_` first, as in `LOG_LEVEL` (for example `LOG_LEVEL`)"##,
        ],
    ),
    (
        r##"
services:
  web:
    image: "bb:${TAG}"
    env: {A: "${A:-x}", B: $B}
    command: [sh, -c, 'echo ${HOME}']
"##,
        &[
            r##"3:12: `${TAG}` is not replaced: nothing is interpolated here (write the value itself)"##,
            r##"4:14: `${A:-x}` is not replaced: nothing is interpolated here (write the value itself, or `{literal: "${A:-x}"}` for these very letters)"##,
            r##"5:23: `${HOME}` is not replaced: nothing is interpolated here (write the value itself, or `$HOME` for a shell in the container to replace)"##,
        ],
    ),
    (
        r##"
version: '3.8'
services:
  web:
    build: .
    image: bb:1
    links: [db]
    profiles: [dev]
    deploy: {}
    env_file: .env
"##,
        &[
            r##"1:1: `version` is not needed: remove the line"##,
            r##"4:5: `build` is not supported: build and push the image in CI, then write `image: <registry>/<name>:<tag>`"##,
            r##"6:5: `links` is not needed: services of an app reach each other by name; remove it, and write `depends_on: [<service>]` where the order matters"##,
            r##"7:5: `profiles` is not supported: write the service only in the environments that need it, `environments/<environment>/<app>.yaml` with `extends: ../_base/<app>.yaml`"##,
            r##"8:5: `deploy` is not supported: write `mem_limit` and `cpus` for `resources.limits`, `mem_reservation` for `resources.reservations`, `restart` for `restart_policy`, `rollout` for `update_config`, `gpus` for `devices`"##,
            r##"9:5: `env_file` is not supported, the host has no checkout to read it from: write the variables below `env`"##,
        ],
    ),
    (
        r##"
services:
  web:
    image: bb:1
    volumes:
      - ./conf:/etc/conf
      - /data
      - data:relative
      - ~/x:/y
      - a/b:/c
      - /a/../b:/c
      - data:/data:Z
"##,
        &[
            r##"5:9: `./conf:/etc/conf` is not a volume: there is no checkout on the host that `./conf` could be in: write a path of the host, `/srv/conf:/etc/conf`, or a named volume, `conf:/etc/conf` (for example `pgdata:/var/lib/postgresql/data`)"##,
            r##"6:9: `/data` is not a volume: give it a name that lasts: `data:/data`, and `data: {}` below `volumes` of the app (for example `pgdata:/var/lib/postgresql/data`)"##,
            r##"7:9: `data:relative` is not a volume: `relative` is no path in the container: a path begins with `/` (for example `pgdata:/var/lib/postgresql/data`)"##,
            r##"8:9: `~/x:/y` is not a volume: there is no checkout on the host that `~/x` could be in: write a path of the host, `/srv/x:/y`, or a named volume, `x:/y` (for example `pgdata:/var/lib/postgresql/data`)"##,
            r##"9:9: `a/b:/c` is not a volume: a path of the host begins with `/`: write `/a/b:/c` (for example `pgdata:/var/lib/postgresql/data`)"##,
            r##"10:9: `/a/../b:/c` is not a volume: `/a/../b` is no path of the host: a path has no `.` and `..` in it (for example `pgdata:/var/lib/postgresql/data`)"##,
            r##"11:9: `data:/data:Z` is not a volume: `Z` is not supported: write `ro`, `rw` or nothing (for example `pgdata:/var/lib/postgresql/data`)"##,
        ],
    ),
    (
        r##"
services:
  web:
    image: bb:1
    ports:
      - {target: 80, published: 8080}
    volumes:
      - {type: bind, source: /a, target: /b, read_only: true}
      - {type: tmpfs, target: /tmp}
"##,
        &[
            r##"5:9: `ports` have the short form only: write `"8080:80"`"##,
            r##"7:9: `volumes` have the short form only: write `"/a:/b:ro"`"##,
            r##"8:9: `volumes` have the short form only: write `tmpfs: ["/tmp"]` instead"##,
        ],
    ),
    (
        r##"
services:
  web:
    image: bb:1
    ports: [8000, '80:99999', 'localhost:80:80', '80-82:80-81', '80:80/tpc']
"##,
        &[
            r##"4:13: `8000` is not a port mapping: say which port of the host leads to it: `8000:8000` (for example `"8000:8000"`)"##,
            r##"4:19: `80:99999` is not a port mapping: `99999` is no port from 1 to 65535, and no range of them (for example `"8000:8000"`)"##,
            r##"4:31: `localhost:80:80` is not a port mapping: `localhost` is no address: write an IPv4 address, `[::1]`, or `*` for every address (for example `"8000:8000"`)"##,
            r##"4:50: `80-82:80-81` is not a port mapping: both ranges must have the same length (for example `"8000:8000"`)"##,
            r##"4:65: `80:80/tpc` is not a port mapping: after `/` stands `tcp`, `udp` or `sctp` (for example `"8000:8000"`)"##,
        ],
    ),
    (
        r##"
services:
  web:
    image: bb:1
    scale: 2
"##,
        &[
            r##"4:12: `scale` above 1 is not supported yet"##,
        ],
    ),
    (
        r##"
services:
  web:
    image: bb:1
    stop_grace_period: 5
    healthcheck: {tcp: {port: 80}, interval: 1.5s, timeout: 0s, start_period: 5 s, start_interval: 30m1h}
"##,
        &[
            r##"4:24: `5` is not a duration: it has no unit: write `5s` for seconds, `5m` for minutes (for example `30s`)"##,
            r##"5:46: `1.5s` is not a duration: write whole numbers, as in `1s500ms` or `1h30m` (for example `10s`)"##,
            r##"5:61: `timeout` must be longer than 0s"##,
            r##"5:79: `5 s` is not a duration: write numbers with units, as in `500ms`, `30s`, `5m`, `1h30m` or `1d` (for example `30s`)"##,
            r##"5:100: `30m1h` is not a duration: units are `d`, `h`, `m`, `s`, `ms`, each once, the longest first (for example `500ms`)"##,
        ],
    ),
    (
        r##"
services:
  web:
    image: bb:1
    mem_limit: 512 MB
    shm_size: 1.5g
    mem_reservation: -1
    cpus: half
"##,
        &[
            r##"4:16: `512 MB` is not a size: write a whole number and a unit, as in `512m`, `2g` or `10MiB` (for example `512m`)"##,
            r##"5:15: `1.5g` is not a size: write a whole number of the next smaller unit, `1536m` for one and a half `g` (for example `128m`)"##,
            r##"6:22: `-1` is not a size: write a whole number and a unit, as in `512m`, `2g` or `10MiB` (for example `256m`)"##,
            r##"7:11: `half` is not a number of processors: write a number like `2` or `0.5`, at most nine digits after the point (for example `0.5`)"##,
        ],
    ),
    (
        r##"
services:
  web: {image: Nginx}
  two: {image: 'nginx:'}
  three: {image: 'nginx@sha256:12'}
  four: {}
  five: {image: ''}
"##,
        &[
            r##"2:16: `Nginx` is not an image reference: a repository's name has no capital letters (for example `nginx:1.27`)"##,
            r##"3:16: `nginx:` is not an image reference: a tag is up to 128 letters, digits, `.`, `_` and `-`, and begins with none of `.` and `-` (for example `nginx:1.27`)"##,
            r##"4:18: `nginx@sha256:12` is not an image reference: a digest is `sha256:` and 64 digits of 0-9 and a-f (for example `nginx:1.27`)"##,
            r##"5:3: key `image` is missing in `services.four`: expected text (Image) (for example `nginx:1.27`)"##,
            r##"6:17: an empty text is not an image reference: write `[registry/]name[:tag][@sha256:…]`, as in `nginx:1.27` (for example `nginx:1.27`)"##,
        ],
    ),
    (
        r##"
services:
  web:
    imagee: bb:1
    healtcheck: {}
    restart: unless-stoped
    read_only: yes
"##,
        &[
            r##"3:5: unknown key `imagee` in `services.web` (did you mean `image`?)"##,
            r##"4:5: unknown key `healtcheck` in `services.web` (did you mean `healthcheck`?)"##,
            r##"5:14: `unless-stoped` is not a restart policy: write `unless-stopped`, `always`, `on-failure`, `on-failure:3` or `no` (for example `on-failure:3`)"##,
            r##"6:16: expected `true` or `false` (Read-only), found `yes` (write `true`)"##,
        ],
    ),
    (
        r##"
services:
  Web: {image: bb:1}
  my_very_long_name_that_goes_on_and_on_and_on: {image: bb:1}
"##,
        &[
            r##"2:3: `Web` is not a service name: use a-z, 0-9, `-` and `_`, begin and end with a letter or digit, at most 40 characters (for example `web`)"##,
            r##"3:3: `my_very_long_name_that_goes_on_and_on_and_on` is not a service name: use a-z, 0-9, `-` and `_`, begin and end with a letter or digit, at most 40 characters (for example `web`)"##,
        ],
    ),
    (
        r##"
networks: [a]
volumes: [b]
services:
  - web
"##,
        &[
            r##"1:11: `networks` is a map: write `networks: {a: {}}`"##,
            r##"2:10: `volumes` is a map: write `volumes: {b: {}}`"##,
            r##"4:3: expected a mapping (Services), found a list (for example `{web: {image: nginx:1.27}}`)"##,
        ],
    ),
    (
        r##"
services:
  web: {image: bb:1, command: "sh -c 'x"}
"##,
        &[
            r##"2:31: `sh -c 'x` is not a command line: a quote in it has no end"##,
        ],
    ),
    (
        r##"
services:
  web: {image: bb:1, pull_policy: if_not_present}
  two: {image: bb:1, pull_policy: every_5}
"##,
        &[
            r##"2:35: `if_not_present` is not a pull policy: write `missing`, which means the same (for example `daily`)"##,
            r##"3:35: `every_5` is not a pull policy: `5` is not a duration: it has no unit: write `5s` for seconds, `5m` for minutes (for example `daily`)"##,
        ],
    ),
    (
        r##"
services:
  web: {image: bb:1, restart: false, stop_signal: SIGFOO, cap_add: [n], devices: [sda], dns: nope, extra_hosts: {a: 1.2.3.4}, user: 'a b', gpus: some, ulimits: {nofile: {soft: 5, hard: 4}}, tmpfs: tmp, platform: amd64, container_name: /x}
"##,
        &[
            r##"2:31: `false` is not a restart policy: write `unless-stopped`, `always`, `on-failure`, `on-failure:3` or `no` (for example `on-failure:3`)"##,
            r##"2:51: `SIGFOO` is not a signal: write a name like `SIGTERM`, `SIGQUIT` or `SIGRTMIN+3` (for example `SIGQUIT`)"##,
            r##"2:69: `n` is not a capability: write a name like `NET_BIND_SERVICE`, or `ALL` (for example `NET_BIND_SERVICE`)"##,
            r##"2:83: `sda` is not a device: write `/dev/name`, or `/dev/name:/dev/name:rwm` (for example `/dev/dri`)"##,
            r##"2:94: `nope` is not an address: write an IPv4 or IPv6 address, as in `10.0.0.53` (for example `10.0.0.53`)"##,
            r##"2:113: expected a list (Extra hosts), found a mapping (for example `[db.internal:10.0.0.5]`)"##,
            r##"2:133: `a b` is not a user: write a name or a number, `:group` after it where needed, as in `1000:1000` (for example `"1000:1000"`)"##,
            r##"2:146: `some` is none of `all`, nor a whole number (So many) (for example `all`)"##,
            r##"2:170: the soft limit of `nofile` is above the hard one"##,
            r##"2:198: `tmp` is not a tmpfs: a path begins with `/` (for example `/tmp:size=64m`)"##,
            r##"2:213: `amd64` is not a platform: write `linux/amd64` or `linux/arm64` (for example `linux/amd64`)"##,
            r##"2:236: `/x` is not a name on the engine: engines take two or more letters, digits, `_`, `.` and `-`, a letter or digit first (for example `neuronetz-gateway`)"##,
        ],
    ),
];
