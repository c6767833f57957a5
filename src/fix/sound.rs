//! Whether edited text still says the same, but for what the edits were to change.

use crate::diagnostic::Edit;
use crate::source::FileId;
use crate::yaml::{self, Entry, Node};
use std::sync::Arc;

/// True where `new` parses, holds no key twice and is the tree of `old` but for values that an edit replaced and entries
/// that an edit inserted or removed. The edits are those that led from `old` to `new`, in places of `old`.
pub fn is_sound(file: FileId, old: &str, new: &str, edits: &[&Edit]) -> bool {
    let (old, new): (Arc<str>, Arc<str>) = (old.into(), new.into());
    let (before, after) = (yaml::split(&old), yaml::split(&new));
    let edits = Edits { source: &old, edits };
    before.len() == after.len()
        && before.iter().zip(&after).all(|(before, after)| {
            match (
                yaml::parse(file, &old, before.range.clone()),
                yaml::parse(file, &new, after.range.clone()),
            ) {
                (Ok(before), Ok(after)) => {
                    after.duplicate_keys().len() <= before.duplicate_keys().len()
                        && edits.explain(before.root(), after.root())
                }
                // A document that could not be read before is none of the edits'.
                (Err(_), Err(_)) => old.get(before.range.clone()) == new.get(after.range.clone()),
                _ => false,
            }
        })
}

struct Edits<'e> {
    source: &'e str,
    edits: &'e [&'e Edit],
}

