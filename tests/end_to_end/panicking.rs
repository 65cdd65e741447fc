//! V4: the binary panics with values in its hands, and tells none.
//!
//! Nothing of ours panics, so a library beside the C library refuses it threads: the runtime panics where it cannot have
//! one, and the place of that is another for each number of threads it gets.

use crate::{
    canary::{is_clean, nothing_is_left, plant, value},
    secrets::{delivered, host},
    world::World,
};
use std::{fs, path::PathBuf, process::Command};

stories! {
    both: ;
    docker: a_panic_at_any_place_tells_no_value;
}

/// Every thread after so many is refused, for ever and not for the moment.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

static int made;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*work)(void *), void *with)
{
    const char *most = getenv("MOST_THREADS");
    if (most && __sync_fetch_and_add(&made, 1) >= atoi(most))
        return EPERM;
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = dlsym(RTLD_NEXT, "pthread_create");
    return create(thread, attributes, work, with);
}
"#;

fn library(world: &World) -> PathBuf {
    let folder = world.scratch("library");
    let (source, library) = (folder.join("threads.c"), folder.join("threads.so"));
    fs::write(&source, LIBRARY).unwrap();
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).arg("-ldl").output();
    let compiled = compiled.expect("a C compiler is needed, as for the build");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    library
}

/// Several services, whose files are written side by side.
fn manifest() -> String {
    let service = |name: &str| {
        format!(
            r#"  {name}:
    image: bb:1
    command: [sleep, "36000"]
    secrets: [by_file]
    env: {{BY_VARIABLE: {{secret: by_variable}}, BY_TEMPLATE: {{template: "x:${{secret:by_template|urlencode}}"}}}}
    stop_grace_period: 0s
    rollout: {{min_healthy_time: 0s}}
"#
        )
    };
    let services: String = ["one", "two", "three", "four"].iter().map(|name| service(name)).collect();
    format!("secrets: {{by_file: {{}}, by_variable: {{}}, by_template: {{}}}}\nservices:\n{services}")
}

fn a_panic_at_any_place_tells_no_value(world: &World) {
    let library = library(world).display().to_string();
    host(world, "policy: {secret_env: true}\n");
    plant(world, 1);
    world.push("web", &manifest());
    let mut panics = Vec::new();
    // The first two are the runtime's own: without them it does not come to anything.
    for most in 2..64 {
        for id in world.everything() {
            world.engine.ask(&["rm", "-f", &id]);
        }
        for service in ["one", "two", "three", "four"] {
            delivered(world, "secrets", service).iter().for_each(|folder| fs::remove_dir_all(folder).unwrap());
        }
        let most = most.to_string();
        let variables = [("LD_PRELOAD", library.as_str()), ("MOST_THREADS", &most), ("RUST_BACKTRACE", "full")];
        let ran = world.run_with(&variables, &["-vvv", "--output", "json"]);
        is_clean(&format!("what is printed with {most} threads"), ran.stdout.as_bytes());
        is_clean(&format!("what is logged with {most} threads"), ran.stderr.as_bytes());
        nothing_is_left(world);
        panics.extend(ran.stderr.lines().filter(|line| line.contains("panicked at")).map(str::to_owned));
        if ran.code == Some(0) {
            break;
        }
    }
    // Where it panics is the scheduler's to say: with values in its hands on most machines, and before on a busy one.
    assert!(!panics.is_empty(), "it never panicked");
    // The search finds what is there, and the app has come up at last.
    assert_eq!(world.one("web", "one").exec(&["cat", "/run/secrets/by_file"]), value("by_file", 1));
}
