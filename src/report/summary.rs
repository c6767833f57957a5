//! What was found, seen and passed over, so that silence means something.

use super::SEVERITIES;
use super::text::{Paint, Style, count, list, one_line};
use crate::diagnostic::{Report, Skipped};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Lines about skipped inputs; a report over a whole company has thousands.
const MOST_LINES: usize = 10;

/// Files named for one reason.
const MOST_FILES: usize = 3;

/// `2 errors and 1 warning in 3 files`, or that there is nothing.
pub(super) fn verdict(report: &Report) -> String {
    let found: Vec<String> = SEVERITIES
        .into_iter()
        .map(|severity| (report.count(severity) as u64, severity.word()))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| count(number, word))
        .collect();
    let found = if found.is_empty() { "no findings".to_owned() } else { list(&found) };
    let nothing =
        if report.summary.objects.is_empty() { ", none with an object that gpulint knows" } else { "" };
    format!("{found} in {}{nothing}", count(report.summary.files, "file"))
}

/// The verdict, the objects by kind and the inputs that were passed over.
pub(super) fn write(report: &Report, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let style = report.worst().map_or(Style::Green, Style::of);
    writeln!(out, "{}", paint.style(style, verdict(report)))?;
    let objects: Vec<String> =
        report.summary.objects.iter().map(|(kind, number)| format!("{number} {}", one_line(kind))).collect();
    if report.summary.documents > 0 {
        let documents = count(report.summary.documents, "document");
        let objects = if objects.is_empty() { String::new() } else { format!(": {}", objects.join(", ")) };
        writeln!(out, "{documents}{objects}")?;
    }
    skipped(&report.skipped, paint, out)
}

/// The inputs that were not linted: broken ones one by one and first, the rest by reason.
fn skipped(skipped: &[Skipped], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    if skipped.is_empty() {
        return Ok(());
    }
    let broken = skipped.iter().filter(|input| input.broken);
    let mut lines: Vec<String> =
        broken.map(|input| format!("{}: {}", place(input, &input.file), one_line(&input.reason))).collect();
    let first_of_rest = lines.len();
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for input in skipped.iter().filter(|input| !input.broken) {
        reasons.entry(&input.reason).or_default().push(&input.file);
    }
    for (reason, files) in reasons {
        let mut names: Vec<String> =
            files.iter().take(MOST_FILES).map(|file| one_line(file).into_owned()).collect();
        let more = files.len() - names.len();
        if more > 0 {
            names.push(format!("{more} more"));
        }
        lines.push(format!("{}: {}", one_line(reason), list(&names)));
    }
    writeln!(out, "not linted:")?;
    let shown = if lines.len() == MOST_LINES + 1 { lines.len() } else { MOST_LINES };
    for (at, line) in lines.iter().take(shown).enumerate() {
        if at < first_of_rest {
            writeln!(out, "  {}", paint.style(Style::Yellow, line))?;
        } else {
            writeln!(out, "  {line}")?;
        }
    }
    if lines.len() > shown {
        writeln!(out, "  {} more", lines.len() - shown)?;
    }
    Ok(())
}

/// `path:line:column: not linted: reason`, for an input that could not be read.
pub(super) fn not_linted(input: &Skipped, path: &str) -> String {
    format!("{}: not linted: {}", place(input, path), one_line(&input.reason))
}

/// `path:line:column` of what is broken, as far as it is known.
pub(super) fn place(input: &Skipped, path: &str) -> String {
    let place = input.place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
    format!("{}{place}", one_line(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn skip(file: &str, reason: &str, broken: bool) -> Skipped {
        let place = broken.then_some((3, 7));
        Skipped { file: file.to_owned(), place, reason: reason.to_owned(), broken }
    }

    #[track_caller]
    fn check(report: &Report, expected: &str) {
        let mut out = Vec::new();
        write(report, Paint { color: false }, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn silence_says_what_was_seen() {
        let mut report = Report::default();
        check(&report, "no findings in 0 files, none with an object that gpulint knows\n");
        report.summary.files = 1;
        report.summary.documents = 2;
        check(&report, "no findings in 1 file, none with an object that gpulint knows\n2 documents\n");
        report.summary.objects.insert("NodePool".to_owned(), 1);
        check(&report, "no findings in 1 file\n2 documents: 1 NodePool\n");
    }

    #[test]
    fn skipped_inputs_are_grouped_by_reason() {
        let mut report = sample::report();
        report.skipped = (0..6).map(|n| skip(&format!("chart/{n}.yaml"), "a Helm template", false)).collect();
        report.skipped.push(skip("z.yaml", "over the size limit", false));
        report.skipped.push(skip("bad.yaml", "did not find expected key", true));
        check(
            &report,
            "1 error, 1 warning and 1 info in 3 files
4 documents: 1 HorizontalPodAutoscaler, 2 NodePool
not linted:
  bad.yaml:3:7: did not find expected key
  a Helm template: chart/0.yaml, chart/1.yaml, chart/2.yaml and 3 more
  over the size limit: z.yaml
",
        );
    }

    #[test]
    fn a_long_list_is_cut() {
        let lines = |number: usize| {
            let skipped: Vec<Skipped> =
                (0..number).map(|n| skip(&format!("{n:02}.yaml"), "bad", true)).collect();
            let mut out = Vec::new();
            super::skipped(&skipped, Paint { color: false }, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            (text.lines().count(), text.lines().last().unwrap_or("").trim().to_owned())
        };
        assert_eq!(lines(0), (0, String::new()));
        assert_eq!(lines(11), (12, "10.yaml:3:7: bad".to_owned()));
        assert_eq!(lines(12), (12, "2 more".to_owned()));
    }
}
