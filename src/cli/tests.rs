use super::arguments::{Command, Request, parse};
use std::ffi::OsString;

fn request(line: &str) -> Result<Request, String> {
    let words = std::iter::once("reconcile").chain(line.split_whitespace()).map(OsString::from);
    parse(words).map_err(|error| error.to_string())
}

fn run(line: &str) -> super::arguments::Arguments {
    match request(line) {
        Ok(Request::Run(arguments)) => *arguments,
        other => panic!("`{line}`: {other:?}"),
    }
}

fn refused(line: &str) -> String {
    request(line).expect_err(line)
}

#[test]
fn the_words_of_clap_are_consistent() {
    super::arguments::command().debug_assert();
}

#[test]
fn without_a_command_it_converges() {
    let arguments = run("--dry-run --detailed-exitcode --app web --app db --replace web/api --source /m");
    assert!(arguments.command.is_none() && arguments.converge.dry_run && arguments.converge.detailed_exitcode);
    assert_eq!(arguments.converge.apps.len(), 2);
    assert_eq!(arguments.converge.replace[0].service.as_ref().unwrap().as_str(), "api");
    assert_eq!(arguments.global.source.as_deref(), Some("/m"));
}

#[test]
fn global_flags_stand_before_and_after_a_command() {
    assert_eq!(run("--source /m status").global.source.as_deref(), Some("/m"));
    assert_eq!(run("status web --source /m").global.source.as_deref(), Some("/m"));
    assert_eq!(run("--environment a --environment b history web").global.environment.len(), 2);
}

#[test]
fn converging_flags_before_a_command_are_told_by_name() {
    assert!(refused("--dry-run status").contains("`--dry-run` belongs to converging"));
    assert!(refused("--app web rollback web").contains("`--app`"));
}

#[test]
fn a_mistyped_command_is_told_its_nearest() {
    assert!(refused("statsu").contains("status"));
}

#[test]
fn commands_of_later_rooms_are_known_with_whatever_follows_them() {
    for line in ["apply plan.json", "logs web -f --tail 5", "diff --help", "man"] {
        let name = line.split(' ').next().unwrap();
        assert!(matches!(request(line), Ok(Request::NotYet(found)) if found == name), "{line}");
    }
}

#[test]
fn flags_of_a_dry_run_need_one() {
    for line in ["--worktree", "--against main", "--detailed-exitcode"] {
        assert!(refused(line).contains("--dry-run"), "{line}");
    }
}

#[test]
fn suspend_wants_an_app_or_all_and_not_both() {
    assert!(matches!(run("suspend web --for 2h --reason x").command, Some(Command::Suspend(_))));
    assert!(matches!(run("resume --all").command, Some(Command::Resume(_))));
    refused("suspend");
    refused("resume web --all");
}

#[test]
fn a_name_that_is_none_is_refused_with_what_a_name_is() {
    assert!(refused("status Web").contains("use a-z, 0-9"));
}
