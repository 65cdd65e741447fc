//! Backups that copy nothing, keep nothing, or name what is not there.

use super::Case;

#[rustfmt::skip]
pub(super) const CASES: &[Case] = &[
    (
        r##"
services: {web: {image: bb:1}}
backup: {}
"##,
        &[
            r##"2:1: key `items` is missing in `backup`: expected a list (Items) (for example `[{name: db, type: sqlite, volume: data, path: app.db}]`)"##,
        ],
    ),
    (
        r##"
services: {web: {image: bb:1}}
backup: {items: []}
"##,
        &[
            r##"2:17: the list is empty: expected a list (Items) (for example `[{name: db, type: sqlite, volume: data, path: app.db}]`)"##,
        ],
    ),
    (
        r##"
services: {web: {image: bb:1}}
volumes: {data: {}}
backup:
  schedule: "@reboot"
  timezone: Berlin
  catchUp: 1h
  path: /srv/backups
  compression: xz
  encryption: {age: [age1ql3x7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]}
  repositories: []
  retention: {min_verified: 0}
  verify: yes
  items:
    - {name: Db, type: sqlit, volume: data, path: /app.db}
    - {type: volume}
    - {name: pg, type: postgres, service: web, database: "a b", user_from: {}}
"##,
        &[
            r##"4:13: `@reboot` is not a schedule: the words are `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly` (for example `30 2 * * *`)"##,
            r##"5:13: `Berlin` is not a time zone: write its IANA name, as in `Europe/Berlin` or `UTC` (for example `Europe/Berlin`)"##,
            r##"6:3: `catchUp` is written `catch_up` here"##,
            r##"7:3: where copies go is the host's to say: `backup: {repositories: …}` in its host file"##,
            r##"8:16: `xz` is none of `zstd`, `gzip`, `none`"##,
            r##"9:22: `age1ql3x7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac…` is not an age recipient: its letters are mistyped (for example `age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p`)"##,
            r##"10:17: the list is empty: expected a list (Repositories) (for example `[local]`)"##,
            r##"11:29: `0` is out of range: expected a whole number (Fewest) from 1 to 100000 (for example `2`)"##,
            r##"12:11: `yes` is none of `checksum`, `content`"##,
            r##"14:14: `Db` is not an item's name: use a-z, 0-9, `-` and `_`, begin and end with a letter or digit, at most 40 characters (for example `db`)"##,
            r##"14:24: `sqlit` is none of `sqlite`, `postgres`, `mysql`, `redis`, `volume`, `exec` (did you mean `sqlite`?)"##,
            r##"14:51: `/app.db` is not a path in a volume: write its path from the volume's root, without `/` at its beginning (for example `app.db`)"##,
            r##"15:7: key `name` is missing in `backup.items.1`: expected text (Name) (for example `db`)"##,
            r##"16:58: `a b` is not a database: write letters, digits, `_`, `-`, `.` and `$`, or `"*"` for all of them (for example `app`)"##,
            r##"16:65: the mapping has 0 keys, which is too few: expected a mapping (User) (for example `{env: POSTGRES_USER}`)"##,
        ],
    ),
    (
        r##"
services: {web: {image: bb:1}}
volumes: {data: {}}
backup:
  jitter: 25h
  timeout: 0s
  max_age: 0s
  hooks: {before: [{service: wbe, command: []}]}
  repositories: [local, local]
  retention: {keep_last: 0, keep_daily: 0, keep_weekly: 0}
  items:
    - {name: db, type: sqlite, volume: dta}
    - {name: db, type: volume, volume: data, path: a.db, consistency: stop}
    - {name: pg, type: postgres, service: postgres, exclude: [a]}
    - {name: out, type: exec, service: web, command: ""}
    - {name: cache, type: redis, service: web, database: "*", user_from: {env: A}}
"##,
        &[
            r##"4:11: `jitter` is 1d at most"##,
            r##"4:11: `jitter` is about a `schedule`, and there is none (write `schedule`, as in `schedule: "30 2 * * *"`, or remove it)"##,
            r##"5:12: `timeout` must be longer than 0s"##,
            r##"6:12: `max_age` is about a `schedule`, and there is none (write `schedule`, as in `schedule: "30 2 * * *"`, or remove it)"##,
            r##"6:12: no copy is so young (write a little more than the schedule's distance, as in `26h`)"##,
            r##"7:30: `wbe` is no service of this app (did you mean `web`?)"##,
            r##"7:44: the command is empty"##,
            r##"8:25: `local` is named twice"##,
            r##"9:14: this keeps no copy at all (write how many are kept, as in `keep_last: 3`, or leave `retention` out)"##,
            r##"11:7: key `path` is missing in item `db`, which is `sqlite` (write it, as in `path: app.db`)"##,
            r##"11:40: volume `dta` is not declared (did you mean `data`? else declare it at the top of the app: `volumes: {dta: {}}`)"##,
            r##"12:14: two items are called `db` (give one of them another name)"##,
            r##"12:52: `path` is of `sqlite`, and this is `volume` (remove it)"##,
            r##"13:7: key `database` is missing in item `pg`, which is `postgres` (write it, as in `database: app`)"##,
            r##"13:43: `postgres` is no service of this app (its services: `web`)"##,
            r##"13:62: `exclude` is of `volume`, and this is `postgres` (remove it)"##,
            r##"14:54: the command is empty"##,
            r##"15:58: `database` is of `postgres`, `mysql`, and this is `redis` (remove it)"##,
            r##"15:74: `user_from` is of `postgres`, `mysql`, and this is `redis` (remove it)"##,
        ],
    ),
];
