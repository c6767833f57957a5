//! `kai-min-runtime`: a KAI queue whose work cannot be taken back for longer than production can wait.

use super::kai_demand::tenants;
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::queue_tree::{Resource, chain, parent};
use crate::facts::queues::QueueFact;
use crate::kinds::pods::Purpose;
use std::time::Duration;

const RULE: &str = "kai-min-runtime";

pub(super) fn check<'a>(context: &Context<'a>, queue: &'a QueueFact<'a>) -> Vec<Finding<'a>> {
    let facts = context.facts;
    let longest = context.config.option_duration(RULE, "longest").unwrap_or(Duration::from_secs(600));
    let known = &queue.queue.reclaim_min_runtime;
    let over = known.set().filter(|seconds| **seconds > longest.as_secs_f64());
    let Some((seconds, span)) = over.copied().zip(known.span()) else { return vec![] };
    let tenants = tenants(context, queue);
    // Where the queue serves, the time protects what the plan wants protected.
    let serves = tenants.iter().any(|u| u.workload.purpose != Purpose::Batch && u.serves_model());
    let waiting = facts.queues.iter().find(|other| waits(context, other, queue));
    let (Some(waiting), false) = (waiting, serves) else { return vec![] };
    let trains = tenants.iter().find(|u| u.workload.purpose == Purpose::Batch);
    let minutes = (seconds / 60.0).round();
    let message = format!(
        "queue `{}` keeps what it has for {minutes} minutes (`reclaimMinRuntime`): a queue with a guarantee, such as `{}`, waits that long for GPUs that are its own, and so does a replica that a burst needs",
        queue.name(),
        waiting.name()
    );
    let mut finding = Finding::new(queue.object, "spec.reclaimMinRuntime", span, "longer than a burst can wait", message)
        .label(waiting.place(Resource::Gpu, |share| &share.quota), "guaranteed, and made to wait")
        .help(format!(
            "keep it at {} minutes or less, or state how long production can wait as option `longest` of this rule",
            longest.as_secs() / 60
        ));
    match trains {
        Some(unit) => finding = finding.label(unit.workload.span, "runs in this queue"),
        None => finding = finding.lower(Severity::Info),
    }
    vec![finding]
}

/// True for a queue with a guarantee of GPUs that reclaims from this one by this one's own value: the value that counts is
/// that of the queue right below the nearest queue that both hang from.
fn waits(context: &Context<'_>, other: &QueueFact<'_>, queue: &QueueFact<'_>) -> bool {
    let facts = context.facts;
    let index = |of: &QueueFact<'_>| facts.queues.iter().position(|q| std::ptr::eq(q.object, of.object));
    let (Some(own), Some(theirs)) = (index(queue), index(other)) else { return false };
    let above = chain(facts, theirs).queues;
    let beside = match parent(facts, own) {
        Some(parent) => theirs != parent && above.contains(&parent),
        None => queue.queue.parent.value() == other.queue.parent.value(),
    };
    beside && !above.contains(&own) && other.quota(Resource::Gpu).is_some_and(|quota| quota > 0.0)
}
