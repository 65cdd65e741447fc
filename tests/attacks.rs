//! What whoever may push could try, to own the host: each is refused and nothing is made, by whichever way it comes.

#[path = "attacks/drift.rs"]
mod drift;
#[path = "attacks/paths.rs"]
mod paths;
#[path = "crash/rig.rs"]
#[allow(dead_code, reason = "the crash tests kill more than is tried here")]
mod rig;
#[path = "attacks/routes.rs"]
mod routes;
#[path = "attacks/row.rs"]
mod row;
#[path = "attacks/stored.rs"]
mod stored;
#[path = "attacks/table.rs"]
mod table;

use reconcile::{engine::model::faults, record::Outcome};
use row::{Way, rendered, strict};
use table::{ATTACKS, NOT_SAID};

#[tokio::test(start_paused = true)]
async fn each_is_refused_by_its_rule_and_nothing_is_made() {
    for attack in ATTACKS {
        for way in [Way::Plain, Way::Base, Way::Overlay, Way::Service, Way::Job] {
            let told = format!("{} ({way:?})", attack.what);
            let desired = rendered(&way.files(attack)).unwrap_or_else(|wrong| panic!("{told}: {wrong}"));
            let mut rig = rig::Rig::new();
            rig.host_file = strict();
            let report = rig.pass(&desired, faults::none()).await;
            assert_eq!(report.outcome, Some(Outcome::Blocked), "{told}: {report:?}");
            let error = report.error.unwrap();
            assert!(error.summary.contains(&format!("(`{}`)", attack.rule)), "{told}: {}", error.summary);
            assert!(error.summary.contains(&format!("services.{}.", attack.service)), "{told}: {}", error.summary);
            if let Way::Job = way {
                // No port of a service is its job's, and a job of a closed service has no other right than it.
                let has_ports = attack.fields.contains("ports:");
                assert_eq!(error.summary.contains("jobs.job."), !has_ports, "{told}: {}", error.summary);
            }
            row::nothing_is_there(&rig, &told);
        }
    }
}

#[test]
fn each_has_a_line_of_the_host_file_that_would_allow_it_or_none_can() {
    for attack in ATTACKS {
        let desired = rendered(&Way::Plain.files(attack)).unwrap();
        for (_, denial) in row::denials(&strict(), &desired) {
            let remedy = denial.remedy(&strict());
            assert_eq!(remedy.is_some(), denial.allow.is_some(), "{denial}");
            assert!(remedy.is_none_or(|remedy| remedy.contains("below `policy` in host.yaml:")), "{denial}");
        }
    }
}

#[test]
fn what_no_manifest_can_say_is_refused_before_any_policy() {
    for (what, text, message) in NOT_SAID {
        let wrong = rendered(&[("environments/test/app.yaml".to_owned(), (*text).to_owned())].into());
        let wrong = wrong.expect_err(what);
        assert!(wrong.starts_with("environments/test/app.yaml:"), "{what}: {wrong}");
        assert!(wrong.contains(message), "{what}: {wrong}");
    }
}
