//! What a workload asks of the KAI queues above it, in numbers.

use super::Context;
use crate::facts::kai::{self, Demand};
use crate::facts::queue_tree::{Found, Resource, chain, may_be_patch};
use crate::facts::queues::QueueFact;
use crate::facts::units::Unit;

/// The queues that a workload is charged to, its own first.
pub(super) fn queues<'a>(context: &Context<'a>, unit: &Unit<'_>) -> Vec<&'a QueueFact<'a>> {
    let facts = context.facts;
    let Some((_, _, Found::Queue(index))) = kai::queue_of(facts, unit) else { return vec![] };
    let chain = chain(facts, index);
    chain.queues.iter().filter_map(|at| facts.queues.get(*at)).collect()
}

/// The first queue whose limit is smaller than what is bound together. A limit of 0 is another rule's matter.
pub(super) fn over_limit<'a>(
    context: &Context<'a>,
    unit: &Unit<'_>,
) -> Option<(&'a QueueFact<'a>, Resource, f64, Demand)> {
    let demand = kai::bound_together(unit)?;
    queues(context, unit).into_iter().find_map(|queue| {
        Resource::ALL.into_iter().find_map(|resource| {
            let limit = queue.limit(resource).filter(|limit| *limit > 0.0)?;
            (demand.of(resource) > limit).then_some((queue, resource, limit, demand))
        })
    })
}

/// The workloads that are charged to a queue or to one below it.
pub(super) fn tenants<'f>(context: &Context<'f>, queue: &QueueFact<'_>) -> Vec<&'f Unit<'f>> {
    let facts = context.facts;
    let below = |unit: &&'f Unit<'f>| match kai::queue_of(facts, unit) {
        Some((_, _, Found::Queue(index))) => {
            let above = chain(facts, index).queues;
            above.iter().filter_map(|at| facts.queues.get(*at)).any(|q| std::ptr::eq(q.object, queue.object))
        }
        _ => false,
    };
    facts.units.iter().filter(below).collect()
}

/// What a queue guarantees of a resource. None where it is not told, or where the other half of a patch may tell it.
pub(super) fn guarantee(context: &Context<'_>, queue: &QueueFact<'_>, resource: Resource) -> Option<f64> {
    let stated = queue.share(resource).quota.set().is_some();
    if !stated && may_be_patch(&context.facts.queues, queue) {
        return None;
    }
    queue.quota(resource)
}

/// A chain of queues with its numbers, the root first: "`gpu-cluster` 32, `serving` 8".
pub(super) fn path(queues: &[&QueueFact<'_>], resource: Resource) -> String {
    let number = |queue: &QueueFact<'_>| match queue.quota(resource) {
        Some(n) if n.is_infinite() => "no bound".to_owned(),
        Some(n) => n.to_string(),
        None => "?".to_owned(),
    };
    let parts: Vec<String> = queues.iter().rev().map(|q| format!("`{}` {}", q.name(), number(q))).collect();
    parts.join(", ")
}
