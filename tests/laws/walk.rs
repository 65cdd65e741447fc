//! Walks a plan in every order it allows, and holds each state on the way against the laws.

use crate::{
    draw::{World, perform},
    law::{self, Broken, Law, broken},
};
use reconcile::{
    desired::Desired,
    observed::Observed,
    plan::{Plan, Step},
};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Whoever draws plans: the house's own, or a mutant.
pub type Planner = fn(&Desired, &Observed) -> Plan;

/// So many states of one world are visited in every order; from there on one order is followed, drawn by the seed.
/// `LAWS_STATES` says another number.
fn most_states() -> usize {
    std::env::var("LAWS_STATES").ok().and_then(|text| text.parse().ok()).unwrap_or(100)
}

/// What was seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub worlds: usize,
    pub states: usize,
}

/// Walks all worlds; panics with the first that breaks each law.
pub fn hold(worlds: impl IntoIterator<Item = World>, planner: Planner) -> Tally {
    let mut tally = Tally::default();
    let mut found: BTreeMap<Law, (usize, String)> = BTreeMap::new();
    for world in worlds {
        tally.worlds += 1;
        match walk(&world, planner) {
            Ok(states) => tally.states += states,
            Err(broken) => {
                found.entry(broken.law).or_insert_with(|| (0, told(&world, planner, &broken))).0 += 1;
            }
        }
    }
    assert!(tally.worlds > 0, "no world was drawn");
    let stories: Vec<String> =
        found.values().map(|(count, first)| format!("{count} of {} worlds: {first}", tally.worlds)).collect();
    eprintln!("{} worlds, {} states", tally.worlds, tally.states);
    assert!(stories.is_empty(), "{}", stories.join("\n\n"));
    tally
}

fn told(world: &World, planner: Planner, found: &Broken) -> String {
    let plan = planner(&world.desired, &world.observed);
    let steps: Vec<String> = plan
        .steps
        .iter()
        .enumerate()
        .map(|(place, planned)| format!("  {place}: {} after {:?}", planned.step, planned.after))
        .collect();
    let obstacles: Vec<&str> = plan.obstacles.iter().map(|obstacle| obstacle.summary.as_str()).collect();
    format!(
        "{:?} is broken in `{}`: {}\nplan:\n{}\nobstacles: {obstacles:?}",
        found.law,
        world.title,
        found.how,
        steps.join("\n")
    )
}

/// Walks one world; tells how many states it visited.
pub fn walk(world: &World, planner: Planner) -> Result<usize, Broken> {
    let desired = &world.desired;
    let first = planner(desired, &world.observed);
    law::of_plan(desired, &world.observed, &first)?;
    let places: BTreeMap<&Step, usize> = first.steps.iter().enumerate().map(|(place, it)| (&it.step, place)).collect();
    if places.len() != first.steps.len() {
        return broken(Law::Tail, "a step is in the plan twice");
    }
    let most_states = most_states();
    let mut dice = Dice::of(&world.title);
    let mut seen: HashSet<u128> = HashSet::from([0]);
    let mut open: Vec<(u128, Observed)> = vec![(0, world.observed.clone())];
    while let Some((done, observed)) = open.pop() {
        let left = planner(desired, &observed);
        is_the_tail(&first, &places, done, &left)?;
        if left.steps.is_empty() {
            law::at_the_end(desired, &observed, &left)?;
        }
        let nothing_under_way = BTreeSet::new();
        let mut ready: Vec<&Step> = left.ready(&nothing_under_way).collect();
        if seen.len() > most_states && !ready.is_empty() {
            ready = vec![ready[dice.roll(ready.len())]];
        }
        for step in ready {
            law::before(step, desired, &observed, &left)?;
            let done = done | 1 << places[step];
            if seen.insert(done) {
                let mut after = observed.clone();
                perform(&mut after, desired, step);
                open.push((done, after));
            }
        }
    }
    Ok(seen.len())
}

/// Exactly the steps that are not done, and none of them earlier than the whole plan allows.
fn is_the_tail(first: &Plan, places: &BTreeMap<&Step, usize>, done: u128, left: &Plan) -> Result<(), Broken> {
    let is_done = |place: usize| done & (1 << place) != 0;
    let so_far = || -> Vec<String> {
        first.steps.iter().enumerate().filter(|(at, _)| is_done(*at)).map(|(_, it)| it.step.to_string()).collect()
    };
    for planned in &left.steps {
        match places.get(&planned.step) {
            None => return broken(Law::Tail, format!("new after {:?}: {}", so_far(), planned.step)),
            Some(place) if is_done(*place) => {
                return broken(Law::Tail, format!("again after {:?}: {}", so_far(), planned.step));
            }
            Some(place) if planned.after.is_empty() => {
                if let Some(before) = first.steps[*place].after.iter().find(|before| !is_done(**before)) {
                    let missed = &first.steps[*before].step;
                    return broken(Law::Tail, format!("after {:?}: {} before {missed}", so_far(), planned.step));
                }
            }
            Some(_) => {}
        }
    }
    let here: BTreeSet<&Step> = left.steps.iter().map(|planned| &planned.step).collect();
    match places.iter().find(|(step, place)| !is_done(**place) && !here.contains(**step)) {
        Some((step, _)) => broken(Law::Tail, format!("forgotten after {:?}: {step}", so_far())),
        None => Ok(()),
    }
}

/// Draws orders; the same for the same world and seed.
struct Dice(u64);

impl Dice {
    fn of(title: &str) -> Self {
        let seed = std::env::var("LAWS_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(7_u64);
        Self(title.bytes().fold(seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))))
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides
    }
}
