//! Nodes of the tree and the ways through it.

use super::text::Text;
use crate::source::{FileId, Span};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The address of a node in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(super) u32);

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// A literal block, `|`.
    Literal,
    /// A folded block, `>`.
    Folded,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Scalar {
        value: Box<str>,
        style: Style,
    },
    Sequence {
        kids: Vec<NodeId>,
        flow: bool,
    },
    /// Keys and values alternate.
    Mapping {
        kids: Vec<NodeId>,
        flow: bool,
    },
    /// Points at the anchored node, or nowhere if the anchor is not complete yet (a cycle) or unknown.
    Alias(Option<NodeId>),
}

#[derive(Debug, Clone)]
pub(super) struct Data {
    pub(super) kind: Kind,
    pub(super) start: u32,
    pub(super) end: u32,
    /// The suffix of an explicit tag such as `!!str`, without the exclamation marks.
    pub(super) tag: Option<Box<str>>,
}

/// Where the text of a tree stands.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// In a file: offsets are offsets in the file.
    File(FileId, Arc<str>),
    /// In the value of a scalar of another tree: offsets are offsets in that value.
    Embedded(Arc<Text>),
}

/// One document as an arena of nodes.
#[derive(Debug, Clone)]
pub struct Tree {
    pub(super) nodes: Vec<Data>,
    pub(super) root: NodeId,
    pub(super) source: Source,
    pub(super) comments: Vec<Span>,
}

impl Tree {
    /// The top node.
    pub fn root(&self) -> Node<'_> {
        Node { tree: self, id: self.root }
    }

    /// The node at an address; the root where the address is of another tree.
    pub fn node(&self, id: NodeId) -> Node<'_> {
        let id = if (id.0 as usize) < self.nodes.len() { id } else { self.root };
        Node { tree: self, id }
    }

    /// The comments of the document, in order.
    pub fn comments(&self) -> &[Span] {
        &self.comments
    }

    /// Every alias of the document: where it stands, and what it stands for.
    pub fn aliases(&self) -> impl Iterator<Item = (Span, Node<'_>)> {
        self.nodes.iter().filter_map(|data| match data.kind {
            Kind::Alias(Some(target)) => Some((self.span(data.start, data.end), self.node(target))),
            _ => None,
        })
    }

    /// Keys that occur twice in one mapping, with the first and the second place. Kubernetes' parsers take the last or
    /// refuse, so neither is what the author sees.
    pub fn duplicate_keys(&self) -> Vec<(Span, Span)> {
        let mut found = Vec::new();
        for data in &self.nodes {
            let Kind::Mapping { kids, .. } = &data.kind else { continue };
            let mut seen = HashMap::new();
            for key in kids.iter().step_by(2).map(|id| self.node(*id)) {
                let Some(name) = key.raw_str().filter(|name| *name != "<<") else { continue };
                if let Some(first) = seen.insert(name, key.span()) {
                    found.push((first, key.span()));
                }
            }
        }
        found
    }

    fn span(&self, start: u32, end: u32) -> Span {
        match &self.source {
            Source::File(file, _) => Span { file: *file, start, end },
            Source::Embedded(text) => text.slice(start as usize..end as usize),
        }
    }

    pub(super) fn data(&self, id: NodeId) -> Option<&Data> {
        self.nodes.get(id.0 as usize)
    }
}

/// A node with its tree. Aliases are followed silently by everything that reads.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    pub(super) tree: &'t Tree,
    pub(super) id: NodeId,
}

/// A key of a mapping with its value.
#[derive(Clone, Copy)]
pub struct Entry<'t> {
    /// The key as text.
    pub key: &'t str,
    /// The node of the key.
    pub key_node: Node<'t>,
    /// The node of the value.
    pub value: Node<'t>,
}

impl Entry<'_> {
    /// True for a merge key, which has no quotes.
    fn is_merge(&self) -> bool {
        self.key == "<<" && self.key_node.style() == Some(Style::Plain)
    }
}

/// The entries of a mapping while merge keys are followed.
#[derive(Default)]
struct Gathered<'t> {
    entries: Vec<Entry<'t>>,
    places: HashMap<&'t str, usize>,
    seen: HashSet<NodeId>,
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({:?} at {:?})", self.raw_str(), self.span())
    }
}

