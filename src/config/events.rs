//! The configuration as a tree with spans, read from the events of the YAML parser.
//!
//! Everything that touches the parser is in this file, and the rest of the configuration sees [`Value`] only.

use super::ConfigError;
use crate::source::{FileId, Span};
use granit_parser::{Event, Parser, ScalarStyle, StrInput};

/// A node with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    /// The bytes of the scalar, or of a collection from its first to its last.
    pub(super) span: Span,
    /// What it is.
    pub(super) kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing, `~` or `null`.
    Null,
    /// A scalar after quotes and escapes are taken away.
    Scalar(String, Style),
    /// A sequence.
    Seq(Vec<Value>),
    /// A mapping in the order written, repeated keys included.
    Map(Vec<(Key, Value)>),
}

/// Whether a scalar may mean something else than text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// No quotes: `3` is a number.
    Plain,
    /// Quotes or a block: `"3"` is text.
    Quoted,
}

/// A key with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// The key as written, without quotes.
    pub(super) name: String,
    /// Its bytes.
    pub(super) span: Span,
}

/// Reads the one document of a configuration file. A file of comments only is [`Kind::Null`].
pub(super) fn tree(text: &str, file: FileId) -> Result<Value, ConfigError> {
    // A starter file is mostly comments, and the parser keeps only so many of them.
    let options = granit_parser::options! { emit_comments: false, block_scalar_eof_without_line_feed: true };
    let mut events = Events { parser: Parser::new_from_str_with_options(text, options), file, text };
    let nothing = Value { span: Span::new(file, 0, 0), kind: Kind::Null };
    let mut document = None;
    loop {
        let Some((event, span)) = events.next()? else { return Ok(document.unwrap_or(nothing)) };
        match event {
            Event::DocumentStart(..) if document.is_some() => {
                return Err(error(
                    span,
                    "a configuration is one YAML document, and here starts a second one",
                ));
            }
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            Event::StreamEnd => return Ok(document.unwrap_or(nothing)),
            event => document = Some(events.node(event, span)?),
        }
    }
}

struct Events<'t> {
    parser: Parser<'t, StrInput<'t>>,
    file: FileId,
    text: &'t str,
}

impl<'t> Events<'t> {
    /// The next event with its bytes, or none at the end.
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, ConfigError> {
        match self.parser.next() {
            None => Ok(None),
            Some(Ok((event, span))) => {
                let bytes = span.byte_range().unwrap_or(0..0);
                Ok(Some((event, Span::new(self.file, bytes.start, bytes.end))))
            }
            Some(Err(found)) => {
                let at = found.marker().byte_offset().unwrap_or(0).min(self.text.len());
                let character = self.text.get(at..).and_then(|rest| rest.chars().next());
                let end = at + character.map_or(0, char::len_utf8);
                Err(error(Span::new(self.file, at, end), format!("not valid YAML: {}", found.info())))
            }
        }
    }

    /// The node that starts with this event. The parser bounds the depth.
    fn node(&mut self, event: Event<'t>, span: Span) -> Result<Value, ConfigError> {
        match event {
            Event::Scalar(text, style, _, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let null =
                    plain && (span.start == span.end || matches!(&*text, "~" | "null" | "Null" | "NULL"));
                let style = if plain { Style::Plain } else { Style::Quoted };
                let kind = if null { Kind::Null } else { Kind::Scalar(text.into_owned(), style) };
                Ok(Value { span, kind })
            }
            Event::SequenceStart(..) => {
                let (mut items, mut end) = (Vec::new(), span);
                while let Some((event, at)) = self.next()? {
                    end = at;
                    if event == Event::SequenceEnd {
                        break;
                    }
                    items.push(self.node(event, at)?);
                }
                let children = items.first().zip(items.last()).map(|(a, b)| (a.span, b.span));
                Ok(Value { span: around(span, children, end), kind: Kind::Seq(items) })
            }
            Event::MappingStart(..) => {
                let (mut entries, mut end): (Vec<(Key, Value)>, _) = (Vec::new(), span);
                while let Some((event, at)) = self.next()? {
                    end = at;
                    if event == Event::MappingEnd {
                        break;
                    }
                    let key = self.key(event, at)?;
                    let Some((event, at)) = self.next()? else { break };
                    entries.push((key, self.node(event, at)?));
                }
                let children = entries.first().zip(entries.last()).map(|(a, b)| (a.0.span, b.1.span));
                Ok(Value { span: around(span, children, end), kind: Kind::Map(entries) })
            }
            Event::Alias(_) => {
                Err(error(span, "aliases are not read in a configuration: write the value out"))
            }
            _ => Err(error(span, "a value was expected")),
        }
    }

