//! Edits of a Karpenter pool that several rules offer.

use super::Context;
use crate::diagnostic::Edit;
use crate::facts::placement::PoolFact;
use crate::yaml::{Node, NodeId, edit};

/// The node at an address in the document of a pool.
pub(super) fn node<'a>(pool: &PoolFact<'a>, id: NodeId) -> Node<'a> {
    pool.object.tree.node(id)
}

/// The text of the file that a pool stands in.
pub(super) fn source<'a>(context: &Context<'a>, pool: &PoolFact<'_>) -> &'a str {
    context.facts.inventory.files.get(pool.object.file).map_or("", |f| &*f.text)
}

/// Adds an entry to a mapping of the pool.
pub(super) fn append(
    context: &Context<'_>,
    pool: &PoolFact<'_>,
    mapping: NodeId,
    lines: &str,
    flow: &str,
) -> Option<Edit> {
    edit::append_entry(node(pool, mapping), source(context, pool), lines, flow)
}
