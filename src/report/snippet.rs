//! The source lines around a finding, as miette reads them.
//!
//! miette takes one source text a report and shows whole lines of it. Findings have labels in several files, and lines
//! may be megabytes long, so the report gets a text made for it: a few lines around every label, cut to the width of
//! the terminal, each run of lines remembering its file and its first line number.

use super::text::{columns, is_control, one_line};
use crate::source::{FileId, Files, SourceFile, Span};
use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// Lines shown before and after a label.
pub(super) const CONTEXT: u32 = 1;

/// A place to show, with what to say there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marked<'a> {
    pub(super) span: Span,
    pub(super) message: &'a str,
}

/// The lines to show, in place of a source file.
#[derive(Debug)]
pub(super) struct Snippets {
    windows: Vec<Window>,
    places: Vec<Placed>,
}

/// A run of lines of one file.
#[derive(Debug)]
struct Window {
    path: String,
    /// Where the text starts among the texts of all windows.
    offset: usize,
    /// 0-based number of the first line.
    line: usize,
    /// The lines, each ended by `\n`.
    text: String,
}

/// A label inside the windows.
#[derive(Debug)]
struct Placed {
    offset: usize,
    length: usize,
    /// 0-based, in the source and not in the text that is shown.
    column: usize,
    label: LabeledSpan,
}

/// A label before its lines are cut.
struct Wanted<'a> {
    line: u32,
    /// Bytes inside the line.
    start: usize,
    end: usize,
    column: usize,
    message: &'a str,
    primary: bool,
}

impl Snippets {
    /// The lines around `primary` and `others`. A label is shown on its first line only. Lines are cut to `limit`
    /// columns, and `ellipsis` stands for what is cut.
    pub(super) fn new(
        files: &Files,
        primary: Marked<'_>,
        others: &[Marked<'_>],
        limit: usize,
        ellipsis: &str,
    ) -> Snippets {
        let mut snippets = Snippets { windows: Vec::new(), places: Vec::new() };
        let mut order: Vec<FileId> = Vec::new();
        for marked in std::iter::once(&primary).chain(others) {
            if !order.contains(&marked.span.file) {
                order.push(marked.span.file);
            }
        }
        for id in order {
            let Some(file) = files.get(id) else { continue };
            let mine = others.iter().filter(|other| other.span.file == id).map(|other| (other, false));
            let primary = Some((&primary, true)).filter(|_| primary.span.file == id);
            let mut wanted: Vec<Wanted<'_>> = primary
                .into_iter()
                .chain(mine)
                .map(|(marked, primary)| want(file, *marked, primary))
                .collect();
            wanted.sort_by_key(|wanted| (wanted.line, wanted.start, !wanted.primary));
            let mut runs: Vec<&[Wanted<'_>]> =
                wanted.chunk_by(|a, b| b.line - a.line <= 2 * CONTEXT + 1).collect();
            // The first place that is shown is the place of the finding.
            runs.sort_by_key(|run| !run.iter().any(|wanted| wanted.primary));
            for run in runs {
                snippets.push(file, run, limit, ellipsis);
            }
        }
        snippets
    }

    /// The labels, for miette.
    pub(super) fn labels(&self) -> impl Iterator<Item = LabeledSpan> + '_ {
        self.places.iter().map(|place| place.label.clone())
    }

    fn push(&mut self, file: &SourceFile, run: &[Wanted<'_>], limit: usize, ellipsis: &str) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return };
        let first_line = first.line.saturating_sub(CONTEXT).max(1);
        let end_of_file = file.line_count();
        let mut last_line = last.line.saturating_add(CONTEXT).min(end_of_file);
        // Behind the last line break there is a line without text, which is no context.
        if last_line > last.line && last_line == end_of_file && file.line_text(last_line).is_empty() {
            last_line -= 1;
        }
        let offset = self.windows.last().map_or(0, |window| window.offset + window.text.len() + 1);
        let mut text = String::new();
        for line in first_line..=last_line {
            let here: Vec<&Wanted<'_>> = run.iter().filter(|wanted| wanted.line == line).collect();
            let spans: Vec<(usize, usize)> = here.iter().map(|wanted| (wanted.start, wanted.end)).collect();
            let cut = cut(file.line_text(line), &spans, limit, ellipsis);
            for (wanted, (start, end)) in here.iter().zip(cut.spans) {
                let message =
                    Some(one_line(wanted.message).into_owned()).filter(|message| !message.is_empty());
                let (at, length) = (offset + text.len() + start, end - start);
                let label = if wanted.primary {
                    LabeledSpan::new_primary_with_span(message, (at, length))
                } else {
                    LabeledSpan::new(message, at, length)
                };
                self.places.push(Placed { offset: at, length, column: wanted.column, label });
            }
            text.push_str(&cut.text);
            text.push('\n');
        }
        let path = one_line(&file.path).into_owned();
        self.windows.push(Window { path, offset, line: first_line as usize - 1, text });
    }
}

fn want<'a>(file: &SourceFile, marked: Marked<'a>, primary: bool) -> Wanted<'a> {
    let place = file.line_column(marked.span.start);
    let length = file.line_text(place.line).len();
    let line_start = file.line_start(place.line);
    let start = (marked.span.start.saturating_sub(line_start) as usize).min(length);
    let end = (marked.span.end.saturating_sub(line_start) as usize).clamp(start, length);
    let column = (place.column as usize).saturating_sub(1);
    Wanted { line: place.line, start, end, column, message: marked.message, primary }
}

