//! The command-line program: parses the arguments, calls the library, exits.

use std::process::ExitCode;

fn main() -> ExitCode {
    gpulint::cli::main()
}
