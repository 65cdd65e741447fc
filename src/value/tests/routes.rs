//! Values that reach the configuration of a proxy: what they take, and what no text gets through.

use super::{agree, canonical, matched};
use crate::value::{Cidr, Client, HeaderName, HeaderValue, HostGlob, ProxyFile, Rate, RoutePath, VirtualHost};
use proptest::prelude::*;

fn reads<T: std::str::FromStr>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

#[test]
fn hosts_are_names_in_lower_case() {
    for good in ["api.example.com", "*.example.com", "localhost", "a", "xn--bcher-kva.example", "1.example.com"] {
        assert_eq!(canonical::<VirtualHost>(good), good);
    }
    let table = [
        ("API.example.com", "write it in lower case"),
        ("_", "no host's name has `_` in it: write `-`"),
        ("a_b.example.com", "no host's name has `_` in it: write `-`"),
        ("10.0.0.1", "an address is no name: clients and certificates ask for a name"),
        ("::1", "an address is no name: clients and certificates ask for a name"),
        ("[::1]", "an address is no name: clients and certificates ask for a name"),
        ("10.1", "a name does not end in a number"),
        ("2130706433", "a name does not end in a number"),
        ("0x7f.0x1", "a name does not end in a number"),
        ("bücher.example", "write letters beyond ASCII as DNS has them, as in `xn--bcher-kva.example`"),
        ("https://api.example.com", "write the name alone, as in `api.example.com` or `*.example.com`"),
        ("api.example.com:443", "write the name alone, as in `api.example.com` or `*.example.com`"),
        ("api.example.com.", "write the name alone, as in `api.example.com` or `*.example.com`"),
        ("*", "write the name alone, as in `api.example.com` or `*.example.com`"),
        ("a.*.example.com", "write the name alone, as in `api.example.com` or `*.example.com`"),
        ("~^(.*)$", "write the name alone, as in `api.example.com` or `*.example.com`"),
        ("a; return 200", "write the name alone, as in `api.example.com` or `*.example.com`"),
        ("-a.example.com", "write the name alone, as in `api.example.com` or `*.example.com`"),
    ];
    for (bad, reason) in table {
        assert_eq!(canonical::<VirtualHost>(bad), format!("`{bad}` is not a host that a proxy answers to: {reason}"));
    }
    assert!(!reads::<VirtualHost>(&format!("{}.example.com", "a".repeat(64))));
    assert!(!reads::<VirtualHost>(&"abcdefgh.".repeat(29)));
}

#[test]
fn paths_have_no_letter_that_a_proxy_reads_for_itself() {
    for good in ["/", "/api", "/api/v1/", "/a-b_c~d.e"] {
        assert_eq!(canonical::<RoutePath>(good), good);
    }
    let bad = [
        "",
        "api",
        "/a b",
        "/a;",
        "/{x}",
        "/$x",
        "/a\"",
        "/a'",
        "/a\\",
        "/a`",
        "/a%2e",
        "/a?x",
        "/a#x",
        "/a//b",
        "/a/../b",
        "/./a",
        "/ü",
        "/a\nb",
        "/a*",
        "/(a)",
        "http://a/b",
    ];
    for bad in bad {
        assert!(!reads::<RoutePath>(bad), "{bad:?}");
    }
    // Who answers there is given certificates for the host.
    for stolen in ["/.well-known/acme-challenge", "/.well-known/acme-challenge/", "/.well-known/acme-challenge/x"] {
        assert!(!reads::<RoutePath>(stolen), "{stolen}");
    }
    assert!(reads::<RoutePath>("/.well-known") && reads::<RoutePath>("/.well-known/acme-challenges"));
    let below = |path: &str, other: &str| path.parse::<RoutePath>().unwrap().is_below(&other.parse().unwrap());
    assert!(below("/api", "/") && below("/api", "/api") && below("/api/x", "/api"));
    assert!(!below("/apis", "/api") && !below("/", "/api"));
}

