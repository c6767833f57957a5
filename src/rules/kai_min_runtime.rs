//! `kai-min-runtime`: a KAI queue whose work cannot be taken back for longer than production can wait.

use super::kai_demand::tenants;
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::queue_tree::{Resource, chain};
use crate::facts::queues::QueueFact;
use crate::kinds::pods::Purpose;
use std::time::Duration;

const RULE: &str = "kai-min-runtime";

pub(super) fn check<'a>(context: &Context<'a>, queue: &'a QueueFact<'a>) -> Vec<Finding<'a>> {
    let facts = context.facts;
    let longest = context.config.option_duration(RULE, "longest").unwrap_or(Duration::from_secs(600));
    let said = [
        ("reclaimMinRuntime", &queue.queue.reclaim_min_runtime),
        ("preemptMinRuntime", &queue.queue.preempt_min_runtime),
    ];
    let over = said.into_iter().find_map(|(field, known)| {
        let seconds = known.set().filter(|seconds| **seconds > longest.as_secs_f64())?;
        Some((field, *seconds, known.span()?))
    });
    let Some((field, seconds, span)) = over else { return vec![] };
    let tenants = tenants(context, queue);
    // Where the queue serves, the time protects what the plan wants protected.
    let serves = tenants.iter().any(|u| u.workload.purpose != Purpose::Batch && u.serves_model());
    let waiting = facts.queues.iter().find(|other| waits(context, other, queue));
    let (Some(waiting), false) = (waiting, serves) else { return vec![] };
    let trains = tenants.iter().find(|u| u.workload.purpose == Purpose::Batch);
    let minutes = (seconds / 60.0).round();
    let message = format!(
        "queue `{}` keeps what it has for {minutes} minutes (`{field}`): a queue with a guarantee, such as `{}`, waits that long for GPUs that are its own, and so does a replica that a burst needs",
        queue.name(),
        waiting.name()
    );
    let field = format!("spec.{field}");
    let mut finding = Finding::new(queue.object, field, span, "longer than a burst can wait", message)
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

/// True for a queue with a guarantee of GPUs beside this one: neither above nor below it.
fn waits(context: &Context<'_>, other: &QueueFact<'_>, queue: &QueueFact<'_>) -> bool {
    let facts = context.facts;
    let above = |from: &QueueFact<'_>, to: &QueueFact<'_>| {
        let index = facts.queues.iter().position(|q| std::ptr::eq(q.object, from.object));
        let chain = index.map(|index| chain(facts.inventory, &facts.queues, index)).unwrap_or_default();
        chain.queues.iter().filter_map(|at| facts.queues.get(*at)).any(|q| std::ptr::eq(q.object, to.object))
    };
    let guaranteed = other.quota(Resource::Gpu).is_some_and(|quota| quota > 0.0);
    guaranteed && !above(other, queue) && !above(queue, other)
}
