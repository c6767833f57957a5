//! [`Text`]: the value of a scalar, and where each part of it stands in the file.

use crate::source::Span;
use std::ops::Range;

/// A run of bytes that are the same in the value and in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Run {
    /// Offset in the value.
    value: u32,
    /// Offset in the file.
    file: u32,
    /// Length of the run in bytes.
    len: u32,
}

/// The value of a scalar after escapes, folding and indentation are taken away, with the way back to the file.
///
/// A command line inside a block scalar is such a text: [`Text::slice`] gives the bytes of one flag in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Text {
    /// The value.
    pub value: String,
    span: Span,
    runs: Vec<Run>,
}

impl Text {
    /// A value that stands in the file byte for byte from the start of `span`.
    pub fn verbatim(value: String, span: Span) -> Text {
        let len = u32::try_from(value.len()).unwrap_or(u32::MAX);
        Text { value, span, runs: vec![Run { value: 0, file: span.start, len }] }
    }

    /// A value of which no part can be located: every slice is the whole span.
    pub fn opaque(value: String, span: Span) -> Text {
        Text { value, span, runs: vec![] }
    }

    /// A value as it is written in `source`, the text of the whole file: the two are aligned character by character,
    /// passing over what only the file has (indentation, quotes, escapes).
    ///
    /// Escapes other than a doubled quote are passed over as a whole, so a slice that starts in one starts at its
    /// beginning.
    pub fn aligned(value: String, span: Span, source: &str) -> Text {
        let raw = source.get(span.range()).unwrap_or("");
        if raw == value {
            return Text::verbatim(value, span);
        }
        let quoted = ['"', '\''].iter().find_map(|quote| raw.strip_prefix(*quote)?.strip_suffix(*quote));
        let runs = match quoted {
            Some(inner) => align(&value, inner, span.start + 1),
            None => align_block(&value, raw, span.start),
        };
        Text { value, span, runs }
    }

    /// The bytes of the whole scalar.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The bytes in the file of a range of the value. Where the range cannot be located, the whole scalar.
    pub fn slice(&self, range: Range<usize>) -> Span {
        let (Some(start), Some(end)) =
            (self.locate(range.start), range.end.checked_sub(1).and_then(|e| self.locate(e)))
        else {
            return self.span;
        };
        if range.is_empty() || end < start {
            return self.span;
        }
        Span { file: self.span.file, start, end: (end + 1).min(self.span.end) }
    }

    /// The part of this text in a range of its value, with its own way back. A range that does not fit is empty.
    pub fn part(&self, range: Range<usize>) -> Text {
        let value = self.value.get(range.clone()).unwrap_or("").to_owned();
        let (from, to) = (range.start, range.start + value.len());
        let runs = self
            .runs
            .iter()
            .filter_map(|run| {
                let (start, end) = (run.value as usize, (run.value + run.len) as usize);
                let (a, b) = (start.max(from), end.min(to));
                (a < b).then(|| Run {
                    value: (a - from) as u32,
                    file: run.file + (a - start) as u32,
                    len: (b - a) as u32,
                })
            })
            .collect();
        let span = if value.is_empty() { self.span } else { self.slice(from..to) };
        Text { value, span, runs }
    }

    /// This text, whose offsets are offsets in the value of `outer`, as a text of the file that holds `outer`.
    #[must_use]
    pub fn through(self, outer: &Text) -> Text {
        let mut runs = Vec::new();
        for run in &self.runs {
            let inner = outer.part(run.file as usize..(run.file + run.len) as usize);
            runs.extend(inner.runs.iter().map(|r| Run { value: run.value + r.value, ..*r }));
        }
        let span = outer.slice(self.span.range());
        Text { value: self.value, span, runs }
    }

    /// The offset in the file of an offset in the value, where it can be told.
    pub fn locate(&self, offset: usize) -> Option<u32> {
        let at = self.runs.partition_point(|run| run.value as usize <= offset).checked_sub(1)?;
        let run = self.runs.get(at)?;
        let into = u32::try_from(offset).ok()? - run.value;
        // Between two runs stands a character that the file spells otherwise, such as an escape.
        Some(if into < run.len { run.file + into } else { run.file + run.len })
    }
}

