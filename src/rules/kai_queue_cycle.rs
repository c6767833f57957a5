//! `kai-queue-cycle`: KAI queues that are each other's parents.

use super::{Context, Finding};
use crate::facts::queue_tree::chain;
use crate::facts::queues::QueueFact;

pub(super) fn check<'a>(context: &Context<'a>, queue: &'a QueueFact<'a>) -> Vec<Finding<'a>> {
    let facts = context.facts;
    let Some(own) = facts.queues.iter().position(|q| std::ptr::eq(q, queue)) else { return vec![] };
    let chain = chain(facts, own);
    // A cycle is one mistake: it is reported at its first queue, and where that is reached from itself.
    let closed = chain.cycle == Some(own);
    if !closed || chain.queues.iter().any(|at| *at < own) {
        return vec![];
    }
    let Some(span) = queue.queue.parent.span() else { return vec![] };
    let members: Vec<&QueueFact<'_>> = chain.queues.iter().filter_map(|at| facts.queues.get(*at)).collect();
    let mut path: Vec<String> = members.iter().map(|q| format!("`{}`", q.name())).collect();
    path.push(format!("`{}`", queue.name()));
    let what = if members.len() == 1 { "names itself as its parent" } else { "is below itself" };
    let message = format!(
        "queue `{}` {what} ({}): the tree has no root there, and KAI Scheduler walks from a queue to its root whenever work names it",
        queue.name(),
        path.join(" under ")
    );
    let mut finding = Finding::new(queue.object, "spec.parentQueue", span, "closes a cycle", message)
        .help("remove `parentQueue` of the queue that is meant as the root");
    for other in members.iter().skip(1) {
        if let Some(at) = other.queue.parent.span() {
            finding = finding.label(at, "part of the cycle");
        }
    }
    vec![finding]
}