impl Edits<'_> {
    /// True where the edits account for every difference between two nodes.
    fn explain(&self, old: Node<'_>, new: Node<'_>) -> bool {
        // What an alias stands for is compared where it stands.
        if old.is_alias() || new.is_alias() {
            return old.is_alias() == new.is_alias();
        }
        if self.replaces(old) {
            return true;
        }
        if old.is_mapping() {
            new.is_mapping() && self.explain_mapping(old, new)
        } else if old.is_sequence() {
            new.is_sequence() && self.explain_sequence(old, new)
        } else {
            let same = old.raw_str() == new.raw_str() && old.tag() == new.tag();
            !new.is_mapping() && !new.is_sequence() && (same || self.edits_inside(old))
        }
    }

    fn explain_mapping(&self, old: Node<'_>, new: Node<'_>) -> bool {
        let (mut added, mut removed) = (false, false);
        let after: Vec<Entry<'_>> = new.own_entries().collect();
        let mut rest = after.as_slice();
        for entry in old.own_entries() {
            // New entries may stand before this one, but none of the old ones changes its place.
            let at = rest.iter().position(|found| found.key == entry.key);
            match at.and_then(|at| Some((at, rest.get(at)?, rest.get(at + 1..)?))) {
                Some((at, found, next)) => {
                    if !self.explain(entry.value, found.value) {
                        return false;
                    }
                    added |= at > 0;
                    rest = next;
                }
                None if self.replaces(entry.key_node) => removed = true,
                None => return false,
            }
        }
        added |= !rest.is_empty();
        !added || removed || self.inserts(old)
    }

    fn explain_sequence(&self, old: Node<'_>, new: Node<'_>) -> bool {
        let mut after = new.items();
        old.items().all(|item| after.next().is_some_and(|found| self.explain(item, found)))
            && (after.next().is_none() || self.inserts(old))
    }

    /// True where an edit takes all the bytes of a node.
    fn replaces(&self, node: Node<'_>) -> bool {
        let span = node.span();
        span.start < span.end && self.edits.iter().any(|edit| edit.span.contains(span))
    }

    /// True where an edit takes some of the bytes of a node.
    fn edits_inside(&self, node: Node<'_>) -> bool {
        let span = node.span();
        self.edits.iter().any(|edit| edit.span.start < edit.span.end && span.contains(edit.span))
    }

    /// True where an edit stands in a node, or at the end of its last line, and not only in one of its scalars.
    fn inserts(&self, node: Node<'_>) -> bool {
        let span = node.span();
        let rest = self.source.get(span.end as usize..).unwrap_or("");
        let line = rest.find('\n').unwrap_or(rest.len());
        let end = span.end as usize + line;
        let inner = |edit: &Edit| {
            let entries = node.own_entries().flat_map(|entry| [entry.key_node, entry.value]);
            edit.span.start < edit.span.end
                && entries.chain(node.items()).any(|child| child.span().contains(edit.span))
        };
        self.edits
            .iter()
            .any(|edit| span.start <= edit.span.start && edit.span.end as usize <= end && !inner(edit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    /// The text is `before`, and `[[old=>new]]` in it is an edit. `after` is what is to be judged, where it is not the
    /// result of the edits.
    #[track_caller]
    fn check(sound: bool, marked: &str, after: Option<&str>) {
        let (mut before, mut result, mut edits) = (String::new(), String::new(), vec![]);
        for (at, part) in marked.split("[[").enumerate() {
            let rest = match part.split_once("]]") {
                Some((edit, rest)) if at > 0 => {
                    let (old, new) = edit.split_once("=>").unwrap();
                    let span = Span::new(FileId(0), before.len(), before.len() + old.len());
                    edits.push(Edit { span, replacement: new.to_owned() });
                    before.push_str(old);
                    result.push_str(new);
                    rest
                }
                _ => part,
            };
            before.push_str(rest);
            result.push_str(rest);
        }
        let edits: Vec<&Edit> = edits.iter().collect();
        let after = after.unwrap_or(&result);
        assert_eq!(is_sound(FileId(0), &before, after, &edits), sound, "{before}\nto\n{after}");
    }

    #[test]
    fn intended_changes_are_sound() {
        check(true, "a: [[1=>2]]\nb: 1\n", None);
        check(true, "a:\n  b: 1[[=>\n  c: 2]]\nd: 1\n", None);
        check(true, "a:\n  b: 1 # why[[=>\n  c: 2]]\nd: 1\n", None);
        check(true, "a: {b: 1[[=>, c: 2]]}\n", None);
        check(true, "a: {[[=>c: 2]]}\n", None);
        check(true, "a:\n[[  b: 1\n=>]]  c: 1\n", None);
        check(true, "[[a=>b]]: 1\n", None);
        check(true, "a: 1\n---\nb: \"[[x=>y]]\"\n", Some("a: 1\n---\nb: \"y\"\n"));
        check(true, "a: [1, 2[[=>, 3]]]\n", None);
        check(true, "broken: [\n---\na: [[1=>2]]\n", None);
        check(true, "a: &x {k: 1}\nb: *x\nc: [[1=>2]]\n", None);
    }

    #[test]
    fn side_effects_are_not() {
        check(false, "a: [[1=>2]]\nb: 1\n", Some("a: 2\nb: 2\n"));
        check(false, "a: [[1=>2]]\nb: 1\n", Some("a: 2\n"));
        check(false, "a: [[1=>2]]\nb: 1\n", Some("a: 2\nb: 1\nc: 1\n"));
        check(false, "a: [[1=>2\n---]]\nb: 1\n", None);
        check(false, "a: [[1=>[]]\n", None);
        check(false, "a: {b: 1[[=>, b: 2]]}\n", None);
        check(false, "a: plain text[[=>\n  c 2]]\nd: 1\n", None);
        check(false, "a: [[1=>2]]\n---\nb: 1\n", Some("a: 2\n---\nb: {}\n"));
        check(false, "a: [1, [[2=>3]]]\n", Some("a: [2, 3]\n"));
        check(false, "a: [1, [[2=>3]]]\n", Some("a: [3]\n"));
        check(false, "broken: [ [[=>x]]\n---\na: 1\n", None);
        check(false, "a: &x {k: [[1=>2]]}\nb: *x\n", Some("a: &x {k: 2}\nb: {k: 1}\n"));
    }
}
