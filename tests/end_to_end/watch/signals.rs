//! What the service manager says and hears.

use super::web;
use crate::world::{World, until};
use std::{
    os::unix::net::UnixDatagram,
    time::{Duration, Instant},
};

stories! {
    both: a_daemon_that_is_told_to_end_finishes_the_step_in_hand_and_leaves_what_runs;
    docker:
        the_service_manager_hears_that_it_is_ready_alive_reloading_and_stopping,
        a_good_host_file_is_taken_up_and_a_bad_one_is_refused;
}

fn a_daemon_that_is_told_to_end_finishes_the_step_in_hand_and_leaves_what_runs(world: &World) {
    world.push("web", &web("one"));
    let mut daemon = world.watch(&[]);
    world.answers("web", "web", "one");
    let never = web("bad").replace("/index.html, port", "/nothing.html, port").replace("30s", "10m");
    world.push("web", &never);
    until("it is being tried", 60, || world.running("web", "web").len() == 2);
    daemon.signal("TERM");
    assert!(daemon.ends().success());
    assert_eq!(world.running("web", "web").len(), 2, "a container went with the daemon");
    // The next one goes on where it was: the branch has moved on meanwhile.
    world.push("web", &web("two"));
    let _daemon = world.watch(&[]);
    world.answers("web", "web", "two");
    until("only the new one is left", 60, || world.running("web", "web").len() == 1);
}

fn the_service_manager_hears_that_it_is_ready_alive_reloading_and_stopping(world: &World) {
    world.push("web", &web("one"));
    let path = world.scratch("notify").join("socket");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let heard = |wanted: &str| {
        let mut buffer = [0; 4096];
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            assert!(Instant::now() < deadline, "nobody says `{wanted}`");
            let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("no `{wanted}`: {error}"));
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.lines().any(|line| line.starts_with(wanted)) {
                return text;
            }
        }
    };
    let mut daemon = world.watch(&[("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "400000")]);
    heard("READY=1");
    heard("STATUS=watching");
    heard("WATCHDOG=1");
    daemon.signal("HUP");
    assert!(heard("RELOADING=1").contains("MONOTONIC_USEC="));
    heard("READY=1");
    daemon.signal("TERM");
    heard("STOPPING=1");
    assert!(daemon.ends().success());
}

fn a_good_host_file_is_taken_up_and_a_bad_one_is_refused(world: &World) {
    world.push("web", &web("one"));
    let mut daemon = world.watch(&[]);
    world.answers("web", "web", "one");
    world.host("drfit: report\n");
    daemon.signal("HUP");
    daemon.says("the host file is refused");
    daemon.says("did you mean `drift`?");
    let web = world.one("web", "web");
    world.engine.ask(&["rm", "-f", &web.id]);
    let web = world.another("web", "web", &web.id);

    world.host("drift: report\n");
    daemon.signal("HUP");
    daemon.says_times("\"message\":\"watching\"", 2);
    until("the first look is over", 60, || !daemon.lines("at rest").is_empty());
    world.engine.ask(&["rename", &web.id, &format!("{}-renamed", world.name)]);
    daemon.says("drift");
    assert_eq!(web.name(), format!("{}-renamed", world.name), "drift was repaired");
    // The daemon before leaves nothing open.
    let open = || std::fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count();
    let before = open();
    for times in 3..6 {
        daemon.signal("HUP");
        daemon.says_times("\"message\":\"watching\"", times);
    }
    until("what was open is closed", 60, || open() <= before + 2);
    assert!(daemon.lives());
}
