//! HTTPS with a token, and an authority that only the test knows.

use crate::{
    run::{Ran, Run, ran},
    web::Web,
};
use std::{fs, os::unix::fs::PermissionsExt};

const TOKEN: &str = "glpat-canary-5f1c";

/// Reads the repository with the real binary; `SSL_CERT_FILE` names the authority.
fn reads(web: &Web, token: Option<&str>, url: &str, authority: &str) -> Ran {
    let mut file = format!("source:\n  url: {url}\n  branch: main\n");
    if let Some(token) = token {
        let path = web.path("token");
        fs::write(&path, format!("{token}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        file += &format!("  token_file: {}\n", path.display());
    }
    let run = Run::in_folder(&web.path(""), &file);
    let mut command = run.command(&["-vv", "--dry-run", "--against", "HEAD"]);
    let ran = ran(command.env("SSL_CERT_FILE", web.path(authority)).env("SSL_CERT_DIR", web.path("nothing")));
    for text in [&ran.out, &ran.err] {
        assert!(!text.contains(TOKEN), "the token is shown:\n{text}");
    }
    ran
}

#[test]
fn a_token_opens_the_repository_and_is_written_nowhere() {
    let web = Web::start(&format!("git:{TOKEN}"));
    let ran = reads(&web, Some(TOKEN), &web.url(), "ca.crt").is(0);
    let revision = format!("main@sha1:{}", web.bare.git(&["rev-parse", "HEAD"]));
    assert!(ran.out.contains(&revision) || ran.out.contains("In sync"), "{}", ran.out);
    let mut folders = vec![web.path("state")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                let bytes = fs::read(&entry).unwrap();
                assert!(!bytes.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()), "{}", entry.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 3, "only {seen} files were looked at");
    // Nothing moved, and the next one moves.
    reads(&web, Some(TOKEN), &web.url(), "ca.crt").is(0);
    web.bare.push("second");
    reads(&web, Some(TOKEN), &web.url(), "ca.crt").is(0);
}

#[test]
fn a_token_may_come_with_its_user() {
    let web = Web::start(&format!("deploy-token-1:{TOKEN}"));
    reads(&web, Some(&format!("deploy-token-1:{TOKEN}")), &web.url(), "ca.crt").is(0);
}

#[test]
fn a_wrong_token_and_none_are_told_apart_and_tried_once() {
    let web = Web::start(&format!("git:{TOKEN}"));
    let wrong = reads(&web, Some("wrong"), &web.url(), "ca.crt").is(1);
    wrong.complains(&format!("does not take the token in `{}`", web.path("token").display()));
    assert!(!wrong.err.contains("wrong"), "{}", wrong.err);
    let tries = web.asked.lock().unwrap().len();
    assert!(tries <= 3, "{tries} tries");
    reads(&web, None, &web.url(), "ca.crt").is(1).complains("wants to know who asks").complains("source.token_file");
}

#[test]
fn an_authority_that_nobody_knows_is_not_trusted_and_gets_no_token() {
    let web = Web::start(&format!("git:{TOKEN}"));
    fs::write(web.path("none.crt"), "").unwrap();
    let ran = reads(&web, Some(TOKEN), &web.url(), "none.crt").is(1);
    ran.complains("the certificate of `https://").complains("is not trusted").complains("SSL_CERT_FILE");
    assert_eq!(*web.asked.lock().unwrap(), [], "something was asked of a server that nobody vouches for");
}

#[test]
fn a_server_with_a_certificate_of_another_name_gets_no_token() {
    let web = Web::with_names(&format!("git:{TOKEN}"), "DNS:git.example.com");
    reads(&web, Some(TOKEN), &web.url(), "ca.crt").is(1).complains("caused by: ");
    assert_eq!(*web.asked.lock().unwrap(), [], "something was asked of a server that is another one");
}

#[test]
fn a_redirect_to_another_host_is_not_followed() {
    let web = Web::start(&format!("git:{TOKEN}"));
    let url = web.url().replace("/m.git", "/moved/m.git");
    reads(&web, Some(TOKEN), &url, "ca.crt").is(1).complains("redirects to another host, which is not followed");
    let asked = web.asked.lock().unwrap().clone();
    assert!(!asked.is_empty() && asked.iter().all(|(path, _)| path.starts_with("/moved/")), "{asked:?}");
    // The place that it leads to is there.
    reads(&web, Some(TOKEN), &web.url().replace("127.0.0.1", "localhost"), "ca.crt").is(0);
}

#[test]
fn a_repository_that_is_not_there_is_told_so() {
    let web = Web::start(&format!("git:{TOKEN}"));
    let url = web.url().replace("m.git", "gone.git");
    reads(&web, Some(TOKEN), &url, "ca.crt").is(1).complains("is not there, or not for us").complains("404");
}

#[test]
fn a_token_of_one_host_is_not_shown_to_another() {
    let (web, other) = (Web::start(&format!("git:{TOKEN}")), Web::start(&format!("git:{TOKEN}")));
    fs::write(web.path("token"), TOKEN).unwrap();
    fs::set_permissions(web.path("token"), fs::Permissions::from_mode(0o600)).unwrap();
    let file = format!("source:\n  url: {}\n  token_file: {}\n", web.url(), web.path("token").display());
    let run = Run::in_folder(&web.path(""), &file);
    let mut command = run.command(&["--dry-run", "--against", "HEAD", "--source", &other.url()]);
    ran(command.env("SSL_CERT_FILE", other.path("ca.crt"))).is(1).complains("wants to know who asks");
    assert!(other.asked.lock().unwrap().iter().all(|(_, who)| who.is_none()));
}

#[test]
fn a_token_file_that_others_can_read_is_refused() {
    let web = Web::start(&format!("git:{TOKEN}"));
    reads(&web, Some(TOKEN), &web.url(), "ca.crt").is(0);
    fs::set_permissions(web.path("token"), fs::Permissions::from_mode(0o644)).unwrap();
    Run::again(&web.path("")).reads().is(1).complains("is open to others (mode 0644)").complains("chmod 600");
}
