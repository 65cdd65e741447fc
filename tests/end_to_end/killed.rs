//! The tool is killed at random moments of a rollout; the next pass brings all to what was wanted.

use crate::world::{World, until};
use std::{
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

stories! {
    both: a_rollout_that_is_killed_anywhere_is_finished_by_the_next_pass;
    docker: ;
}

/// How often it is killed; each time costs a rollout.
const ROUNDS: u64 = 6;

fn manifest(round: u64) -> String {
    format!(
        r#"
volumes: {{data: {{}}}}
services:
  db:
    image: bb:1
    command: [sh, -c, "trap 'rmdir /data/lock; exit 0' TERM; mkdir /data/lock || echo two writers >> /data/log; echo {round} >> /data/log; httpd -f -p 8080 -h /data & wait"]
    volumes: ["data:/data"]
    healthcheck: {{http: {{path: /log, port: 8080}}, interval: 200ms}}
    stop_grace_period: 5s
    rollout: {{healthy_deadline: 30s}}
jobs:
  migrate: {{service: db, command: [sh, -c, "[ ! -d /data/lock ] || echo two writers >> /data/log; echo job-{round} >> /data/log"], when: pre_sync}}
"#
    )
}

fn a_rollout_that_is_killed_anywhere_is_finished_by_the_next_pass(world: &World) {
    world.push("db", &manifest(0));
    let began = Instant::now();
    world.converge();
    let whole = began.elapsed();
    let seed = RandomState::new().hash_one(0);
    for round in 1..=ROUNDS {
        world.push("db", &manifest(round));
        // Spread over a rollout's whole length, and shaken within each part.
        let part = whole / u32::try_from(ROUNDS).unwrap();
        let shaken = part.mul_f64(((seed >> (round * 8)) & 0xff) as f64 / 256.0);
        let moment = part * u32::try_from(round - 1).unwrap() + shaken;
        let mut run = world.start(&[]);
        let deadline = Instant::now() + moment;
        while Instant::now() < deadline && !run.is_over() {
            std::thread::sleep(Duration::from_millis(2));
        }
        run.kill();
        let told = format!("round {round}, killed after {moment:?} of {whole:?}, seed {seed:#x}");

        world.converge();
        world.is_synced();
        let db = world.one("db", "db");
        until(&format!("the new revision writes; {told}"), 10, || log(&db).contains(&round.to_string()));
        let log = log(&db);
        let jobs = log.iter().filter(|line| **line == format!("job-{round}")).count();
        assert!(jobs >= 1, "the job did not run; {told}: {log:?}");
        assert!(!log.contains(&"two writers".to_owned()), "two wrote one volume at once; {told}: {log:?}");
        assert!((0..=round).all(|past| log.contains(&past.to_string())), "data is gone; {told}: {log:?}");
    }
    let kept =
        world.engine.ask(&["volume", "ls", "-q", "--filter", &format!("label=reconcile.installation={}", world.name)]);
    assert_eq!(kept.lines().count(), 1, "{kept}");
}

fn log(db: &crate::world::Container) -> Vec<String> {
    db.exec(&["cat", "/data/log"]).lines().map(str::to_owned).collect()
}
