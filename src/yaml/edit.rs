//! Edits as splices of text: only the bytes that change are touched, so comments, quotes and anchors stay.

use super::node::{Entry, Node, Style};
use crate::diagnostic::Edit;
use crate::source::Span;

/// Replaces the value of a scalar and keeps its quotes. None where the value cannot be edited in place: a block scalar,
/// an alias, or a node that is no scalar.
pub fn replace_scalar(node: Node<'_>, value: &str) -> Option<Edit> {
    if node.is_alias() {
        return None;
    }
    let replacement = match node.style()? {
        Style::Plain => value.to_owned(),
        Style::Single => format!("'{value}'"),
        Style::Double => format!("\"{value}\""),
        Style::Literal | Style::Folded => return None,
    };
    Some(Edit { span: node.span(), replacement })
}

/// Adds an entry at the end of a mapping, in the mapping's own style. `lines` is the entry in block style, indented by
/// two spaces a level; `flow` is the same entry in one line.
///
/// A single key that is there already and holds nothing (`taints: []`) gets the value of `flow`.
///
/// None where the mapping is an alias (the edit would change every use) or empty without brackets, and where the key is
/// there and holds anything else.
pub fn append_entry(mapping: Node<'_>, source: &str, lines: &str, flow: &str) -> Option<Edit> {
    if mapping.is_alias() || !mapping.is_mapping() {
        return None;
    }
    let written = |key: &str| mapping.own_entries().find(|entry| entry.key == key);
    let top = lines.lines().filter(|line| !line.starts_with(' '));
    let keys: Vec<&str> = top.filter_map(|line| Some(line.split_once(':')?.0)).collect();
    if let Some(entry) = keys.iter().find_map(|key| written(key)) {
        return if keys.len() == 1 { fill(entry, source, flow) } else { None };
    }
    if mapping.is_flow() {
        return append_flow(mapping, source, flow);
    }
    let first = mapping.own_entries().next()?;
    let indent = column(first.key_node.span(), source);
    insert_below(mapping, source, indent, lines.lines())
}

/// Gives an entry whose value says that it holds nothing the value of the same entry in one line.
fn fill(entry: Entry<'_>, source: &str, flow: &str) -> Option<Edit> {
    let value = flow.strip_prefix(entry.key)?.strip_prefix(':')?.trim_start();
    let span = entry.value.span();
    let empty = matches!(source.get(span.range())?, "[]" | "{}" | "~" | "null");
    (empty && !entry.value.is_alias()).then(|| Edit { span, replacement: value.to_owned() })
}

/// Adds an item at the end of a sequence, in the sequence's own style. `lines` is the item without its dash, `flow` the
/// same item in one line. None where the sequence is an alias or empty without brackets.
pub fn append_item(sequence: Node<'_>, source: &str, lines: &str, flow: &str) -> Option<Edit> {
    if sequence.is_alias() || !sequence.is_sequence() {
        return None;
    }
    if sequence.is_flow() {
        return append_flow(sequence, source, flow);
    }
    sequence.items().next()?;
    let indent = column(sequence.span(), source);
    let entry =
        lines.lines().enumerate().map(|(at, line)| format!("{}{line}", if at == 0 { "- " } else { "  " }));
    insert_below(sequence, source, indent, entry)
}

/// Inserts lines behind the last line of a block collection.
fn insert_below(
    collection: Node<'_>,
    source: &str,
    indent: usize,
    lines: impl Iterator<Item = impl AsRef<str>>,
) -> Option<Edit> {
    let end = end_of_line(collection.span().end as usize, source);
    let newline = if source.get(..end).is_some_and(|s| s.contains("\r\n")) { "\r\n" } else { "\n" };
    let mut replacement = String::new();
    for line in lines {
        replacement.push_str(newline);
        replacement.push_str(&" ".repeat(indent));
        replacement.push_str(line.as_ref());
    }
    Some(Edit { span: Span::new(collection.span().file, end, end), replacement })
}

fn append_flow(collection: Node<'_>, source: &str, flow: &str) -> Option<Edit> {
    let span = collection.span();
    // In `[a: 1]` the entry has no braces of its own.
    source.get(span.range()).filter(|raw| raw.starts_with(['{', '[']) && raw.ends_with(['}', ']']))?;
    let inner = source.get(span.start as usize + 1..(span.end as usize).checked_sub(1)?)?;
    let at = span.start as usize + 1 + inner.trim_end().len();
    let separator = if inner.trim().is_empty() || inner.trim_end().ends_with(',') { "" } else { ", " };
    Some(Edit { span: Span::new(span.file, at, at), replacement: format!("{separator}{flow}") })
}

/// How many characters stand before a place on its line. In an item such as `- key:` the dash counts as indentation.
pub fn column(span: Span, source: &str) -> usize {
    let before = source.get(..span.start as usize).unwrap_or("");
    let line = before.rsplit('\n').next().unwrap_or("");
    line.trim_start_matches('\u{feff}').chars().count()
}

/// The end of the last line that holds content at or before `offset`, comment included, without its line break.
fn end_of_line(offset: usize, source: &str) -> usize {
    let content = source.get(..offset).map_or(offset, |s| s.trim_end().len());
    let rest = source.get(content..).unwrap_or("");
    let line = rest.find('\n').map_or(rest.len(), |n| n);
    content + rest.get(..line).map_or(0, |l| l.trim_end_matches('\r').len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;
    use crate::yaml;
    use std::sync::Arc;

    /// The text after an entry was added to its root; none where that is refused.
    fn appended(text: &str, lines: &str, flow: &str) -> Option<String> {
        let shared = Arc::from(text);
        let tree = yaml::parse(FileId(0), &shared, 0..text.len()).unwrap();
        let edit = append_entry(tree.root(), text, lines, flow)?;
        let mut after = text.to_owned();
        after.replace_range(edit.span.range(), &edit.replacement);
        Some(after)
    }

    #[test]
    fn an_entry_is_added_once() {
        for (text, expect) in [
            ("a: 1\n", Some("a: 1\nt:\n  - x\n")),
            ("{a: 1}\n", Some("{a: 1, t: [x]}\n")),
            ("t: []\na: 1\n", Some("t: [x]\na: 1\n")),
            ("t: [ ] # none yet\na: 1\n", None),
            ("t: [] # none yet\n", Some("t: [x] # none yet\n")),
            ("t:\na: 1\n", None),
            ("t: # none yet\na: 1\n", None),
            ("a: 1\nt: null\n", Some("a: 1\nt: [x]\n")),
            ("\"t\": ~\n", Some("\"t\": [x]\n")),
            ("{t: , a: 1}\n", None),
            ("t: [y]\n", None),
            ("a: &e []\nt: *e\n", None),
        ] {
            assert_eq!(appended(text, "t:\n  - x", "t: [x]").as_deref(), expect, "{text:?}");
        }
        // Of several entries at once none may be there.
        assert_eq!(appended("b:\n", "a: 1\nb: 2", "a: 1, b: 2"), None);
    }
}
