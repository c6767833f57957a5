//! JUnit XML: a suite a file, a failed case a finding, a skipped case an input that could not be read.

use super::place::Place;
use super::text::is_control;
use super::{Options, summary};
use crate::diagnostic::{Diagnostic, Report};
use crate::fingerprint::fingerprints;
use crate::rules::page::rule_url;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The cases of one file.
#[derive(Debug, Default)]
struct Suite {
    cases: Vec<String>,
    failures: usize,
    skipped: usize,
    /// How often a rule has a case already: readers drop the second of two cases of the same name.
    seen: BTreeMap<&'static str, usize>,
}

pub(super) fn write(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let mut suites: BTreeMap<String, Suite> = BTreeMap::new();
    for (diagnostic, fingerprint) in
        report.diagnostics.iter().zip(fingerprints(&report.files, &report.diagnostics))
    {
        let path = options.repository_path(report.files.path(diagnostic.span.file));
        let suite = suites.entry(path.clone()).or_default();
        suite.failures += 1;
        let seen = suite.seen.entry(diagnostic.rule).or_insert(0);
        *seen += 1;
        let ordinal = if *seen == 1 { String::new() } else { format!("#{seen}") };
        suite.cases.push(failure(report, diagnostic, &path, &ordinal, &fingerprint));
    }
    for input in report.skipped.iter().filter(|input| input.broken) {
        let path = options.repository_path(&input.file);
        let (name, message) = (escape(&path), escape(&format!("not linted: {}", input.reason)));
        let suite = suites.entry(path).or_default();
        suite.skipped += 1;
        suite.cases.push(format!(
            "    <testcase name=\"org.gpulint.input#{}\" classname=\"{name}\" time=\"0\">\n      \
             <skipped message=\"{message}\"/>\n    </testcase>\n",
            suite.skipped,
        ));
    }
    if suites.is_empty() {
        // A report without a case looks like a run that never was.
        let suite = suites.entry("gpulint".to_owned()).or_default();
        let name = escape(&summary::verdict(report));
        suite.cases.push(format!("    <testcase name=\"{name}\" classname=\"gpulint\" time=\"0\"/>\n"));
    }
    let total = |number: fn(&Suite) -> usize| suites.values().map(number).sum::<usize>();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"gpulint\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"0\">",
        total(|suite| suite.cases.len()),
        total(|suite| suite.failures),
        total(|suite| suite.skipped),
    )?;
    for (path, suite) in &suites {
        writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"0\">",
            escape(path),
            suite.cases.len(),
            suite.failures,
            suite.skipped,
        )?;
        for case in &suite.cases {
            out.write_all(case.as_bytes())?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn failure(report: &Report, diagnostic: &Diagnostic, path: &str, ordinal: &str, fingerprint: &str) -> String {
    let place = Place::of(&report.files, diagnostic.span);
    let (line, column) = (place.start.line, place.start.column);
    let mut text = format!("{path}:{line}:{column}: {}\n", diagnostic.message);
    if let Some(help) = &diagnostic.help {
        text.push_str(&format!("help: {help}\n"));
    }
    text.push_str(&format!("{}\nfingerprint: {fingerprint}", rule_url(diagnostic.rule)));
    format!(
        "    <testcase name=\"org.gpulint.{}{ordinal}\" classname=\"{}\" line=\"{line}\" column=\"{column}\" \
         time=\"0\">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
        diagnostic.rule,
        escape(path),
        diagnostic.severity.word(),
        escape(&diagnostic.message),
        escape_text(&text),
    )
}

/// A text inside an attribute. Line breaks are written as references: readers turn bare ones into blanks.
fn escape(text: &str) -> String {
    escape_text(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

/// A text between tags. Characters that XML 1.0 does not allow in any form are replaced.
fn escape_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\n' | '\t' => escaped.push(c),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if is_control(c) => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Format, sample};

    #[test]
    fn everything_is_escaped() {
        for (text, attribute, content) in [
            ("plain é", "plain é", "plain é"),
            (
                "<a b=\"c\">&'</a>",
                "&lt;a b=&quot;c&quot;&gt;&amp;&apos;&lt;/a&gt;",
                "&lt;a b=&quot;c&quot;&gt;&amp;&apos;&lt;/a&gt;",
            ),
            ("a\r\nb\tc", "a&#10;b&#9;c", "a\nb\tc"),
            ("\u{0}\u{1b}\u{ffff}\r", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            ("]]>", "]]&gt;", "]]&gt;"),
        ] {
            assert_eq!(escape(text), attribute, "{text:?}");
            assert_eq!(escape_text(text), content, "{text:?}");
        }
    }

    #[test]
    fn a_finding_is_a_failed_case() {
        let expected = r##"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="gpulint" tests="4" failures="3" errors="0" skipped="1" time="0">
  <testsuite name="clusters/a/charts/über gpu/hpa,1.yaml" tests="1" failures="1" errors="0" skipped="0" time="0">
    <testcase name="org.gpulint.scale-on-gpu-utilization" classname="clusters/a/charts/über gpu/hpa,1.yaml" line="6" column="43" time="0">
      <failure type="warning" message="`DCGM_FI_DEV_GPU_UTIL` drives scaling &amp; says 100% &lt;busy&gt; at one request | or many">clusters/a/charts/über gpu/hpa,1.yaml:6:43: `DCGM_FI_DEV_GPU_UTIL` drives scaling &amp; says 100% &lt;busy&gt; at one request | or many
help: scale on `vllm:num_requests_waiting`
https://gpulint.dev/rules/scale-on-gpu-utilization
fingerprint: 5f8fdeff3c26335b</failure>
    </testcase>
  </testsuite>
  <testsuite name="clusters/a/deploy/broken: a.yaml" tests="1" failures="0" errors="0" skipped="1" time="0">
    <testcase name="org.gpulint.input#1" classname="clusters/a/deploy/broken: a.yaml" time="0">
      <skipped message="not linted: did not find expected key"/>
    </testcase>
  </testsuite>
  <testsuite name="clusters/a/deploy/pool.yaml" tests="2" failures="2" errors="0" skipped="0" time="0">
    <testcase name="org.gpulint.gpu-pool-consolidation" classname="clusters/a/deploy/pool.yaml" line="7" column="26" time="0">
      <failure type="error" message="pool `gpu` is consolidated while its nodes work, and every move kills the jobs on a node">clusters/a/deploy/pool.yaml:7:26: pool `gpu` is consolidated while its nodes work, and every move kills the jobs on a node
help: remove only empty nodes
https://gpulint.dev/rules/gpu-pool-consolidation
fingerprint: 5ff6e66986fef74d</failure>
    </testcase>
    <testcase name="org.gpulint.gpu-pool-consolidate-after" classname="clusters/a/deploy/pool.yaml" line="8" column="23" time="0">
      <failure type="info" message="empty nodes of pool `gpu` go after 30s">clusters/a/deploy/pool.yaml:8:23: empty nodes of pool `gpu` go after 30s
https://gpulint.dev/rules/gpu-pool-consolidate-after
fingerprint: 3b207da1103eb296</failure>
    </testcase>
  </testsuite>
</testsuites>
"##;
        assert_eq!(sample::render(Format::Junit, &sample::options()), expected);
    }

    #[test]
    fn a_clean_report_has_one_case() {
        let mut out = Vec::new();
        let mut report = Report::default();
        report.summary.files = 2;
        report.summary.objects.insert("NodePool".to_owned(), 1);
        write(&report, &Options::default(), &mut out).unwrap();
        let expected = r##"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="gpulint" tests="1" failures="0" errors="0" skipped="0" time="0">
  <testsuite name="gpulint" tests="1" failures="0" errors="0" skipped="0" time="0">
    <testcase name="no findings in 2 files" classname="gpulint" time="0"/>
  </testsuite>
</testsuites>
"##;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn cases_of_one_file_have_different_names() {
        let mut report = sample::report();
        let one = report.diagnostics.remove(0);
        report.diagnostics = vec![one; 3];
        let mut out = Vec::new();
        write(&report, &Options::default(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for name in ["utilization", "utilization#2", "utilization#3"] {
            assert_eq!(text.matches(&format!("\"org.gpulint.scale-on-gpu-{name}\"")).count(), 1, "{name}");
        }
    }
}
