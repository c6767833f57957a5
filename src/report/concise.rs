//! One line a finding: `file:line:column: severity[rule] message`, which editors and problem matchers read.

use super::place::Place;
use super::text::{Paint, Style, one_line};
use super::{Options, summary};
use crate::diagnostic::{Diagnostic, Report};
use crate::source::Files;
use std::io::{self, Write};

pub(super) fn write(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { color: options.color };
    for diagnostic in &report.diagnostics {
        writeln!(out, "{}", line(&report.files, diagnostic, paint))?;
    }
    for input in report.skipped.iter().filter(|input| input.broken) {
        writeln!(out, "{}", summary::not_linted(input, &input.file))?;
    }
    writeln!(out, "{}", summary::verdict(report))
}

/// The line of one finding.
pub(super) fn line(files: &Files, diagnostic: &Diagnostic, paint: Paint) -> String {
    let place = Place::of(files, diagnostic.span);
    let head = format!("{}[{}]", diagnostic.severity.word(), diagnostic.rule);
    format!(
        "{}:{}:{}: {} {}",
        paint.style(Style::Bold, one_line(place.path)),
        place.start.line,
        place.start.column,
        paint.style(Style::of(diagnostic.severity), head),
        one_line(&diagnostic.message)
    )
}

#[cfg(test)]
mod tests {
    use crate::report::{Format, sample};

    #[test]
    fn a_finding_is_one_line() {
        let expected = r##"charts/über gpu/hpa,1.yaml:6:43: warning[scale-on-gpu-utilization] `DCGM_FI_DEV_GPU_UTIL` drives scaling & says 100% <busy> at one request | or many
deploy/pool.yaml:7:26: error[gpu-pool-consolidation] pool `gpu` is consolidated while its nodes work, and every move kills the jobs on a node
deploy/pool.yaml:8:23: info[gpu-pool-consolidate-after] empty nodes of pool `gpu` go after 30s
deploy/broken: a.yaml:3:7: not linted: did not find expected key
1 error, 1 warning and 1 info in 3 files
"##;
        assert_eq!(sample::render(Format::Concise, &sample::options()), expected);
    }
}
