//! Values, digests, files of the host, templates.

use super::*;
use crate::{desired::SecretSource, value::SecretName};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

fn value(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec())
}

fn file(folder: &Path, name: &str, content: &str, mode: u32) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn a_value_is_not_printed() {
    let secret = value("hunter2");
    assert_eq!(format!("{secret:?}"), "SecretValue(…)");
    assert!(secret == value("hunter2") && secret != value("hunter3"));
}

#[test]
fn a_digest_depends_on_everything_that_it_is_about() {
    let (production, staging) = ("production".parse().unwrap(), "staging".parse().unwrap());
    let (app, other_app) = ("web".parse().unwrap(), "api".parse().unwrap());
    let (service, other_service) = ("db".parse().unwrap(), "cache".parse().unwrap());
    let (key, other_key) = (HostKey::new([7; 32]), HostKey::new([8; 32]));
    let place = digest::Place { environment: &production, app: &app, service: &service };
    let (password, secret) = (name("password"), value("hunter2"));
    let told = [
        key.digest(&place, &password, &secret),
        key.digest(&place, &password, &value("hunter3")),
        key.digest(&place, &name("token"), &secret),
        key.digest(&digest::Place { environment: &staging, ..place }, &password, &secret),
        key.digest(&digest::Place { app: &other_app, ..place }, &password, &secret),
        key.digest(&digest::Place { service: &other_service, ..place }, &password, &secret),
        other_key.digest(&place, &password, &secret),
    ];
    for (at, one) in told.iter().enumerate() {
        assert_eq!(one.len(), 32, "128 bits in hex");
        assert!(told.iter().skip(at + 1).all(|other| other != one), "{told:?}");
    }
    assert_eq!(told[0], key.digest(&place, &password, &secret));
    // HMAC-SHA256 with 32 bytes of 7, of the message that the documents name, by Python's hmac.
    assert_eq!(told[0], EXPECTED);
}

/// `hmac.new(b"\x07"*32, b"reconcile/secret/v1\0production\0web\0db\0password\0hunter2", "sha256").hexdigest()[:32]`
const EXPECTED: &str = "7b0993a3560017b07baa9caa59701363";

#[test]
fn a_file_of_the_host_is_taken_as_it_is_or_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let read = |path: &Path| host_dir::read(folder.path(), path, &name("password"));
    let good = file(folder.path(), "good", "hunter2\n", 0o400);
    assert_eq!(read(&good).unwrap().expose(), b"hunter2\n");
    assert_eq!(read(&good).unwrap().line(), Some("hunter2"));
    for (file_name, content, mode, told) in [
        ("open", "x", 0o644, "is open to others (mode 0644)"),
        ("empty", "", 0o400, "is empty"),
        ("written", "x", 0o620, "is open to others (mode 0620)"),
    ] {
        let path = file(folder.path(), file_name, content, mode);
        let error = read(&path).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
    let open = read(&folder.path().join("open")).unwrap_err();
    assert_eq!(open.hint().unwrap(), format!("`chmod 600 {}`", folder.path().join("open").display()));
    let absent = read(&folder.path().join("absent")).unwrap_err();
    assert!(absent.to_string().contains("was looked for"), "{absent}");
    fs::create_dir(folder.path().join("below")).unwrap();
    assert!(read(&folder.path().join("below")).unwrap_err().to_string().contains("is no regular file"));
    std::os::unix::fs::symlink(&good, folder.path().join("link")).unwrap();
    let link = read(&folder.path().join("link")).unwrap_err().to_string();
    assert!(link.starts_with("secret `password` in `") && link.contains("none is followed"), "{link}");
}

#[test]
fn a_host_key_is_made_once_and_for_root_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("below/host.key");
    assert!(key_file::read(&path).unwrap().is_none());
    let made = key_file::read_or_make(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o400);
    assert_eq!(key_file::read_or_make(&path).unwrap().id(), made.id());
    assert_ne!(key_file::passing().unwrap().id(), made.id());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
    assert!(key_file::read(&path).unwrap_err().to_string().contains("open to others"));
    let short = file(folder.path(), "short", "abcd\n", 0o400);
    assert!(key_file::read(&short).unwrap_err().to_string().contains("64 hex digits"));
}

#[test]
fn a_template_holds_its_secrets_as_its_parts_say() {
    let values =
        BTreeMap::from([(name("password"), value("p@ss/w ö%\n")), (name("binary"), SecretValue::new(vec![0xff]))]);
    let render = |text: &str| {
        template::render(&text.parse().unwrap(), &values)
            .map(|found| found.map(|value| String::from_utf8(value.expose().to_vec()).unwrap()))
    };
    let url = "postgresql://app:${secret:password|urlencode}@db/app";
    assert_eq!(render(url).unwrap().unwrap(), "postgresql://app:p%40ss%2Fw%20%C3%B6%25@db/app");
    assert_eq!(render("${secret:password}").unwrap().unwrap(), "p@ss/w ö%");
    assert_eq!(render("$${x} ${secret:password}").unwrap().unwrap(), "${x} p@ss/w ö%");
    assert!(render("${secret:absent}").unwrap().is_none());
    assert!(render("${secret:binary}").unwrap_err().to_string().contains("is no text"));
}

