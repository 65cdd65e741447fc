//! Words that are right one by one and wrong together.

use super::Case;

#[rustfmt::skip]
pub(super) const CASES: &[Case] = &[
    (
        r##"
services:
  web: {image: bb:1, healthcheck: {http: {path: healthz, port: 80}}}
  two: {image: bb:1, healthcheck: {http: {path: "http://localhost/x", port: 80}}}
  three: {image: bb:1, healthcheck: {http: {path: "/x\nHost: y", port: 80}}}
"##,
        &[
            r##"2:49: `healthz` is not the path of a request: write `/healthz` (for example `/healthz`)"##,
            r##"3:49: `http://localhost/x` is not the path of a request: write the path alone, as in `/healthz`; the port stands beside it (for example `/healthz`)"##,
            r##"4:51: `/x\nHost: y` is not the path of a request: write letters, digits and signs of ASCII, others as `%20` (for example `/healthz`)"##,
        ],
    ),
    (
        r##"
services:
  web:
    image: bb:1
    mem_limit: 1m
    mem_reservation: 2m
"##,
        &[
            r##"4:16: `mem_limit` is less than an engine gives, 6m"##,
            r##"5:22: `mem_reservation` 2m is more than `mem_limit` 1m"##,
        ],
    ),
    (
        r##"
networks: {backend: {}}
services:
  web:
    image: bb:1
    networks: [backnd]
    volumes: ['data:/data']
    depends_on: [dbb]
  db: {image: bb:1, network_mode: 'service:vpn'}
jobs:
  m: {service: wbe, command: [x]}
"##,
        &[
            r##"5:16: network `backnd` is not declared (did you mean `backend`? else declare it at the top of the app: `networks: {backnd: {}}`)"##,
            r##"6:15: volume `data` is not declared (declare it at the top of the app: `volumes: {data: {}}`)"##,
            r##"7:18: `dbb` is no service of this app (did you mean `db`?)"##,
            r##"8:35: `vpn` is no service of this app (its services: `db`, `web`)"##,
            r##"10:16: `wbe` is no service of this app (did you mean `web`?)"##,
        ],
    ),
    (
        r##"
services:
  a: {image: bb:1, depends_on: [b]}
  b: {image: bb:1, network_mode: 'service:c'}
  c: {image: bb:1, depends_on: {a: {condition: service_healthy}}}
  d: {image: bb:1, depends_on: [d]}
"##,
        &[
            r##"4:33: services wait for one another in a circle: `a → b → c → a` (remove one of them from `depends_on` or `network_mode`)"##,
            r##"5:33: services wait for one another in a circle: `d → d` (remove one of them from `depends_on` or `network_mode`)"##,
        ],
    ),
    (
        r##"
networks: {proxy: {external: true}}
services:
  ollama:
    image: bb:1
    internal_only: true
    ports: ['11434:11434']
    networks: [proxy]
  two: {image: bb:1, internal_only: true, network_mode: host}
"##,
        &[
            r##"6:12: `ollama` is `internal_only`: no port of it may be published (remove `ports`: others on its networks reach it by name)"##,
            r##"7:16: `ollama` is `internal_only`: it may not be on the external network `proxy`, where others are (use a network of the app)"##,
            r##"8:57: `two` is `internal_only`: it may not be on the host's own network"##,
        ],
    ),
    (
        r##"
services:
  web:
    image: bb:1
    ports: ['80:80']
    healthcheck: {tcp: {port: 80}}
    rollout: {order: start-first}
  two: {image: bb:1, rollout: {order: start_first}}
"##,
        &[
            r##"6:22: `start-first` is not possible for `web`: both would need the same published port (write `stop-first`, or `auto`, which chooses)"##,
            r##"7:39: `start_first` is none of `auto`, `start-first`, `stop-first` (did you mean `start-first`?)"##,
        ],
    ),
    (
        r##"
services:
  web: {image: bb:1, healthcheck: {interval: 5s}}
  two: {image: bb:1, healthcheck: {tcp: {port: 1}, test: [redis-cli, ping]}}
  three: {image: bb:1, healthcheck: {port: 80, http: {port: 0, path: x}}}
"##,
        &[
            r##"2:35: the healthcheck does not say what is asked (write one of `http: {port: 8080}`, `tcp: {port: 5432}`, `test: [CMD, …]`, `disable: true`)"##,
            r##"3:58: `tcp`, `test` exclude one another (keep one of them)"##,
            r##"3:58: a list begins with `CMD`, `CMD-SHELL` or `NONE` (write `test: [CMD, redis-cli, ping]`)"##,
            r##"4:38: `port` stands below `http` or `tcp`: write `http: {path: /, port: 8080}` or `tcp: {port: 5432}`"##,
            r##"4:61: `0` is out of range: expected a whole number (Port) from 1 to 65535 (for example `8080`)"##,
            r##"4:70: `x` is not the path of a request: write `/x` (for example `/healthz`)"##,
        ],
    ),
    (
        r##"
services:
  web:
    image: bb:1
    labels: {reconcile.app: x, reconcile.prune: maybe}
"##,
        &[
            r##"4:29: label `reconcile.app` is reserved for what the tool itself sets (choose another name)"##,
            r##"4:49: `reconcile.prune` is `true` or `false`, not `maybe`"##,
        ],
    ),
    (
        r##"
services:
  web: {image: bb:1, depends_on: {init: {condition: service_completed_successfully}}}
  init: {image: bb:1}
"##,
        &[
            r##"2:41: `init` never completes: with `restart: unless-stopped` it is started again and again (write `restart: no` at `init`, or make it a job)"##,
        ],
    ),
    (
        r##"
services:
  web: {image: bb:1, depends_on: [db]}
  side: {image: bb:1, depends_on: {db: {condition: service_healthy}}}
  guest: {image: bb:1, network_mode: "service:db"}
  either: {image: bb:1, depends_on: {db: {condition: service_started, required: false}}}
  asleep: {image: bb:1, scale: 0, depends_on: [db]}
  db: {image: bb:1, scale: 0}
"##,
        &[
            r##"2:35: `web` would wait for ever: `db` is kept stopped by `scale: 0` (take `scale: 0` off `db`, give it to `web` too, or write `depends_on: {db: {required: false}}`)"##,
            r##"3:36: `side` would wait for ever: `db` is kept stopped by `scale: 0` (take `scale: 0` off `db`, give it to `side` too, or write `depends_on: {db: {required: false}}`)"##,
            r##"4:38: `guest` has no network to be in: `db` is kept stopped by `scale: 0` (take `scale: 0` off `db`, or give it to `guest` too)"##,
        ],
    ),
    (
        r##"
services:
  web: {image: bb:1, depends_on: {init: {condition: healthy}}}
  init: {image: bb:1}
"##,
        &[
            r##"2:53: `healthy` is none of `service_started`, `service_healthy`, `service_completed_successfully`"##,
        ],
    ),
    (
        r##"
services:
  web: {extends: base, image: bb:1}
  two: {extends: {service: nobody}, image: bb:1}
  three: {extends: {service: four}}
  four: {extends: {service: three}}
"##,
        &[
            r##"2:18: `extends` of a service is a map: write `extends: {service: base}`"##,
            r##"3:28: service `two` extends `nobody`, which is no service of this file"##,
            r##"4:30: services extend one another in a circle: `four → three → four`"##,
        ],
    ),
    (
        r##"
sync: {}
"##,
        &[
            r##"1:1: key `services` is missing: expected a mapping (Services) (for example `{web: {image: nginx:1.27}}`)"##,
        ],
    ),
    (
        r##"
services: {}
"##,
        &[
            r##"1:11: the app has no service (to remove an app, remove its file)"##,
        ],
    ),
    (
        r##"
services:
  web: {image: bb:1, network_mode: bridge}
  two: {image: bb:1, network_mode: host, ports: ['80:80'], networks: [default]}
  three: {image: bb:1, network_mode: 'service:two', hostname: x}
"##,
        &[
            r##"2:36: `bridge` is not a network mode: leave it out: the app has a bridge of its own (for example `none`)"##,
            r##"3:36: `networks` and `network_mode: host` exclude one another (keep one of the two)"##,
            r##"3:49: nothing can be published with `network_mode: host` (remove `ports`: on the host's own network the container's ports are the host's)"##,
            r##"4:63: `hostname` belongs to the service whose network this one shares (move it to `two`)"##,
        ],
    ),
    (
        r##"
networks: {proxy: {external: true, internal: true}}
volumes: {a: {external: true, driver: local}}
services:
  web: {image: bb:1}
"##,
        &[
            r##"1:46: `proxy` is `external`, made by others: `internal` has no effect (remove `internal`, or `external`)"##,
            r##"2:31: `driver` is not supported: remove the line for the engine's own (`local`), or make the volume by hand and write `external: true`"##,
        ],
    ),
    (
        r##"
volumes: {a: {}, b: {}}
services:
  web: {image: bb:1, volumes: ['a:/x', 'b:/x/']}
"##,
        &[
            r##"3:40: something is mounted at `/x` already"##,
        ],
    ),
    (
        r##"
services:
  web: {image: bb:1}
jobs:
  m: {service: web, command: [], when: before, timeout: 0s}
"##,
        &[
            r##"4:30: a job needs a command"##,
            r##"4:40: `before` is none of `pre_sync`, `post_sync`"##,
            r##"4:57: `timeout` must be longer than 0s"##,
        ],
    ),
    (
        r##"
services:
  web: {image: bb:1, env: {A: "a\u202eb"}}
"##,
        &[
            r##"2:31: `a\u{202e}b` holds the hidden character U+202E"##,
        ],
    ),
    (
        r##"
services:
  web:
    imagee: bb:1
    volumes: ['data:/data', './x:/y']
    depends_on: [db, nope]
  db:
    image: bb:1
    scale: 3
    depends_on: [web]
  other: {restart: no}
"##,
        &[
            r##"3:5: unknown key `imagee` in `services.web` (did you mean `image`?)"##,
            r##"4:15: volume `data` is not declared (declare it at the top of the app: `volumes: {data: {}}`)"##,
            r##"4:29: `./x:/y` is not a volume: there is no checkout on the host that `./x` could be in: write a path of the host, `/srv/x:/y`, or a named volume, `x:/y` (for example `pgdata:/var/lib/postgresql/data`)"##,
            r##"5:18: services wait for one another in a circle: `db → web → db` (remove one of them from `depends_on` or `network_mode`)"##,
            r##"5:22: `nope` is no service of this app (its services: `db`, `other`, `web`)"##,
            r##"8:12: `scale` above 1 is not supported yet"##,
            r##"10:3: key `image` is missing in `services.other`: expected text (Image) (for example `nginx:1.27`)"##,
        ],
    ),
    (
        r##"
services: {web: {image: bb:1}}
sync:
  depends_on: [Web, a/b/c]
  windows:
    - {kind: denied, schedule: "0 8 * *", duration: 10h}
    - {kind: deny, schedule: "61 8 * * *", duration: 10h, timezone: Europe/Berln}
    - {kind: deny, schedule: "0 8 * * *"}
    - {kind: allow, schedule: "0 0 30 2 *", duration: 1d, timeZone: UTC, manualSync: true}
"##,
        &[
            r##"3:16: `Web` is not an app: write `app`, or `environment/app` for one of another environment (for example `database`)"##,
            r##"3:21: `a/b/c` is not an app: write `app`, or `environment/app` for one of another environment (for example `database`)"##,
            r##"5:14: `denied` is none of `allow`, `deny`"##,
            r##"5:32: `0 8 * *` is not a schedule: it has 4 fields and needs five: minute, hour, day of the month, month, day of the week, as in `30 2 * * *` (for example `0 8 * * 1-5`)"##,
            r##"6:30: `61 8 * * *` is not a schedule: `61` is no minute: it goes from 0 to 59, a range from the smaller to the larger (for example `0 8 * * 1-5`)"##,
            r##"6:69: `Europe/Berln` is not a time zone: did you mean `Europe/Berlin`? (for example `Europe/Berlin`)"##,
            r##"7:7: key `duration` is missing in `sync.windows.2`: expected text (Duration) (for example `10h`)"##,
            r##"8:31: `0 0 30 2 *` is not a schedule: no month it names has such a day (for example `0 8 * * 1-5`)"##,
            r##"8:59: `timeZone` is written `timezone` here"##,
            r##"8:74: `manualSync` means nothing here: write `manual`"##,
        ],
    ),
    (
        r##"
services: {web: {image: bb:1}}
sync:
  windows:
    - {kind: deny, schedule: "0 8 * * *", duration: 59s}
    - {kind: allow, schedule: "0 8 * * *", duration: 367d}
    - {kind: allow, schedule: "0 8 * * *", duration: 366d}
"##,
        &[
            r##"4:53: a window lasts 1m or more"##,
            r##"5:54: a window lasts 366d at most"##,
        ],
    ),
];
