use std::process::ExitCode;

fn main() -> ExitCode {
    reconcile::cli::keep_private();
    reconcile::cli::main(std::env::args_os())
}
