//! Fixes applied to a whole run, and linted again before anything is written.

use super::{Refusal, apply, is_sound};
use crate::diagnostic::{Applicability, Diagnostic, Edit, Fix, Report, Severity};
use crate::fingerprint::meaning;
use crate::inventory::Overlay;
use crate::source::{FileId, Files, LineColumn};
use crate::yaml;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A run over the inputs, with these texts in the place of files.
pub type Lint<'l> = dyn Fn(&[Overlay]) -> Report + 'l;

/// A file with its fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its path as shown in reports.
    pub path: String,
    /// What it holds.
    pub old: Arc<str>,
    /// What it is to hold.
    pub new: String,
}

/// A fix that is part of the new texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The finding that it ended. Its places are those of the text that it was found in.
    pub finding: Diagnostic,
    /// The path of its file.
    pub path: String,
    /// Where it began.
    pub at: LineColumn,
    /// The title of the fix.
    pub title: String,
}

/// A fix that is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The finding, which stays.
    pub finding: Diagnostic,
    /// The path of its file.
    pub path: String,
    /// Where it begins.
    pub at: LineColumn,
    /// Why: lower case, no final stop.
    pub reason: String,
}

/// The outcome of [`rounds`].
#[derive(Debug)]
pub struct Outcome {
    /// The files that change, by path.
    pub changed: Vec<Changed>,
    /// The fixes in them, in the order they were made.
    pub fixed: Vec<Fixed>,
    /// The fixes that were allowed and could not be made, in the order they were tried.
    pub refused: Vec<Refused>,
    /// The report over the new texts.
    pub report: Report,
}

/// Applies the first allowed fix of every finding that `select` takes, until none is left.
///
/// Every round lints the new texts. A fix stays only where its finding is gone, where every document still parses and
/// says the same but for the edit, and where the run has no error that it did not have before. A fix that fails this
/// by itself is refused with the reason; nothing is written, that is left to the caller.
///
/// A finding is fixed at most once, so that two fixes that undo each other end.
pub fn rounds(lint: &Lint<'_>, select: &dyn Fn(&Report) -> Vec<Diagnostic>, allow: Applicability) -> Outcome {
    let mut state = State { report: lint(&[]), texts: BTreeMap::new() };
    let mut settled: BTreeSet<Key> = BTreeSet::new();
    let (mut fixed, mut refused) = (vec![], vec![]);
    loop {
        let candidates: Vec<Candidate> = candidates(&state.report, select(&state.report), allow)
            .into_iter()
            .filter(|candidate| !settled.contains(&candidate.key))
            .collect();
        if candidates.is_empty() {
            break;
        }
        let mut take = candidates.len();
        loop {
            let tried = candidates.get(..take).unwrap_or(&candidates);
            let attempt = state.attempt(lint, tried, allow);
            if attempt.applied.is_empty() && attempt.refused.is_empty() {
                settled.extend(tried.iter().map(|candidate| candidate.key.clone()));
            }
            for (candidate, reason) in attempt.refused {
                // Another fix took the place; the next round tries again.
                if settled.insert(candidate.key.clone()) {
                    refused.push(candidate.refused(reason));
                }
            }
            if attempt.applied.is_empty() {
                break;
            }
            match attempt.verdict {
                Ok(next) => {
                    state = next;
                    for candidate in attempt.applied {
                        settled.insert(candidate.key.clone());
                        fixed.push(candidate.fixed());
                    }
                    break;
                }
                Err(reason) => {
                    if let [alone] = tried {
                        settled.insert(alone.key.clone());
                        refused.push(alone.refused(reason));
                        break;
                    }
                    take = tried.len().div_ceil(2);
                }
            }
        }
    }
    let changed = state.texts.into_iter().filter(|(_, (old, new))| **old != **new);
    let changed = changed.map(|(path, (old, new))| Changed { path, old, new });
    Outcome { changed: changed.collect(), fixed, refused, report: state.report }
}

/// What makes a finding the same one after an edit: what it means, and its file.
type Key = (String, String);

fn key(files: &Files, found: &Diagnostic) -> Key {
    (meaning(files, found), files.path(found.span.file).to_owned())
}

/// A finding with the fix that is to end it.
struct Candidate {
    finding: Diagnostic,
    fix: Fix,
    key: Key,
    at: LineColumn,
}

impl Candidate {
    fn refused(&self, reason: String) -> Refused {
        Refused { finding: self.finding.clone(), path: self.key.1.clone(), at: self.at, reason }
    }

    fn fixed(&self) -> Fixed {
        Fixed {
            finding: self.finding.clone(),
            path: self.key.1.clone(),
            at: self.at,
            title: self.fix.title.clone(),
        }
    }
}

fn candidates(report: &Report, findings: Vec<Diagnostic>, allow: Applicability) -> Vec<Candidate> {
    let allowed = |finding: &Diagnostic| finding.fixes.iter().find(|f| f.applicability <= allow).cloned();
    findings
        .into_iter()
        .filter_map(|finding| {
            let fix = allowed(&finding)?;
            let at = report.files.get(finding.span.file)?.line_column(finding.span.start);
            Some(Candidate { key: key(&report.files, &finding), finding, fix, at })
        })
        .collect()
}

