//! The command: a file for each of its words.

pub mod arguments;
mod ask;
mod complaint;
mod converge;
mod engine_address;
mod history;
mod init;
mod interruption;
mod logging;
mod reference;
mod results;
mod resume;
mod rollback;
mod schema;
mod session;
mod settings;
mod show_revision;
mod status;
mod suspend;
mod tree;
mod validate;

pub use complaint::Complaint;

use arguments::Request;
use std::{ffi::OsString, process::ExitCode};

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
    match request {
        Request::NotYet(name) => {
            anstream::eprint!("{}", Complaint::not_yet(&name));
            ExitCode::FAILURE
        }
        Request::Run(arguments) => {
            logging::begin(&arguments.global);
            ExitCode::SUCCESS
        }
    }
}

#[cfg(test)]
mod tests;
