//! The configuration as a strict tree with spans: one document, words as keys, no aliases.

use super::ConfigError;
use crate::source::{FileId, Span};
use crate::yaml::{self, Node};

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
    let parts = yaml::split(text);
    let mut parts = parts.into_iter();
    let Some(first) = parts.next() else {
        return Ok(Value { span: Span::new(file, 0, 0), kind: Kind::Null });
    };
    if let Some(second) = parts.next() {
        let start = second.range.start;
        let marker = Span::new(file, start, start + "---".len());
        return Err(error(marker, "a configuration is one YAML document, and here starts a second one"));
    }
    let tree = yaml::parse(file, &text.into(), first.range)
        .map_err(|found| error(found.span, format!("not valid YAML: {}", found.message)))?;
    value(tree.root())
}

/// The parser bounds the depth.
fn value(node: Node<'_>) -> Result<Value, ConfigError> {
    let span = node.span();
    if node.is_alias() {
        let message = "aliases are not read in a configuration: write the value out";
        return Err(error(node.own_span(), message));
    }
    let kind = if let Some(text) = node.raw_str() {
        let plain = node.style() == Some(yaml::Style::Plain) && node.tag().is_none();
        let style = if plain { Style::Plain } else { Style::Quoted };
        if node.is_null() { Kind::Null } else { Kind::Scalar(text.to_owned(), style) }
    } else if node.is_mapping() {
        let entry = |(name, node): (Node<'_>, Node<'_>)| Ok((key(name)?, value(node)?));
        Kind::Map(node.pairs().map(entry).collect::<Result<_, _>>()?)
    } else {
        Kind::Seq(node.items().map(value).collect::<Result<_, _>>()?)
    };
    Ok(Value { span, kind })
}

fn key(node: Node<'_>) -> Result<Key, ConfigError> {
    match node.raw_str() {
        Some(name) if !node.is_alias() => Ok(Key { name: name.to_owned(), span: node.span() }),
        _ => Err(error(node.own_span(), "a key has to be a word")),
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
        check("a: *x\n", "aliases are not read in a configuration: write the value out at \"*x\"");
        check("[a]: 1\n", "a key has to be a word");
        check("a: {{ x }}\n", "a key has to be a word");
        check(&"[".repeat(10_000), "not valid YAML");
        check("a:\n\tb: 1\n", "not valid YAML");
        check("a: \"é", "not valid YAML");
    }
}
