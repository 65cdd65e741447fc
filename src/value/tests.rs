//! Laws of the textual forms, and tables where a law says too little.

mod routes;

use super::*;
use jsonschema::Validator;
use proptest::prelude::*;
use schemars::{JsonSchema, SchemaGenerator};
use std::{cell::RefCell, collections::BTreeMap, fmt::Display, str::FromStr};

/// Text to value to text, as it is written out.
fn canonical<T: FromStr<Err: Display> + Display>(text: &str) -> String {
    text.parse::<T>().map_or_else(|error| error.to_string(), |value| value.to_string())
}

/// Whether the pattern that editors use accepts the text.
fn matched<T: JsonSchema>(text: &str) -> bool {
    thread_local! {
        static VALIDATORS: RefCell<BTreeMap<String, Validator>> = RefCell::default();
    }
    VALIDATORS.with_borrow_mut(|validators| {
        let made = || {
            let schema = T::json_schema(&mut SchemaGenerator::default()).to_value();
            jsonschema::draft7::new(&schema).unwrap()
        };
        validators.entry(std::any::type_name::<T>().to_owned()).or_insert_with(made).is_valid(&text.into())
    })
}

/// A value is written so that it is read as the same value, and editors accept what is written.
fn round_trip<T: FromStr<Err: std::fmt::Debug> + Display + JsonSchema + PartialEq + std::fmt::Debug>(value: &T) {
    let text = value.to_string();
    assert_eq!(&text.parse::<T>().unwrap(), value, "{text}");
    assert!(matched::<T>(&text), "{text} does not match its pattern");
}

/// What the parser takes the pattern takes too, and the other way round.
fn agree<T: FromStr + JsonSchema>(text: &str) {
    assert_eq!(matched::<T>(text), text.parse::<T>().is_ok(), "pattern and parser disagree on {text:?}");
}

proptest! {
    #[test]
    fn durations_are_read_as_they_are_written(millis in 0..86_400_000_000_000_u64) {
        round_trip(&Duration::from_millis(millis));
    }

    #[test]
    fn pattern_and_parser_of_durations_agree(text in "([0-9]{1,3}(d|h|m|s|ms|y)?){0,4}") {
        agree::<Duration>(&text);
    }

    #[test]
    fn pattern_and_parser_of_registries_agree(text in "[a-zA0-9.:/-]{0,10}|localhost(:[0-9]{0,6})?|([a-z0-9-]{1,3}\\.){0,3}[a-z0-9]{1,3}(:[0-9]{1,6})?") {
        agree::<RegistryName>(&text);
    }

    #[test]
    fn pattern_and_parser_of_apps_agree(text in "[a-b_/-]{0,6}") {
        agree::<AppPath>(&text);
    }

    #[test]
    fn sizes_are_read_as_they_are_written(bytes in 0..=i64::MAX.unsigned_abs()) {
        round_trip(&Size::from_bytes(bytes));
    }

    #[test]
    fn sizes_of_round_units_are_read_as_they_are_written(count in 0..4096_u64, shift in prop::sample::select(vec![0, 10, 20, 30, 40])) {
        round_trip(&Size::from_bytes(count << shift));
    }

    #[test]
    fn pattern_and_parser_of_sizes_agree(text in "[0-9]{0,6}[kKmMgGtTx]?[iI]?[bB]?") {
        agree::<Size>(&text);
    }

    #[test]
    fn processors_are_read_as_they_are_written(billionths in 0..1_000_000_000_000_u64) {
        round_trip(&Cpus::from_billionths(billionths));
    }

    #[test]
    fn port_mappings_are_read_as_they_are_written(
        address in prop::option::of(any::<std::net::IpAddr>()),
        host in 1..60_000_u16,
        container in 1..60_000_u16,
        more in 0..100_u16,
        protocol in prop::sample::select(vec!["", "/tcp", "/udp", "/sctp"]),
    ) {
        let address = address.map_or_else(String::new, |address| match address {
            std::net::IpAddr::V4(address) => format!("{address}:"),
            std::net::IpAddr::V6(address) => format!("[{address}]:"),
        });
        let range = |first: u16| if more == 0 { first.to_string() } else { format!("{first}-{}", first + more) };
        let text = format!("{address}{}:{}{protocol}", range(host), range(container));
        prop_assert!(matched::<PortMapping>(&text));
        let mapping: PortMapping = text.parse().unwrap();
        round_trip(&mapping);
        let pairs: Vec<_> = mapping.pairs().collect();
        prop_assert_eq!(pairs.len(), usize::from(more) + 1);
        prop_assert_eq!(pairs.first(), Some(&(host, container)));
        prop_assert_eq!(pairs.last(), Some(&(host + more, container + more)));
        prop_assert_eq!(mapping.address().is_loopback() || !address.is_empty(), true);
    }

    #[test]
    fn what_the_parser_takes_the_pattern_takes(text in "[a-z0-9./:@_~*-]{0,24}") {
        fn implied<T: FromStr + JsonSchema>(text: &str) {
            assert!(text.parse::<T>().is_err() || matched::<T>(text), "the parser takes {text:?}, the pattern does not");
        }
        implied::<PortMapping>(&text);
        implied::<VolumeMount>(&text);
        implied::<ImageReference>(&text);
        implied::<TmpfsMount>(&text);
        implied::<DeviceMapping>(&text);
        implied::<HostName>(&text);
        implied::<HostEntry>(&text);
        implied::<User>(&text);
        implied::<NetworkMode>(&text);
        implied::<ObjectName>(&text);
        implied::<PullPolicy>(&text);
        implied::<HttpPath>(&text);
    }

    #[test]
    fn names_agree_with_their_pattern(text in "[a-zA-Z0-9_.-]{0,45}") {
        agree::<AppName>(&text);
        agree::<ObjectName>(&text);
        agree::<VariableName>(&text);
    }
}

