//! The command: a file for each of its words.

pub mod accept;
mod accept_rewind;
mod against;
mod agree;
pub mod arguments;
mod around;
mod ask;
mod backup;
mod branch;
mod complaint;
mod converge;
mod disk;
mod drill;
mod engine_address;
mod gateway;
mod head;
mod history;
mod init;
mod interruption;
mod logging;
mod memory;
mod named;
mod neighbours;
mod origin;
mod porter;
mod progress;
mod reference;
mod restore;
mod results;
mod resume;
mod rollback;
mod schema;
mod secret;
mod session;
mod settings;
mod show_revision;
mod status;
mod suspend;
mod told;
mod validate;
mod watch;

pub use complaint::Complaint;
pub use memory::keep_private;
pub use schema::documents;

use arguments::{Arguments, Command, Request};
use session::Session;
use std::{ffi::OsString, process::ExitCode};

/// What a command has to say by its exit code, where nothing went wrong.
pub enum Verdict {
    Done,
    /// Told on the way already: an app failed, a manifest is invalid.
    Failed,
    /// `--detailed-exitcode` asked for it.
    ChangesPending,
}

/// Runs the command line and tells the exit code: 0 done, 1 any error, 2 changes pending where that was asked.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let request = match arguments::parse(arguments) {
        Ok(request) => request,
        Err(error) => {
            // Help and version are results; a usage error is an error like others (not clap's 2).
            let _ = error.print();
            return if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let verdict = match request {
        Request::NotYet(name) => Err(Complaint::not_yet(&name)),
        Request::Run(arguments) => match &arguments.command {
            // In a container where nothing else is: no runtime, no repository.
            Some(Command::Porter(porter)) => return porter.run(),
            Some(_) | None => begin(&arguments),
        },
    };
    match verdict {
        Ok(Verdict::Done) => ExitCode::SUCCESS,
        Ok(Verdict::Failed) => ExitCode::FAILURE,
        Ok(Verdict::ChangesPending) => ExitCode::from(2),
        Err(complaint) => {
            results::tell(&complaint.to_string());
            ExitCode::FAILURE
        }
    }
}

fn begin(arguments: &Arguments) -> Result<Verdict, Complaint> {
    logging::begin(arguments);
    crate::source::limit_waiting()?;
    if arguments.global.no_color {
        anstream::ColorChoice::Never.write_global();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let verdict = runtime.block_on(run(arguments));
    // A pass that was told to stop may leave reads behind; nobody waits for them.
    runtime.shutdown_background();
    verdict
}

async fn run(arguments: &Arguments) -> Result<Verdict, Complaint> {
    let global = &arguments.global;
    let session = || Session::begin(global);
    match &arguments.command {
        None => arguments.converge.run(&session()?).await,
        Some(Command::Watch(command)) => command.run(global).await,
        Some(Command::Validate(command)) => command.run(global),
        Some(Command::Status(command)) => command.run(&session()?).await.map(|()| Verdict::Done),
        Some(Command::History(command)) => command.run(&session()?).await.map(|()| Verdict::Done),
        Some(Command::Show(command)) => command.run(&session()?).await.map(|()| Verdict::Done),
        Some(Command::Rollback(command)) => command.run(&session()?).await,
        Some(Command::Suspend(command)) => command.run(&session()?).await.map(|()| Verdict::Done),
        Some(Command::Resume(command)) => command.run(&session()?).await.map(|()| Verdict::Done),
        Some(Command::AcceptRewind(command)) => command.run(&session()?).await.map(|()| Verdict::Done),
        Some(Command::Secret(command)) => command.run(global).await.map(|()| Verdict::Done),
        Some(Command::Backup(command)) => command.run(&session()?).await,
        Some(Command::Restore(command)) => command.run(&session()?).await,
        Some(Command::Drill(command)) => command.run(&session()?).await,
        Some(Command::Porter(_)) => Ok(Verdict::Done),
        Some(Command::Schema(command)) => command.run().map(|()| Verdict::Done),
        Some(Command::Init(command)) => command.run(global).map(|()| Verdict::Done),
    }
}

#[cfg(test)]
mod tests;
