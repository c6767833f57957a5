//! From spans to the lines, columns and paths of a report.

use super::Options;
use crate::source::{Files, LineColumn, SourceFile, Span};

/// A span with everything a format may say about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// Path relative to the working directory.
    pub(super) path: &'a str,
    pub(super) start: LineColumn,
    /// One past the last character.
    pub(super) end: LineColumn,
    /// Offsets in the file as it lies on disk.
    pub(super) bytes: (u32, u32),
    file: Option<&'a SourceFile>,
}

impl<'a> Place<'a> {
    pub(super) fn of(files: &'a Files, span: Span) -> Place<'a> {
        let first = LineColumn { line: 1, column: 1 };
        match files.get(span.file) {
            None => Place { path: "", start: first, end: first, bytes: (span.start, span.end), file: None },
            Some(file) => Place {
                path: &file.path,
                start: file.line_column(span.start),
                end: file.line_column(span.end),
                bytes: (file.disk_offset(span.start), file.disk_offset(span.end)),
                file: Some(file),
            },
        }
    }

    /// The end of the part on the first line. Readers that show a finding only where all its lines changed, or columns
    /// only where there is one line, get that line.
    pub(super) fn end_on_first_line(&self) -> LineColumn {
        if self.end.line == self.start.line {
            return self.end;
        }
        let text = self.file.map_or("", |file| file.line_text(self.start.line));
        let length = text.trim_start_matches('\u{feff}').chars().count();
        let column = u32::try_from(length).unwrap_or(u32::MAX).saturating_add(1);
        LineColumn { line: self.start.line, column: column.max(self.start.column) }
    }
}

impl Options {
    /// A path relative to the root of the repository. A path that leaves the repository, and an absolute path outside
    /// it, stay as they are.
    pub(super) fn repository_path(&self, path: &str) -> String {
        if is_absolute(path) {
            let inside = self.root.as_deref().and_then(|root| {
                let rest = path.strip_prefix(root.trim_end_matches('/'))?;
                rest.strip_prefix('/')
            });
            return inside.unwrap_or(path).to_owned();
        }
        let mut segments: Vec<&str> = Vec::new();
        for segment in self.prefix.split('/').chain(path.split('/')) {
            match segment {
                "" | "." => {}
                ".." if segments.last().is_some_and(|last| *last != "..") => {
                    segments.pop();
                }
                other => segments.push(other),
            }
        }
        segments.join("/")
    }
}

/// True for a path from the root of a Unix file system or of a Windows drive.
pub(super) fn is_absolute(path: &str) -> bool {
    let drive = || matches!(path.as_bytes(), [letter, b':', b'/', ..] if letter.is_ascii_alphabetic());
    path.starts_with('/') || drive()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Encoding, FileId};

    #[test]
    fn paths_are_told_from_the_root_of_the_repository() {
        #[track_caller]
        fn check(prefix: &str, path: &str, expected: &str) {
            let options = Options {
                prefix: prefix.to_owned(),
                root: Some("/src/repo".to_owned()),
                ..Options::default()
            };
            assert_eq!(options.repository_path(path), expected);
        }
        check("", "a/b.yaml", "a/b.yaml");
        check("", "./a//b.yaml", "a/b.yaml");
        check("deploy/prod", "a.yaml", "deploy/prod/a.yaml");
        check("deploy/prod", "../base/a.yaml", "deploy/base/a.yaml");
        check("deploy", "../../other/a.yaml", "../other/a.yaml");
        check("deploy", "/src/repo/a.yaml", "a.yaml");
        check("deploy", "/src/repository/a.yaml", "/src/repository/a.yaml");
        check("deploy", "C:/a.yaml", "C:/a.yaml");
    }

    #[test]
    fn a_place_can_be_cut_to_one_line() {
        #[track_caller]
        fn check(text: &str, start: usize, end: usize, expected: (u32, u32)) {
            let mut files = Files::default();
            let file = files.add(SourceFile::new("a".to_owned(), text.into(), Encoding::Utf8));
            let end = Place::of(&files, Span::new(file, start, end)).end_on_first_line();
            assert_eq!((end.line, end.column), expected, "{text:?}");
        }
        check("ab\ncd", 0, 2, (1, 3));
        check("ab\ncd", 0, 3, (1, 3));
        check("é\r\ncd", 0, 6, (1, 2));
        check("\u{feff}ab\ncd", 3, 8, (1, 3));
        check("ab\n", 2, 3, (1, 3));
    }

    #[test]
    fn a_span_of_an_unknown_file_is_no_disaster() {
        let files = Files::default();
        let place = Place::of(&files, Span::new(FileId(7), 3, 9));
        assert_eq!((place.path, place.start.line, place.end_on_first_line().column), ("", 1, 1));
    }
}
