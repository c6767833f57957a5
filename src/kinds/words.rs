//! Words of command lines and images, as kinds write or imply them.

use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Node, Text};

/// A word of a command line that a kind implies without writing it; `at` is what implies it.
pub(super) fn implied(word: &str, at: Span) -> Known<Text> {
    Known::Default(Text::opaque(word.to_owned(), at), at)
}

/// An image whose name and tag are written apart.
pub(super) fn image(name: Known<Text>, tag: Known<Text>) -> Known<Text> {
    match (name, tag) {
        (Known::Set(name, span), Known::Set(tag, _)) => {
            Known::Set(Text::opaque(format!("{}:{}", name.value, tag.value), span), span)
        }
        (name @ Known::Set(..), Known::Absent) => name,
        (Known::Set(..), unknown) => unknown,
        (name, _) => name,
    }
}

/// One word of a command line. A word that is no scalar is a template without quotes.
pub(super) fn word(node: Node<'_>) -> Known<Text> {
    match node.text() {
        Some(text) => {
            let span = text.span();
            Known::Set(text, span)
        }
        None => Known::Unresolved(node.span()),
    }
}
