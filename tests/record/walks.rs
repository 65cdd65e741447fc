//! Laws of `target`: over random ledgers, and over random walks in which a pass does what it is told.

use crate::picture::{automatic, key, ledger, manual, until_commit};
use proptest::prelude::*;
use reconcile::{
    plan::Cause,
    record::{
        AppLedger, Entry, Hold, NewEntry, Outcome, Provenance, RevisionKey,
        opening::{Opening, opening},
        target::{Target, active_hold, condemned, newest_stable, previous, revision_condemned, target},
    },
};

const LETTERS: [&str; 4] = ["a", "b", "c", "d"];

fn ledgers() -> impl Strategy<Value = AppLedger> {
    let state = prop::sample::select(vec!["open", "stable", "succeeded", "blocked", "condemned"]);
    let entries = prop::collection::vec((0_usize..4, any::<bool>(), any::<prop::sample::Index>(), state), 0..12);
    (entries, 0_usize..5, any::<prop::sample::Index>(), 0_usize..4).prop_map(|(words, kind, held, letter)| {
        let mut pictures: Vec<(String, usize)> = Vec::new();
        for (letter, rolls_back, to, state) in words {
            if rolls_back && !pictures.is_empty() {
                // A rollback has the key of its original.
                let to = to.index(pictures.len());
                let (original, letter) = pictures[..=to]
                    .iter()
                    .enumerate()
                    .rev()
                    .find(|(_, (picture, _))| !picture.contains('<'))
                    .map(|(index, (_, letter))| (index + 1, *letter))
                    .expect("the first is no rollback");
                pictures.push((format!("{}<{original} {state}", LETTERS[letter]), letter));
            } else {
                pictures.push((format!("{} {state}", LETTERS[letter]), letter));
            }
        }
        let picture: Vec<String> = pictures.into_iter().map(|(picture, _)| picture).collect();
        let mut made = ledger(&picture.join(" | "));
        let number = u32::try_from(held.index(made.entries.len().max(1)) + 1).expect("small");
        let number = made.entry(number).map_or(number, Entry::original);
        made.hold = match kind {
            0 => Some(manual(number)),
            1 => Some(until_commit(number, LETTERS[letter])),
            2 => Some(automatic(Some(number), LETTERS[letter])),
            3 => Some(automatic(None, LETTERS[letter])),
            _ => None,
        };
        made
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn the_target_is_never_condemned_and_never_unproved_unless_it_was_named(ledger in ledgers(), head in 0_usize..4) {
        let head = key(LETTERS[head]);
        let hold = active_hold(&head, &ledger);
        match target(&head, &ledger) {
            Target::Head => {
                prop_assert!(hold.is_none());
                prop_assert!(!condemned(&head, &ledger));
            }
            Target::Revision(number) => {
                prop_assert!(!revision_condemned(number, &ledger));
                if let Some(hold) = hold {
                    prop_assert_eq!(hold.revision, Some(number));
                } else {
                    prop_assert!(condemned(&head, &ledger));
                    prop_assert!(ledger.entries.iter().any(|entry| entry.original() == number && entry.stable));
                }
            }
            Target::Nothing => match hold {
                Some(hold) => prop_assert_eq!(hold.revision, None),
                None => prop_assert!(condemned(&head, &ledger) && newest_stable(&ledger).is_none()),
            },
            Target::Stay => prop_assert!(hold.is_some() || condemned(&head, &ledger)),
        }
    }

    #[test]
    fn previous_goes_back_until_nothing_is_left(ledger in ledgers()) {
        let mut ledger = AppLedger { hold: None, ..ledger };
        let mut last = u32::MAX;
        while let Some(number) = previous(&ledger) {
            prop_assert!(number < last, "two rollbacks go back twice");
            last = number;
            let original = ledger.entries.iter().find(|entry| entry.original() == number).expect("it is there").clone();
            let next = ledger.entries.last().map_or(1, |entry| entry.number + 1);
            ledger.entries.push(Entry {
                number: next,
                restores: Some(number),
                origin: Provenance { cause: Cause::Rollback, ..original.origin.clone() },
                outcome: Some(Outcome::Succeeded),
                stable: true,
                condemned: false,
                ..original
            });
        }
    }

    /// A pass that does what `target` says, in a world where each attempt may fail: with nobody acting, a head is tried
    /// once and gone back from once, and then it is quiet for ever.
    #[test]
    fn with_nobody_acting_an_app_comes_to_rest(
        heads in prop::collection::vec(0_usize..4, 1..8),
        fates in prop::collection::vec(any::<bool>(), 64),
        killed in prop::collection::vec(any::<bool>(), 64),
    ) {
        let mut walk = Walk { ledger: AppLedger::default(), fates, killed, attempts: 0 };
        for head in heads {
            let head = key(LETTERS[head]);
            let mut attempts = Vec::new();
            while let Some(attempted) = walk.pass(&head) {
                attempts.push(attempted);
                prop_assert!(attempts.len() <= 2, "{attempts:?}\n{:#?}", walk.ledger);
            }
        }
    }
}

struct Walk {
    ledger: AppLedger,
    fates: Vec<bool>,
    killed: Vec<bool>,
    attempts: usize,
}

impl Walk {
    /// What was attempted, if anything was to do.
    fn pass(&mut self, head: &RevisionKey) -> Option<Target> {
        let target = target(head, &self.ledger);
        let (restores, key) = match target {
            Target::Head => (None, head.clone()),
            Target::Revision(number) => (Some(number), self.ledger.entry(number).expect("it is there").key.clone()),
            Target::Nothing | Target::Stay => return None,
        };
        let newest = self.ledger.entries.last();
        if newest.is_some_and(|newest| newest.stable && newest.key == key) {
            return None;
        }
        let number = self.open(restores, key);
        let works = self.fates[self.attempts % self.fates.len()];
        let killed = self.killed[self.attempts % self.killed.len()];
        self.attempts += 1;
        let back = newest_stable(&self.ledger).map(Entry::original);
        let entry = self.ledger.entries.iter_mut().find(|entry| entry.number == number).expect("just opened");
        entry.outcome = Some(if works { Outcome::Succeeded } else { Outcome::Failed });
        (entry.stable, entry.condemned) = (works, !works);
        // A kill may come between the end of the attempt and its hold.
        if !works && target == Target::Head && !killed {
            self.ledger.hold = Some(Hold { by: "reconcile".to_owned(), ..automatic(back, &head.manifest) });
        }
        Some(target)
    }

    fn open(&mut self, restores: Option<u32>, key: RevisionKey) -> u32 {
        let like = ledger("a open").entries.remove(0);
        let cause = if restores.is_some() { Cause::Rollback } else { Cause::Commit };
        let origin = Provenance { cause, ..like.origin.clone() };
        let new = NewEntry {
            restores,
            key: key.clone(),
            digests: std::collections::BTreeMap::new(),
            delivered: None,
            origin: origin.clone(),
        };
        match opening(&new, &self.ledger) {
            Opening::Again(entry) => entry.number,
            Opening::New { restores } => {
                let number = self.ledger.entries.last().map_or(1, |entry| entry.number + 1);
                self.ledger.entries.push(Entry { number, restores, key, origin, ..like });
                number
            }
        }
    }
}
