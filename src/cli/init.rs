//! `gpulint init`: a commented configuration to start from.

use super::args::InitArgs;
use super::{Exit, Failure};
use crate::{config, rules};
use std::io::Write;
use std::path::Path;

pub(super) fn run(args: &InitArgs) -> Result<Exit, Failure> {
    let text = config::starter(&rules::known_rules());
    if args.file == Path::new("-") {
        std::io::stdout().lock().write_all(text.as_bytes())?;
        return Ok(Exit::Clean);
    }
    let shown = args.file.display();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    if !args.force {
        options.create_new(true);
    }
    match options.open(&args.file).and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => {
            writeln!(std::io::stderr(), "wrote {shown}")?;
            Ok(Exit::Clean)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(Failure::usage(format!("{shown} exists; --force overwrites it")))
        }
        Err(error) => Err(Failure::usage(format!("{shown}: {error}"))),
    }
}
