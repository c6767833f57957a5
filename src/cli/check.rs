//! `gpulint check`: lints and reports.

use super::args::CheckArgs;
use super::setup::{self, Setup};
use super::{Exit, Failure};
use crate::config::Profile;
use crate::diagnostic::{Report, Severity};
use crate::report::{self, Format, Options};
use crate::rules;
use std::io::Write;
use std::path::{Path, PathBuf};

pub(super) fn run(args: CheckArgs) -> Result<Exit, Failure> {
    let setup = Setup::read(&args.input)?;
    let profile = args.profile.map_or(setup.config.profile, Profile::from);
    let mut out = std::io::stdout().lock();
    if args.show_config {
        out.write_all(setup.config.show(profile).as_bytes())?;
        return Ok(Exit::Clean);
    }
    let outputs = outputs(&args)?;
    let report = crate::lint(setup.request(&args.input, &args.input.paths, profile)?);
    for (format, file) in &outputs {
        write(&report, *format, file.as_deref(), &args, &mut out)?;
    }
    let fail_on = args.fail_on.map_or(setup.config.fail_on, Severity::from);
    Ok(verdict(&report, fail_on, args.require_input))
}

fn verdict(report: &Report, fail_on: Severity, require_input: bool) -> Exit {
    if report.worst().is_some_and(|worst| worst >= fail_on) {
        Exit::Findings
    } else if require_input && report.summary.objects.is_empty() {
        Exit::NoInput
    } else {
        Exit::Clean
    }
}

/// The formats with the file of each; none is standard output.
fn outputs(args: &CheckArgs) -> Result<Vec<(Format, Option<PathBuf>)>, Failure> {
    let formats = if args.format.is_empty() { vec![default_format()] } else { args.format.clone() };
    if args.output.len() > formats.len() {
        return Err(Failure::usage("there are more --output files than --format values"));
    }
    let mut found: Vec<(Format, Option<PathBuf>)> = Vec::new();
    for (at, format) in formats.into_iter().enumerate() {
        let file = args.output.get(at).filter(|file| *file != Path::new("-")).cloned();
        if let Some((other, _)) = found.iter().find(|(_, known)| *known == file) {
            let place = file.map_or_else(|| "standard output".to_owned(), |f| f.display().to_string());
            return Err(Failure::usage(format!(
                "{place} cannot take both {other} and {format}: give each format its own --output"
            )));
        }
        found.push((format, file));
    }
    Ok(found)
}

/// The report for people, with annotations where GitHub Actions reads them.
fn default_format() -> Format {
    match std::env::var("GITHUB_ACTIONS").as_deref() {
        Ok("true") => Format::Github,
        _ => Format::Full,
    }
}

fn write(
    report: &Report,
    format: Format,
    file: Option<&Path>,
    args: &CheckArgs,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let options = Options { color: file.is_none() && setup::color(args.color), ..Options::default() };
    match file {
        None => report::write(report, rules::pages(), format, &options, out)?,
        Some(path) => {
            let mut bytes = Vec::new();
            report::write(report, rules::pages(), format, &options, &mut bytes)?;
            std::fs::write(path, bytes).map_err(|error| {
                Failure::usage(format!("{}: cannot write the report: {error}", path.display()))
            })?;
        }
    }
    Ok(())
}