#[test]
fn files_of_a_proxy_have_plain_names() {
    assert_eq!(canonical::<ProxyFile>("/etc/ssl/a-b_c.d+e@f/x.pem"), "/etc/ssl/a-b_c.d+e@f/x.pem");
    for bad in ["", "/", "x", "/a/", "/a//b", "/a/../b", "/a b", "/a;b", "/a$b", "/a\"b", "/a{b}", "/a\nb", "/ü"] {
        assert!(!reads::<ProxyFile>(bad), "{bad:?}");
    }
}

#[test]
fn headers_of_the_connection_are_not_for_manifests() {
    for good in ["X-Frame-Options", "x-a1", "Content-Security-Policy"] {
        assert_eq!(canonical::<HeaderName>(good), good);
    }
    for bad in ["Connection", "TRANSFER-ENCODING", "content-length", "Upgrade", "X_A", "X A", "X:A", "X\nA", "", "Ü"] {
        assert!(!reads::<HeaderName>(bad), "{bad:?}");
    }
    assert_eq!(
        canonical::<HeaderName>("strict-transport-security"),
        "`strict-transport-security` is not a header's name: `tls.hsts` says it, as in `hsts: {max_age: 31536000}`"
    );
}

#[test]
fn values_of_headers_are_what_every_proxy_sends_as_it_stands() {
    for good in ["nosniff", "1; mode=block", "default-src 'self'; img-src *", "a \"b\" \\c", "h3=\":443\"", "#a"] {
        assert_eq!(canonical::<HeaderValue>(good), good);
    }
    for bad in
        ["", " a", "a ", "$host", "a{b", "a}b", "{env.SECRET}", "a\nX-B: c", "a\rb", "a\tb", "a\0b", "a\u{7f}", "ü"]
    {
        assert!(!reads::<HeaderValue>(bad), "{bad:?}");
    }
    assert!(reads::<HeaderValue>(&"a".repeat(2000)) && !reads::<HeaderValue>(&"a".repeat(2001)));
}

#[test]
fn networks_are_written_anew_and_mean_what_they_say() {
    let table = [
        ("10.8.0.0/24", "10.8.0.0/24"),
        ("10.8.0.5", "10.8.0.5/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:0db8:0::/32", "2001:db8::/32"),
        ("::1", "::1/128"),
        ("10.8.0.0/024", "10.8.0.0/24"),
        ("::/0", "::/0"),
    ];
    for (text, written) in table {
        assert_eq!(canonical::<Cidr>(text), written);
    }
    assert_eq!(
        canonical::<Cidr>("10.0.0.5/8"),
        "`10.0.0.5/8` is not a network: the address goes on after its 8 bits: write `10.0.0.0/8` or `10.0.0.5/32`"
    );
    for bad in
        ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10.0.0/8", "all", "10.0.0.0/8; allow all", "fe80::1%eth0"]
    {
        assert!(!reads::<Cidr>(bad), "{bad:?}");
    }
    assert_eq!(canonical::<Client>("internal"), "internal");
    let internal: Vec<String> = Client::Internal.networks().iter().map(ToString::to_string).collect();
    assert_eq!(internal, ["10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"]);
    for network in internal {
        assert_eq!(canonical::<Cidr>(&network), network);
    }
}

#[test]
fn rates_are_of_a_second_or_a_minute() {
    assert_eq!((canonical::<Rate>("10/s"), canonical::<Rate>("600/m")), ("10/s".to_owned(), "600/m".to_owned()));
    for bad in ["", "10", "0/s", "10/h", "10r/s", "+1/s", "1.5/s", "1000001/s", "10/s;"] {
        assert!(!reads::<Rate>(bad), "{bad:?}");
    }
}

