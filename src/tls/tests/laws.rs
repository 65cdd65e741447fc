//! What holds of every certificate and every failing authority.

use super::*;
use crate::tls::{Cost, Due, covers, due, renewal, standing};
use proptest::prelude::*;
use rustls::{
    client::verify_server_name,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    server::ParsedCertificate,
};
use std::time::Duration;

proptest! {
    /// However often it is looked, and whatever the authority says, orders are an hour apart at least, and after five
    /// failures a day.
    #[test]
    fn an_authority_is_asked_no_more_than_the_back_off_allows(
        looks in proptest::collection::vec((0u32..200, any::<bool>(), proptest::option::of(0u64..400_000)), 1..150)
    ) {
        let wanted = wanted(&["example.com"], Origin::Acme);
        let (mut now, mut attempts) = (today(), Attempts::default());
        let mut orders: Vec<(Timestamp, Option<u64>)> = Vec::new();
        for (minutes, astray, told) in looks {
            now += SignedDuration::from_mins(i64::from(minutes));
            if !matches!(due(now, &Held::Missing, &wanted, &attempts), Due::Now(_)) {
                continue;
            }
            if astray {
                attempts.failed(now, Cost::Free, None, String::new());
            } else {
                attempts.failed(now, Cost::Counted, told.map(Duration::from_secs), String::new());
                orders.push((now, told));
            }
            // A restart reads what was written.
            attempts = serde_json::from_str(&serde_json::json!(attempts).to_string()).unwrap();
        }
        for (at, pair) in orders.windows(2).enumerate() {
            let gap = pair[1].0.duration_since(pair[0].0).as_secs();
            let least = 3_600 * (1 << at.min(5)).min(24);
            prop_assert!(gap >= least.max(pair[0].1.unwrap_or(0) as i64), "order {at} after {gap} s");
        }
    }

    #[test]
    fn nothing_is_ordered_while_what_is_held_is_good_and_it_is_renewed_before_it_is_trouble(
        life in 1i64..400 * 24, share in 0.0..1.0f64, service in "[a-z]{1,8}"
    ) {
        let (begin, life) = (today(), SignedDuration::from_hours(life));
        let (held, now) = (held(&["example.com"], begin, begin + life), begin + life.mul_f64(share));
        let wanted = Wanted::new(name(&service), names(&["example.com"]), Origin::Internal).unwrap();
        let renewed = renewal(wanted.name(), &held.pair().unwrap().facts, None);
        prop_assert!(begin + life.mul_f64(0.6) < renewed && renewed < begin + life.mul_f64(0.67), "{renewed}");
        prop_assert!(!standing(renewed, &held, &wanted).is_trouble());
        match due(now, &held, &wanted, &Attempts::default()) {
            Due::Now(_) => prop_assert!(now >= renewed),
            Due::Hold { until } => prop_assert!(now < until && until == renewed),
            other => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn a_name_is_covered_when_clients_take_the_certificate_for_it(
        own in r"(\*\.)?[ab](\.[ab]){1,3}", host in r"[ab](\.[ab]){1,3}"
    ) {
        let (chain, _) = self_signed(&[&own], today(), today() + DAY);
        let certificate = CertificateDer::from_pem_slice(chain.as_bytes()).unwrap();
        let certificate = ParsedCertificate::try_from(&certificate).unwrap();
        let taken = verify_server_name(&certificate, &ServerName::try_from(host.clone()).unwrap()).is_ok();
        prop_assert_eq!(covers(&own, &host), taken, "{} {}", own, host);
    }
}
