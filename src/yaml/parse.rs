//! From text to tree. The only file that calls the YAML parser.

use super::node::{Data, Kind, NodeId, Source, Style, Tree};
use super::text::Text;
use crate::source::{FileId, Span};
use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Where, in the file.
    pub span: Span,
    /// What the parser expected: lower case, no final stop.
    pub message: String,
}

/// Parses one document: the bytes `range` of a file. Nothing else of the file is looked at.
///
/// # Errors
/// The first syntax error, with its place in the file.
pub fn parse(file: FileId, text: &Arc<str>, range: Range<usize>) -> Result<Tree, ParseError> {
    let part = text.get(range.clone()).unwrap_or("");
    let base = u32::try_from(range.start).unwrap_or(u32::MAX);
    build(part, base, Source::File(file, text.clone()))
}

/// Parses a document that stands inside the value of a scalar, such as a configuration file in a ConfigMap. Spans lead
/// to the file that holds the scalar.
///
/// # Errors
/// The first syntax error, with its place in the file.
pub fn parse_embedded(text: &Text) -> Result<Tree, ParseError> {
    build(&text.value, 0, Source::Embedded(Arc::new(text.clone())))
}

fn build(part: &str, base: u32, source: Source) -> Result<Tree, ParseError> {
    let skipped = marked_start(part);
    let (part, base) = (part.get(skipped..).unwrap_or(part), base + skipped as u32);
    let options = granit_parser::options! { block_scalar_eof_without_line_feed: true, emit_unresolved_aliases: true, max_buffered_comment_events: 1 << 20 };
    let mut builder = Builder { part, base, ..Builder::default() };
    for event in Parser::new_from_str_with_options(part, options) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker().byte_offset().unwrap_or(0);
            ParseError { span: place(&source, base, at, part), message: error.info().to_string() }
        })?;
        let range = span.byte_range().unwrap_or(0..0);
        if !builder.event(event, range) {
            break;
        }
    }
    if builder.is_bomb() {
        let message = "its aliases stand for so many values that Kubernetes refuses it".to_owned();
        return Err(ParseError { span: place(&source, base, 0, part), message });
    }
    let root = builder
        .root
        .unwrap_or_else(|| builder.push(Kind::Scalar { value: "".into(), style: Style::Plain }, 0..0));
    let mut tree = Tree { nodes: builder.nodes, root, source, comments: vec![] };
    tree.comments = match &tree.source {
        Source::File(file, _) => {
            builder.comments.iter().map(|r| Span { file: *file, start: r.start, end: r.end }).collect()
        }
        Source::Embedded(_) => vec![],
    };
    Ok(tree)
}

/// Where the content of a document starts that has a byte-order mark. Files that were joined have one before any
/// document, or right after its marker; the parser takes it only at the start of a stream.
fn marked_start(part: &str) -> usize {
    const MARK: char = '\u{feff}';
    let Some(at) = part.find(MARK) else { return 0 };
    let before = part.get(..at).unwrap_or("");
    let nothing = |line: &str| line.is_empty() || line == "---" || line.starts_with('#');
    if before.lines().all(|line| nothing(line.trim())) { at + MARK.len_utf8() } else { 0 }
}

fn place(source: &Source, base: u32, at: usize, part: &str) -> Span {
    let end = part.get(at..).and_then(|rest| rest.chars().next()).map_or(at, |c| at + c.len_utf8());
    match source {
        Source::File(file, _) => Span::new(*file, base as usize + at, base as usize + end),
        Source::Embedded(text) => text.slice(at..end),
    }
}

#[derive(Default)]
struct Builder<'p> {
    part: &'p str,
    base: u32,
    nodes: Vec<Data>,
    /// How many nodes each node stands for, once aliases are followed.
    weights: Vec<u64>,
    root: Option<NodeId>,
    open: Vec<Open>,
    anchors: HashMap<usize, NodeId>,
    comments: Vec<Range<u32>>,
}

/// A collection whose end has not come yet.
struct Open {
    node: NodeId,
    anchor: usize,
    kids: Vec<NodeId>,
    flow: bool,
}

