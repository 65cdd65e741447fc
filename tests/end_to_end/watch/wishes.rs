//! What a person asks at the command line acts at once, whatever the daemon is waiting for.

use super::web;
use crate::world::{World, until};

stories! {
    both: a_rollback_goes_through_while_another_app_waits_out_its_deadline;
    docker: a_suspension_ends_by_itself_and_a_resume_is_followed_at_once;
}

fn a_rollback_goes_through_while_another_app_waits_out_its_deadline(world: &World) {
    world.push("web", &web("one"));
    world.push("slow", &web("slow"));
    let _daemon = world.watch(&[]);
    world.answers("web", "web", "one");
    world.answers("slow", "web", "slow");
    world.push("web", &web("two"));
    world.answers("web", "web", "two");
    until("the second revision is stable", 60, || {
        let history = world.run(&["history", "web", "--output", "json"]).expect(0).json();
        history[0]["stable"] == true && history[0]["number"] == 2
    });
    let never = web("bad").replace("/index.html, port", "/nothing.html, port").replace("30s", "10m");
    world.push("slow", &never);
    until("it waits for its health", 60, || world.running("slow", "web").len() == 2);

    world.run(&["rollback", "web"]).expect(0);
    assert_eq!(world.answer("web", "web"), "one");
    // And so does a wish about the very app that waits.
    world.run(&["rollback", "slow", "1"]).expect(0);
    assert_eq!(world.answer("slow", "web"), "slow");

    world.run(&["resume", "web"]).expect(0);
    world.answers("web", "web", "two");
}

fn a_suspension_ends_by_itself_and_a_resume_is_followed_at_once(world: &World) {
    world.push("web", &web("one"));
    let _daemon = world.watch(&[]);
    world.answers("web", "web", "one");
    world.run(&["suspend", "web"]).expect(0);
    world.push("web", &web("two"));
    let web_one = world.one("web", "web");
    world.push("other", &web("other"));
    world.answers("other", "web", "other");
    assert_eq!(world.one("web", "web"), web_one, "a suspended app was touched");
    world.run(&["resume", "web"]).expect(0);
    world.answers("web", "web", "two");

    world.run(&["suspend", "web", "--for", "4s"]).expect(0);
    world.push("web", &web("three"));
    world.answers("web", "web", "three");
}
