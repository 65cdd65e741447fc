//! What the tool says about its own work, on standard error.

use super::{
    arguments::{Arguments, Command, LogFormat},
    progress::{Aside, Progress},
};
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// Libraries whose lower levels print whole requests, which can hold what a manifest's author would not show.
const CAPPED: [&str; 6] = ["bollard", "hyper", "hyper_util", "lettre", "object_store", "reqwest"];

/// Begins to log; a second call changes nothing.
pub fn begin(arguments: &Arguments) {
    let global = &arguments.global;
    let level = match global.verbose {
        // The log is all that a daemon says; its steps are for those who ask for more.
        0 if matches!(arguments.command, Some(Command::Watch(_))) => {
            "warn,reconcile::watch=info,reconcile::cli::watch=info"
        }
        0 => "warn",
        1 => "info",
        2 => "debug",
        3.. => "trace",
    };
    let cap = if global.verbose == 0 { "warn" } else { "info" };
    let filter = CAPPED.iter().fold(level.to_owned(), |filter, library| format!("{filter},{library}={cap}"));
    let progress = Progress::wanted(global);
    let beside = progress.clone();
    let logs = tracing_subscriber::fmt::layer()
        .with_writer(move || Aside::of(beside.as_ref()))
        .with_target(false)
        .with_ansi(!global.no_color && std::env::var_os("NO_COLOR").is_none() && std::io::stderr().is_terminal());
    let logs = match global.log_format {
        LogFormat::Text => logs.boxed(),
        LogFormat::Json => logs.json().boxed(),
    };
    let subscriber = tracing_subscriber::registry()
        .with(logs.with_filter(EnvFilter::new(filter)))
        .with(progress.map(Progress::layer));
    // Fails only where a subscriber is set already: tests that run several commands in one process.
    let _ = subscriber.try_init();
}
