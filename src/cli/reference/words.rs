//! The command line as a page.

use super::GENERATED;
use clap::{Arg, Command};
use std::fmt::Write;

/// Every command that is built, with its flags; the global ones once.
pub fn page(mut command: Command) -> String {
    command.build();
    let mut page = format!("{GENERATED}\n# Command line\n\n");
    about(&mut page, &command);
    usage(&mut page, &command);
    table(&mut page, command.get_arguments().filter(|argument| !argument.is_global_set()));
    let _ = write!(
        page,
        "\n## Global options\n\nBefore or after any command. A flag wins over its variable, the variable over the host file, that over the default.\n\n"
    );
    table(&mut page, command.get_arguments().filter(|argument| argument.is_global_set()));
    parts(&mut page, "reconcile", &command);
    page
}

/// The commands of a command, and theirs.
fn parts(page: &mut String, above: &str, command: &Command) {
    for part in command.get_subcommands().filter(|part| !part.is_hide_set()) {
        let name = format!("{above} {}", part.get_name());
        let _ = write!(page, "\n## {name}\n\n");
        about(page, part);
        usage(page, part);
        table(page, part.get_arguments().filter(|argument| !argument.is_global_set()));
        parts(page, &name, part);
    }
}

fn about(page: &mut String, command: &Command) {
    if let Some(text) = command.get_long_about().or(command.get_about()) {
        let text = text.to_string();
        let _ = write!(page, "{}.\n\n", text.trim_end_matches('.'));
    }
}

fn usage(page: &mut String, command: &Command) {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").replace("\n       ", "\n");
    let _ = write!(page, "```\n{usage}\n```\n\n");
}

fn table<'a>(page: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    let arguments: Vec<&Arg> = arguments
        .filter(|argument| !argument.is_hide_set() && argument.get_id() != "help" && argument.get_id() != "version")
        .collect();
    if arguments.is_empty() {
        return;
    }
    page.push_str("| Argument | Variable | Meaning |\n|---|---|---|\n");
    for argument in arguments {
        let variable = argument.get_env().map(|name| format!("`{}`", name.to_string_lossy())).unwrap_or_default();
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(page, "| `{}` | {variable} | {}.{} |", name(argument), cell(&help), values(argument));
    }
}

fn name(argument: &Arg) -> String {
    let value = argument
        .get_value_names()
        .filter(|_| argument.get_action().takes_values())
        .map(|names| names.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" "))
        .unwrap_or_default();
    let long = argument.get_long().map(|long| format!("--{long}"));
    let short = argument.get_short().map(|short| format!("-{short}"));
    match (short, long) {
        (Some(short), Some(long)) => format!("{short}, {long} {value}").trim_end().to_owned(),
        (Some(flag), None) | (None, Some(flag)) => format!("{flag} {value}").trim_end().to_owned(),
        (None, None) if argument.is_required_set() => value,
        (None, None) => format!("[{}]", value.trim_start_matches('<').trim_end_matches('>')),
    }
    .replace('|', "\\|")
}

fn values(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let values: Vec<String> =
        argument.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    let default: Vec<String> =
        argument.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    let mut said = String::new();
    if !values.is_empty() {
        let _ = write!(said, " One of {}.", values.join(", "));
    }
    if !default.is_empty() {
        let _ = write!(said, " Default: {}.", default.join(", "));
    }
    said
}

fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|").replace('<', "&lt;")
}