    fn key(&mut self, event: Event<'t>, span: Span) -> Result<Key, ConfigError> {
        match event {
            Event::Scalar(name, ..) => Ok(Key { name: name.into_owned(), span }),
            _ => Err(error(span, "a key has to be a word")),
        }
    }
}

/// The bytes of a collection: from bracket to bracket, or in a block, which has none, from the first child to the end
/// of the last.
fn around(start: Span, children: Option<(Span, Span)>, end: Span) -> Span {
    match children {
        _ if start.start < start.end => Span { end: end.end, ..start },
        Some((first, last)) => Span { end: last.end.max(first.end), ..first },
        None => start,
    }
}

fn error(span: Span, message: impl Into<String>) -> ConfigError {
    ConfigError { span, message: message.into(), help: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree in one line: scalars with `'` where quoted, each followed by its bytes where they differ from it.
    fn shown(text: &str, value: &Value) -> String {
        let raw = text.get(value.span.range()).unwrap();
        match &value.kind {
            Kind::Null => "null".to_owned(),
            Kind::Scalar(scalar, style) => {
                let quote = if *style == Style::Quoted { "'" } else { "" };
                let bytes = if raw == scalar { String::new() } else { format!("<{raw}>") };
                format!("{quote}{scalar}{quote}{bytes}")
            }
            Kind::Seq(items) => {
                format!("[{}]", items.iter().map(|v| shown(text, v)).collect::<Vec<_>>().join(" "))
            }
            Kind::Map(entries) => {
                let entry = |(key, value): &(Key, Value)| {
                    assert_eq!(text.get(key.span.range()).unwrap().trim_matches(['"', '\'']), key.name);
                    format!("{}={}", key.name, shown(text, value))
                };
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(" "))
            }
        }
    }

    fn check(text: &str, expect: &str) {
        let found = match tree(text, FileId(0)) {
            Ok(value) => shown(text, &value),
            Err(error) => format!("{} at {:?}", error.message, text.get(error.span.range()).unwrap()),
        };
        assert!(found.starts_with(expect), "{text:?}\nexpected {expect}\n   found {found}");
    }

    #[test]
    fn yaml_becomes_a_tree_with_bytes() {
        check("", "null");
        check("# x\n", "null");
        check("---\n", "null");
        check("a: 1\nb: \"1\"\nc: '~'\nd: ~\ne:\n", "{a=1 b='1'<\"1\"> c='~'<'~'> d=null e=null}");
        check("\u{feff}é: [x, {y: ü}]\nz:\n- 1\n- 2\n", "{é=[x {y=ü}] z=[1 2]}");
        check("a: 1\r\nb: |\r\n  x\r\n", "{a=1 b='x\n'<x\r\n>}");
        check("a: !!str 1\nb: !x [1]\n", "{a='1' b=[1]}");
        check("a: 1\na: 2\n", "{a=1 a=2}");
        check(&"# comment\n".repeat(500), "null");
        check(&format!("a:\n{}  b: 1\n", "  # comment\n".repeat(500)), "{a={b=1}}");
    }

    #[test]
    fn what_cannot_be_read_has_a_place() {
        check("a: [1", "not valid YAML");
        check(
            "a: 1\n---\nb: 2\n",
            "a configuration is one YAML document, and here starts a second one at \"---\"",
        );
        check("a: &x 1\nb: *x\n", "aliases are not read in a configuration: write the value out at \"*x\"");
        check("a: *x\n", "not valid YAML");
        check("[a]: 1\n", "a key has to be a word");
        check("a: {{ x }}\n", "a key has to be a word");
        check(&"[".repeat(10_000), "not valid YAML");
        check("a:\n\tb: 1\n", "not valid YAML");
        check("a: \"é", "not valid YAML");
    }
}