#[test]
fn patterns_of_hosts_know_labels() {
    let covers = |glob: &str, host: &str| glob.parse::<HostGlob>().unwrap().covers(&host.parse().unwrap());
    for (glob, host) in [
        ("api.example.com", "api.example.com"),
        ("*.example.com", "api.example.com"),
        ("*.example.com", "*.example.com"),
        ("**.example.com", "a.b.example.com"),
        ("**", "a.b"),
        ("*-staging.example.com", "web-staging.example.com"),
        ("a*b*c.example.com", "axbxc.example.com"),
    ] {
        assert!(covers(glob, host), "{glob} {host}");
    }
    for (glob, host) in [
        ("*.example.com", "a.b.example.com"),
        ("*.example.com", "example.com"),
        ("**.example.com", "example.com"),
        ("*.example.com", "api.example.com.evil.test"),
        ("api.example.com", "*.example.com"),
        ("a*.example.com", "*.example.com"),
        ("*-staging.example.com", "web.example.com"),
        ("aba*ba.example.com", "aba.example.com"),
    ] {
        assert!(!covers(glob, host), "{glob} {host}");
    }
    let meets = |glob: &str, host: &str| glob.parse::<HostGlob>().unwrap().meets(&host.parse().unwrap());
    assert!(meets("api.example.com", "*.example.com") && meets("**.com", "*.example.com"));
    assert!(!meets("a.b.example.com", "*.example.com") && !meets("api.example.org", "*.example.com"));
    for bad in ["", "A.b", "a..b", "a.b.", "***", "a**.b", "a/b", "a_b", "ü.de", "**.**.**.a"] {
        assert!(!reads::<HostGlob>(bad), "{bad:?}");
    }
    let precision = |glob: &str| glob.parse::<HostGlob>().unwrap().precision();
    assert!(precision("api.example.com") > precision("*.example.com"));
    assert!(precision("*.example.com") > precision("**.example.com"));
}

/// Letters of which proxies make words: what ends a text, and what stands for something else.
const MEANT: &str = r#"[a-zA-Z0-9 ;{}$"'`\\%()<>*~^|&=?#@:,./_\[\]\n\r\t\u{0}\u{7f}\u{85}\u{202e}ü-]{0,24}"#;

proptest! {
    #[test]
    fn no_text_that_is_taken_has_letters_of_a_proxys_language(text in MEANT) {
        let plain = |text: &str, more: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
        prop_assert!(!reads::<VirtualHost>(&text) || plain(&text, ".-*"));
        prop_assert!(!reads::<RoutePath>(&text) || plain(&text, "/.-_~"));
        prop_assert!(!reads::<ProxyFile>(&text) || plain(&text, "/.-_@+"));
        prop_assert!(!reads::<HeaderName>(&text) || plain(&text, "-"));
        prop_assert!(!reads::<HostGlob>(&text) || plain(&text, ".-*"));
        prop_assert!(!reads::<Rate>(&text) || plain(&text, "/"));
        if let Ok(value) = text.parse::<HeaderValue>() {
            let is_plain = value.as_str().chars().all(|c| (' '..='~').contains(&c) && !['$', '{', '}'].contains(&c));
            prop_assert!(is_plain);
        }
    }

    #[test]
    fn patterns_and_parsers_of_routes_agree(text in MEANT, host in r"(\*\.)?([a-z0-9-]{1,3}\.){0,2}[a-z-]{1,3}") {
        agree::<HeaderValue>(&text);
        agree::<VirtualHost>(&host);
        prop_assert!(!reads::<RoutePath>(&text) || matched::<RoutePath>(&text));
        prop_assert!(!reads::<HeaderName>(&text) || matched::<HeaderName>(&text));
        prop_assert!(!reads::<ProxyFile>(&text) || matched::<ProxyFile>(&text));
    }

    #[test]
    fn networks_are_read_as_they_are_written(address: u32, wide: u128, bits in 0_u8..=32) {
        let network = |address: std::net::IpAddr, bits: u8| {
            format!("{address}/{bits}").parse::<Cidr>().map_err(|error| error.to_string())
        };
        let low = address.checked_shr(32 - u32::from(bits)).unwrap_or(0).checked_shl(32 - u32::from(bits)).unwrap_or(0);
        super::round_trip(&network(std::net::Ipv4Addr::from_bits(low).into(), bits).unwrap());
        super::round_trip(&network(std::net::Ipv6Addr::from_bits(wide).into(), 128).unwrap());
        prop_assert_eq!(network(std::net::Ipv4Addr::from_bits(address).into(), bits).is_ok(), low == address);
    }
}
