//! Object metadata: names, labels, annotations.

use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Node, NodeId, Text};

/// One label or annotation.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The key.
    pub key: String,
    /// The bytes of the key.
    pub key_span: Span,
    /// The value; a value of another type than string is taken as its text.
    pub value: Known<String>,
    /// The value with the way back to the file.
    pub text: Option<Text>,
}

/// Labels or annotations, in the order written.
#[derive(Debug, Clone, Default)]
pub struct Pairs(pub Vec<Pair>);

impl Pairs {
    /// Reads a mapping of strings.
    pub fn of(node: Option<Node<'_>>) -> Pairs {
        let entries = node.map(|n| n.entries()).unwrap_or_default();
        Pairs(
            entries
                .into_iter()
                .map(|e| Pair {
                    key: e.key.to_owned(),
                    key_span: e.key_node.span(),
                    value: e.value.read(),
                    text: e.value.text(),
                })
                .collect(),
        )
    }

    /// The pair of a key.
    pub fn pair(&self, key: &str) -> Option<&Pair> {
        self.0.iter().find(|p| p.key == key)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Known<String> {
        self.pair(key).map(|p| p.value.clone()).unwrap_or_default()
    }
}

/// `metadata`.
#[derive(Debug, Clone, Default)]
pub struct Meta {
    /// `name`.
    pub name: Known<String>,
    /// `namespace`.
    pub namespace: Known<String>,
    /// `labels`.
    pub labels: Pairs,
    /// `annotations`.
    pub annotations: Pairs,
    /// The mapping itself, where it is written.
    pub node: Option<NodeId>,
    /// True where `ownerReferences` says that a controller made the object.
    pub owned: bool,
}

impl Meta {
    /// Reads `metadata`.
    pub fn of(node: Option<Node<'_>>) -> Meta {
        let Some(node) = node else { return Meta::default() };
        Meta {
            name: node.field("name"),
            namespace: node.field("namespace"),
            labels: Pairs::of(node.get("labels")),
            annotations: Pairs::of(node.get("annotations")),
            node: Some(node.id()),
            owned: node.get("ownerReferences").is_some_and(|o| o.items().next().is_some()),
        }
    }
}