#[test]
fn what_others_said_loses_its_values() {
    let values = BTreeMap::from([
        (name("long"), value("hunter2hunter\n")),
        (name("short"), value("hunter2")),
        (name("x"), value("ab")),
    ]);
    let said = "bad url a:hunter2hunter@db, hunter2, ab";
    assert_eq!(mask::masked(said, &values), "bad url a:[secret long]@db, [secret short], ab");
    let encoded = BTreeMap::from([(name("p"), value("p@ss/word"))]);
    assert_eq!(mask::masked("x:p%40ss%2Fword@db", &encoded), "x:[secret p]@db");
}

#[test]
fn a_secret_of_one_environment_is_not_taken_for_another() {
    let folder = tempfile::tempdir().unwrap();
    for (environment, content) in [("production", "one"), ("staging", "two")] {
        let app = folder.path().join("secrets").join(environment).join("web");
        fs::create_dir_all(&app).unwrap();
        file(&app, "password", content, 0o400);
    }
    let secrets = Secrets {
        directory: folder.path().join("secrets"),
        key_file: folder.path().join("host.key"),
        identity: None,
        roots: Roots::default(),
        overdue: Overdue::default(),
    };
    let gather = |environment: &str, may_write| {
        let (environment, app) = (environment.parse().unwrap(), "web".parse().unwrap());
        let sources = BTreeMap::from([(name("password"), SecretSource::Host), (name("absent"), SecretSource::Host)]);
        secrets.gather((&environment, &app), &sources, (&RepositoryFiles::default(), &Unsealed::default()), may_write)
    };
    let looked = gather("production", false);
    assert!(!secrets.key_file.exists(), "a look makes no key");
    assert!(looked.key_id().is_some());
    let (production, staging) = (gather("production", true), gather("staging", true));
    assert_eq!(production.values[&name("password")].expose(), b"one");
    assert_eq!(staging.values[&name("password")].expose(), b"two");
    assert_eq!(production.key_id(), staging.key_id());
    let [missing] = production.missing.as_slice() else { panic!("{:?}", production.missing) };
    assert!(missing.to_string().contains("secrets/production/web/absent` was looked for"), "{missing}");
}

#[test]
fn the_repository_is_opened_once_and_each_file_read_once_for_all_secrets_of_a_pass() {
    let folder = tempfile::tempdir().unwrap();
    let pair = ::age::x25519::Identity::generate();
    let identity = file(folder.path(), "age.key", secrecy::ExposeSecret::expose_secret(&pair.to_string()), 0o400);
    let sealed = |content: &str| {
        let recipient = age::Recipient::parse_lines(&pair.to_public().to_string()).unwrap();
        age::seal(content.as_bytes(), &recipient).unwrap().into_bytes()
    };
    let files = BTreeMap::from([("one.age".to_owned(), sealed("1")), ("two.age".to_owned(), sealed("2"))]);
    let (opened, read) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (Arc::clone(&opened), Arc::clone(&read));
    let repository = RepositoryFiles::new(move || {
        counts.0.fetch_add(1, Ordering::Relaxed);
        let (files, read) = (files.clone(), Arc::clone(&counts.1));
        Ok(Box::new(move |path| {
            read.fetch_add(1, Ordering::Relaxed);
            files.get(path).cloned().ok_or_else(|| "it is not there".to_owned())
        }))
    });
    let secrets = Secrets { key_file: folder.path().join("host.key"), identity: Some(identity), ..Secrets::default() };
    let of = |path: &str| SecretSource::File { path: path.to_owned(), key: None };
    let sources = BTreeMap::from([
        (name("first"), of("one.age")),
        (name("again"), of("one.age")),
        (name("second"), of("two.age")),
        (name("gone"), of("gone.age")),
        (name("lost"), of("gone.age")),
    ]);
    let unsealed = Unsealed::default();
    let (environment, app) = ("production".parse().unwrap(), "web".parse().unwrap());
    for _ in 0..2 {
        let gathered = secrets.gather((&environment, &app), &sources, (&repository, &unsealed), true);
        let value = |secret: &str| gathered.values[&name(secret)].line().unwrap().to_owned();
        assert_eq!([value("first"), value("again"), value("second")], ["1", "1", "2"]);
        assert_eq!(gathered.missing.len(), 2, "{:?}", gathered.missing);
        assert_eq!((opened.load(Ordering::Relaxed), read.load(Ordering::Relaxed)), (1, 3));
    }
}
