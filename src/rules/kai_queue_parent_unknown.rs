//! `kai-queue-parent-unknown`: a KAI queue hangs from a queue that does not exist.

use super::{Context, Finding};
use crate::facts::queues::{Parent, QueueFact};

pub(super) fn check<'a>(context: &Context<'a>, queue: &'a QueueFact<'a>) -> Vec<Finding<'a>> {
    let Parent::Missing(parent) = &queue.parent else { return vec![] };
    let Some(span) = queue.queue.parent.span() else { return vec![] };
    let name = queue.object.name().unwrap_or("?");
    let names: Vec<&str> = context
        .facts
        .queues
        .iter()
        .filter(|q| !std::ptr::eq(q.object, queue.object))
        .filter_map(|q| q.object.name())
        .collect();
    let near = names
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, parent), *known))
        .filter(|(distance, _)| *distance <= 2)
        .min();
    let help = match near {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => format!("add a Queue named `{parent}`, or remove `parentQueue` to make this one a root"),
    };
    let message = format!(
        "queue `{name}` names the parent `{parent}`, which is none of the {} queues here: KAI Scheduler drops the queue and everything under it, and its pods stay Pending with QueueDoesNotExist",
        names.len() + 1
    );
    vec![Finding::new(queue.object, "spec.parentQueue", span, "no such queue", message).help(help)]
}
