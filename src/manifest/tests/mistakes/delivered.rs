//! Secrets and configs that cannot be meant.

use super::Case;

#[rustfmt::skip]
pub(super) const CASES: &[Case] = &[
    (
        r##"
secrets: {db_password: {}, two: {key: x}, Bad: {}, three: {external: true}, four: {file: ../x}}
configs: {ini: {}, both: {content: a, file: files/a}, pasted: {content: "a ${HOME}"}}
services: {web: {image: bb:1}}
"##,
        &[
            r##"1:39: `key` names a value of no file (write `two: {file: secrets/<name>.sops.yaml, key: …}`)"##,
            r##"1:43: `Bad` is not a secret's name: use a-z, 0-9, `-` and `_`, begin and end with a letter or digit, at most 40 characters (for example `postgres_password`)"##,
            r##"1:60: `external` is not needed: write `{}`, and the value into the host's directory of secrets"##,
            r##"1:90: `../x` is not a file of the repository: its path begins at the repository's root, and has no `.` and `..` in it (for example `secrets/tls.sops.yaml`)"##,
            r##"2:16: config `ini` says nothing (write `ini: {content: "…"}`, or `ini: {file: files/ini}`)"##,
            r##"2:73: `${HOME}` is not replaced: nothing is interpolated here (write the value itself, or put the text into a file of the repository (`file`), which is taken as it is)"##,
        ],
    ),
    (
        r##"
secrets: {db_password: {}, two: {}}
services:
  web:
    image: bb:1
    env: {PASSWORD_FILE: x, URL: {template: "${secret:db_pasword}"}}
    secrets: [db_pasword, {source: db_password, env: PASSWORD_FILE}, {source: two, target: db_password}]
"##,
        &[
            r##"5:45: secret `db_pasword` is not declared (did you mean `db_password`? else declare it at the top of the app: `secrets: {db_pasword: {}}`)"##,
            r##"6:15: secret `db_pasword` is not declared (did you mean `db_password`? else declare it at the top of the app: `secrets: {db_pasword: {}}`)"##,
            r##"6:54: the variable `PASSWORD_FILE` is set already (set it in one place: here, or below `env` of the service)"##,
            r##"6:92: two secrets would be `/run/secrets/db_password` (give one of them another `target`)"##,
        ],
    ),
    (
        r##"
secrets: {a: {}, b: {}}
services:
  web:
    image: bb:1
    secrets:
      - {source: a, target: /run/secrets/x}
      - {source: a, target: ../x}
      - {source: a, mode: "0999"}
      - {source: a, on_change: reload}
      - {source: a, uid: -1}
      - {target: a}
"##,
        &[
            r##"6:29: `/run/secrets/x` is not the name of a file: secrets are all below `/run/secrets`: write `x` (for example `password`)"##,
            r##"7:29: `../x` is not the name of a file: secrets are all below `/run/secrets`: write a name of letters, digits, `_`, `.` and `-` (for example `password`)"##,
            r##"8:27: `0999` is not a file's mode: write octal digits, as in `"0400"` (for example `0400`)"##,
            r##"9:32: `reload` is none of `restart`, `signal`, `none` (for example `signal`)"##,
            r##"10:26: `-1` is out of range: expected a whole number (User id) of at least 0 (for example `1000`)"##,
            r##"11:9: key `source` is missing in `services.web.secrets.5`: expected text (Secret) (for example `postgres_password`)"##,
        ],
    ),
    (
        r##"
secrets: {a: {}}
configs: {ini: {content: x}}
services:
  web:
    image: bb:1
    secrets: [a, {source: a, target: b, on_change: signal}]
    configs: [ini, {source: ini, target: /ini}, {source: ini, target: /run/secrets/x}, in, {source: ini, target: /data}]
    volumes: ["/srv/x:/run/secrets:ro", "/srv/y:/data"]
"##,
        &[
            r##"6:52: secret `a` has two words for `on_change` in one service"##,
            r##"7:42: something is mounted at `/ini` already"##,
            r##"7:71: below `/run/secrets` are secrets alone (give the config a path of its own, as in `/etc/app.ini`)"##,
            r##"7:88: config `in` is not declared (did you mean `ini`? else declare it at the top of the app: `configs: {in: {content: "…"}}`)"##,
            r##"7:114: something is mounted at `/data` already"##,
            r##"8:15: `/run/secrets` is where the service's secrets are"##,
        ],
    ),
    (
        r##"
secrets: {a: {}}
configs: {ini: {content: x}, more: {content: y}}
services:
  web:
    image: bb:1
    secrets: [a]
    configs: [{source: ini, target: /etc/app}, {source: more, target: /etc/app/more.ini}, {source: more, target: /run}]
    volumes: ["/srv/x:/etc/app/data:ro", "/srv/y:/etc/apps"]
    tmpfs: [/etc/app/tmp]
"##,
        &[
            r##"7:71: `/etc/app/more.ini` would be below `/etc/app`, where the service has a config, which is a file (give one of them another path)"##,
            r##"7:114: `/run` would be a file, and `/run/secrets` is below it"##,
            r##"8:15: `/etc/app/data` would be below `/etc/app`, where the service has a config, which is a file (give one of them another path)"##,
            r##"9:13: `/etc/app/tmp` would be below `/etc/app`, where the service has a config, which is a file (give one of them another path)"##,
        ],
    ),
    (
        r##"
secrets: {a: {}}
services:
  web:
    image: bb:1
    env:
      A: {secret: a, template: x}
      B: {template: "${A}"}
      C: "${secret:a}"
"##,
        &[
            r##"6:7: the mapping has 2 keys, at most 1 are allowed"##,
            r##"6:32: `x` is not a template: there is no secret in it: write `${secret:<name>}`, or the text without `template` (for example `"postgresql://app:${secret:password|urlencode}@db/app"`)"##,
            r##"7:21: `${A}` is not a template: `${A}` is no secret: write `${secret:<name>}`, or `$${A}` for these very letters (for example `"postgresql://app:${secret:password|urlencode}@db/app"`)"##,
            r##"8:10: `${secret:a}` is not replaced: nothing is interpolated here (write `{template: "…${secret:a}…"}` for a text with a secret in it)"##,
        ],
    ),
];
