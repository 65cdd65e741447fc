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
  h: {image: bb:1, proxy: {hosts: [h.example.com], port: 80}, tls: {mode: files, cert_file: "/a;b", key_file: ../x}}
"##,
        &[
        ],
    ),
];
