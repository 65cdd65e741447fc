//! The words of the command line, from which help, variables and the reference are derived.
//!
//! Converging is what the command does without a subcommand. clap's own recipe for that (`args_conflicts_with_subcommands`)
//! also refuses global flags before a subcommand, so the conflict is told here instead (research, stack §2).

use super::{
    accept_rewind::AcceptRewind, backup::Backup, converge::Converge, drill::Drill, history::History, init::Init,
    porter::Porter, restore::Restore, resume::Resume, rollback::Rollback, schema::Schema, secret::Secret,
    show_revision::Show, status::Status, suspend::Suspend, validate::Validate, watch::Watch,
};
use crate::value::EnvironmentName;
use clap::{
    ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    builder::FalseyValueParser, error::ErrorKind, parser::ValueSource,
};
use std::{ffi::OsString, path::PathBuf};

/// Commands of later rooms: known, so that they are refused by name and not as mistyped.
const NOT_YET: &[&str] =
    &["apply", "diff", "config", "logs", "stop", "start", "import", "doctor", "prune", "completions", "man"];

/// Brings a Docker or Podman host to what a git repository of manifests says.
///
/// Without a command it converges once and exits; with `--dry-run` it shows the plan. Results go to standard output, all
/// else to standard error. It exits with 0 when it is done, in sync, or holding as told; with 1 after any error; with 2
/// only where `--detailed-exitcode` asks whether changes are pending.
#[derive(Debug, Parser)]
#[command(name = "reconcile", version, max_term_width = 110, disable_help_subcommand = true)]
pub struct Arguments {
    #[command(flatten)]
    pub converge: Converge,
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do instead of converging.
#[derive(Debug, Subcommand)]
pub enum Command {
    Watch(Watch),
    Validate(Validate),
    Status(Status),
    History(History),
    Show(Show),
    Rollback(Rollback),
    Suspend(Suspend),
    Resume(Resume),
    AcceptRewind(AcceptRewind),
    #[command(disable_help_subcommand = true)]
    Secret(Secret),
    #[command(disable_help_subcommand = true)]
    Backup(Backup),
    Restore(Restore),
    Drill(Drill),
    Schema(Schema),
    Init(Init),
    #[command(hide = true, disable_help_subcommand = true)]
    Porter(Porter),
}

/// What every command takes: a flag wins over its variable, the variable over the host file, that over the default.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The host file [default: /etc/reconcile/reconcile.yaml if it is there].
    #[arg(long, global = true, env = "RECONCILE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The manifests repository [default: the host file's `source.url`, or `.`].
    #[arg(long, global = true, env = "RECONCILE_SOURCE", value_name = "PATH|URL")]
    pub source: Option<String>,
    /// The branch, tag or commit to read [default: the host file's `source.branch`, or HEAD].
    #[arg(long = "ref", global = true, env = "RECONCILE_REF", value_name = "REF")]
    pub reference: Option<String>,
    /// An environment; may be given more than once [default: the host file's, or the only one there is].
    #[arg(long, global = true, env = "RECONCILE_ENVIRONMENT", value_name = "NAME", value_delimiter = ',')]
    pub environment: Vec<EnvironmentName>,
    /// The engine's address [default: the host file's, $DOCKER_HOST, or the first usual socket of Docker or Podman].
    #[arg(long, global = true, env = "RECONCILE_ENGINE", value_name = "URI")]
    pub engine: Option<String>,
    /// Where the ledger is [default: the host file's, or /var/lib/reconcile, or the user's state directory].
    #[arg(long, global = true, env = "RECONCILE_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// How results are written.
    #[arg(long, global = true, env = "RECONCILE_OUTPUT", value_name = "FORMAT", value_enum, default_value_t)]
    pub output: Output,
    /// How the tool's own messages are written.
    #[arg(long, global = true, env = "RECONCILE_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// Says more about its own work; twice for all of it.
    #[arg(short, long, global = true, env = "RECONCILE_VERBOSE", action = ArgAction::Count)]
    pub verbose: u8,
    /// Writes without colour, as NO_COLOR does.
    #[arg(long, global = true, env = "RECONCILE_NO_COLOR", value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    pub no_color: bool,
}

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs: one object a line for each environment.
    Json,
    /// For a comment on a merge request.
    Markdown,
}

/// How the tool's own messages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line each.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// What was asked.
#[derive(Debug)]
pub enum Request {
    Run(Box<Arguments>),
    /// A command of a later room.
    NotYet(String),
}

/// The whole command line, commands of later rooms included.
#[must_use]
pub fn command() -> clap::Command {
    let later = NOT_YET.iter().map(|name| {
        clap::Command::new(*name)
            .hide(true)
            .disable_help_flag(true)
            .arg(clap::Arg::new("rest").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true).hide(true))
    });
    Arguments::command().subcommands(later)
}

/// Reads the command line.
///
/// # Errors
/// What clap says, and converging flags before another command.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, clap::Error> {
    let mut command = without_empty_variables(command());
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    if let Some(name) = matches.subcommand_name() {
        if NOT_YET.contains(&name) {
            return Ok(Request::NotYet(name.to_owned()));
        }
        refuse_misplaced(&mut command, &matches, name)?;
    }
    Arguments::from_arg_matches_mut(&mut matches).map(|arguments| Request::Run(Box::new(arguments)))
}

/// `RECONCILE_CONFIG=` means that nothing was said, as it does for other tools.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    command.mut_args(|argument| {
        let is_empty = argument.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
        if is_empty { argument.env(None::<&'static str>) } else { argument }
    })
}

fn refuse_misplaced(command: &mut clap::Command, matches: &ArgMatches, name: &str) -> Result<(), clap::Error> {
    let root = Converge::augment_args(clap::Command::new("converge"));
    let misplaced = root
        .get_arguments()
        .find(|argument| matches.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine));
    match misplaced {
        None => Ok(()),
        Some(argument) => Err(command.error(
            ErrorKind::ArgumentConflict,
            format!(
                "`--{}` belongs to converging and cannot stand before `{name}`",
                argument.get_long().unwrap_or("?")
            ),
        )),
    }
}
