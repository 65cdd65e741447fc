//! The units of `packaging/systemd`: systemd understands them, and they start what this release has, where it looks.

use reconcile::{
    cli::arguments::{self, Command, Request},
    record::place::{Surroundings, lock_dir, runtime_dir, state_dir},
};
use std::{fs, path::Path, process};

const SYSTEM: &str = "packaging/systemd/reconcile.service";
const SECRETS: &str = "packaging/systemd/reconcile-secrets.service";
const USER: &str = "packaging/systemd/user/reconcile.service";

fn unit(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The only value of a setting.
fn setting(unit: &str, name: &str) -> String {
    let values: Vec<&str> = unit.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('=')).collect();
    let [value] = values[..] else { panic!("`{name}` stands {} times", values.len()) };
    value.to_owned()
}

#[test]
fn secrets_are_delivered_before_an_engine_starts() {
    let unit = unit(SECRETS);
    let words = setting(&unit, "ExecStart").replace("/usr/local/bin/", "");
    let Ok(Request::Run(arguments)) = arguments::parse(words.split(' ').map(Into::into)) else { panic!("{words}") };
    assert!(matches!(arguments.command, Some(Command::Secret(_))), "{words}");
    let before = setting(&unit, "Before");
    for engine in ["docker.service", "podman.service", "podman-restart.service"] {
        assert!(before.split(' ').any(|word| word == engine), "{before}");
    }
    // One of the two is enough: a record that a host file puts elsewhere is not passed by.
    for place in ["/var/lib/reconcile/state.db", "/etc/reconcile/reconcile.yaml"] {
        assert!(unit.contains(&format!("\nConditionPathExists=|{place}\n")), "{place}");
    }
    assert_eq!(unit.matches("ConditionPathExists=").count(), 2);
    let root = Surroundings::default();
    assert_eq!(Some(Path::new("/run").join(setting(&unit, "RuntimeDirectory"))), runtime_dir(&root));
    assert_eq!(setting(&unit, "RuntimeDirectoryPreserve"), "yes", "what is delivered stays when the unit stops");
    assert_eq!(setting(&unit, "ReadWritePaths").strip_prefix('-').map(Into::into), state_dir(&root));
}

fn user() -> Surroundings {
    Surroundings {
        uid: 1000,
        home: Some("/home/ada".into()),
        xdg_state_home: None,
        xdg_runtime_dir: Some("/run/user/1000".into()),
    }
}

#[test]
fn the_units_start_the_daemon_with_words_that_it_knows() {
    for path in [SYSTEM, USER] {
        let line = setting(&unit(path), "ExecStart").replace("%E", "/home/ada/.config").replace("%t", "/run/user/1000");
        let mut words = line.split(' ').map(Into::into).collect::<Vec<std::ffi::OsString>>();
        assert_eq!(words[0], "/usr/local/bin/reconcile", "{path}");
        words[0] = "reconcile".into();
        let Ok(Request::Run(arguments)) = arguments::parse(words) else { panic!("{path}: {line}") };
        assert!(matches!(arguments.command, Some(Command::Watch(_))), "{path}: {line}");
        let (config, engine) = (arguments.global.config, arguments.global.engine);
        let said = (config.map(|path| path.display().to_string()), engine);
        let expected = if path == SYSTEM {
            (None, None)
        } else {
            let config = "/home/ada/.config/reconcile/reconcile.yaml";
            (Some(config.to_owned()), Some("unix:///run/user/1000/podman/podman.sock".to_owned()))
        };
        assert_eq!(said, expected, "{path}");
    }
}

#[test]
fn the_folders_of_the_units_are_those_where_a_command_looks() {
    let (system, root) = (unit(SYSTEM), Surroundings::default());
    let below = |folder: &str, name: &str| Some(Path::new(folder).join(setting(&system, name)));
    assert_eq!(below("/var/lib", "StateDirectory"), state_dir(&root));
    assert_eq!(below("/run", "RuntimeDirectory"), Some(lock_dir(&root)));
    let of_user = unit(USER);
    assert_eq!(Path::new("/run/user/1000").join(setting(&of_user, "RuntimeDirectory")), lock_dir(&user()));
    // Its state is where the tool puts it, since systemd would put it elsewhere.
    assert!(!of_user.contains("\nStateDirectory"));
    assert_eq!(state_dir(&user()), Some("/home/ada/.local/state/reconcile".into()));
    for text in [system, of_user] {
        assert_eq!(setting(&text, "RuntimeDirectoryPreserve"), "yes", "a command may hold a lock while it stops");
        assert_eq!((setting(&text, "Type"), setting(&text, "NotifyAccess")), ("notify".to_owned(), "main".to_owned()));
        assert_eq!(setting(&text, "KillMode"), "mixed");
        assert_eq!(setting(&text, "Restart"), "on-failure");
    }
}

#[test]
fn what_probes_need_is_not_taken_away() {
    // Seen on a real engine: without either of the first two no probe comes into a container's network.
    let system = unit(SYSTEM);
    let capabilities = setting(&system, "CapabilityBoundingSet");
    assert!(["CAP_SYS_ADMIN", "CAP_SYS_PTRACE"].iter().all(|capability| capabilities.contains(capability)));
    assert_eq!(setting(&system, "RestrictNamespaces"), "net");
    for taken in ["PrivateNetwork", "PrivateUsers", "PrivateTmp", "PrivateDevices", "ProtectProc", "ProcSubset", "User"]
    {
        assert!(!system.contains(&format!("\n{taken}=")), "`{taken}`");
        assert!(system.contains(&format!("\n#   {taken}")), "`{taken}` is open and nobody says why");
    }
}

/// systemd's own opinion (`make test` installs it): a word that it does not know is only a warning, so nothing may be said.
#[test]
fn systemd_has_nothing_to_say_about_the_units() {
    let folder = tempfile::tempdir().unwrap();
    let analyze = |words: &[&str], file: &Path| {
        let runtime = folder.path().join("run");
        fs::create_dir_all(&runtime).unwrap();
        let ran =
            process::Command::new("systemd-analyze").args(words).arg(file).env("XDG_RUNTIME_DIR", runtime).output();
        let ran = ran.unwrap();
        (ran.status.success(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    let units = [
        (SYSTEM, vec!["verify", "--man=no"]),
        (SECRETS, vec!["verify", "--man=no"]),
        (USER, vec!["verify", "--man=no", "--user"]),
    ];
    for (path, words) in units {
        // The binary of this build stands for the installed one.
        let text = unit(path).replace("/usr/local/bin/reconcile", env!("CARGO_BIN_EXE_reconcile"));
        let file = folder.path().join("reconcile.service");
        fs::write(&file, &text).unwrap();
        let (fine, said) = analyze(&words, &file);
        assert!(fine && said.is_empty(), "{path}: {said}");
        fs::write(&file, text.replace("[Service]", "[Service]\nNoSuchSetting=yes")).unwrap();
        assert!(analyze(&words, &file).1.contains("NoSuchSetting"), "{path}: systemd did not read it");
    }
    for (path, most) in [(SYSTEM, 36), (SECRETS, 15)] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let threshold = format!("--threshold={most}");
        let (fine, said) = analyze(&["security", "--offline=yes", "--no-pager", &threshold], &file);
        assert!(fine, "{path}: more is open than {}.{}: {said}", most / 10, most % 10);
    }
}