#[test]
fn durations() {
    for (written, read) in
        [("500ms", "500ms"), ("90s", "1m30s"), ("1h30m", "1h30m"), ("24h", "1d"), ("0s", "0s"), ("1d0h", "1d")]
    {
        assert_eq!(canonical::<Duration>(written), read);
    }
    assert_eq!("1500ms".parse::<Duration>().unwrap().whole_seconds(), 2);
}

#[test]
fn sizes_are_powers_of_1024() {
    for (written, bytes) in
        [("512m", 512 << 20), ("2g", 2 << 30), ("10MiB", 10 << 20), ("1kb", 1024), ("7", 7), ("1T", 1 << 40)]
    {
        assert_eq!(written.parse::<Size>().unwrap().bytes(), bytes, "{written}");
    }
    assert!("99999999999999999999".parse::<Size>().is_err());
    assert!("9999999999t".parse::<Size>().is_err());
}

#[test]
fn sizes_are_told_for_people() {
    let table = [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_300_000, "1.2 MiB"), (5 << 30, "5.0 GiB")];
    for (bytes, told) in table {
        assert_eq!(Size::from_bytes(bytes).rounded(), told);
    }
}

#[test]
fn image_references() {
    let parts = |text: &str| {
        let image: ImageReference = text.parse().unwrap();
        assert_eq!(image.to_string(), text);
        let own = |part: Option<&str>| part.unwrap_or("-").to_owned();
        format!("{} {} {} {}", own(image.registry()), image.repository(), own(image.tag()), image.full_repository())
    };
    assert_eq!(parts("nginx"), "- nginx - docker.io/library/nginx");
    assert_eq!(parts("team/app:1.2"), "- team/app 1.2 docker.io/team/app");
    assert_eq!(parts("localhost:5000/app:v1"), "localhost:5000 app v1 localhost:5000/app");
    assert_eq!(parts("registry.example.com/a/b_c"), "registry.example.com a/b_c - registry.example.com/a/b_c");
    let digest = format!("app:1@sha256:{}", "a".repeat(64));
    assert_eq!(digest.parse::<ImageReference>().unwrap().digest(), Some(&digest[6..]));
    for wrong in ["", "App", "a//b", "a:", ":1", "a b", "a@sha256:12", "-a", "a:.1", "host:x/y", "a___b"] {
        assert!(wrong.parse::<ImageReference>().is_err(), "{wrong}");
    }
}

#[test]
fn other_forms_are_written_out_in_one_way() {
    assert_eq!(canonical::<PortMapping>("8000:80"), "127.0.0.1:8000:80");
    assert_eq!(canonical::<PortMapping>("*:443:443/udp"), "0.0.0.0:443:443/udp");
    assert_eq!(canonical::<VolumeMount>("data:/data/:rw"), "data:/data");
    assert_eq!(canonical::<Signal>("15"), "SIGTERM");
    assert_eq!(canonical::<Signal>("rtmin+3"), "SIGRTMIN+3");
    assert_eq!(canonical::<Capability>("cap_net_admin"), "NET_ADMIN");
    assert_eq!(canonical::<DeviceMapping>("/dev/dri"), "/dev/dri:/dev/dri:rwm");
    assert_eq!(canonical::<DeviceMapping>("/dev/sda:r"), "/dev/sda:/dev/sda:r");
    assert_eq!(canonical::<HostEntry>("db=10.0.0.5"), "db:10.0.0.5");
    assert_eq!(canonical::<PullPolicy>("daily"), "every_1d");
    assert_eq!(canonical::<Restart>("on-failure:0"), "on-failure");
}
