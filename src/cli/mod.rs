//! The command line: one file for each command.
//!
//! Only this room asks the environment: working directory, terminal, variables.

mod accepted;
mod args;
mod check;
mod explain;
mod facts;
mod fixing;
mod git;
mod init;
mod output;
mod rules;
mod schema;
mod scope;
mod setup;
mod shell;

use args::{Cli, Command};
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

/// How a run ends. The same for every format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nothing at or above the threshold.
    Clean = 0,
    /// Findings at or above the threshold.
    Findings = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// Nothing relevant was found, and `--require-input` asks for something.
    NoInput = 3,
    /// Something that should not happen.
    Internal = 4,
}

/// Why a command ends early.
pub(crate) enum Failure {
    /// A message for the user, and how to exit.
    Message(Exit, String),
    /// The reader of the output went away, which is no error.
    BrokenPipe,
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Failure::BrokenPipe,
            _ => Failure::Message(Exit::Internal, error.to_string()),
        }
    }
}

impl Failure {
    /// Wrong usage or configuration.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure::Message(Exit::Usage, message.into())
    }
}

/// Runs the program on the arguments of the process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for and go to standard output; everything else is a usage error.
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Clean };
            let _ = error.print();
            return ExitCode::from(code as u8);
        }
    };
    // A bug must not look like a clean run or like findings.
    let outcome = std::panic::catch_unwind(|| run(cli)).unwrap_or_else(|_| {
        Err(Failure::Message(
            Exit::Internal,
            "internal error: please report it with the input that caused it".to_owned(),
        ))
    });
    let exit = match outcome {
        Ok(exit) => exit,
        Err(Failure::BrokenPipe) => Exit::Clean,
        Err(Failure::Message(exit, message)) => {
            let _ = writeln!(std::io::stderr(), "gpulint: {message}");
            exit
        }
    };
    ExitCode::from(exit as u8)
}

/// A number with its noun.
fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        None => check::run(cli.check),
        Some(Command::Check(args)) => check::run(*args),
        Some(Command::Explain(args)) => explain::run(&args),
        Some(Command::Rules(args)) => rules::run(&args),
        Some(Command::Facts(args)) => facts::run(args),
        Some(Command::Schema(args)) => schema::run(&args),
        Some(Command::Init(args)) => init::run(&args),
        Some(Command::Completions(args)) => shell::completions(&args),
        Some(Command::Man(args)) => shell::man(&args),
    }
}
