//! Routes that nobody can have, and words of `proxy` and `tls` that cannot be meant together.

use super::Case;

#[rustfmt::skip]
pub(super) const CASES: &[Case] = &[
    (
        r##"
services:
  a: {image: bb:1, proxy: {}}
  b: {image: bb:1, proxy: {hosts: []}}
  c: {image: bb:1, proxy: {hosts: [API.example.com, 10.0.0.1, a_b.example.com, "a;b"], port: 0, path: api}}
  d: {image: bb:1, proxy: {hosts: [a.example.com], port: 80, backend: grpc, websocket: true, drain: 1s, snippet: x}}
  e: {image: bb:1, proxy: {hosts: [b.example.com], port: 80}, tls: {mode: letsencrypt, policy: old, acme: {}, hsts: yes}}
"##,
        &[
            r##"2:20: key `hosts` is missing in `services.a.proxy`: expected a list (Hosts) (for example `[api.example.com]`)"##,
            r##"3:35: the list is empty: expected a list (Hosts) (for example `[api.example.com]`)"##,
            r##"4:36: `API.example.com` is not a host that a proxy answers to: write it in lower case (for example `api.example.com`)"##,
            r##"4:53: `10.0.0.1` is not a host that a proxy answers to: an address is no name: clients and certificates ask for a name (for example `api.example.com`)"##,
            r##"4:63: `a_b.example.com` is not a host that a proxy answers to: no host's name has `_` in it: write `-` (for example `api.example.com`)"##,
            r##"4:80: `a;b` is not a host that a proxy answers to: write the name alone, as in `api.example.com` or `*.example.com` (for example `api.example.com`)"##,
            r##"4:94: `0` is out of range: expected a whole number (Port) from 1 to 65535 (for example `8080`)"##,
            r##"4:103: `api` is not a path below a host: write `/api` (for example `/api`)"##,
            r##"5:71: `grpc` is none of `http`, `https`, `h2c`"##,
            r##"5:77: `websocket` is not needed, WebSockets always pass: remove the line"##,
            r##"5:94: `drain` stands below `rollout`: write `rollout: {drain: 10s}`"##,
            r##"5:105: text of a proxy's own language is not taken: write `headers`, `rate_limit`, `allow_from`, `basic_auth`, `max_body`, `timeouts`"##,
            r##"6:75: `letsencrypt` is none of `acme`, `internal`, `files`, `upstream`, `off`"##,
            r##"6:96: `old` is none of `modern`, `intermediate`"##,
            r##"6:101: the account and the authority are the host's: `acme: {email: …, directory: …}` in its host file"##,
            r##"6:117: `yes` is not `off`"##,
        ],
    ),
    (
        r##"
services:
  web:
    image: bb:1
    proxy:
      hosts: [a.example.com]
      port: 80
      headers:
        Transfer-Encoding: chunked
        strict-transport-security: max-age=1
        X A: b
        X-B: "a\nX-C: d"
        X-D: $host
        X-E: "{env.SECRET}"
      security_headers: none
      rate_limit: {rate: 10, exempt: [health]}
      allow_from: [10.0.0.5/8, everybody]
      basic_auth: users
"##,
        &[
            r##"8:9: `Transfer-Encoding` is not a header's name: it is the connection's or the answer's own, and no proxy may add another (for example `X-Frame-Options`)"##,
            r##"9:9: `strict-transport-security` is not a header's name: `tls.hsts` says it, as in `hsts: {max_age: 31536000}` (for example `X-Frame-Options`)"##,
            r##"10:9: `X A` is not a header's name: write letters, digits and `-`, as in `X-Frame-Options` (for example `X-Frame-Options`)"##,
            r##"11:14: `a\nX-C: d` is not a header's value: write letters, digits and signs of ASCII on one line (for example `SAMEORIGIN`)"##,
            r##"12:14: `$host` is not a header's value: proxies would put something else for `$`, `{` and `}`, and cannot be kept from it (for example `SAMEORIGIN`)"##,
            r##"13:14: `{env.SECRET}` is not a header's value: proxies would put something else for `$`, `{` and `}`, and cannot be kept from it (for example `SAMEORIGIN`)"##,
            r##"14:25: `none` is none of `standard`, `off`"##,
            r##"15:26: `10` is not a rate: write how many requests in a second or minute, as in `10/s` or `600/m` (for example `10/s`)"##,
            r##"15:39: `health` is not a path below a host: write `/health` (for example `/`)"##,
            r##"16:20: `10.0.0.5/8` is not a network: the address goes on after its 8 bits: write `10.0.0.0/8` or `10.0.0.5/32` (for example `10.8.0.0/24`)"##,
            r##"16:32: `everybody` is not a network: write it in CIDR notation, as in `10.8.0.0/24` or `2001:db8::/32` (for example `10.8.0.0/24`)"##,
            r##"17:19: expected a mapping (Basic auth), found `users` (for example `{secret: users}`)"##,
        ],
    ),
    (
        r##"
services:
  none: {image: bb:1, network_mode: none, proxy: {hosts: [a.example.com], port: 80}}
  host: {image: bb:1, network_mode: host, proxy: {hosts: [b.example.com], port: 80}}
  with: {image: bb:1, network_mode: "service:one", proxy: {hosts: [c.example.com], port: 80}}
  one: {image: bb:1, expose: [8080], proxy: {hosts: [d.example.com]}}
  two: {image: bb:1, expose: [8080-8081], proxy: {hosts: [e.example.com]}}
  udp: {image: bb:1, expose: [53/udp], proxy: {hosts: [f.example.com]}}
  closed: {image: bb:1, internal_only: true, proxy: {hosts: [g.example.com], port: 80}}
  bare: {image: bb:1, tls: {mode: off}}
"##,
        &[
            r##"2:50: no proxy reaches `none`: it has no network (remove `network_mode: none`, or `proxy`)"##,
            r##"3:50: `host` is on the host's own network, where two containers cannot take over from one another (remove `network_mode: host`: the proxy reaches the container by an address of its own)"##,
            r##"4:59: `with` has no address of its own: it shares the network of `one` (write `proxy` at `one`, with the port of `with`)"##,
            r##"6:50: `proxy` does not say which port it leads to (`expose` has `8080-8081`: write the one that is meant, as in `port: 8080`)"##,
            r##"7:47: `proxy` does not say which port it leads to (`expose` has `53/udp`: write the one that is meant, as in `port: 8080`)"##,
            r##"8:53: `closed` is `internal_only`: no proxy may lead to it (remove `proxy`: others on its networks reach it by name)"##,
            r##"9:28: `tls` secures nothing: the service has no `proxy` (write `proxy: {hosts: […], port: …}` beside it, or remove `tls`)"##,
        ],
    ),
    (
        r##"
services:
  web:
    image: bb:1
    env: {VIRTUAL_HOST: other.example.com}
    labels: {traefik.enable: true}
    proxy:
      hosts: ["*.example.com", a.example.org, a.example.org]
      redirect_from: [a.example.org, www.example.org]
      port: 80
      path: /api/
      rate_limit: {rate: 10/s, exempt: [/health]}
      timeouts: {connect: 2m, read: 0s}
      security_headers: {X-Frame-Options: SAMEORIGIN}
      headers: {x-frame-options: DENY, X-frame-options: DENY}
      basic_auth: {secret: users}
  root:
    image: bb:1
    proxy: {hosts: [b.example.org], port: 80, strip_path: true}
"##,
        &[
            r##"4:25: `VIRTUAL_HOST` speaks to a proxy, as `proxy` does (remove it)"##,
            r##"5:30: `traefik.enable` speaks to a proxy, as `proxy` does (remove it)"##,
            r##"7:15: with `tls.mode: acme` (HTTP-01) no authority gives a certificate for `*.example.com` (name each host, or write `tls: {mode: files, cert_file: …, key_file: …}` or `tls: {mode: internal}`)"##,
            r##"7:47: `a.example.org` is there already (name each host once)"##,
            r##"8:22: nothing can redirect to `*.example.com`, which is many names (write the one that is meant first in `hosts`)"##,
            r##"8:23: `a.example.org` is there already (name each host once)"##,
            r##"10:13: a path has no `/` at its end: `/api` is for itself and everything below (write `/api`)"##,
            r##"11:40: `/health` is not below `/api/`, where the service is"##,
            r##"12:27: `connect` is 1m15s at most"##,
            r##"12:37: `read` must be longer than 0s"##,
            r##"14:34: `x-frame-options` is there already, as `X-frame-options` (write it once)"##,
            r##"14:57: `X-frame-options` is there already, as `X-Frame-Options` (write it once)"##,
            r##"15:28: secret `users` is not declared (declare it at the top of the app: `secrets: {users: {}}`)"##,
            r##"18:59: there is no path to cut off (write `path`, or remove `strip_path`)"##,
        ],
    ),
    (
        r##"
services:
  a: {image: bb:1, proxy: {hosts: [a.example.com], port: 80}, tls: {mode: files, cert_file: /etc/ssl/a.pem}}
  b: {image: bb:1, proxy: {hosts: [b.example.com], port: 80}, tls: {mode: internal, key_file: /etc/ssl/b.pem}}
  c: {image: bb:1, proxy: {hosts: [c.example.com], port: 80}, tls: {mode: off, redirect: true, hsts: {}}}
  d: {image: bb:1, proxy: {hosts: [d.example.com], port: 80}, tls: {mode: upstream, redirect: true, hsts: {}}}
  e: {image: bb:1, proxy: {hosts: [e.example.com], port: 80}, tls: {redirect: false, hsts: {max_age: 60}}}
  f: {image: bb:1, proxy: {hosts: [f.example.com], port: 80}, tls: {hsts: {preload: true}}}
  g: {image: bb:1, proxy: {hosts: [g.example.com], port: 80}, tls: {hsts: {max_age: 60, subdomains: true, preload: true}}}
"##,
        &[
            r##"2:68: `files` wants a `key_file` (write `key_file: /etc/ssl/…`, a file of the host)"##,
            r##"3:95: `key_file` has no effect with `mode: internal` (write `mode: files`, or remove `key_file`)"##,
            r##"4:90: with `mode: off` there is nowhere to redirect to (remove `redirect`)"##,
            r##"4:102: with `mode: off` no browser would believe `hsts`: it is for HTTPS alone (remove `hsts`)"##,
            r##"5:95: with `mode: upstream` the proxy in front of this one redirects (remove `redirect`)"##,
            r##"5:107: with `mode: upstream` no browser would believe `hsts`: it is for HTTPS alone (remove `hsts`)"##,
            r##"6:92: browsers that are told `hsts` never ask over plain HTTP, which `redirect: false` keeps (remove `redirect: false`, or `hsts`)"##,
            r##"7:85: browsers take nobody into their lists without `subdomains` and a year (write `{max_age: 31536000, subdomains: true, preload: true}`)"##,
            r##"8:116: browsers take nobody into their lists without `subdomains` and a year (write `{max_age: 31536000, subdomains: true, preload: true}`)"##,
        ],
    ),
    (
        r##"
services:
  h: {image: bb:1, proxy: {hosts: [h.example.com], port: 80}, tls: {mode: files, cert_file: "/a;b", key_file: ../x}}
"##,
        &[
            r##"2:93: `/a;b` is not a file of the host: a proxy's file has letters and digits of ASCII, `-`, `.`, `_`, `@`, `+` and `/` in its path (for example `/etc/ssl/api.example.com/fullchain.pem`)"##,
            r##"2:111: `../x` is not a file of the host: a path of the host begins with `/` (for example `/etc/ssl/api.example.com/privkey.pem`)"##,
        ],
    ),
];