/// A line as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// The text, without control characters.
    pub(super) text: String,
    /// Where the spans are in it.
    pub(super) spans: Vec<(usize, usize)>,
}

/// A line cut to about `limit` columns, so that every span of bytes in it can be seen: the whole line where it fits,
/// else the parts around the spans. Takes time in proportion to what is shown, not to the line.
pub(super) fn cut(line: &str, spans: &[(usize, usize)], limit: usize, ellipsis: &str) -> Cut {
    let spans: Vec<(usize, usize)> =
        spans.iter().map(|(start, end)| on_characters(line, *start, *end)).collect();
    let spans = spans.as_slice();
    let mut cut = Cut { text: String::new(), spans: vec![(0, 0); spans.len()] };
    let mut shown_to = 0;
    for (start, end) in parts(line, spans, limit) {
        if start > shown_to {
            cut.text.push_str(ellipsis);
        }
        for (at, c) in line.get(start..end).unwrap_or("").char_indices() {
            cut.note(spans, start + at);
            match c {
                // A byte-order mark has no width, and no column in reports.
                '\u{feff}' if start + at == 0 => {}
                '\t' => cut.text.push('\t'),
                c if is_control(c) => cut.text.push('\u{fffd}'),
                c => cut.text.push(c),
            }
        }
        cut.note(spans, end);
        shown_to = end;
    }
    if shown_to < line.len() {
        cut.text.push_str(ellipsis);
    }
    for span in &mut cut.spans {
        span.1 = span.1.max(span.0);
    }
    cut
}

impl Cut {
    /// Remembers that the byte `at` of the line comes next in the text.
    fn note(&mut self, spans: &[(usize, usize)], at: usize) {
        let here = self.text.len();
        for (shown, (start, end)) in self.spans.iter_mut().zip(spans) {
            if at <= *start {
                shown.0 = here;
            }
            if at <= *end {
                shown.1 = here;
            }
        }
    }
}

/// The span widened to whole characters of the line.
fn on_characters(line: &str, start: usize, end: usize) -> (usize, usize) {
    let (mut start, mut end) = (start.min(line.len()), end.min(line.len()));
    while !line.is_char_boundary(start) {
        start -= 1;
    }
    while !line.is_char_boundary(end) {
        end += 1;
    }
    (start, end.max(start))
}

/// The parts of a line that are shown, in order and apart from each other.
fn parts(line: &str, spans: &[(usize, usize)], limit: usize) -> Vec<(usize, usize)> {
    if forward(line, 0, limit) == line.len() {
        return vec![(0, line.len())];
    }
    let (Some(first), Some(last)) = (spans.iter().map(|s| s.0).min(), spans.iter().map(|s| s.1).max()) else {
        return vec![(0, forward(line, 0, limit))];
    };
    if last <= forward(line, 0, limit) {
        return vec![(0, forward(line, 0, limit))];
    }
    // All spans in one part with as much before as behind, where they are close enough.
    let room = limit.saturating_sub(width(line, first, last, limit)) / 2;
    if room > 0 {
        return vec![(backward(line, first, room), forward(line, last, room))];
    }
    let each = limit / 2;
    let mut parts: Vec<(usize, usize)> = Vec::new();
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    for (start, end) in sorted {
        let end = end.min(forward(line, start, each));
        let (start, end) = (backward(line, start, each / 4), forward(line, end, each / 4));
        match parts.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => parts.push((start, end)),
        }
    }
    parts
}

