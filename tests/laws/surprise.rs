//! What a look after a pass finds otherwise than the pass left it.

use crate::{
    draw::settled,
    one::{one, only},
};
use reconcile::observed::{Life, Observed, surprises};

#[test]
fn a_surprise_is_another_container_or_another_stage_of_life_and_no_exit_code() {
    let desired = one("stop-first", 1, "app:1");
    let (name, container) = only(&desired);
    let left = settled(&desired);
    let found = |life: Life, id: &str| -> Observed {
        let mut found = left.clone();
        let mut container = container.clone();
        container.life = life;
        id.clone_into(&mut container.id);
        found.containers.insert(name.clone(), container);
        found
    };
    let same = &container.id;
    let surprised = |left: &Observed, found: &Observed| surprises(left, found).contains(name.as_str());
    assert!(!surprised(&left, &found(Life::Running, same)));
    assert!(surprised(&left, &found(Life::Running, "another")));
    assert!(surprised(&left, &found(Life::Paused, same)));
    assert!(surprised(&left, &found(Life::Exited(0), same)));
    assert!(!surprised(&found(Life::Exited(143), same), &found(Life::Exited(0), same)));
    let mut gone = left.clone();
    gone.containers.clear();
    assert!(surprised(&left, &gone) && surprised(&gone, &left));
    assert!(surprises(&gone, &gone).is_empty());
}
