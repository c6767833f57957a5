//! The baseline of a run: which findings a team has accepted.

use super::scope::Scope;
use super::{Exit, Failure};
use crate::baseline::{self, Baseline, Entry};
use crate::diagnostic::{Diagnostic, Report};
use crate::source::Files;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Stale entries that a note names.
const MOST_NAMED: usize = 3;

/// A baseline with the file that it comes from.
pub(super) struct Accepted {
    path: PathBuf,
    baseline: Baseline,
}

impl Accepted {
    /// Reads a baseline.
    ///
    /// # Errors
    /// Where the file cannot be read or holds something else.
    pub(super) fn read(path: &Path) -> Result<Accepted, Failure> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("{shown}: cannot read the baseline: {error}")))?;
        let baseline = baseline::read(&text).map_err(|error| Failure::usage(format!("{shown}: {error}")))?;
        Ok(Accepted { path: path.to_owned(), baseline })
    }

    /// The findings that are not accepted, with what there is to say.
    pub(super) fn narrow(
        &self,
        files: &Files,
        findings: Vec<Diagnostic>,
        scope: &Scope,
    ) -> (Vec<Diagnostic>, Vec<String>) {
        let compared = self.baseline.apply(files, findings);
        let path = self.path.display();
        let mut notes = Vec::new();
        if compared.dropped > 0 {
            notes.push(format!("{path} accepts {}", super::count(compared.dropped, "finding", "findings")));
        }
        let stale: Vec<&Entry> = compared.stale.iter().filter(|entry| scope.reads(&entry.file)).collect();
        if !stale.is_empty() {
            let mut names: Vec<String> = stale
                .iter()
                .take(MOST_NAMED)
                .map(|entry| format!("{} in {}", entry.rule, entry.file))
                .collect();
            let more = stale.len() - names.len();
            if more > 0 {
                names.push(format!("{more} more"));
            }
            notes.push(format!(
                "{path} has {} that nothing matches any more ({}): write it again with --write-baseline",
                super::count(stale.len(), "entry", "entries"),
                names.join(", ")
            ));
        }
        (compared.kept, notes)
    }
}

/// Accepts all findings of a report.
///
/// # Errors
/// Where the file cannot be written.
pub(super) fn write(report: &Report, path: &Path) -> Result<Exit, Failure> {
    let text = baseline::write(report);
    if path == Path::new("-") {
        std::io::stdout().lock().write_all(text.as_bytes())?;
        return Ok(Exit::Clean);
    }
    let shown = path.display();
    std::fs::write(path, text)
        .map_err(|error| Failure::usage(format!("{shown}: cannot write the baseline: {error}")))?;
    let findings = super::count(report.diagnostics.len(), "finding", "findings");
    writeln!(std::io::stderr(), "gpulint: {shown} accepts {findings}")?;
    Ok(Exit::Clean)
}