impl<'t> Node<'t> {
    /// The address, to keep where a borrow cannot be kept.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// The tree that the node belongs to.
    pub fn tree(&self) -> &'t Tree {
        self.tree
    }

    /// The bytes where the node stands. For an alias, those of the node it stands for.
    pub fn span(&self) -> Span {
        let (start, end) = self.resolved().map_or((0, 0), |(_, d)| (d.start, d.end));
        self.tree.span(start, end)
    }

    /// The node itself or, for an alias, the node it stands for. Aliases point only backwards, so this ends.
    fn resolved(&self) -> Option<(NodeId, &'t Data)> {
        let mut id = self.id;
        loop {
            let data = self.tree.data(id)?;
            match data.kind {
                Kind::Alias(Some(target)) if target < id => id = target,
                _ => return Some((id, data)),
            }
        }
    }

    fn kind(&self) -> Option<&'t Kind> {
        self.resolved().map(|(_, data)| &data.kind)
    }

    /// True where this node is written as an alias.
    pub fn is_alias(&self) -> bool {
        matches!(self.tree.data(self.id).map(|d| &d.kind), Some(Kind::Alias(_)))
    }

    /// True for a mapping.
    pub fn is_mapping(&self) -> bool {
        matches!(self.kind(), Some(Kind::Mapping { .. }))
    }

    /// True for a sequence.
    pub fn is_sequence(&self) -> bool {
        matches!(self.kind(), Some(Kind::Sequence { .. }))
    }

    /// True for a mapping or sequence in brackets.
    pub fn is_flow(&self) -> bool {
        matches!(self.kind(), Some(Kind::Mapping { flow: true, .. } | Kind::Sequence { flow: true, .. }))
    }

    /// The explicit tag, without its exclamation marks.
    pub fn tag(&self) -> Option<&'t str> {
        self.resolved().and_then(|(_, d)| d.tag.as_deref())
    }

    /// The text of a scalar after escapes and folding, whatever it stands for.
    pub fn raw_str(&self) -> Option<&'t str> {
        match self.kind() {
            Some(Kind::Scalar { value, .. }) => Some(value),
            _ => None,
        }
    }

    /// How the scalar is written.
    pub fn style(&self) -> Option<Style> {
        match self.kind() {
            Some(Kind::Scalar { style, .. }) => Some(*style),
            _ => None,
        }
    }

    /// True for a null: nothing, `~` or `null`, without quotes.
    pub fn is_null(&self) -> bool {
        self.style() == Some(Style::Plain)
            && matches!(self.raw_str(), Some("" | "~" | "null" | "Null" | "NULL"))
            && self.tag().is_none()
    }

    /// The text of a scalar with the way back to the file.
    pub fn text(&self) -> Option<Text> {
        let (_, data) = self.resolved()?;
        let Kind::Scalar { value, .. } = &data.kind else { return None };
        let value = value.to_string();
        Some(match &self.tree.source {
            Source::File(file, source) => {
                Text::aligned(value, Span { file: *file, start: data.start, end: data.end }, source)
            }
            Source::Embedded(outer) => {
                let inner = Span { file: outer.span().file, start: data.start, end: data.end };
                Text::aligned(value, inner, &outer.value).through(outer)
            }
        })
    }

    /// The items of a sequence; none for anything else.
    pub fn items(&self) -> impl Iterator<Item = Node<'t>> + use<'t> {
        let tree = self.tree;
        let kids: &'t [NodeId] = match self.kind() {
            Some(Kind::Sequence { kids, .. }) => kids,
            _ => &[],
        };
        kids.iter().map(move |id| Node { tree, id: *id })
    }

    /// The entries that stand in the mapping itself, merge keys among them, in order.
    pub fn own_entries(&self) -> impl Iterator<Item = Entry<'t>> + use<'t> {
        let tree = self.tree;
        let kids: &'t [NodeId] = match self.kind() {
            Some(Kind::Mapping { kids, .. }) => kids,
            _ => &[],
        };
        kids.chunks_exact(2).filter_map(move |pair| {
            let [key, value] = pair else { return None };
            let (key_node, value) = (Node { tree, id: *key }, Node { tree, id: *value });
            Some(Entry { key: key_node.raw_str()?, key_node, value })
        })
    }

    /// The entries of the mapping with merge keys applied: what the mapping writes itself comes first and wins. Of a
    /// key that is written twice the last one counts, as in Kubernetes' own parser where it does not refuse.
    pub fn entries(&self) -> Vec<Entry<'t>> {
        let mut gathered = Gathered::default();
        self.gather(&mut gathered, 0);
        gathered.entries
    }

    fn gather(&self, gathered: &mut Gathered<'t>, depth: usize) {
        // Merges of merges deeper than this are not written by people.
        const DEEPEST: usize = 32;
        // A mapping that was merged once has nothing to add; this keeps an alias bomb small.
        let Some((id, _)) = self.resolved() else { return };
        if !gathered.seen.insert(id) {
            return;
        }
        let inherited = gathered.entries.len();
        for entry in self.own_entries().filter(|e| !e.is_merge()) {
            match gathered.places.get(entry.key) {
                Some(at) if *at >= inherited => {
                    if let Some(slot) = gathered.entries.get_mut(*at) {
                        *slot = entry;
                    }
                }
                Some(_) => {}
                None => {
                    gathered.places.insert(entry.key, gathered.entries.len());
                    gathered.entries.push(entry);
                }
            }
        }
        if depth >= DEEPEST {
            return;
        }
        for merge in self.own_entries().filter(Entry::is_merge) {
            if merge.value.is_mapping() {
                merge.value.gather(gathered, depth + 1);
            }
            for source in merge.value.items() {
                source.gather(gathered, depth + 1);
            }
        }
    }

    /// The entry of a key, merge keys applied.
    pub fn entry(&self, key: &str) -> Option<Entry<'t>> {
        // Most mappings have no merge key and then need no list of all entries.
        if let Some(entry) = self.own_entries().filter(|e| e.key == key).last() {
            return Some(entry);
        }
        if self.own_entries().any(|e| e.is_merge()) {
            return self.entries().into_iter().find(|e| e.key == key);
        }
        None
    }

    /// The value of a key; none for null, which Kubernetes reads as not written.
    pub fn get(&self, key: &str) -> Option<Node<'t>> {
        self.entry(key).map(|e| e.value).filter(|v| !v.is_null())
    }

    /// The value at a path of keys, parted by dots.
    pub fn at(&self, path: &str) -> Option<Node<'t>> {
        path.split('.').try_fold(*self, |node, key| node.get(key))
    }

    /// The bytes of a key, or those of the nearest mapping on the way that exists: the place to point at where
    /// something is missing.
    pub fn key_span(&self, path: &str) -> Span {
        let (mut node, mut span) = (*self, None);
        for key in path.split('.') {
            let Some(entry) = node.entry(key) else { break };
            span = Some(entry.key_node.span());
            node = entry.value;
        }
        span.unwrap_or_else(|| self.first_key_span())
    }

    /// The bytes of the first key of a mapping; of anything else, its own.
    pub fn first_key_span(&self) -> Span {
        self.own_entries().next().map_or_else(|| self.span(), |e| e.key_node.span())
    }
}
