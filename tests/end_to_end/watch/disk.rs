//! The disk of the state directory is full.

use super::web;
use crate::world::{Daemon, World, until};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

stories! {
    both: ;
    docker: a_push_waits_for_room_on_the_disk_and_harms_nothing, a_pass_waits_for_room_on_the_disk_and_harms_nothing;
}

/// A small disk of the test's own; gone when it is dropped.
pub struct Disk(PathBuf);

impl Disk {
    pub fn mount(place: &Path) -> Self {
        fs::create_dir_all(place).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=3m,nr_inodes=200,mode=0700", "tmpfs"]).arg(place);
        assert!(mount.status().unwrap().success(), "a tmpfs cannot be mounted: this story needs root");
        Self(place.to_owned())
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// To the last byte: not even an open file grows.
    pub fn fill(&self) {
        fs::create_dir(self.filler()).unwrap();
        let mut file = fs::File::create(self.filler().join("bytes")).unwrap();
        for size in [4096, 1] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
    }

    /// To the last file: what is there can be written, and nothing can be made.
    fn crowd(&self) {
        fs::create_dir(self.filler()).unwrap();
        for number in 0.. {
            if fs::File::create(self.filler().join(number.to_string())).is_err() {
                break;
            }
        }
    }

    pub fn free(&self) {
        fs::remove_dir_all(self.filler()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Before it is followed, a commit is recorded as accepted: with no byte left it is not followed.
fn a_push_waits_for_room_on_the_disk_and_harms_nothing(world: &World) {
    let story = |daemon: &Daemon| daemon.says_times("make room on the disk of", 1);
    waits(world, Disk::fill, story);
}

/// An attempt is recorded before it begins: where no file can be made, the app is blocked.
fn a_pass_waits_for_room_on_the_disk_and_harms_nothing(world: &World) {
    let story = |daemon: &Daemon| {
        // Tried again, and again.
        daemon.says_times("\"outcome\":\"Blocked\"", 3);
        for line in daemon.lines("\"outcome\":\"Blocked\"") {
            assert!(line.to_string().contains("make room on the disk of"), "{line}");
            assert_eq!(line["fields"]["app"], "web", "{line}");
        }
    };
    waits(world, Disk::crowd, story);
}

fn waits(world: &World, fill: fn(&Disk), is_told: impl FnOnce(&Daemon)) {
    let disk = Disk::mount(&world.state());
    world.push("web", &web("one"));
    world.push("other", &web("other"));
    let mut daemon = world.watch(&[]);
    world.answers("web", "web", "one");
    world.answers("other", "web", "other");
    daemon.says_times("\"outcome\":\"Succeeded\"", 2);
    let (one, other) = (world.one("web", "web"), world.one("other", "web"));

    fill(&disk);
    world.push("web", &web("two"));
    is_told(&daemon);
    assert_eq!((world.one("web", "web"), world.one("other", "web")), (one, other.clone()));
    assert_eq!(world.everything().len(), 2, "something was made that nobody recorded");
    assert_eq!(world.answer("web", "web"), "one");
    assert!(daemon.lives());
    // What is in force is kept so all the same.
    world.engine.ask(&["rm", "-f", &other.id]);
    let other = world.another("other", "web", &other.id);

    disk.free();
    world.answers("web", "web", "two");
    until("in sync", 60, || world.seems_synced());
    assert_eq!(world.one("other", "web"), other);
    let history = world.run(&["history", "web", "--output", "json"]).expect(0).json();
    assert_eq!(history.as_array().unwrap().len(), 2, "{history:#}");
    assert!(daemon.lines("\"outcome\":\"Failed\"").is_empty(), "a full disk is nobody's fault");
    assert!(daemon.lives());
}