/// The texts so far, with the report over them.
struct State {
    report: Report,
    /// Old and new text of the files that changed.
    texts: BTreeMap<String, (Arc<str>, String)>,
}

struct Attempt<'c> {
    /// The state with the fixes, or why it is not to be.
    verdict: Result<State, String>,
    applied: Vec<&'c Candidate>,
    /// Fixes that do not fit their file whatever else is applied.
    refused: Vec<(&'c Candidate, String)>,
}

impl State {
    fn attempt<'c>(&self, lint: &Lint<'_>, candidates: &'c [Candidate], allow: Applicability) -> Attempt<'c> {
        let mut by_file: BTreeMap<FileId, Vec<&Candidate>> = BTreeMap::new();
        let mut refused = vec![];
        for candidate in candidates {
            match self.unfit(candidate) {
                Some(reason) => refused.push((candidate, reason.to_owned())),
                None => by_file.entry(candidate.finding.span.file).or_default().push(candidate),
            }
        }
        let mut texts = self.texts.clone();
        let mut applied = vec![];
        for (id, candidates) in by_file {
            let Some(file) = self.report.files.get(id) else { continue };
            let fixes: Vec<&Fix> = candidates.iter().map(|candidate| &candidate.fix).collect();
            let edits: Vec<&Edit> = fixes.iter().flat_map(|fix| &fix.edits).collect();
            let outcome = apply(id, file, &fixes, allow, &|new| is_sound(id, &file.text, new, &edits));
            for (at, refusal) in outcome.refused {
                if let (Some(candidate), false) = (candidates.get(at), refusal == Refusal::Overlap) {
                    refused.push((candidate, refusal.to_string()));
                }
            }
            applied.extend(outcome.applied.iter().filter_map(|at| candidates.get(*at).copied()));
            let old = self.texts.get(&file.path).map_or_else(|| file.text.clone(), |(old, _)| old.clone());
            if outcome.text != *file.text {
                texts.insert(file.path.clone(), (old, outcome.text));
            }
        }
        let overlay = |(path, (_, new)): (&String, &(_, String))| Overlay {
            path: path.clone(),
            bytes: new.clone().into(),
        };
        let overlays: Vec<Overlay> = texts.iter().map(overlay).collect();
        if applied.is_empty() {
            // Every candidate was refused above, so there is nothing to lint.
            return Attempt { verdict: Err("it changes nothing".to_owned()), applied, refused };
        }
        let report = lint(&overlays);
        let verdict = match self.objection(&report, &applied) {
            Some(reason) => Err(reason),
            None => Ok(State { report, texts }),
        };
        Attempt { verdict, applied, refused }
    }

    /// Why a fix does not fit its file, whatever the other fixes are.
    fn unfit(&self, candidate: &Candidate) -> Option<&'static str> {
        let file = self.report.files.get(candidate.finding.span.file)?;
        let templated = |edit: &Edit| {
            let at = edit.span.start as usize;
            let parts = yaml::split(&file.text);
            let part = parts.iter().rev().find(|part| part.range.start <= at)?;
            let text = file.text.get(part.range.clone())?;
            ["{{", "{%", "<%"].iter().any(|open| text.contains(open)).then_some(())
        };
        let is_templated = candidate.fix.edits.iter().any(|edit| templated(edit).is_some());
        is_templated.then_some(
            "the document has templates in it, and an edit may not mean the same once they are rendered",
        )
    }

    /// Why the report over the new texts is no progress, if it is not.
    fn objection(&self, after: &Report, applied: &[&Candidate]) -> Option<String> {
        let broken = |report: &Report| report.skipped.iter().filter(|skipped| skipped.broken).count();
        if broken(after) > broken(&self.report) {
            return Some("a file could not be read afterwards".to_owned());
        }
        let (before, now) = (count(&self.report, |_| true), count(after, |_| true));
        let mut ended: BTreeMap<&Key, usize> = BTreeMap::new();
        for candidate in applied {
            *ended.entry(&candidate.key).or_default() += 1;
        }
        let number = |counts: &BTreeMap<Key, usize>, key: &Key| counts.get(key).copied().unwrap_or(0);
        if ended.iter().any(|(key, ended)| number(&now, key) + ended > number(&before, key)) {
            return Some("the finding would still be there".to_owned());
        }
        let errors = |found: &Diagnostic| found.severity == Severity::Error;
        let errors_before = count(&self.report, errors);
        let (key, _) =
            count(after, errors).into_iter().find(|(key, errors)| *errors > number(&errors_before, key))?;
        let found =
            after.diagnostics.iter().find(|found| errors(found) && self::key(&after.files, found) == key);
        Some(format!("it would bring an error: {}", found.map_or("", |found| found.rule)))
    }
}

