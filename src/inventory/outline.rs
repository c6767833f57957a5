//! What is known of the documents of a file before any is parsed.

use super::interest::is_wanted;
use crate::yaml::{self, Part};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What is known of the documents of a file before any is parsed.
#[derive(Default)]
pub(super) struct Outline {
    pub(super) documents: u64,
    pub(super) wanted: Vec<Part>,
    pub(super) plain: Vec<Plain>,
}

impl Outline {
    /// `holds_interest` is false where the whole text is known to hold no word of interest.
    pub(super) fn of(text: &str, holds_interest: bool) -> Outline {
        let parts = yaml::split(text);
        let mut outline = Outline { documents: parts.len() as u64, ..Outline::default() };
        for part in parts {
            let body = text.get(part.range.clone()).unwrap_or("");
            if holds_interest && is_wanted(body) {
                outline.wanted.push(part);
            } else if let Some(name) = object_name(body) {
                outline.plain.push(Plain::new(name, &part));
            }
        }
        outline
    }
}

/// A document that is not wanted for itself.
#[derive(Clone, Copy)]
pub(super) struct Plain {
    pub(super) name: u64,
    /// Index of its file in [`Index`].
    pub(super) file: u32,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) document: u32,
}

impl Plain {
    fn new(name: &str, part: &Part) -> Plain {
        let offset = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (start, end) = (offset(part.range.start), offset(part.range.end));
        Plain { name: hash(name), file: 0, start, end, document: part.index }
    }
}

pub(super) fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// The name of an object, by its lines: the first `name:` under a `metadata:` at the left margin. Other spellings are
/// not found, and what names them stays unresolved.
fn object_name(text: &str) -> Option<&str> {
    const KEY: &str = "metadata:";
    let mut starts = memchr::memmem::find_iter(text.as_bytes(), KEY.as_bytes());
    let at = starts
        .find(|at| text.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with('\n')))?;
    let lines = text.get(at + KEY.len()..)?.lines().skip(1);
    let inside = lines.take_while(|l| l.starts_with(' ') || l.trim().is_empty());
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut first = None;
    for line in inside.filter(|l| !l.trim().is_empty()) {
        let expected = *first.get_or_insert(indent(line));
        if indent(line) == expected
            && let Some(value) = line.trim().strip_prefix("name:")
        {
            let value = value.split(" #").next().unwrap_or("").trim();
            return Some(value.trim_matches(['"', '\'']));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_sorted_out() {
        #[track_caller]
        fn check(text: &str, documents: u64, wanted: &[u32], named: &[u32]) {
            let outline = Outline::of(text, true);
            let found: Vec<u32> = outline.wanted.iter().map(|part| part.index).collect();
            let plain: Vec<u32> = outline.plain.iter().map(|plain| plain.document).collect();
            assert_eq!((outline.documents, &found[..], &plain[..]), (documents, wanted, named), "{text:?}");
        }
        check("", 0, &[], &[]);
        check("# vllm\n", 0, &[], &[]);
        check("a: vllm\n", 1, &[0], &[]);
        check("a: 1\n", 1, &[], &[]);
        check("kind: Service\nmetadata:\n  name: web\n", 1, &[], &[0]);
        check("a: vllm\n---\nkind: Service\nmetadata:\n  name: web\n---\nb: DCGM_X\n", 3, &[0, 2], &[1]);
        let definition =
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: vllm\n";
        check(definition, 1, &[], &[0]);
        check("metadata: {name: vllm}\nnot: |\n  kind: CustomResourceDefinition\n", 1, &[0], &[]);
    }

    #[test]
    fn names_are_read_from_lines() {
        #[track_caller]
        fn check(text: &str, expect: Option<&str>) {
            assert_eq!(object_name(text), expect, "{text:?}");
        }
        check("metadata:\n  name: web\n", Some("web"));
        check("kind: X\nmetadata:\n  labels:\n    name: no\n  name: \"web\" # here\nspec:\n", Some("web"));
        check("kind: X\r\nmetadata:\r\n  name: web\r\n", Some("web"));
        check("metadata:\n\n    name: 'web'\n", Some("web"));
        check("spec:\n  metadata:\n    name: no\n", None);
        check("metadata: {name: web}\n", None);
        check("metadata:\nname: no\n", None);
        check("a: metadata:\nmetadata:\n  name: web\n", Some("web"));
    }
}
