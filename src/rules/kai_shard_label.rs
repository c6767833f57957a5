//! `kai-shard-label`: parts of one KAI shard that do not carry the same label.

use super::{Context, Finding};
use crate::facts::kai;
use crate::facts::queue_tree::{Found, find, may_be_patch};
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>) -> Vec<Finding<'a>> {
    let facts = context.facts;
    let mut findings = Vec::new();
    for queue in &facts.queues {
        let parent = queue.queue.parent.value();
        let found = parent.map(|name| find(facts, queue.object, name));
        let Some(Found::Queue(index)) = found else { continue };
        let Some(parent) = facts.queues.get(index) else { continue };
        let patch = may_be_patch(&facts.queues, queue) || may_be_patch(&facts.queues, parent);
        let Some((own, other)) = differ(&queue.queue.node_pool, &parent.queue.node_pool).filter(|_| !patch)
        else {
            continue;
        };
        let span = queue.queue.node_pool.set().and(queue.queue.node_pool.span());
        let message = format!(
            "queue `{}` is in {own}, and its parent `{}` in {other}: the scheduler of a shard sees its own queues only, so one without its parent is dropped, and its pods stay Pending with QueueDoesNotExist",
            queue.name(),
            parent.name()
        );
        let at = span.unwrap_or_else(|| queue.object.name_span());
        let place = parent.queue.node_pool.span().unwrap_or_else(|| parent.object.name_span());
        findings.push(
            Finding::new(
                queue.object,
                "metadata.labels.kai.scheduler/node-pool",
                at,
                "another shard than its parent",
                message,
            )
            .label(place, "the parent")
            .help("give every queue of a chain the same label `kai.scheduler/node-pool`"),
        );
    }
    for unit in &facts.units {
        let Some((name, span, Found::Queue(index))) = kai::queue_of(facts, unit) else { continue };
        let Some(queue) = facts.queues.get(index) else { continue };
        let shard = &unit.workload.placing.shard;
        let patch = may_be_patch(&facts.queues, queue);
        let Some((own, other)) = differ(shard, &queue.queue.node_pool).filter(|_| !patch) else { continue };
        let message = format!(
            "{} is in {own}, and its queue `{name}` in {other}: the scheduler of its shard does not see the queue, and the pods stay Pending with QueueDoesNotExist",
            unit.title()
        );
        let at = shard.set().and(shard.span()).unwrap_or(span);
        let place = queue.queue.node_pool.span().unwrap_or_else(|| queue.object.name_span());
        findings.push(
            Finding::new(
                unit.object,
                "metadata.labels.kai.scheduler/node-pool",
                at,
                "another shard than its queue",
                message,
            )
            .label(place, "the queue")
            .help("give the pods the label `kai.scheduler/node-pool` of their queue"),
        );
    }
    findings
}

/// Both shards for people, where they are told and differ.
fn differ(own: &Known<String>, other: &Known<String>) -> Option<(String, String)> {
    if own.is_unresolved() || other.is_unresolved() || own.value() == other.value() {
        return None;
    }
    let name = |known: &Known<String>| match known.value() {
        Some(name) => format!("shard `{name}`"),
        None => "the default shard".to_owned(),
    };
    Some((name(own), name(other)))
}
