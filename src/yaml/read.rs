//! From nodes to values: what a scalar means, and typed fields as [`Known`].

use super::node::{Node, Style};
use super::text::Text;
use crate::known::Known;

/// What a scalar stands for, as Kubernetes' parser (YAML 1.1 words, read by Go) takes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar<'t> {
    /// Nothing.
    Null,
    /// `true`, `yes`, `on` and their opposites, without quotes.
    Bool(bool),
    /// An integer without quotes.
    Int(i64),
    /// A number with a fraction or an exponent, without quotes.
    Float(f64),
    /// Everything else, and everything in quotes.
    Str(&'t str),
}

impl<'t> Scalar<'t> {
    /// The meaning of a scalar node; none for a collection.
    pub fn of(node: Node<'t>) -> Option<Scalar<'t>> {
        let text = node.raw_str()?;
        let is_text = match node.tag() {
            Some("str") => true,
            Some("int" | "float" | "bool" | "null") => false,
            _ => node.style() != Some(Style::Plain),
        };
        if is_text {
            return Some(Scalar::Str(text));
        }
        if node.is_null() {
            return Some(Scalar::Null);
        }
        Some(plain(text))
    }
}

fn plain(text: &str) -> Scalar<'_> {
    match text {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let negative = text.starts_with('-');
    let radix = |prefix: &str, radix| {
        let digits = digits.strip_prefix(prefix)?.replace('_', "");
        i64::from_str_radix(&digits, radix).ok().map(|n| if negative { -n } else { n })
    };
    if let Some(n) = radix("0x", 16).or_else(|| radix("0o", 8)).or_else(|| radix("0b", 2)) {
        return Scalar::Int(n);
    }
    if digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '_')
        && let Ok(n) = text.replace('_', "").parse()
    {
        return Scalar::Int(n);
    }
    // Rust also reads `inf` and `nan`, which are words here.
    if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.chars().any(|c| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'))
        && let Ok(n) = text.parse()
    {
        return Scalar::Float(n);
    }
    Scalar::Str(text)
}

/// True where a text is a template of Helm, Jinja, Terraform, envsubst or a like tool, or has a part that is: the value
/// is not known before that tool has run.
pub fn looks_templated(text: &str) -> bool {
    if text.contains("{{") || text.contains("<%") || text.contains("${") || text.contains("{%") {
        return true;
    }
    let named = |open: &str, close: char| {
        text.match_indices(open).any(|(at, _)| {
            let rest = text.get(at + open.len()..).unwrap_or("");
            let name = rest.split(close).next().unwrap_or("");
            rest.len() > name.len()
                && name.len() > 1
                && name.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c == '-')
        })
    };
    let variable = text.match_indices('$').any(|(at, _)| {
        text.get(at + 1..)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '('))
    });
    variable || named("<", '>') || named("@", '@') || named("__", '_') && text.ends_with("__")
}

/// True where the node is a template: a scalar with a template in it, or `{{ x }}` without quotes, which YAML reads as
/// a mapping whose key is a mapping.
pub fn is_template(node: Node<'_>) -> bool {
    match node.raw_str() {
        Some(text) => looks_templated(text),
        None => {
            node.is_mapping() && node.is_flow() && node.own_entries().next().is_none() && has_odd_key(node)
        }
    }
}

/// `{{ .Values.x }}` is a flow mapping with one entry whose key is a mapping, so it has no entry with a scalar key but
/// is longer than `{}`.
fn has_odd_key(node: Node<'_>) -> bool {
    let span = node.span();
    span.end.saturating_sub(span.start) > 4
}

/// A value that can be read from a node.
pub trait Read: Sized {
    /// What the field takes, for the message about a wrong value: "an integer".
    const EXPECTED: &'static str;

    /// The value of a node that is no template and not null; none where it is of another type.
    fn read(node: Node<'_>) -> Option<Self>;
}

impl Read for String {
    const EXPECTED: &'static str = "a string";

    /// Any scalar: a number where a name is due is refused by the API server, but its text is still the name meant.
    fn read(node: Node<'_>) -> Option<String> {
        node.raw_str().map(str::to_owned)
    }
}

impl Read for Text {
    const EXPECTED: &'static str = "a string";

    fn read(node: Node<'_>) -> Option<Text> {
        node.text()
    }
}

impl Read for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(node: Node<'_>) -> Option<bool> {
        match Scalar::of(node)? {
            Scalar::Bool(b) => Some(b),
            _ => None,
        }
    }
}

impl Read for i64 {
    const EXPECTED: &'static str = "an integer";

    fn read(node: Node<'_>) -> Option<i64> {
        match Scalar::of(node)? {
            Scalar::Int(n) => Some(n),
            Scalar::Float(f) if f.fract() == 0.0 && f.abs() < 1e15 => Some(f as i64),
            _ => None,
        }
    }
}

impl Read for u32 {
    const EXPECTED: &'static str = "an integer of 0 or more";

    fn read(node: Node<'_>) -> Option<u32> {
        u32::try_from(i64::read(node)?).ok()
    }
}

impl Read for f64 {
    const EXPECTED: &'static str = "a number";

    fn read(node: Node<'_>) -> Option<f64> {
        match Scalar::of(node)? {
            Scalar::Int(n) => Some(n as f64),
            Scalar::Float(f) => Some(f),
            _ => None,
        }
    }
}

impl Node<'_> {
    /// This node as a typed value.
    pub fn read<T: Read>(&self) -> Known<T> {
        if self.is_null() {
            return Known::Absent;
        }
        if is_template(*self) {
            return Known::Unresolved(self.span());
        }
        match T::read(*self) {
            Some(value) => Known::Set(value, self.span()),
            None => Known::Invalid(T::EXPECTED, self.span()),
        }
    }

    /// The field at a path of keys, parted by dots, as a typed value.
    pub fn field<T: Read>(&self, path: &str) -> Known<T> {
        let mut node = *self;
        for key in path.split('.') {
            if is_template(node) {
                return Known::Unresolved(node.span());
            }
            match node.get(key) {
                Some(value) => node = value,
                None => return Known::Absent,
            }
        }
        node.read()
    }

    /// The text of the field at a path, templates or not: for queries and scripts, which have variables of their own.
    pub fn text_at(&self, path: &str) -> Known<Text> {
        match self.at(path) {
            Some(node) => match node.text() {
                Some(text) => {
                    let span = text.span();
                    Known::Set(text, span)
                }
                None if is_template(node) => Known::Unresolved(node.span()),
                None => Known::Invalid("a string", node.span()),
            },
            None => Known::Absent,
        }
    }
}
