//! Baselines: findings that a team has accepted for now, so that only new ones are reported.

use crate::diagnostic::{Diagnostic, ObjectRef, Report};
use crate::fingerprint::meaning;
use crate::source::Files;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};

/// The version of the file format. Keys are only ever added within a version.
const VERSION: u32 = 1;

/// The findings that are accepted, as they lie in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    version: u32,
    tool: Tool,
    /// The accepted findings, sorted.
    pub entries: Vec<Entry>,
}

/// The program that wrote the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Tool {
    name: String,
    version: String,
}

/// One accepted finding. The fingerprint decides, and the file where there are several of one fingerprint; the rest is
/// for the people who review the baseline.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    /// Where it was found when the baseline was written.
    pub file: String,
    /// The rule.
    pub rule: String,
    /// The object, as `Kind/namespace/name`, where the finding is about one.
    pub object: Option<String>,
    /// What the finding said.
    pub message: String,
    /// See [`meaning`]. Findings that mean the same have entries with the same fingerprint.
    pub fingerprint: String,
}

/// Why a baseline cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaselineError {
    /// The file is not the JSON that was expected. Line and column are 1-based.
    Json {
        /// Line of the first wrong byte.
        line: usize,
        /// Column of the first wrong byte.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// The file has a version that this program does not know.
    Version(u32),
}

impl Display for BaselineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BaselineError::Json { message, .. } => write!(f, "not a baseline: {message}"),
            BaselineError::Version(found) => {
                write!(f, "the baseline has version {found}, this gpulint reads version {VERSION}")
            }
        }
    }
}

impl std::error::Error for BaselineError {}

/// The outcome of [`Baseline::apply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Findings that the baseline does not hold, in their order.
    pub kept: Vec<Diagnostic>,
    /// How many findings it did hold.
    pub dropped: usize,
    /// Entries that no finding matched: fixed since, and to be deleted.
    pub stale: Vec<Entry>,
}

