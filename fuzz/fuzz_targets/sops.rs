//! Any text before a valid `sops` part is refused, and gives nothing out: nobody sealed it. So is any text as an age file:
//! `scripts/fuzz sops`.

#![no_main]

use age::secrecy::ExposeSecret;
use libfuzzer_sys::fuzz_target;
use reconcile::{
    secret::{
        age::{self as sealed, Identities},
        sops,
    },
    yaml::letters::is_hidden,
};
use std::{fs, os::unix::fs::PermissionsExt, sync::LazyLock};

/// This host's identity, and a `sops` part that is for it.
static HOST: LazyLock<(Identities, String)> = LazyLock::new(|| {
    let identity = age::x25519::Identity::generate();
    let file = std::env::temp_dir().join(format!("fuzz-identity-{}", std::process::id()));
    fs::write(&file, identity.to_string().expose_secret()).expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).expect("its mode");
    let identities = Identities::read(&file).expect("an identity");
    fs::remove_file(&file).expect("it was there");
    let wrapped = age::encrypt_and_armor(&identity.to_public(), &[7; 32]).expect("it is sealed");
    let armor: String = wrapped.lines().map(|line| format!("          {line}\n")).collect();
    let recipient = identity.to_public();
    let part = format!(
        "\nsops:\n    age:\n      - recipient: {recipient}\n        enc: |\n{armor}    lastmodified: now\n    mac: ENC[x]\n"
    );
    (identities, part)
});

fuzz_target!(|text: &str| {
    let (identities, part) = &*HOST;
    for file in [text.to_owned(), format!("{text}{part}")] {
        let error = sops::open("any.yaml", &file, identities).err().expect("nobody sealed it");
        let told = format!("{error} {}", error.hint().unwrap_or_default());
        assert!(!told.chars().any(is_hidden), "{told:?}");
    }
    assert!(sealed::open(text.as_bytes(), identities).is_err(), "nobody sealed it");
});
