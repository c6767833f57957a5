//! Text for people: cleaned, counted, wrapped, coloured.

use crate::diagnostic::Severity;
use std::borrow::Cow;
use std::fmt::{self, Display};

/// True for characters that a terminal or viewer acts on instead of showing them: control characters, and the
/// bidirectional controls that make a line read differently from what it says.
pub(super) fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text with every control character replaced, except line breaks and tabs.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let bad = |c: char| is_control(c) && c != '\n' && c != '\t';
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n");
    Cow::Owned(text.chars().map(|c| if bad(c) { '\u{fffd}' } else { c }).collect())
}

/// The text on one line, without control characters.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let words: Vec<&str> =
        text.split(['\n', '\r', '\t']).map(str::trim).filter(|word| !word.is_empty()).collect();
    Cow::Owned(clean(&words.join(" ")).into_owned())
}

/// `1 file`, `2 files`.
pub(super) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// How many columns a character takes, never too few. Only used to decide where a text is cut.
pub(super) fn columns(c: char) -> usize {
    match c {
        '\t' => 4,
        c if c < '\u{1100}' => 1,
        _ => 2,
    }
}

/// Breaks a text at blanks so that no line is wider than `width`, where its words allow it. Line breaks stay.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut words = paragraph.split(' ');
        let mut line = words.next().unwrap_or("").to_owned();
        let mut used: usize = line.chars().map(columns).sum();
        for word in words {
            let needed: usize = word.chars().map(columns).sum();
            if used + 1 + needed > width && !line.trim_start().is_empty() {
                lines.push(std::mem::take(&mut line));
                used = 0;
            } else {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += needed;
        }
        lines.push(line);
    }
    lines
}

/// An ANSI style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Red,
    Yellow,
    Green,
    Cyan,
    Bold,
}

impl Style {
    /// The colour of a severity.
    pub(super) fn of(severity: Severity) -> Style {
        match severity {
            Severity::Error => Style::Red,
            Severity::Warning => Style::Yellow,
            Severity::Info => Style::Cyan,
        }
    }
}

/// Puts ANSI styles around texts, or does not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    pub(super) color: bool,
}

impl Paint {
    pub(super) fn style<T: Display>(self, style: Style, text: T) -> Painted<T> {
        Painted { style: self.color.then_some(style), text }
    }
}

/// A text with its style.
#[derive(Debug)]
pub(super) struct Painted<T> {
    style: Option<Style>,
    text: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = match self.style {
            None => return self.text.fmt(f),
            Some(Style::Red) => 31,
            Some(Style::Yellow) => 33,
            Some(Style::Green) => 32,
            Some(Style::Cyan) => 36,
            Some(Style::Bold) => 1,
        };
        write!(f, "\u{1b}[{code}m{}\u{1b}[0m", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cleaned() {
        for (text, cleaned, line) in [
            ("plain é 世", "plain é 世", "plain é 世"),
            ("a\nb\tc", "a\nb\tc", "a b c"),
            ("a\r\n  b", "a\n  b", "a b"),
            ("\u{1b}[31mred", "\u{fffd}[31mred", "\u{fffd}[31mred"),
            ("a\u{202e}b\u{7f}", "a\u{fffd}b\u{fffd}", "a\u{fffd}b\u{fffd}"),
        ] {
            assert_eq!(clean(text), cleaned, "{text:?}");
            assert_eq!(one_line(text), line, "{text:?}");
        }
    }

    #[test]
    fn texts_are_wrapped_between_words() {
        #[track_caller]
        fn check(text: &str, width: usize, expected: &[&str]) {
            assert_eq!(wrap(text, width), expected);
        }
        check("", 10, &[]);
        check("one two three", 7, &["one two", "three"]);
        check("one two three", 6, &["one", "two", "three"]);
        check("vllm:num_requests_waiting is", 6, &["vllm:num_requests_waiting", "is"]);
        check("a  b\n  c", 10, &["a  b", "  c"]);
        check("世界 世界", 8, &["世界", "世界"]);
        check("世界 世界", 9, &["世界 世界"]);
    }

    #[test]
    fn numbers_and_lists_read_well() {
        let words = |n: usize| ["a", "b", "c"].iter().take(n).map(|w| (*w).to_owned()).collect::<Vec<_>>();
        assert_eq!([0, 1, 2, 3].map(|n| list(&words(n))), ["", "a", "a and b", "a, b and c"]);
        assert_eq!([0, 1, 2].map(|n| count(n, "file")), ["0 files", "1 file", "2 files"]);
    }
}