/// Alignment of a scalar without quotes. The bytes of a block scalar start at its first word, so blank lines before it
/// stand in the value only.
fn align_block(value: &str, raw: &str, base: u32) -> Vec<Run> {
    if raw.trim_start_matches(' ').starts_with(['\n', '\r']) {
        return align(value, raw, base);
    }
    let content = value.trim_start_matches('\n');
    let blank = (value.len() - content.len()) as u32;
    let runs = align(content, raw, base).into_iter();
    runs.map(|run| Run { value: run.value + blank, ..run }).collect()
}

/// Greedy alignment of a decoded value with its raw spelling. Every character of the value that stands in the raw text
/// joins a run; what only the raw text has (indentation, line breaks that folding took away) is passed over.
fn align(value: &str, raw: &str, base: u32) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut raw_chars = raw.char_indices().peekable();
    for (at, wanted) in value.char_indices() {
        let Some((raw_at, found)) = next_match(&mut raw_chars, wanted) else { break };
        let len = found.len_utf8() as u32;
        let (value_at, file_at) = (at as u32, base + raw_at as u32);
        match runs.last_mut() {
            Some(run) if run.value + run.len == value_at && run.file + run.len == file_at => run.len += len,
            _ => runs.push(Run { value: value_at, file: file_at, len }),
        }
    }
    runs
}

/// Moves to the raw character that spells `wanted`. Only white space, quotes and escapes may be passed over, so the two
/// texts cannot drift apart.
fn next_match(
    raw: &mut std::iter::Peekable<std::str::CharIndices<'_>>,
    wanted: char,
) -> Option<(usize, char)> {
    while let Some((at, found)) = raw.peek().copied() {
        if found == wanted || (wanted == '\n' && found == '\r') || (wanted == ' ' && found == '\n') {
            raw.next();
            if wanted == '\n' && found == '\r' && matches!(raw.peek(), Some((_, '\n'))) {
                raw.next();
            }
            if wanted == '\'' && matches!(raw.peek(), Some((_, '\''))) {
                raw.next();
            }
            return Some((at, wanted_or(found, wanted)));
        }
        if found == '\\' {
            return escape(raw, at, wanted);
        }
        if !found.is_whitespace() {
            return None;
        }
        raw.next();
    }
    None
}

/// The character whose length the run takes: the raw one, which for a folded break is one byte too.
fn wanted_or(found: char, wanted: char) -> char {
    if found.len_utf8() == wanted.len_utf8() { wanted } else { found }
}

/// Passes over an escape of a double-quoted scalar. An escaped line break stands for nothing.
fn escape(
    raw: &mut std::iter::Peekable<std::str::CharIndices<'_>>,
    at: usize,
    wanted: char,
) -> Option<(usize, char)> {
    raw.next();
    let (_, kind) = raw.next()?;
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '\n' | '\r' => return next_match(raw, wanted),
        _ => 0,
    };
    for _ in 0..digits {
        raw.next();
    }
    Some((at, '\\'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    fn check(source: &str, scalar: &str, value: &str, part: &str, expect: &str) {
        let start = source.find(scalar).unwrap();
        let span = Span::new(FileId(0), start, start + scalar.len());
        let text = Text::aligned(value.to_owned(), span, source);
        let at = value.find(part).unwrap();
        let found = text.slice(at..at + part.len());
        assert_eq!(source.get(found.range()), Some(expect));
        assert_eq!(text.part(at..at + part.len()).slice(0..part.len()), found);
    }

    #[test]
    fn a_part_of_a_scalar_is_found_in_the_file() {
        check("a: vllm --tp 8", "vllm --tp 8", "vllm --tp 8", "8", "8");
        check(
            "a: |\n    vllm \\\n      --tp 8\n",
            "vllm \\\n      --tp 8\n",
            "vllm \\\n  --tp 8\n",
            "--tp 8",
            "--tp 8",
        );
        check("a: |\n\n\n  one\n", "one\n", "\n\none\n", "one", "one");
        check("a: >\n  one\n  two\n", "one\n  two\n", "one two\n", "two", "two");
        check("a: \"x\\n\\\"y\\\" z\"", "\"x\\n\\\"y\\\" z\"", "x\n\"y\" z", "z", "z");
        check("a: 'it''s tp=8'", "'it''s tp=8'", "it's tp=8", "tp=8", "tp=8");
        check("a: \"é\\u00e9 b\"", "\"é\\u00e9 b\"", "éé b", "b", "b");
    }
}
