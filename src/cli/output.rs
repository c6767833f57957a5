//! Where reports go.

use super::args::CheckArgs;
use super::{Failure, setup};
use crate::diagnostic::Report;
use crate::report::{self, Format, Options};
use crate::rules;
use std::io::Write;
use std::path::{Path, PathBuf};

/// One report of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Output {
    /// Its form.
    pub(super) format: Format,
    /// Its place.
    pub(super) to: To,
}

/// Where a report is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum To {
    /// Standard output.
    Stdout,
    /// A file, in place of what it holds.
    File(PathBuf),
    /// A file, after what it holds.
    Append(PathBuf),
}

/// The reports that the arguments ask for. Without any: the one for people, and inside GitHub Actions annotations with
/// a table in the summary of the step.
///
/// # Errors
/// Where two reports have the same place.
pub(super) fn outputs(args: &CheckArgs) -> Result<Vec<Output>, Failure> {
    let mut formats = args.format.clone();
    let mut found: Vec<Output> = Vec::new();
    if formats.is_empty() {
        let in_actions = std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true");
        formats.push(if in_actions { Format::Github } else { Format::Full });
        let summary = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| in_actions && !path.is_empty());
        found.extend(
            summary.map(|path| Output { format: Format::Markdown, to: To::Append(PathBuf::from(path)) }),
        );
    }
    if args.output.len() > formats.len() {
        return Err(Failure::usage("there are more --output files than --format values"));
    }
    for (at, format) in formats.into_iter().enumerate() {
        let to = match args.output.get(at) {
            Some(path) if path != Path::new("-") => To::File(path.clone()),
            _ => To::Stdout,
        };
        if let Some(other) = found.iter().find(|other| other.to == to) {
            let place = match to {
                To::Stdout => "standard output".to_owned(),
                To::File(path) | To::Append(path) => path.display().to_string(),
            };
            return Err(Failure::usage(format!(
                "{place} cannot take both {} and {format}: give each format its own --output",
                other.format
            )));
        }
        found.push(Output { format, to });
    }
    Ok(found)
}

/// Writes every report. `options` are those of standard output.
///
/// # Errors
/// Where a file cannot be written, or standard output is gone.
pub(super) fn write(report: &Report, outputs: &[Output], options: &Options) -> Result<(), Failure> {
    let plain = Options { color: false, ..options.clone() };
    for Output { format, to } in outputs {
        let path = match to {
            To::Stdout => {
                let mut out = std::io::stdout().lock();
                report::write(report, rules::pages, *format, options, &mut out)?;
                continue;
            }
            To::File(path) | To::Append(path) => path,
        };
        let mut bytes = Vec::new();
        report::write(report, rules::pages, *format, &plain, &mut bytes)?;
        let mut open = std::fs::OpenOptions::new();
        match to {
            To::Append(_) => open.append(true),
            _ => open.write(true).truncate(true),
        };
        open.create(true).open(path).and_then(|mut file| file.write_all(&bytes)).map_err(|error| {
            Failure::usage(format!("{}: cannot write the report: {error}", path.display()))
        })?;
    }
    Ok(())
}

/// Says something beside the reports: in the one for people where it is on standard output, else on standard error.
///
/// # Errors
/// Where standard error is gone.
pub(super) fn note(outputs: &[Output], options: &mut Options, text: String) -> Result<(), Failure> {
    if outputs.contains(&Output { format: Format::Full, to: To::Stdout }) {
        options.notes.push(text);
    } else {
        writeln!(std::io::stderr(), "gpulint: note: {text}")?;
    }
    Ok(())
}

/// What standard output is like.
pub(super) fn options(args: &CheckArgs, prefix: &str) -> Options {
    Options { color: setup::color(args.color), prefix: prefix.to_owned(), ..Options::default() }
}
