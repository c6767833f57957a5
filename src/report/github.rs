//! GitHub workflow commands, which become annotations.
//!
//! GitHub keeps 10 errors, 10 warnings and 10 notices of a step and drops the rest without a word. So the first ones of
//! every severity become annotations and the rest plain lines of the log, under a line that says how many there are.

use super::concise::line;
use super::place::Place;
use super::text::{Paint, clean, count, one_line};
use super::{Options, SEVERITIES, summary};
use crate::diagnostic::{Diagnostic, Report, Severity, Skipped};
use crate::rules::page::rule_url;
use std::io::{self, Write};

/// Annotations of one severity that GitHub keeps of a step (actions/toolkit, docs/problem-matchers.md).
const MOST: usize = 10;

pub(super) fn write(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut rest: Vec<String> = Vec::new();
    for severity in SEVERITIES {
        let findings = report.diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity);
        let mut annotated = 0;
        for diagnostic in findings {
            if annotated < MOST {
                annotation(report, options, diagnostic, out)?;
                annotated += 1;
            } else {
                rest.push(line(&report.files, diagnostic, Paint { color: false }));
            }
        }
        if severity == Severity::Warning {
            for input in report.skipped.iter().filter(|input| input.broken) {
                if annotated < MOST {
                    broken(options, input, out)?;
                    annotated += 1;
                } else {
                    rest.push(summary::not_linted(input, &input.file));
                }
            }
        }
    }
    if !rest.is_empty() {
        let more = count(rest.len() as u64, "more line");
        writeln!(out, "{more} without annotations, of which GitHub keeps {MOST} of each severity:")?;
    }
    for line in rest {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{}", summary::verdict(report))
}

fn annotation(
    report: &Report,
    options: &Options,
    diagnostic: &Diagnostic,
    out: &mut dyn Write,
) -> io::Result<()> {
    let command = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let place = Place::of(&report.files, diagnostic.span);
    // Columns count only where the lines are the same.
    let end = place.end_on_first_line();
    let path = options.repository_path(place.path);
    // The properties do not reach the log, so the message says the place again.
    let (line, column) = (place.start.line, place.start.column);
    let mut message = format!("{}:{line}:{column}: {}", one_line(&path), clean(&diagnostic.message));
    if let Some(help) = &diagnostic.help {
        message.push_str("\nhelp: ");
        message.push_str(&clean(help));
    }
    message.push('\n');
    message.push_str(&rule_url(diagnostic.rule));
    writeln!(
        out,
        "::{command} file={},line={},endLine={},col={},endColumn={},title={}::{}",
        property(&path),
        line,
        end.line,
        column,
        end.column,
        property(diagnostic.rule),
        data(&message)
    )
}

fn broken(options: &Options, input: &Skipped, out: &mut dyn Write) -> io::Result<()> {
    let path = options.repository_path(&input.file);
    let place = input.place.map(|(line, column)| format!(",line={line},col={column}")).unwrap_or_default();
    let message = data(&summary::not_linted(input, &path));
    writeln!(out, "::warning file={}{place},title=not linted::{message}", property(&path))
}

/// Escapes the message of a command (actions/toolkit, packages/core/src/command.ts).
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Format, sample};

    #[test]
    fn a_finding_is_an_annotation() {
        let expected = r##"::error file=clusters/a/deploy/pool.yaml,line=7,endLine=7,col=26,endColumn=50,title=gpu-pool-consolidation::clusters/a/deploy/pool.yaml:7:26: pool `gpu` is consolidated while its nodes work, and every move kills the jobs on a node%0Ahelp: remove only empty nodes%0Ahttps://gpulint.dev/rules/gpu-pool-consolidation
::warning file=clusters/a/charts/über gpu/hpa%2C1.yaml,line=6,endLine=6,col=43,endColumn=63,title=scale-on-gpu-utilization::clusters/a/charts/über gpu/hpa,1.yaml:6:43: `DCGM_FI_DEV_GPU_UTIL` drives scaling & says 100%25 <busy> at one request | or many%0Ahelp: scale on `vllm:num_requests_waiting`%0Ahttps://gpulint.dev/rules/scale-on-gpu-utilization
::warning file=clusters/a/deploy/broken%3A a.yaml,line=3,col=7,title=not linted::clusters/a/deploy/broken: a.yaml:3:7: not linted: did not find expected key
::notice file=clusters/a/deploy/pool.yaml,line=8,endLine=8,col=23,endColumn=26,title=gpu-pool-consolidate-after::clusters/a/deploy/pool.yaml:8:23: empty nodes of pool `gpu` go after 30s%0Ahttps://gpulint.dev/rules/gpu-pool-consolidate-after
1 error, 1 warning and 1 info in 3 files
"##;
        assert_eq!(sample::render(Format::Github, &sample::options()), expected);
    }

    #[test]
    fn commands_are_escaped() {
        for (text, as_data, as_property) in [
            ("plain é", "plain é", "plain é"),
            ("100% a:b,c", "100%25 a:b,c", "100%25 a%3Ab%2Cc"),
            ("a\r\nb", "a%0D%0Ab", "a%0D%0Ab"),
            ("%0A", "%250A", "%250A"),
        ] {
            assert_eq!((data(text).as_str(), property(text).as_str()), (as_data, as_property));
        }
    }

    #[test]
    fn what_github_would_drop_is_in_the_log() {
        let mut report = sample::report();
        let (warning, error) = (report.diagnostics[0].clone(), report.diagnostics[1].clone());
        report.diagnostics = [vec![warning; 9], vec![error; 13]].concat();
        let input = report.skipped.pop().unwrap();
        report.skipped = vec![input; 4];
        let mut out = Vec::new();
        write(&report, &Options::default(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let starts = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!((starts("::error "), starts("::warning "), starts("::notice ")), (10, 10, 0));
        assert_eq!(
            (starts("deploy/pool.yaml:7:26: error["), starts("deploy/broken: a.yaml:3:7: not linted")),
            (3, 3)
        );
        assert_eq!(starts("6 more lines without annotations"), 1);
        assert!(text.starts_with("::error "), "worst first");
    }
}