impl Builder<'_> {
    /// Takes one event; false where the document is over.
    fn event(&mut self, event: Event<'_>, range: Range<usize>) -> bool {
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                // An empty scalar is given as `~` with an empty span.
                let value = if range.is_empty() && style == ScalarStyle::Plain { "".into() } else { value };
                let kind = Kind::Scalar { value: value.into_owned().into_boxed_str(), style: convert(style) };
                let id = self.push(kind, range);
                self.tag(id, tag.as_deref());
                self.anchor(anchor, id);
                self.attach(id);
            }
            Event::SequenceStart(style, anchor, tag) => {
                let flow = style == StructureStyle::Flow;
                let dash = if flow { None } else { self.dash_under_key(range.start) };
                let id =
                    self.push(Kind::Sequence { kids: vec![], flow }, dash.unwrap_or(range.start)..range.end);
                self.tag(id, tag.as_deref());
                self.open.push(Open { node: id, anchor, kids: vec![], flow });
            }
            Event::MappingStart(style, anchor, tag) => {
                let flow = style == StructureStyle::Flow;
                let id = self.push(Kind::Mapping { kids: vec![], flow }, range);
                self.tag(id, tag.as_deref());
                self.open.push(Open { node: id, anchor, kids: vec![], flow });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(range),
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).copied();
                let id = self.push(Kind::Alias(target), range);
                let weight = target.map_or(1, |target| self.weight(target));
                self.set_weight(id, weight);
                self.attach(id);
            }
            Event::UnresolvedAlias(_) => {
                let id = self.push(Kind::Alias(None), range);
                self.attach(id);
            }
            Event::Comment(..) => self.comments.push(self.file(range.start)..self.file(range.end)),
            Event::DocumentEnd => return false,
            _ => {}
        }
        true
    }

    fn file(&self, offset: usize) -> u32 {
        u32::try_from(offset).unwrap_or(u32::MAX).saturating_add(self.base)
    }

    fn push(&mut self, kind: Kind, range: Range<usize>) -> NodeId {
        let (start, end) = (self.file(range.start), self.file(range.end));
        self.nodes.push(Data { kind, start, end, tag: None });
        self.weights.push(1);
        NodeId(u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX))
    }

    /// The first dash of a sequence that is not indented below its key. Of such a sequence the parser gives the place
    /// after the dash.
    fn dash_under_key(&self, start: usize) -> Option<usize> {
        let parent = self.open.last()?;
        if parent.flow || parent.kids.len() % 2 == 0 {
            return None;
        }
        let key = self.nodes.get(parent.kids.last()?.0 as usize)?;
        let (key_start, key_end) = (key.start.checked_sub(self.base)?, key.end.checked_sub(self.base)?);
        let before = self.part.get(..key_start as usize)?;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        let mut at = key_end as usize;
        let between = self.part.get(at..start)?;
        for line in between.split_inclusive('\n') {
            // The first piece is the rest of the key's own line.
            if at > key_end as usize && line.as_bytes().get(column) == Some(&b'-') {
                return Some(at + column);
            }
            at += line.len();
        }
        None
    }

    fn weight(&self, id: NodeId) -> u64 {
        self.weights.get(id.0 as usize).copied().unwrap_or(1)
    }

    fn set_weight(&mut self, id: NodeId, weight: u64) {
        if let Some(slot) = self.weights.get_mut(id.0 as usize) {
            *slot = weight;
        }
    }

    /// True where a few lines of aliases stand for more values than any reader should follow. Kubernetes' parser
    /// refuses such documents as well ("excessive aliasing").
    fn is_bomb(&self) -> bool {
        const MOST: u64 = 1_000_000;
        const FACTOR: u64 = 10;
        let whole = self.root.map_or(0, |root| self.weight(root));
        whole > MOST && whole > FACTOR.saturating_mul(self.nodes.len() as u64)
    }

    fn tag(&mut self, id: NodeId, tag: Option<&granit_parser::Tag>) {
        if let (Some(tag), Some(data)) = (tag, self.nodes.get_mut(id.0 as usize)) {
            data.tag = Some(tag.core_suffix().unwrap_or(tag.suffix()).into());
        }
    }

    fn anchor(&mut self, anchor: usize, id: NodeId) {
        if anchor > 0 {
            self.anchors.insert(anchor, id);
        }
    }

    fn attach(&mut self, id: NodeId) {
        match self.open.last_mut() {
            Some(parent) => parent.kids.push(id),
            None => self.root = Some(id),
        }
    }

    /// Ends the innermost collection. A block collection has no closing bracket, so it reaches to the end of its last
    /// child: a mapping from its first key, a sequence from its first dash.
    fn close(&mut self, range: Range<usize>) {
        let Some(open) = self.open.pop() else { return };
        let bounds = open.kids.first().zip(open.kids.last()).and_then(|(first, last)| {
            let first = self.nodes.get(first.0 as usize)?;
            let last = self.nodes.get(last.0 as usize)?;
            Some((first.start, last.end))
        });
        let end = self.file(range.end);
        let weight = open.kids.iter().fold(1, |sum: u64, kid| sum.saturating_add(self.weight(*kid)));
        self.set_weight(open.node, weight);
        if let Some(data) = self.nodes.get_mut(open.node.0 as usize) {
            match (&data.kind, bounds) {
                _ if open.flow => data.end = end,
                (Kind::Sequence { .. }, Some((_, end))) => data.end = end,
                (_, Some((start, end))) => (data.start, data.end) = (start, end),
                _ => {}
            }
            match &mut data.kind {
                Kind::Sequence { kids, .. } | Kind::Mapping { kids, .. } => *kids = open.kids,
                _ => {}
            }
        }
        // Only now is the collection a target, so that an alias inside it (a cycle) stays unresolved.
        self.anchor(open.anchor, open.node);
        self.attach(open.node);
    }
}

fn convert(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
        _ => Style::Plain,
    }
}