/// The end of the text from `at` on that fits in `limit` columns.
fn forward(line: &str, at: usize, limit: usize) -> usize {
    let rest = line.get(at..).unwrap_or("");
    let mut used = 0;
    let over = rest.char_indices().find(|(_, c)| {
        used += columns(*c);
        used > limit
    });
    over.map_or(line.len(), |(offset, _)| at + offset)
}

/// The start of the text up to `at` that fits in `limit` columns.
fn backward(line: &str, at: usize, limit: usize) -> usize {
    let before = line.get(..at).unwrap_or("");
    let mut used = 0;
    let fitting = before.char_indices().rev().take_while(|(_, c)| {
        used += columns(*c);
        used <= limit
    });
    fitting.last().map_or(before.len(), |(offset, _)| offset)
}

/// The columns of a part of a line, or more than `limit`.
fn width(line: &str, start: usize, end: usize, limit: usize) -> usize {
    let part = line.get(start..end).unwrap_or("");
    let mut used = 0;
    for c in part.chars() {
        used += columns(c);
        if used > limit {
            break;
        }
    }
    used
}

impl SourceCode for Snippets {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        let window = self
            .windows
            .iter()
            .find(|window| window.offset <= start && end <= window.offset + window.text.len())
            .ok_or(MietteError::OutOfBounds)?;
        let (start, end) = (start - window.offset, end - window.offset);
        let mut at = 0;
        let mut lines: Vec<(usize, usize)> = Vec::new();
        for line in window.text.split_inclusive('\n') {
            lines.push((at, at + line.len()));
            at += line.len();
        }
        let line_of =
            |offset: usize| lines.partition_point(|line| line.1 <= offset).min(lines.len().saturating_sub(1));
        let first = line_of(start).saturating_sub(before);
        let last = (line_of(end) + after).min(lines.len().saturating_sub(1));
        let from = lines.get(first).map_or(0, |line| line.0);
        let to = lines.get(last).map_or(0, |line| line.1);
        let data = window.text.as_bytes().get(from..to).ok_or(MietteError::OutOfBounds)?;
        // miette asks without context for the place in the header of the snippet.
        let place =
            self.places.iter().find(|place| (place.offset, place.length) == (span.offset(), span.len()));
        let column = place.filter(|_| before == 0 && after == 0).map_or(0, |place| place.column);
        Ok(Box::new(MietteSpanContents::new_named(
            window.path.clone(),
            data,
            (window.offset + from, to - from).into(),
            window.line + first,
            column,
            last - first + 1,
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, spans: &[(usize, usize)], limit: usize, expected: &str) {
        let cut = cut(line, spans, limit, "…");
        let mut shown = cut.text.clone();
        let mut marks: Vec<(usize, char)> =
            cut.spans.iter().flat_map(|(start, end)| [(*end, '>'), (*start, '<')]).collect();
        marks.sort_by_key(|mark| std::cmp::Reverse(mark.0));
        for (at, mark) in marks {
            shown.insert(at, mark);
        }
        assert_eq!(shown, expected);
    }

    #[test]
    fn lines_are_cut_around_spans() {
        check("short", &[(1, 3)], 10, "s<ho>rt");
        check("0123456789abcdef", &[], 10, "0123456789…");
        check("0123456789abcdef", &[(2, 4)], 10, "01<23>456789…");
        check("0123456789abcdef", &[(12, 14)], 8, "…9ab<cd>ef");
        check("0123456789abcdef", &[(7, 9)], 6, "…56<78>9a…");
        check("0123456789abcdefghijklmnopqrstuvwxyz", &[(8, 9), (30, 31)], 8, "…7<8>9…t<u>v…");
        check("0123456789abcdefghijklmnopqrstuvwxyz", &[(8, 30)], 8, "…7<89abc>…");
        check("0123456789", &[(10, 10)], 4, "…89<>");
        check("", &[(0, 0)], 4, "<>");
    }

    #[test]
    fn what_a_terminal_acts_on_is_not_shown() {
        check("a\u{1b}[1mb", &[(0, 1)], 20, "<a>\u{fffd}[1mb");
        check("\u{feff}kind", &[(3, 7)], 20, "<kind>");
        check("\ta", &[(1, 2)], 20, "\t<a>");
        check("世界世界世界", &[(12, 15)], 6, "…界<世>界");
        check("世", &[(1, 2)], 6, "<世>");
    }
}