impl Baseline {
    /// The baseline that holds every finding of a report.
    pub fn of(report: &Report) -> Baseline {
        let mut entries: Vec<Entry> = report
            .diagnostics
            .iter()
            .map(|found| Entry {
                file: report.files.path(found.span.file).to_owned(),
                rule: found.rule.to_owned(),
                object: found.object.as_ref().map(object_name),
                message: found.message.clone(),
                fingerprint: meaning(&report.files, found),
            })
            .collect();
        entries.sort();
        let tool = Tool { name: "gpulint".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        Baseline { version: VERSION, tool, entries }
    }

    /// Takes the accepted findings away.
    ///
    /// Every entry takes one finding, so a second problem of the same kind is reported although the first is accepted.
    /// Of several that mean the same, one in the file of the entry comes first.
    pub fn apply(&self, files: &Files, diagnostics: Vec<Diagnostic>) -> Compared {
        let mut left: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for entry in self.entries.iter().rev() {
            left.entry(entry.fingerprint.as_str()).or_default().push(entry);
        }
        let meanings: Vec<String> = diagnostics.iter().map(|found| meaning(files, found)).collect();
        let mut accepted: BTreeSet<usize> = BTreeSet::new();
        for same_file in [true, false] {
            for (at, (found, meaning)) in diagnostics.iter().zip(&meanings).enumerate() {
                let path = files.path(found.span.file);
                let Some(entries) = left.get_mut(meaning.as_str()) else { continue };
                let fits = |entry: &&Entry| !same_file || entry.file == path;
                if !accepted.contains(&at)
                    && let Some(entry) = entries.iter().rposition(fits)
                {
                    entries.remove(entry);
                    accepted.insert(at);
                }
            }
        }
        let kept = diagnostics.into_iter().enumerate().filter(|(at, _)| !accepted.contains(at));
        let kept = kept.map(|(_, found)| found).collect();
        let mut stale: Vec<Entry> = left.into_values().flatten().cloned().collect();
        stale.sort();
        Compared { kept, dropped: accepted.len(), stale }
    }
}

/// The text of a baseline file that accepts every finding of a report: pretty JSON, sorted, so that it merges and
/// diffs well.
pub fn write(report: &Report) -> String {
    // Strings and numbers only: there is nothing in a baseline that JSON cannot hold.
    let mut text = serde_json::to_string_pretty(&Baseline::of(report)).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads what [`write()`] wrote. Keys that this version does not know are passed over.
///
/// # Errors
/// Where the text is not JSON of this form, or of another version.
pub fn read(text: &str) -> Result<Baseline, BaselineError> {
    /// Read first, so that another version is named even where its entries look different.
    #[derive(Deserialize)]
    struct Header {
        version: u32,
    }
    let json = |error: serde_json::Error| BaselineError::Json {
        line: error.line(),
        column: error.column(),
        message: error.to_string(),
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let header: Header = serde_json::from_str(text).map_err(json)?;
    if header.version != VERSION {
        return Err(BaselineError::Version(header.version));
    }
    serde_json::from_str(text).map_err(json)
}

/// `Kind/namespace/name`, without what is not written.
fn object_name(object: &ObjectRef) -> String {
    let parts = [Some(object.kind.as_str()), object.namespace.as_deref(), object.name.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Severity;
    use crate::source::{Encoding, FileId, SourceFile, Span};

    /// A finding in short: rule, object as `apiVersion kind namespace name` with `-` for what is absent, field, file.
    fn found(short: &str) -> Diagnostic {
        let words: Vec<&str> = short.split(' ').collect();
        let word = |at: usize| (words[at] != "-").then(|| words[at].to_owned());
        let object = word(2).map(|kind| ObjectRef {
            api_version: word(1).unwrap_or_default(),
            kind,
            namespace: word(3),
            name: word(4),
        });
        Diagnostic {
            rule: ["gang-missing", "scale-on-cpu"].into_iter().find(|id| *id == words[0]).unwrap(),
            severity: Severity::Error,
            message: format!("message of {short}"),
            help: None,
            span: Span::new(FileId(words[6].parse().unwrap()), 0, 0),
            span_label: String::new(),
            document: 0,
            object,
            field: words[5].to_owned(),
            labels: vec![],
            fixes: vec![],
        }
    }

    fn files() -> Files {
        let mut files = Files::default();
        for path in ["a.yaml", "b.yaml"] {
            files.add(SourceFile::new(path.to_owned(), "".into(), Encoding::Utf8));
        }
        files
    }

    fn report(shorts: &[&str]) -> Report {
        let diagnostics = shorts.iter().map(|short| found(short)).collect();
        Report { files: files(), diagnostics, ..Report::default() }
    }

    /// What is left of `now` under a baseline written at `then`: kept, dropped, stale.
    fn check(then: &[&str], now: &[&str], kept: usize, dropped: usize, stale: usize) {
        let baseline = read(&write(&report(then))).unwrap();
        let now = report(now);
        let outcome = baseline.apply(&now.files, now.diagnostics.clone());
        let found = (outcome.kept.len(), outcome.dropped, outcome.stale.len());
        assert_eq!(found, (kept, dropped, stale), "{then:?} {:?}", now.diagnostics);
    }

    #[test]
    fn a_baseline_takes_as_many_as_it_holds() {
        let (a, b) = ("gang-missing v1 Pod prod a spec 0", "scale-on-cpu v1 Pod prod b spec 0");
        let moved = "gang-missing v1 Pod prod a spec 1";
        check(&[], &[], 0, 0, 0);
        check(&[], &[a], 1, 0, 0);
        check(&[a], &[], 0, 0, 1);
        check(&[a], &[a, b], 1, 1, 0);
        check(&[a], &[moved], 0, 1, 0);
        check(&[a], &[a, a], 1, 1, 0);
        check(&[a, a], &[a], 0, 1, 1);
        check(&[a, a, b], &[b, a, a], 0, 3, 0);
    }

    #[test]
    fn of_equal_findings_the_one_in_the_file_of_the_entry_is_accepted() {
        let [a, b] = ["gang-missing v1 Pod prod x spec 0", "gang-missing v1 Pod prod x spec 1"];
        for (then, now, kept) in [(b, [a, b], "a.yaml"), (a, [a, b], "b.yaml"), (b, [a, a], "a.yaml")] {
            let now = report(&now);
            let outcome = Baseline::of(&report(&[then])).apply(&now.files, now.diagnostics.clone());
            let files: Vec<&str> = outcome.kept.iter().map(|d| now.files.path(d.span.file)).collect();
            assert_eq!(files, [kept], "{then}");
        }
    }

    #[test]
    fn stale_entries_are_sorted() {
        let shorts: Vec<String> = (0..8).map(|n| format!("gang-missing v1 Pod - a{n} spec 0")).collect();
        let shorts: Vec<&str> = shorts.iter().map(String::as_str).collect();
        let baseline = Baseline::of(&report(&shorts));
        assert_eq!(baseline.apply(&files(), vec![]).stale, baseline.entries);
    }

    #[test]
    fn entries_are_for_people_and_sorted() {
        let written = report(&[
            "scale-on-cpu v1 Pod prod b spec 1",
            "gang-missing v1 Pod - a spec 0",
            "gang-missing - - - - x 0",
        ]);
        let baseline = read(&write(&written)).unwrap();
        let lines: Vec<String> = baseline
            .entries
            .iter()
            .map(|e| format!("{} {} {}", e.file, e.rule, e.object.as_deref().unwrap_or("-")))
            .collect();
        assert_eq!(
            lines,
            ["a.yaml gang-missing -", "a.yaml gang-missing Pod/a", "b.yaml scale-on-cpu Pod/prod/b"]
        );
        let again = write(&report(&[
            "gang-missing - - - - x 0",
            "gang-missing v1 Pod - a spec 0",
            "scale-on-cpu v1 Pod prod b spec 1",
        ]));
        assert_eq!(write(&written), again);
        assert!(again.ends_with("}\n"));
    }

    #[test]
    fn a_merge_that_doubled_an_entry_leaves_one_stale() {
        let short = "gang-missing v1 Pod prod a spec 0";
        let mut baseline = Baseline::of(&report(&[short]));
        baseline.entries.extend(baseline.entries.clone());
        let outcome = baseline.apply(&files(), vec![found(short)]);
        assert_eq!((outcome.dropped, outcome.stale.len()), (1, 1));
    }

    #[test]
    fn what_is_not_a_baseline_says_so() {
        let check = |text: &str, expect: &str| {
            assert!(read(text).unwrap_err().to_string().contains(expect), "{text}")
        };
        check("", "not a baseline");
        check("{\"version\": 2, \"future\": []}", "version 2, this gpulint reads version 1");
        check("{\"version\": 1}", "missing field");
        check("[]", "not a baseline");
        check(
            "{\"version\": 1, \"tool\": {\"name\": \"\", \"version\": \"\"}, \"entries\": [{}]}",
            "missing field",
        );
        let future = write(&report(&[])).replace("\"version\": 1", "\"later\": true, \"version\": 1");
        assert_eq!(read(&format!("\u{feff}{future}")).unwrap().entries, []);
    }
}
