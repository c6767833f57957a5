//! `gpulint completions` and `gpulint man`: generated from the arguments.

use super::args::{Cli, CompletionsArgs, ManArgs};
use super::{Exit, Failure};
use clap::CommandFactory;

pub(super) fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "gpulint", &mut text);
    std::io::Write::write_all(&mut std::io::stdout().lock(), &text)?;
    Ok(Exit::Clean)
}

pub(super) fn man(_: &ManArgs) -> Result<Exit, Failure> {
    clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout().lock())?;
    Ok(Exit::Clean)
}
