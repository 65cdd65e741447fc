//! A push is live, and nothing that happens to the branch does harm.

use super::web;
use crate::world::{World, until};

stories! {
    both: a_push_is_live_and_a_broken_one_changes_nothing;
    docker:
        a_branch_that_vanishes_and_comes_back_elsewhere_removes_nothing,
        a_bad_revision_gives_way_to_the_push_that_mends_it_at_once,
        a_push_that_only_packs_references_or_moves_the_head_is_seen;
}

fn a_push_is_live_and_a_broken_one_changes_nothing(world: &World) {
    world.push("web", &web("one"));
    world.push("other", &web("other"));
    let daemon = world.watch(&[]);
    world.answers("web", "web", "one");
    world.answers("other", "web", "other");
    let other = world.one("other", "web");

    world.push("web", &web("two"));
    world.answers("web", "web", "two");
    world.push("web", "services: {web: {imgae: x}}");
    daemon.says("did you mean `image`?");
    world.answers("web", "web", "two");

    world.push("web", &web("three"));
    world.answers("web", "web", "three");
    until("in sync", 60, || world.seems_synced());
    assert_eq!(world.one("other", "web"), other, "the other app was touched");
    let history = world.run(&["history", "web", "--output", "json"]).expect(0).json();
    assert_eq!(history.as_array().unwrap().len(), 3, "{history:#}");
}

fn a_branch_that_vanishes_and_comes_back_elsewhere_removes_nothing(world: &World) {
    world.push("web", &web("one"));
    let first = world.push_other();
    let mut daemon = world.watch(&[]);
    world.answers("web", "web", "one");
    let web = world.one("web", "web");

    world.git(&["checkout", "-q", "--detach"]);
    world.git(&["branch", "-q", "-D", "main"]);
    daemon.says("names no commit");
    // Meanwhile the host is kept as the branch said last.
    world.engine.ask(&["rm", "-f", &web.id]);
    let web = world.another("web", "web", &web.id);

    // An empty tree, and then the same branch again.
    world.git(&["branch", "-q", "main", &first]);
    world.git(&["checkout", "-q", "main"]);
    world.git(&["rm", "-q", "-r", "environments"]);
    world.commit("all is gone");
    daemon.says("nothing is removed");
    assert_eq!(world.one("web", "web"), web);
    assert!(daemon.lives());
}

fn a_bad_revision_gives_way_to_the_push_that_mends_it_at_once(world: &World) {
    world.push("web", &web("one"));
    let daemon = world.watch(&[]);
    world.answers("web", "web", "one");
    // Never healthy: its deadline is far longer than this test's patience.
    let never = web("bad").replace("/index.html, port", "/nothing.html, port").replace("30s", "10m");
    world.push("web", &never);
    until("the bad revision is being tried", 60, || world.running("web", "web").len() == 2);
    world.push("web", &web("mended"));
    world.answers("web", "web", "mended");
    until("the bad one is gone", 60, || world.running("web", "web").len() == 1);
    assert_eq!(daemon.lines("\"outcome\":\"Failed\"").len(), 0, "what was superseded did not fail");
    until("in sync", 60, || world.seems_synced());
}

fn a_push_that_only_packs_references_or_moves_the_head_is_seen(world: &World) {
    world.push("web", &web("one"));
    let _daemon = world.watch(&[]);
    world.answers("web", "web", "one");
    world.git(&["pack-refs", "--all"]);
    world.push("web", &web("two"));
    world.answers("web", "web", "two");
    world.git(&["gc", "-q"]);
    world.git(&["pack-refs", "--all"]);
    world.push("web", &web("three"));
    world.answers("web", "web", "three");
}
