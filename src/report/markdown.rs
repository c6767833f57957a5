//! A Markdown table, for the summary of a workflow step or a comment.

use super::place::Place;
use super::text::{count, one_line};
use super::{Options, summary, worst_first};
use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::rules::page::rule_url;
use std::fmt::Write as _;
use std::io::{self, Write};

/// GitHub refuses a step summary over 1 MiB as a whole; what else the step writes needs some room.
const MOST_BYTES: usize = 900 * 1024;

/// Inputs named that were not linted.
const MOST_SKIPPED: usize = 100;

pub(super) fn write(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## gpulint\n\n{}\n", text(&summary::verdict(report)))?;
    let findings = worst_first(report);
    if !findings.is_empty() {
        writeln!(out, "| Severity | Rule | Place | Finding |\n| --- | --- | --- | --- |")?;
    }
    let mut written = 0;
    for (at, diagnostic) in findings.iter().enumerate() {
        let row = row(report, options, diagnostic);
        written += row.len();
        if written > MOST_BYTES {
            writeln!(out, "\n{} not shown", count((findings.len() - at) as u64, "more finding"))?;
            break;
        }
        out.write_all(row.as_bytes())?;
    }
    let broken: Vec<_> = report.skipped.iter().filter(|input| input.broken).collect();
    if !broken.is_empty() {
        writeln!(out, "\n**Not linted**\n")?;
    }
    for input in broken.iter().take(MOST_SKIPPED) {
        let place = summary::place(input, &options.repository_path(&input.file));
        writeln!(out, "- {}: {}", code(&place), text(&input.reason))?;
    }
    if broken.len() > MOST_SKIPPED {
        writeln!(out, "- {} more", broken.len() - MOST_SKIPPED)?;
    }
    Ok(())
}

fn row(report: &Report, options: &Options, diagnostic: &Diagnostic) -> String {
    let place = Place::of(&report.files, diagnostic.span);
    let severity = match diagnostic.severity {
        Severity::Error => "**error**",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let path = options.repository_path(place.path);
    let at = code(&format!("{path}:{}:{}", place.start.line, place.start.column));
    let (rule, url) = (diagnostic.rule, rule_url(diagnostic.rule));
    let mut row = format!("| {severity} | [{rule}]({url}) | {at} | {}", text(&diagnostic.message));
    if let Some(help) = &diagnostic.help {
        let _ = write!(row, "<br>{}", text(help));
    }
    row.push_str(" |\n");
    row
}

/// A code span inside a table, whatever is in it.
fn code(content: &str) -> String {
    let content = one_line(content).replace('|', "\\|");
    let fence = "`".repeat(longest_run(&content) + 1);
    if fence.len() == 1 { format!("{fence}{content}{fence}") } else { format!("{fence} {content} {fence}") }
}

fn longest_run(text: &str) -> usize {
    let mut run = 0;
    text.chars().fold(0, |longest, c| {
        run = if c == '`' { run + 1 } else { 0 };
        longest.max(run)
    })
}

/// A text inside a table. Code spans in it stay, everything else that Markdown would act on is escaped.
fn text(text: &str) -> String {
    let line = one_line(text);
    let mut escaped = String::with_capacity(line.len());
    let mut parts = line.split('`').peekable();
    let mut inside = false;
    while let Some(part) = parts.next() {
        // A backtick without a partner opens nothing.
        let opens = !inside && parts.clone().count() >= 2;
        for c in part.chars() {
            let acts = if inside { c == '|' } else { "\\`*_{}[]<>()#+!|~&@".contains(c) };
            if acts {
                escaped.push('\\');
            }
            escaped.push(c);
        }
        if parts.peek().is_some() {
            escaped.push_str(if inside || opens { "`" } else { "\\`" });
            inside = opens;
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Format, sample};

    #[test]
    fn texts_are_safe_in_a_table() {
        for (given, expected) in [
            ("plain text", "plain text"),
            ("a | b\nc", "a \\| b c"),
            ("`a|b` <b>", "`a\\|b` \\<b\\>"),
            ("`rate(x[5m])` is *not* a_b", "`rate(x[5m])` is \\*not\\* a\\_b"),
            ("one ` alone *", "one \\` alone \\*"),
            ("`a` and ` *", "`a` and \\` \\*"),
            ("@team #12 [x](y)", "\\@team \\#12 \\[x\\]\\(y\\)"),
        ] {
            assert_eq!(text(given), expected);
        }
        for (given, expected) in
            [("a/b.yaml:1:2", "`a/b.yaml:1:2`"), ("a|b", "`a\\|b`"), ("a`b``c", "``` a`b``c ```")]
        {
            assert_eq!(code(given), expected);
        }
    }

    #[test]
    fn a_summary_stays_below_the_limit_of_github() {
        let mut report = sample::report();
        let mut one = report.diagnostics.remove(0);
        one.message = "x".repeat(1000);
        report.diagnostics = vec![one; 2000];
        let mut out = Vec::new();
        write(&report, &Options::default(), &mut out).unwrap();
        assert!(out.len() < 1024 * 1024, "{}", out.len());
        let text = String::from_utf8(out).unwrap();
        let shown = text.matches("\n| warning |").count();
        assert!(shown > 500, "{shown}");
        assert!(text.contains(&format!("\n{} more findings not shown\n", 2000 - shown)), "{shown}");
    }

    #[test]
    fn a_finding_is_a_row() {
        let expected = r##"## gpulint

1 error, 1 warning and 1 info in 3 files

| Severity | Rule | Place | Finding |
| --- | --- | --- | --- |
| **error** | [gpu-pool-consolidation](https://gpulint.dev/rules/gpu-pool-consolidation) | `clusters/a/deploy/pool.yaml:7:26` | pool `gpu` is consolidated while its nodes work, and every move kills the jobs on a node<br>remove only empty nodes |
| warning | [scale-on-gpu-utilization](https://gpulint.dev/rules/scale-on-gpu-utilization) | `clusters/a/charts/über gpu/hpa,1.yaml:6:43` | `DCGM_FI_DEV_GPU_UTIL` drives scaling \& says 100% \<busy\> at one request \| or many<br>scale on `vllm:num_requests_waiting` |
| info | [gpu-pool-consolidate-after](https://gpulint.dev/rules/gpu-pool-consolidate-after) | `clusters/a/deploy/pool.yaml:8:23` | empty nodes of pool `gpu` go after 30s |

**Not linted**

- `clusters/a/deploy/broken: a.yaml:3:7`: did not find expected key
"##;
        assert_eq!(sample::render(Format::Markdown, &sample::options()), expected);
    }
}
