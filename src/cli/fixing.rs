//! `--fix` and `--diff`: the fixes of a run, shown or written.

use super::check::Run;
use super::{Exit, Failure, setup};
use crate::diagnostic::{Applicability, Report};
use crate::fix::{self, Outcome};
use std::io::Write;
use std::path::Path;

/// Prints the fixes as a diff. The exit status is that of the files as they are.
///
/// # Errors
/// Where the output is gone.
pub(super) fn diff(run: &Run<'_>) -> Result<Exit, Failure> {
    let outcome = rounds(run);
    let color = setup::color(run.args.color);
    let mut out = std::io::stdout().lock();
    for file in &outcome.changed {
        out.write_all(fix::diff(&file.path, &file.old, &file.new, color).as_bytes())?;
    }
    summary(run, &outcome, "would fix")?;
    let mut report = run.lint(&[]);
    run.narrow(&mut report);
    Ok(run.verdict(&report))
}

/// Writes the fixes. The report is that of the files as they are then.
///
/// # Errors
/// Where an input is no file, or a file cannot be written; the others are written all the same.
pub(super) fn write(run: &Run<'_>) -> Result<Report, Failure> {
    if run.args.input.paths.iter().any(|path| setup::is_stdin(path)) {
        return Err(Failure::usage("--fix cannot write to standard input; --diff shows the fixes"));
    }
    let outcome = rounds(run);
    let mut failures = Vec::new();
    for file in &outcome.changed {
        // Only UTF-8 files have fixes, so the text is the bytes on disk.
        let written = fix::write_atomically(Path::new(&file.path), file.old.as_bytes(), file.new.as_bytes());
        if let Err(error) = written {
            failures.push(format!("{}: not written: {error}", file.path));
        }
    }
    if !failures.is_empty() {
        return Err(Failure::usage(failures.join("\n  ")));
    }
    summary(run, &outcome, "fixed")?;
    Ok(outcome.report)
}

fn rounds(run: &Run<'_>) -> Outcome {
    let select = |report: &Report| run.select(&report.files, report.diagnostics.clone()).0;
    fix::rounds(&|overlays| run.lint(overlays), &select, allowed(run))
}

fn allowed(run: &Run<'_>) -> Applicability {
    if run.args.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe }
}

/// Says what was done, on standard error: standard output has the diff or the report.
fn summary(run: &Run<'_>, outcome: &Outcome, done: &str) -> Result<(), Failure> {
    let mut err = std::io::stderr().lock();
    for one in &outcome.fixed {
        let (path, at, rule) = (&one.path, one.at, one.finding.rule);
        writeln!(err, "{path}:{}:{}: {done} {rule}: {}", at.line, at.column, one.title)?;
    }
    for one in &outcome.refused {
        let (path, at, rule) = (&one.path, one.at, one.finding.rule);
        writeln!(err, "{path}:{}:{}: not fixed {rule}: {}", at.line, at.column, one.reason)?;
    }
    let findings = super::count(outcome.fixed.len(), "finding", "findings");
    let files = super::count(outcome.changed.len(), "file", "files");
    let (left, _) = run.select(&outcome.report.files, outcome.report.diagnostics.clone());
    let risky = left.iter().filter(|found| {
        let mut fixes = found.fixes.iter().map(|fix| fix.applicability);
        !run.args.unsafe_fixes && fixes.next() == Some(Applicability::Unsafe)
    });
    let more = match risky.count() {
        0 => String::new(),
        more => format!("; {more} more with --unsafe-fixes"),
    };
    writeln!(err, "gpulint: {done} {findings} in {files}{more}")?;
    Ok(())
}
