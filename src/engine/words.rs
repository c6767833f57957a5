//! Characters and words of a command line that know where they stand in the file.

use crate::known::Known;
use crate::source::Span;
use crate::yaml::Text;

/// Stands in a word for characters that the inputs do not tell: the value of an unknown variable, of a template, of a
/// command substitution. A text that holds this character by itself is unknown too, which is the safe reading.
pub(super) const HOLE: char = '\u{fffc}';

/// One character and the bytes that stand for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph {
    pub(super) ch: char,
    pub(super) at: Span,
}

/// The characters of a text.
pub(super) fn glyphs(text: &Text) -> Vec<Glyph> {
    let end = |at: usize, ch: char| at + ch.len_utf8();
    text.value.char_indices().map(|(at, ch)| Glyph { ch, at: text.slice(at..end(at, ch)) }).collect()
}

/// The bytes of a run of characters. Characters of another file than the first are left out.
pub(super) fn cover(glyphs: &[Glyph]) -> Option<Span> {
    let first = glyphs.first()?.at;
    Some(glyphs.iter().filter(|glyph| glyph.at.file == first.file).fold(first, |all, glyph| Span {
        start: all.start.min(glyph.at.start),
        end: all.end.max(glyph.at.end),
        ..all
    }))
}

/// The characters as a string.
pub(super) fn string(glyphs: &[Glyph]) -> String {
    glyphs.iter().map(|glyph| glyph.ch).collect()
}

/// One character for a run that the inputs do not tell, at the bytes of that run.
pub(super) fn hole(run: &[Glyph], fallback: Span) -> Glyph {
    Glyph { ch: HOLE, at: cover(run).unwrap_or(fallback) }
}

/// The value of a variable where a command line refers to it.
///
/// It takes the place of the reference, so that a finding points at the command line; but a value that is itself a
/// list of flags keeps its own place, because there the flags are written.
pub(super) fn placed(value: &[Glyph], reference: Span) -> Vec<Glyph> {
    if value.iter().find(|glyph| !glyph.ch.is_whitespace()).is_some_and(|glyph| glyph.ch == '-') {
        return value.to_vec();
    }
    value.iter().map(|glyph| Glyph { ch: glyph.ch, at: reference }).collect()
}

/// True for a name that people give to a list of arguments (`EXTRA_ARGS`, `.Values.engine.flags`). Such a name may
/// stand for several words, so it is no value of the flag before it.
pub(super) fn names_arguments(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["arg", "opts", "option", "flag", "extra", "param"].iter().any(|part| name.contains(part))
}

/// True for a character that starts the name of a variable.
pub(super) fn starts_name(ch: char) -> bool {
    ch.is_ascii_alphabetic() || ch == '_'
}

/// One word of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) glyphs: Vec<Glyph>,
    /// The bytes of the word, also of an empty one.
    pub(super) at: Span,
    /// True where an unknown part may stand for several words or none.
    pub(super) spreads: bool,
    /// The characters as a shell would read them: only where the word is a whole item of `command` or `args`, whose
    /// `$NAME` and `<name>` mean something else to a shell than to a program.
    pub(super) script: Option<Vec<Glyph>>,
}

impl Word {
    pub(super) fn new(glyphs: Vec<Glyph>, fallback: Span) -> Word {
        let at = cover(&glyphs).unwrap_or(fallback);
        Word { glyphs, at, spreads: false, script: None }
    }

    /// A word of which nothing is known.
    pub(super) fn unknown(at: Span, spreads: bool) -> Word {
        Word { glyphs: vec![Glyph { ch: HOLE, at }], at, spreads, script: None }
    }

    pub(super) fn text(&self) -> String {
        string(&self.glyphs)
    }

    /// The name of the program: what follows the last slash.
    pub(super) fn basename(&self) -> String {
        let text = self.text();
        text.rsplit('/').next().unwrap_or_default().to_owned()
    }

    pub(super) fn is(&self, text: &str) -> bool {
        self.glyphs.iter().map(|glyph| glyph.ch).eq(text.chars())
    }

    /// True where a part of the word is unknown.
    pub(super) fn has_hole(&self) -> bool {
        self.glyphs.iter().any(|glyph| glyph.ch == HOLE)
    }

    /// True where nothing of the word is known.
    pub(super) fn is_hole(&self) -> bool {
        !self.glyphs.is_empty() && self.glyphs.iter().all(|glyph| glyph.ch == HOLE)
    }

    /// True for a word that names a flag: a dash and then neither a digit nor the end.
    pub(super) fn is_flag(&self) -> bool {
        let mut chars = self.glyphs.iter().map(|glyph| glyph.ch);
        chars.next() == Some('-') && chars.next().is_some_and(|ch| ch == '-' || ch.is_ascii_alphabetic())
    }

    /// The word after `skip` characters, with the blanks around it taken off.
    pub(super) fn tail(&self, skip: usize) -> Word {
        let rest = self.glyphs.get(skip..).unwrap_or_default();
        let blank = |glyph: &&Glyph| glyph.ch.is_whitespace();
        let start = rest.iter().take_while(blank).count();
        let end = rest.len() - rest.iter().rev().take_while(blank).count();
        Word::new(rest.get(start..end).unwrap_or_default().to_vec(), self.at)
    }

    /// The value of the word, to be reported at `span`.
    pub(super) fn known(&self, span: Span) -> Known<Text> {
        if self.has_hole() { Known::Unresolved(span) } else { Known::Set(self.to_text(), span) }
    }

    /// The word as a text. Where its characters stand next to each other in the file, each can be located.
    pub(super) fn to_text(&self) -> Text {
        let beside = |pair: &[Glyph]| match pair {
            [left, right] => left.at.file == right.at.file && left.at.end == right.at.start,
            _ => true,
        };
        let exact =
            self.glyphs.iter().all(|glyph| (glyph.at.end - glyph.at.start) as usize == glyph.ch.len_utf8());
        if exact && self.glyphs.windows(2).all(beside) {
            Text::verbatim(self.text(), self.at)
        } else {
            Text::opaque(self.text(), self.at)
        }
    }
}
