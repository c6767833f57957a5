//! Which ignores are about a finding.

use super::Finding;
use super::directive::{Directive, Scope};
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Files, Span};
use std::collections::BTreeMap;

/// The ignores by what they are about.
pub(super) struct Index {
    lines: BTreeMap<(FileId, u32), Vec<usize>>,
    files: BTreeMap<FileId, Vec<usize>>,
    objects: BTreeMap<u32, Vec<usize>>,
    entries: Vec<(usize, usize)>,
}

impl Index {
    pub(super) fn new(directives: &[Directive]) -> Index {
        let (mut lines, mut files, mut objects, mut entries) =
            (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), Vec::new());
        for (at, directive) in directives.iter().enumerate() {
            match directive.scope {
                Scope::Line(file, line) => lines.entry((file, line)).or_insert_with(Vec::new).push(at),
                Scope::File(file) => files.entry(file).or_insert_with(Vec::new).push(at),
                Scope::Object(object) => objects.entry(object).or_insert_with(Vec::new).push(at),
                Scope::Config(entry) => entries.push((entry, at)),
                Scope::Nowhere(_) => {}
            }
        }
        Index { lines, files, objects, entries }
    }

    /// The ignores that are about the place or the object of a finding, whatever rule they name.
    pub(super) fn candidates(&self, files: &Files, finding: &Finding, config: &Config) -> Vec<usize> {
        let diagnostic = &finding.diagnostic;
        let line =
            |span: Span, offset: u32| files.get(span.file).map_or(0, |file| file.line_column(offset).line);
        let span = diagnostic.span;
        let last = span.end.saturating_sub(1).max(span.start);
        let own_lines = (span.file, line(span, span.start))..=(span.file, line(span, last));
        let mut found: Vec<usize> = self.lines.range(own_lines).flat_map(|(_, at)| at).copied().collect();
        if let Some(parent) = finding.parent {
            found.extend(self.lines.get(&(parent.file, line(parent, parent.start))).into_iter().flatten());
        }
        found.extend(self.files.get(&span.file).into_iter().flatten());
        found.extend(finding.object.and_then(|object| self.objects.get(&object)).into_iter().flatten());
        found.extend(self.entries(files, diagnostic, config));
        found
    }

    /// The entries of the configuration that fit a finding.
    pub(super) fn entries(&self, files: &Files, diagnostic: &Diagnostic, config: &Config) -> Vec<usize> {
        if self.entries.is_empty() {
            return vec![];
        }
        let path = config.rebased(files.path(diagnostic.span.file));
        let fits = |entry: usize| {
            let entry = config.ignores().get(entry);
            entry.is_some_and(|e| e.rule == diagnostic.rule && e.matches(&path, diagnostic.object.as_ref()))
        };
        self.entries.iter().filter(|(entry, _)| fits(*entry)).map(|(_, at)| *at).collect()
    }
}
