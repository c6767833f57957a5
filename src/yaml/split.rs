//! Cuts a stream into documents by bytes, before any of it is parsed.
//!
//! A line that starts with `---` and goes on with white space or nothing is a document marker wherever it stands, so
//! documents can be parsed one by one: a broken one never hides its neighbours, and one of no interest is not parsed.

use std::ops::Range;

/// One document of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The bytes, with the marker and the directives that belong to the document.
    pub range: Range<usize>,
    /// 0-based index in the stream, as YAML parsers count.
    pub index: u32,
}

/// The documents of a stream. A part that holds only comments before the first marker is no document, while a marker
/// always starts one, even an empty one.
pub fn split(text: &str) -> Vec<Part> {
    // Most files are one document, and no marker can hide in a text that has none anywhere.
    let holds = |marker: &str| memchr::memmem::find(text.as_bytes(), marker.as_bytes()).is_some();
    if !holds("---") && !holds("...") {
        let mut lines = lines(text).map(|(_, line)| line.trim_start_matches('\u{feff}'));
        let content = lines.any(|line| !is_blank(line) && !line.starts_with('%'));
        let whole = Part { range: 0..text.len(), index: 0 };
        return if content { vec![whole] } else { vec![] };
    }
    let mut parts = Vec::new();
    let mut open = Open { start: 0, explicit: false, content: false };
    let mut directives: Option<usize> = None;
    for (start, whole) in lines(text) {
        let line = whole.trim_start_matches('\u{feff}');
        if is_marker(line, "---") {
            let next = directives.take().unwrap_or(start);
            open.close(next, &mut parts);
            open = Open { start: next, explicit: true, content: false };
        } else if is_marker(line, "...") {
            let end = start + whole.len();
            open.close(end, &mut parts);
            open = Open { start: end, explicit: false, content: false };
        } else if line.starts_with('%') && !open.content {
            directives.get_or_insert(start);
        } else if !is_blank(line) {
            directives = None;
            open.content = true;
        }
    }
    open.close(text.len(), &mut parts);
    parts
}

struct Open {
    start: usize,
    explicit: bool,
    content: bool,
}

impl Open {
    fn close(&self, end: usize, parts: &mut Vec<Part>) {
        if self.explicit || self.content {
            let index = u32::try_from(parts.len()).unwrap_or(u32::MAX);
            parts.push(Part { range: self.start..end.max(self.start), index });
        }
    }
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

fn is_blank(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// The lines of a text with their offsets, line break included. A lone carriage return ends a line in YAML as well.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let len = match memchr::memchr2(b'\n', b'\r', rest.as_bytes()) {
            Some(end)
                if rest.as_bytes().get(end) == Some(&b'\r')
                    && rest.as_bytes().get(end + 1) == Some(&b'\n') =>
            {
                end + 2
            }
            Some(end) => end + 1,
            None => rest.len(),
        };
        let start = at;
        at += len;
        rest.get(..len).map(|line| (start, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let found: Vec<&str> = split(text).iter().filter_map(|p| text.get(p.range.clone())).collect();
        assert_eq!(found, expect, "{text:?}");
        for (at, part) in split(text).iter().enumerate() {
            assert_eq!(part.index as usize, at);
        }
    }

    #[test]
    fn documents_are_cut_at_markers() {
        check("", &[]);
        check("# only a comment\n", &[]);
        check("a: 1\n", &["a: 1\n"]);
        check("# c\n---\na: 1\n", &["---\na: 1\n"]);
        check("a: 1\n---\nb: 2", &["a: 1\n", "---\nb: 2"]);
        check("---\n---\n", &["---\n", "---\n"]);
        check("a: 1\r\n---\r\nb: 2\r\n", &["a: 1\r\n", "---\r\nb: 2\r\n"]);
        check("--- {a: 1}\n--- |\n text\n", &["--- {a: 1}\n", "--- |\n text\n"]);
        check("----\na: 1\n ---\n", &["----\na: 1\n ---\n"]);
        check("a: 1\n...\n# c\n", &["a: 1\n...\n"]);
        check("a: 1\n...\nb: 2\n", &["a: 1\n...\n", "b: 2\n"]);
        check("a: 1\n---\n%x\n", &["a: 1\n", "---\n%x\n"]);
        check("%YAML 1.2\n---\na: 1\n", &["%YAML 1.2\n---\na: 1\n"]);
        check("\u{feff}---\na: 1\n", &["\u{feff}---\na: 1\n"]);
        check("a: 1\n\u{feff}...\nb: 2\n", &["a: 1\n\u{feff}...\n", "b: 2\n"]);
        check("a: 1\r---\rb: 2\r", &["a: 1\r", "---\rb: 2\r"]);
    }
}