/// How many findings of a report are of each key.
fn count(report: &Report, wanted: impl Fn(&Diagnostic) -> bool) -> BTreeMap<Key, usize> {
    let mut counts = BTreeMap::new();
    for found in report.diagnostics.iter().filter(|found| wanted(found)) {
        *counts.entry(key(&report.files, found)).or_insert(0) += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Skipped;
    use crate::source::{Encoding, SourceFile, Span};

    /// A run in which every line `key: value` is a finding where the value has a fix in this list.
    const FIXES: &[(&str, &str)] = &[
        ("bad", "good"),
        ("worse", "bad"),
        // The finding stays.
        ("sticky", "sticky "),
        // Brings an error.
        ("trap", "error"),
        ("ping", "pong"),
        ("pong", "ping"),
        // A file that is not read any more.
        ("gone", "broken"),
    ];

    fn lint(files: &[(&str, &str)], overlays: &[Overlay]) -> Report {
        let mut report = Report::default();
        for (path, text) in files {
            let overlay = overlays.iter().find(|overlay| overlay.path == *path);
            let text = overlay.map_or((*text).to_owned(), |o| String::from_utf8(o.bytes.clone()).unwrap());
            let file = SourceFile::new((*path).to_owned(), text.as_str().into(), Encoding::Utf8);
            let id = report.files.add(file);
            let mut start = 0;
            for line in text.split_inclusive('\n') {
                let (key, value) = line.trim_end().split_once(": ").unwrap_or(("", ""));
                let at = start + key.len() + 2;
                let span = Span::new(id, at, at + value.len());
                start += line.len();
                if value == "broken" {
                    let (file, reason) = ((*path).to_owned(), String::new());
                    report.skipped.push(Skipped { file, place: None, reason, broken: true });
                }
                let fix = FIXES.iter().find(|(from, _)| *from == value);
                if fix.is_none() && value != "error" {
                    continue;
                }
                let fix = fix.map(|(_, to)| Fix {
                    title: String::new(),
                    applicability: Applicability::Safe,
                    edits: vec![Edit { span, replacement: (*to).to_owned() }],
                });
                report.diagnostics.push(Diagnostic {
                    rule: if value == "error" { "error" } else { "finding" },
                    severity: if value == "error" { Severity::Error } else { Severity::Warning },
                    message: String::new(),
                    help: None,
                    span,
                    span_label: String::new(),
                    document: 0,
                    object: None,
                    field: format!("{key} {value}"),
                    labels: vec![],
                    fixes: fix.into_iter().collect(),
                });
            }
        }
        report
    }

    /// The text of `a.yaml` afterwards, how many fixes were made, and the words of the refusals.
    #[track_caller]
    fn check(text: &str, after: &str, fixed: usize, refused: &[&str]) {
        let files = [("a.yaml", text), ("b.yaml", "x: good\n")];
        let all = |report: &Report| report.diagnostics.clone();
        let outcome = rounds(&|overlays| lint(&files, overlays), &all, Applicability::Safe);
        let new = outcome.changed.first().map_or(text, |changed| changed.new.as_str());
        assert_eq!((new, outcome.fixed.len()), (after, fixed));
        assert!(outcome.changed.iter().all(|changed| *changed.old == *text && changed.path == "a.yaml"));
        let reasons: Vec<&str> = outcome.refused.iter().map(|one| one.reason.as_str()).collect();
        assert_eq!(reasons.len(), refused.len(), "{reasons:?}");
        for (reason, words) in reasons.iter().zip(refused) {
            assert!(reason.contains(words), "{reason}");
        }
        // The report is that of the new text.
        assert_eq!(outcome.report.diagnostics, lint(&[("a.yaml", new), files[1]], &[]).diagnostics);
    }

    #[test]
    fn fixes_are_made_round_by_round() {
        check("", "", 0, &[]);
        check("a: good\n", "a: good\n", 0, &[]);
        check("a: bad\nb: bad\n", "a: good\nb: good\n", 2, &[]);
        check("a: worse\n", "a: good\n", 2, &[]);
        // Each of the two is made once, and there it ends.
        check("a: ping\n", "a: ping\n", 2, &[]);
    }

    #[test]
    fn a_fix_that_is_no_progress_is_refused_alone() {
        let (still, error, unread) =
            ("would still be there", "would bring an error: error", "could not be read");
        check("a: sticky\n", "a: sticky\n", 0, &[still]);
        check("a: trap\n", "a: trap\n", 0, &[error]);
        check("a: gone\n", "a: gone\n", 0, &[unread]);
        check("a: bad\nb: trap\nc: bad\n", "a: good\nb: trap\nc: good\n", 2, &[error]);
        let many = "a: trap\nb: bad\nc: gone\nd: bad\ne: sticky\nf: worse\n";
        let rest = "a: trap\nb: good\nc: gone\nd: good\ne: sticky\nf: good\n";
        check(many, rest, 4, &[error, unread, still]);
        // An error that was there before is nobody's.
        check("a: error\nb: bad\n", "a: error\nb: good\n", 1, &[]);
    }
}
