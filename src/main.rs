use std::process::ExitCode;

fn main() -> ExitCode {
    reconcile::cli::main(std::env::args_os())
}
