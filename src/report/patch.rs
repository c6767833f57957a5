//! What a fix changes, as the lines of a small diff.

use super::snippet::cut;
use crate::diagnostic::{Edit, Fix};
use crate::source::{FileId, Files, SourceFile};
use similar::{ChangeTag, TextDiff};

/// Lines shown of one fix.
const MOST_LINES: usize = 16;

/// One line of the diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PatchLine {
    /// The file that the next lines are in, where it is not the file of the finding.
    File(String),
    /// A line of before, with its number, that stays.
    Kept(u32, String),
    /// A line of before, with its number, that goes.
    Removed(u32, String),
    /// A line of after.
    Added(String),
    /// How many lines are left out.
    More(usize),
}

/// The lines that `fix` changes. Lines are cut to `limit` columns; `home` is the file of the finding.
pub(super) fn patch(files: &Files, fix: &Fix, home: FileId, limit: usize, ellipsis: &str) -> Vec<PatchLine> {
    let mut edits: Vec<&Edit> = fix.edits.iter().collect();
    edits.sort_by_key(|edit| (edit.span.file != home, files.path(edit.span.file), edit.span));
    let mut lines = Vec::new();
    for edits in edits.chunk_by(|a, b| a.span.file == b.span.file) {
        let Some((id, file)) = edits.first().and_then(|e| Some((e.span.file, files.get(e.span.file)?)))
        else {
            continue;
        };
        if id != home {
            lines.push(PatchLine::File(file.path.clone()));
        }
        let last_line = |edit: &Edit| file.line_column(edit.span.end).line;
        for block in edits.chunk_by(|a, b| file.line_column(b.span.start).line <= last_line(a)) {
            lines.extend(change(file, block, limit, ellipsis));
        }
    }
    let more = lines.len().saturating_sub(MOST_LINES);
    if more > 1 {
        lines.truncate(MOST_LINES);
        lines.push(PatchLine::More(more));
    }
    lines
}

/// The lines that edits on neighbouring lines change.
fn change(file: &SourceFile, edits: &[&Edit], limit: usize, ellipsis: &str) -> Vec<PatchLine> {
    let (Some(first), Some(last)) = (edits.first(), edits.last()) else { return Vec::new() };
    let first_line = file.line_column(first.span.start).line;
    let last_line = file.line_column(last.span.end).line;
    let start = file.line_start(first_line) as usize;
    let end =
        if last_line < file.line_count() { file.line_start(last_line + 1) as usize } else { file.text.len() };

    let before = file.text.get(start..end).unwrap_or("");
    if before.lines().any(|line| line.len() > 4 * limit) {
        return edits.iter().flat_map(|edit| replaced(file, edit, limit, ellipsis)).collect();
    }
    let mut after = String::new();
    let mut at = start;
    for edit in edits {
        after.push_str(file.text.get(at..edit.span.start as usize).unwrap_or(""));
        after.push_str(&edit.replacement);
        at = at.max(edit.span.end as usize);
    }
    after.push_str(file.text.get(at..end).unwrap_or(""));

    let diff = TextDiff::from_lines(before, after.as_str());
    let show = |text: &str| show(text.trim_end(), limit, ellipsis);
    diff.iter_all_changes()
        .map(|change| {
            let text = show(change.value());
            let old = change.old_index().and_then(|index| u32::try_from(index).ok()).unwrap_or(0);
            match change.tag() {
                ChangeTag::Equal => PatchLine::Kept(first_line.saturating_add(old), text),
                ChangeTag::Delete => PatchLine::Removed(first_line.saturating_add(old), text),
                ChangeTag::Insert => PatchLine::Added(text),
            }
        })
        .collect()
}

/// The bytes of an edit alone, for a line too long to show.
fn replaced(file: &SourceFile, edit: &Edit, limit: usize, ellipsis: &str) -> Vec<PatchLine> {
    let line = file.line_column(edit.span.start).line;
    let show = |text: &str| show(text.lines().next().unwrap_or(""), limit, ellipsis);
    let removed = file.text.get(edit.span.range()).filter(|text| !text.is_empty());
    let removed = removed.map(|text| PatchLine::Removed(line, show(text)));
    let added = edit.replacement.lines().map(|text| PatchLine::Added(show(text)));
    removed.into_iter().chain(added).collect()
}

/// A line behind its mark, where a tab would not reach the column that it reaches in the file.
fn show(line: &str, limit: usize, ellipsis: &str) -> String {
    cut(line, &[], limit, ellipsis).text.replace('\t', "    ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Applicability;
    use crate::source::{Encoding, Span};

    /// Edits `(start, end, replacement)` of a text, against the diff as text.
    #[track_caller]
    fn check(text: &str, edits: &[(usize, usize, &str)], expected: &str) {
        let mut files = Files::default();
        let home = files.add(SourceFile::new("a.yaml".to_owned(), text.into(), Encoding::Utf8));
        let edits = edits.iter().map(|(start, end, replacement)| Edit {
            span: Span::new(home, *start, *end),
            replacement: (*replacement).to_owned(),
        });
        let fix = Fix { title: String::new(), applicability: Applicability::Safe, edits: edits.collect() };
        let lines = patch(&files, &fix, home, 20, "…");
        let shown: String = lines
            .iter()
            .map(|line| match line {
                PatchLine::File(path) => format!("{path}\n"),
                PatchLine::Kept(number, text) => format!("{number}  {text}\n"),
                PatchLine::Removed(number, text) => format!("{number}- {text}\n"),
                PatchLine::Added(text) => format!("+ {text}\n"),
                PatchLine::More(number) => format!("{number} more\n"),
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_fix_is_shown_as_the_lines_it_changes() {
        check("a: 1\nb: 2\nc: 3\n", &[(8, 9, "é")], "2- b: 2\n+ b: é\n");
        check("a: 1\r\nb: 2\r\n", &[(9, 10, "3")], "2- b: 2\n+ b: 3\n");
        check("a: 1\nb: 2\n", &[(5, 5, "x: 0\n")], "+ x: 0\n2  b: 2\n");
        check("a: 1\nb: 2", &[(9, 9, "\nc: 3")], "2- b: 2\n+ b: 2\n+ c: 3\n");
        check("a: 1\nb: 2\nc: 3\n", &[(5, 10, "")], "2- b: 2\n3  c: 3\n");
        check("a: 1\nb: 2\nc: 3\n", &[(13, 14, "4"), (3, 4, "2")], "1- a: 1\n+ a: 2\n3- c: 3\n+ c: 4\n");
        check("a: 1\nb: 2\n", &[(3, 4, "2"), (8, 9, "3")], "1- a: 1\n+ a: 2\n2- b: 2\n+ b: 3\n");
        check("a: 1\n", &[(99, 120, "x")], "+ x\n");
        check("", &[(0, 0, "a: 1\n")], "+ a: 1\n");
        check("\ta\u{1b}\n", &[(1, 2, "b")], "1-     a\u{fffd}\n+     b\u{fffd}\n");
        check("a: 1\n", &[], "");
    }

    #[test]
    fn long_fixes_and_lines_are_cut() {
        let long = format!("{{\"a\": 1, \"b\": \"{}\"}}", "x".repeat(200));
        check(&long, &[(6, 7, "2")], "1- 1\n+ 2\n");
        check("a: 1\n", &[(3, 4, &"y".repeat(30))], "1- a: 1\n+ a: yyyyyyyyyyyyyyyyy…\n");
        let many = "b: 1\n".repeat(20);
        let expected = format!("{}5 more\n", "+ b: 1\n".repeat(16));
        check("a: 1\n", &[(0, 0, &many)], &expected);
    }
}
