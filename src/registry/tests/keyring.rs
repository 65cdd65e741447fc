//! Who is asked first, and what is told of what cannot be used.

use crate::{
    host::{self, Registries},
    registry::{Found, Keyring, Surroundings, credentials::Proof},
    value::ImageReference,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret;
use serde_json::json;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn login(&self, name: &str, registry: &str, login: &str) -> PathBuf {
        self.file(name, &json!({"auths": {registry: {"auth": STANDARD.encode(login)}}}).to_string())
    }
}

fn users(registry: &str, password: &Path) -> Registries {
    let text = format!("registries: {{{registry}: {{username: ci, password_file: {}}}}}\n", password.display());
    host::read("h.yaml", &text).unwrap().settings.registries
}

fn image(reference: &str) -> ImageReference {
    reference.parse().unwrap()
}

fn login(found: &Found) -> String {
    let Some(known) = &found.credentials else { return "nobody".to_owned() };
    match &known.proof {
        Proof::Password(secret) | Proof::IdentityToken(secret) => {
            format!("{}:{}", known.username, secret.expose_secret())
        }
    }
}

#[test]
fn the_host_file_comes_before_the_engines_logins_and_those_in_their_order() {
    let desk = Desk::new();
    let password = desk.file("password", "s3cret\n");
    let first = desk.login("config.json", "registry.example.com", "first:1");
    let second = desk.file(
        "auth.json",
        &json!({"auths": {"registry.example.com": {"auth": STANDARD.encode("second:2")},
            "other.example.com": {"auth": STANDARD.encode("other:3")}}})
        .to_string(),
    );
    let files = vec![desk.0.path().join("is/not/there.json"), first, second];
    let keyring = Keyring::new(users("registry.example.com", &password), files.clone());
    let find = |keyring: &Keyring, reference: &str| login(&keyring.find(&image(reference)).unwrap());
    assert_eq!(find(&keyring, "registry.example.com/app"), "ci:s3cret");
    assert_eq!(find(&keyring, "other.example.com/app"), "other:3");
    assert_eq!(find(&keyring, "nginx"), "nobody");
    assert_eq!(find(&Keyring::new(Registries::new(), files), "registry.example.com/app"), "first:1");
}

#[test]
fn a_new_password_counts_at_the_next_pull() {
    let desk = Desk::new();
    let password = desk.file("password", "old");
    let keyring = Keyring::new(users("registry.example.com", &password), Vec::new());
    assert_eq!(login(&keyring.find(&image("registry.example.com/app")).unwrap()), "ci:old");
    desk.file("password", "new");
    assert_eq!(login(&keyring.find(&image("registry.example.com/app")).unwrap()), "ci:new");
}

#[test]
fn a_password_of_the_host_file_that_cannot_be_read_is_an_error_for_its_registry_alone() {
    let desk = Desk::new();
    let keyring = Keyring::new(users("registry.example.com", &desk.0.path().join("none")), Vec::new());
    let told = keyring.find(&image("registry.example.com/app")).unwrap_err();
    assert_eq!(told.to_string(), "the password of `ci` for registry `registry.example.com` is not known");
    assert!(std::error::Error::source(&told).unwrap().to_string().ends_with("none` is not there"));
    assert_eq!(login(&keyring.find(&image("nginx")).unwrap()), "nobody");
}

#[test]
fn a_login_file_that_cannot_be_used_is_passed_by_and_remembered() {
    let desk = Desk::new();
    let broken = desk.file("broken.json", "{\"auths\": \"s3cret\"}");
    let helper = desk.file("helper.json", r#"{"credHelpers": {"registry.example.com": "ecr-login"}}"#);
    let garbled = desk.file("garbled.json", r#"{"auths": {"registry.example.com": {"auth": "s3cret!"}}}"#);
    let good = desk.login("good.json", "registry.example.com", "ann:s3cret");
    let bad = vec![broken.clone(), helper.clone(), garbled.clone()];
    let found = Keyring::new(Registries::new(), bad.clone()).find(&image("registry.example.com/app")).unwrap();
    let folder = desk.0.path().display().to_string();
    let told: Vec<String> = found.passed_by.iter().map(|why| why.replace(&folder, "F")).collect();
    assert_eq!(
        told,
        [
            "`F/broken.json` cannot be read: line 1, column 18 is not as `docker login` writes it",
            "`F/helper.json` leaves it to the credential helper `ecr-login` (`credHelpers`), which is not run",
            "the entry for `registry.example.com` in `F/garbled.json` is not as `docker login` writes it",
        ]
    );
    let with_good = bad.into_iter().chain([good]).collect();
    let found = Keyring::new(Registries::new(), with_good).find(&image("registry.example.com/app")).unwrap();
    assert_eq!(login(&found), "ann:s3cret");
}

#[test]
fn nothing_prints_what_was_found() {
    let desk = Desk::new();
    let login = desk.login("config.json", "registry.example.com", "ann:s3cret");
    let found = Keyring::new(Registries::new(), vec![login]).find(&image("registry.example.com/app")).unwrap();
    assert!(!format!("{found:?}").contains("s3cret"));
    let known = found.credentials.unwrap();
    let echoed = format!("denied: Basic {} is s3cret", STANDARD.encode("ann:s3cret"));
    assert_eq!(known.hidden_in(&echoed), "denied: Basic (hidden) is (hidden)");
}

#[test]
fn login_files_are_where_the_engines_write_them() {
    let files = |surroundings: Surroundings| -> Vec<String> {
        surroundings.login_files().iter().map(|path| path.display().to_string()).collect()
    };
    let root = Surroundings { home: Some("/root".into()), ..Surroundings::default() };
    assert_eq!(files(root.clone()), ["/root/.docker/config.json", "/run/containers/0/auth.json"]);
    // A system service has no home.
    assert_eq!(files(Surroundings::default()), ["/root/.docker/config.json", "/run/containers/0/auth.json"]);
    let ann = Surroundings {
        uid: 1000,
        home: Some("/home/ann".into()),
        docker_config: None,
        xdg_runtime_dir: Some("/run/user/1000".into()),
    };
    assert_eq!(files(ann.clone()), ["/home/ann/.docker/config.json", "/run/user/1000/containers/auth.json"]);
    let named = Surroundings { docker_config: Some("/etc/docker-login".into()), ..ann };
    assert_eq!(files(named), ["/etc/docker-login/config.json", "/run/user/1000/containers/auth.json"]);
}

#[test]
fn a_login_file_that_somebody_else_can_change_is_passed_by_and_a_pipe_keeps_no_pull_waiting() {
    let desk = Desk::new();
    let login_file = desk.login("config.json", "registry.example.com", "ann:s3cret");
    let find = |file: &Path| {
        Keyring::new(Registries::new(), vec![file.to_owned()]).find(&image("registry.example.com/app")).unwrap()
    };
    let mode = |mode| fs::set_permissions(&login_file, fs::Permissions::from_mode(mode)).unwrap();
    // The engines use theirs however they are: what `docker pull` can do must go on.
    mode(0o644);
    assert_eq!(login(&find(&login_file)), "ann:s3cret");
    mode(0o666);
    let found = find(&login_file);
    let path = login_file.display();
    let told = format!("`{path}` can be changed by others than its owner (mode 0666) (`chmod go-w {path}`)");
    assert_eq!((login(&found), found.passed_by), ("nobody".to_owned(), vec![told]));
    let pipe = desk.0.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    assert_eq!(find(&pipe).passed_by, [format!("`{}` is no regular file", pipe.display())]);
}
