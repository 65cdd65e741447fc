//! Users and passwords: who is let in, what a change of them does, and that the hashes are nowhere but where they must be.

use super::{
    Proxy, Routed,
    client::{curl, status},
};
use crate::{
    secrets::secret,
    world::{World, app},
};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

stories! {
    both:
        users_are_asked_for_and_others_in_their_place_change_the_route_alone,
        users_are_asked_for_by_caddy_too;
    docker: ;
}

/// As `htpasswd -nbB ada lovelace` prints it, and `htpasswd -nbB bob builder`.
pub const ADA: &str = "ada:$2b$05$lvvw.rOiOywEVLQ5cceS6.pYvFt0amNL18tCk2/AIcTMFggw8.tBe\n";
const BOB: &str = "bob:$2b$05$fIIKvjl9sk5TQzY8.PMyt.lQsjWV1HutJUdGEy9KGts4NW5X2NwtG\n";

fn users_are_asked_for_and_others_in_their_place_change_the_route_alone(world: &World) {
    asked(&Routed::in_front_of(world));
}

fn users_are_asked_for_by_caddy_too(world: &World) {
    let routed = Routed::with_caddy(world);
    asked(&routed);
    // It takes bcrypt alone: others are refused before anything is touched.
    secret(world, "web", "users", "ada:$apr1$salt$cGxhbnRlZA\n");
    let error = app(&world.fails().json(), "web")["error"].clone();
    assert_eq!(error["blame"], "world", "{error}");
    let summary = error["summary"].as_str().unwrap();
    assert_eq!(
        summary,
        "`web`: the users in secret `users` cannot be used: line 1: caddy takes hashes of bcrypt alone, and this is another"
    );
}

/// Lets the host file say where the story's secrets are.
pub fn keep_secrets(routed: &Routed<'_>) {
    let world = routed.world;
    let (folder, key) = (world.scratch("secrets"), world.scratch("keys").join("host.key"));
    let secrets = format!("secrets: {{dir: {}, key_file: {}}}\n", folder.display(), key.display());
    world.host(&format!("{}{secrets}", routed.settings()));
}

fn asked(routed: &Routed<'_>) {
    let world = routed.world;
    keep_secrets(routed);
    let manifest = routed.manifest("one", "    tls: {mode: off}\n");
    let manifest = manifest.replace("port: 8080}\n    tls", "port: 8080, basic_auth: {secret: users}}\n    tls");
    let get = |words: &[&str]| status(&curl("http", &routed.host(), routed.http, "/", words)).to_owned();
    world.push("web", &format!("secrets: {{users: {{}}}}\n{manifest}"));
    let missing = world.fails().json();
    assert_eq!(app(&missing, "web")["outcome"], "Blocked", "{missing}");
    assert!(world.everything().is_empty(), "nothing is begun that nobody may see");

    secret(world, "web", "users", ADA);
    world.converge();
    world.is_synced();
    assert_eq!((get(&[]), get(&["-u", "ada:wrong"]), get(&["-u", "ada:lovelace"])), three("401", "401", "200"));
    let web = world.one("web", "web");
    hashes_are_nowhere(routed, &[ADA]);
    secret(world, "web", "users", &format!("# theirs\n{BOB}"));
    assert_eq!(world.changes(), ["route/web update secret"]);
    world.converge();
    world.is_synced();
    assert_eq!((get(&[]), get(&["-u", "ada:lovelace"]), get(&["-u", "bob:builder"])), three("401", "401", "200"));
    assert_eq!(world.one("web", "web"), web, "other users are no reason for a new container");
    hashes_are_nowhere(routed, &[ADA, BOB]);

    // A hand in the file is drift.
    let file = file(routed).unwrap();
    fs::write(&file, ADA).unwrap();
    assert_eq!(world.changes(), ["route/web repair drift"]);
    world.converge();
    world.is_synced();
    assert_eq!((get(&["-u", "ada:lovelace"]), get(&["-u", "bob:builder"])), ("401".to_owned(), "200".to_owned()));
    fs::remove_file(&file).unwrap();
    assert_eq!(world.changes(), ["route/web repair drift"]);
    world.converge();
    assert_eq!(get(&["-u", "bob:builder"]), "200");
    // And nobody is asked when the manifest asks nobody.
    world.push("web", &manifest.replace(", basic_auth: {secret: users}", ""));
    world.converge();
    assert_eq!(get(&[]), "200");
    assert_eq!(self::file(routed), None, "what nobody asks for is gone");
    world.push("web", &format!("secrets: {{users: {{}}}}\n{manifest}"));
    world.converge();
    assert_eq!(get(&[]), "401");
    assert_eq!(world.one("web", "web"), web);
}

fn three(one: &str, two: &str, three: &str) -> (String, String, String) {
    (one.to_owned(), two.to_owned(), three.to_owned())
}

/// The file of users: there is one at most.
fn file(routed: &Routed<'_>) -> Option<PathBuf> {
    let folder = match &routed.proxy {
        Proxy::Nginx(_) | Proxy::Contained(_) => routed.directory(),
        Proxy::Caddy(_) => routed.world.state().join("users"),
    };
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|it| it == "users")).collect();
    assert!(files.len() <= 1, "{files:?}");
    files.into_iter().next()
}

/// The hashes are in the file that is made for them, for whoever has to read it, and in Caddy's own configuration.
fn hashes_are_nowhere(routed: &Routed<'_>, lines: &[&str]) {
    let world = routed.world;
    let hashes: Vec<&str> = lines.iter().map(|line| line.split_once(':').unwrap().1.trim()).collect();
    let is_clean = |place: &str, bytes: &[u8]| {
        for hash in &hashes {
            assert!(!bytes.windows(hash.len()).any(|part| part == hash.as_bytes()), "a hash is in {place}");
        }
    };
    let own = file(routed).unwrap();
    let about = fs::metadata(&own).unwrap();
    match routed.proxy {
        Proxy::Caddy(_) => assert_eq!(about.permissions().mode() & 0o777, 0o600),
        // For the group of its workers.
        Proxy::Nginx(_) | Proxy::Contained(_) => {
            let group = fs::read_to_string("/etc/group").unwrap();
            let group = group.lines().find_map(|line| line.strip_prefix("www-data:x:")?.split(':').next()).unwrap();
            let (mode, uid, gid) = (about.permissions().mode() & 0o777, about.uid(), about.gid().to_string());
            assert_eq!((mode, uid, gid.as_str()), (0o640, 0, group));
        }
    }
    for file in files(&world.state()).into_iter().filter(|path| *path != own) {
        is_clean(&file.display().to_string(), &fs::read(&file).unwrap());
    }
    if let Proxy::Nginx(_) = routed.proxy {
        is_clean("nginx's configuration", routed.told().as_bytes());
    }
    for words in
        [&["--dry-run", "-vvv"][..], &["status", "web"], &["show", "web", "1"], &["config", "web"], &["history", "web"]]
    {
        for output in ["text", "json"] {
            let ran = world.run(&[words, &["--output", output]].concat());
            is_clean(&format!("{words:?}"), ran.stdout.as_bytes());
            is_clean(&format!("{words:?}"), ran.stderr.as_bytes());
        }
    }
    for id in world.everything() {
        is_clean("inspect", world.engine.ask(&["inspect", "--type", "container", &id]).as_bytes());
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
