//! What is left on the disk and in the logs, whatever the process was started with: closed to others, and without what
//! is in a container's body.

use crate::world::{SLEEPER, World};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

stories! {
    both:
        everything_that_is_written_is_closed_to_others_and_bodies_are_in_no_log;
    docker:
        what_others_wrote_cannot_act_on_a_terminal;
}

const CANARY: &str = "canary-5f0c1e";

/// Everything below a folder, and itself. Other stories make and remove things of theirs meanwhile.
fn all(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(all(&path)) } else { found.push(path) }
    }
    found
}

fn everything_that_is_written_is_closed_to_others_and_bodies_are_in_no_log(world: &World) {
    let manifest = |version: u8, command: &str| {
        format!(
            "services:\n  web: {{image: bb:1, command: {command}, env: {{CANARY: {CANARY}, V: \"{version}\"}}, stop_grace_period: 1s, \
             rollout: {{min_healthy_time: 0s, healthy_deadline: 10s}}}}\n"
        )
    };
    let mut told = Vec::new();
    let mut pass = |arguments: &[&str]| {
        let ran = world.run_wide_open(&[&["-vvvv"], arguments].concat());
        told.push(ran.stderr.clone());
        ran
    };
    world.push("web", &manifest(1, SLEEPER));
    pass(&[]).expect(0);
    // Drift, a change, a failure with its way back, and a rollback.
    world.engine.ask(&["stop", "-t", "1", &world.one("web", "web").id]);
    pass(&[]).expect(0);
    world.push("web", &manifest(2, SLEEPER));
    pass(&["--log-format", "json"]).expect(0);
    world.push("web", &manifest(3, "[sh, -c, \"exit 3\"]"));
    pass(&[]).expect(1);
    pass(&["rollback", "web"]);
    pass(&["status"]).expect(0);
    assert!(told.iter().any(|log| log.contains("TRACE") || log.contains("DEBUG")), "nothing was logged");
    for log in &told {
        assert!(!log.contains(CANARY), "a log has what is in a body:\n{log}");
    }
    let open: Vec<String> = all(&world.state())
        .into_iter()
        .filter_map(|path| {
            let mode = fs::symlink_metadata(&path).ok()?.permissions().mode() & 0o777;
            (mode & 0o077 != 0).then(|| format!("{} {mode:o}", path.display()))
        })
        .collect();
    assert_eq!(open, Vec::<String>::new());
    for path in all(Path::new("/run/reconcile")).iter().filter(|path| path.to_string_lossy().contains(&world.name)) {
        let mode = fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{}", path.display());
    }
}

fn what_others_wrote_cannot_act_on_a_terminal(world: &World) {
    let dies = r#"[sh, -c, "printf '\\033[2J\\033]0;owned\\007\\342\\200\\256 last words\\n'; exit 3"]"#;
    let manifest = format!(
        "services:\n  web: {{image: bb:1, command: {dies}, restart: \"no\", env: {{A: \"a\\nnote: forged\"}}, rollout: {{healthy_deadline: 10s}}}}\n"
    );
    world.app("web", &manifest);
    world.git(&["add", "-A"]);
    let subject = "web: \u{1b}]0;owned\u{7} \u{202e}desrever";
    world.git(&["-c", "user.name=Eve \u{1b}[31m\u{202e}", "commit", "-q", "-m", subject]);
    let mut seen = Vec::new();
    for output in ["text", "markdown", "json"] {
        for words in [&["--dry-run"][..], &[], &["status"], &["history", "web"], &["show", "web", "1"], &["-vvvv"]] {
            seen.push(world.run(&[words, &["--output", output]].concat()));
        }
    }
    let whole: String = seen.iter().map(|ran| ran.text()).collect();
    assert!(whole.contains("last words") && whole.contains("desrever"), "{whole}");
    for ran in &seen {
        let acts = |c: char| (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}');
        assert!(!ran.text().contains(acts), "{:?}", ran.text());
    }
    assert!(!whole.lines().any(|line| line.starts_with("note: forged")), "{whole}");
}
