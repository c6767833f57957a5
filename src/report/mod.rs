//! Writes a report: for people, for editors and for the machines that read findings.
//!
//! Every format is a function of the report, the rule pages and [`Options`]: no environment, clock or terminal is
//! asked, so that the same inputs give the same bytes everywhere.

mod concise;
mod full;
mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod patch;
mod place;
#[cfg(test)]
mod sample;
mod sarif;
pub mod schema;
mod snippet;
mod summary;
mod text;

use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::rules::page::Page;
use std::fmt;
use std::io::{self, BufWriter, Write};
use std::str::FromStr;

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub enum Format {
    /// Source snippets, reasons and edits, for people.
    Full,
    /// One line a finding, for people and editors.
    Concise,
    /// The versioned JSON report (`gpulint schema report`).
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands that become annotations on GitHub.
    Github,
    /// A GitLab Code Quality report.
    Gitlab,
    /// JUnit XML, for everything that reads test results.
    Junit,
    /// A Markdown table, for step summaries and comments.
    Markdown,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 8] = [
        Format::Full,
        Format::Concise,
        Format::Json,
        Format::Sarif,
        Format::Github,
        Format::Gitlab,
        Format::Junit,
        Format::Markdown,
    ];

    /// The name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Format::Full => "full",
            Format::Concise => "concise",
            Format::Json => "json",
            Format::Sarif => "sarif",
            Format::Github => "github",
            Format::Gitlab => "gitlab",
            Format::Junit => "junit",
            Format::Markdown => "markdown",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The name of a format that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFormat(String);

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = Format::ALL.map(Format::word).join(", ");
        write!(f, "`{}` is no format; the formats are {words}", self.0)
    }
}

impl std::error::Error for UnknownFormat {}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Format, UnknownFormat> {
        Format::ALL
            .into_iter()
            .find(|format| format.word() == word)
            .ok_or_else(|| UnknownFormat(word.to_owned()))
    }
}

/// What the caller knows about the reader of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whether the reader shows ANSI colours. Only [`Format::Full`] and [`Format::Concise`] have some.
    pub color: bool,
    /// Whether the reader shows box-drawing characters; without, [`Format::Full`] draws in ASCII.
    pub unicode: bool,
    /// Columns of the terminal, at least 40. Only [`Format::Full`] wraps.
    pub width: usize,
    /// The working directory relative to the root of the repository, with `/`; empty where they are the same. Formats
    /// that a server reads name files relative to the root.
    pub prefix: String,
    /// The root of the repository as an absolute path with `/`, where SARIF should say it. None keeps the report the
    /// same on every machine.
    pub root: Option<String>,
    /// What the caller adds to the summary of [`Format::Full`], one line each: lower case, no final stop.
    pub notes: Vec<String>,
}

impl Default for Options {
    /// Plain text, 100 columns wide, run from the root of the repository.
    fn default() -> Options {
        Options { color: false, unicode: true, width: 100, prefix: String::new(), root: None, notes: vec![] }
    }
}

/// Writes `report` in the form `format`. `pages` gives the pages of all rules, and is asked only by a form that holds
/// documentation.
///
/// # Errors
/// Only those of `out`.
pub fn write<'p>(
    report: &Report,
    pages: impl FnOnce() -> &'p [Page],
    format: Format,
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    match format {
        Format::Full => full::write(report, options, &mut out),
        Format::Concise => concise::write(report, options, &mut out),
        Format::Json => json::write(report, &mut out),
        Format::Sarif => sarif::write(report, pages(), options, &mut out),
        Format::Github => github::write(report, options, &mut out),
        Format::Gitlab => gitlab::write(report, options, &mut out),
        Format::Junit => junit::write(report, options, &mut out),
        Format::Markdown => markdown::write(report, options, &mut out),
    }?;
    out.flush()
}

/// The findings, worst first; within a severity in the order of the report.
fn worst_first(report: &Report) -> Vec<&Diagnostic> {
    let mut diagnostics: Vec<&Diagnostic> = report.diagnostics.iter().collect();
    diagnostics.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.severity));
    diagnostics
}

/// The severities, worst first.
const SEVERITIES: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Info];

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn a_format_has_one_name() {
        for format in Format::ALL {
            assert_eq!(format.word().parse(), Ok(format));
            assert_eq!(format.to_possible_value().unwrap().get_name(), format.to_string());
        }
        assert_eq!(Format::value_variants(), Format::ALL);
        let error = "xml".parse::<Format>().unwrap_err().to_string();
        assert!(error.starts_with("`xml` is no format; the formats are full, concise,"), "{error}");
    }

    #[test]
    fn the_same_report_gives_the_same_bytes() {
        let pages = [sample::page()];
        for format in Format::ALL {
            let render = || {
                let mut out = Vec::new();
                write(&sample::report(), || &pages, format, &Options::default(), &mut out).unwrap();
                String::from_utf8(out).unwrap()
            };
            let text = render();
            assert_eq!(text, render(), "{format}");
            assert!(text.ends_with('\n'), "{format}");
            assert!(text.contains("gpu-pool-consolidation"), "{format}");
        }
    }
}
