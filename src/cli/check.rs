//! `gpulint check`: lints and reports.

use super::accepted::{self, Accepted};
use super::args::CheckArgs;
use super::scope::Scope;
use super::setup::{self, Setup};
use super::{Exit, Failure, count, fixing, output};
use crate::config::Profile;
use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::inventory::Overlay;
use crate::source::Files;
use std::io::Write;

pub(super) fn run(args: CheckArgs) -> Result<Exit, Failure> {
    let setup = Setup::read(&args.input)?;
    let profile = args.profile.map_or(setup.config.profile, Profile::from);
    if args.show_config {
        std::io::stdout().lock().write_all(setup.config.show(profile).as_bytes())?;
        return Ok(Exit::Clean);
    }
    let outputs = output::outputs(&args)?;
    let scope = Scope::new(&args)?;
    let baseline = args.baseline.as_deref().map(Accepted::read).transpose()?;
    let stdin = setup::stdin(&args.input)?;
    let run = Run { args: &args, setup: &setup, profile, scope, baseline, stdin };
    if let Some(path) = &args.write_baseline {
        return accepted::write(&run.lint(&[]), path);
    }
    if args.diff {
        return fixing::diff(&run);
    }
    let mut report = if args.fix { fixing::write(&run)? } else { run.lint(&[]) };
    let mut options = output::options(&args, &run.scope.prefix);
    for note in run.narrow(&mut report) {
        output::note(&outputs, &mut options, note)?;
    }
    output::write(&report, &outputs, &options)?;
    Ok(run.verdict(&report))
}

/// One run with everything that was asked for.
pub(super) struct Run<'r> {
    pub(super) args: &'r CheckArgs,
    setup: &'r Setup,
    profile: Profile,
    scope: Scope,
    baseline: Option<Accepted>,
    stdin: Vec<Overlay>,
}

impl Run<'_> {
    /// Lints the inputs, with these texts in the place of files.
    pub(super) fn lint(&self, overlays: &[Overlay]) -> Report {
        let replaced = |input: &&Overlay| !overlays.iter().any(|overlay| overlay.path == input.path);
        let overlays = self.stdin.iter().filter(replaced).chain(overlays).cloned().collect();
        crate::lint(self.setup.request(&self.args.input, &self.scope.paths, overlays, self.profile))
    }

    /// Takes away what is accepted or not asked for, and says so.
    pub(super) fn narrow(&self, report: &mut Report) -> Vec<String> {
        let findings = std::mem::take(&mut report.diagnostics);
        let (kept, notes) = self.select(&report.files, findings);
        report.diagnostics = kept;
        report.skipped.retain(|skipped| self.scope.covers(&skipped.file));
        notes
    }

    /// The findings that are asked for and not accepted, with what there is to say of the others.
    pub(super) fn select(&self, files: &Files, findings: Vec<Diagnostic>) -> (Vec<Diagnostic>, Vec<String>) {
        let (mut kept, mut notes) = match &self.baseline {
            Some(baseline) => baseline.narrow(files, findings, &self.scope),
            None => (findings, vec![]),
        };
        let hidden = self.scope.narrow(files, &mut kept);
        if hidden > 0 {
            notes.push(format!("{} elsewhere not shown", count(hidden, "finding", "findings")));
        }
        (kept, notes)
    }

    /// How the run ends.
    pub(super) fn verdict(&self, report: &Report) -> Exit {
        let fail_on = self.args.fail_on.map_or(self.setup.config.fail_on, Severity::from);
        if report.worst().is_some_and(|worst| worst >= fail_on) {
            Exit::Findings
        } else if self.args.require_input && report.summary.objects.is_empty() {
            Exit::NoInput
        } else {
            Exit::Clean
        }
    }
}
