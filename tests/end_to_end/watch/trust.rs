//! What of the branch is believed.

use super::web;
use crate::world::World;

stories! {
    both: a_rewound_branch_is_not_followed_until_somebody_accepts_it;
    docker: a_daemon_that_begins_when_the_branch_is_gone_keeps_up_what_was_accepted;
}

fn a_rewound_branch_is_not_followed_until_somebody_accepts_it(world: &World) {
    let first = world.push("web", &web("one"));
    world.push("web", &web("two"));
    let daemon = world.watch(&[]);
    world.answers("web", "web", "two");

    // In one move, as a forced push does it.
    world.git(&["checkout", "-q", "--detach", &first]);
    let rewound = world.push("web", &web("three"));
    world.git(&["branch", "-q", "-f", "main", "HEAD"]);
    world.git(&["checkout", "-q", "main"]);
    daemon.says("halted");
    let halted = daemon.lines("halted");
    assert!(halted[0].to_string().contains(&format!("accept-rewind {rewound}")), "{halted:?}");
    // It stays, and is kept up where it is.
    let web = world.one("web", "web");
    world.engine.ask(&["rm", "-f", &web.id]);
    world.another("web", "web", &web.id);
    world.answers("web", "web", "two");

    world.run(&["--ref", "main", "accept-rewind", &rewound[..10]]).expect(0);
    world.answers("web", "web", "three");
}

fn a_daemon_that_begins_when_the_branch_is_gone_keeps_up_what_was_accepted(world: &World) {
    world.push("web", &web("one"));
    let mut daemon = world.watch(&[]);
    world.answers("web", "web", "one");
    let web = world.one("web", "web");
    daemon.signal("TERM");
    daemon.ends();
    world.git(&["checkout", "-q", "--detach"]);
    world.git(&["branch", "-q", "-D", "main"]);
    world.engine.ask(&["rm", "-f", &web.id]);

    let daemon = world.watch(&[]);
    daemon.says("names no commit");
    world.another("web", "web", &web.id);
    world.answers("web", "web", "one");
}
