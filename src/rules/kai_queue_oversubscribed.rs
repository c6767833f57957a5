//! `kai-queue-oversubscribed`: KAI queues are guaranteed more than their parent.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::queue_tree::{Resource, children, may_be_patch};
use crate::facts::queues::QueueFact;
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>, queue: &'a QueueFact<'a>) -> Vec<Finding<'a>> {
    let facts = context.facts;
    let Some(own) = facts.queues.iter().position(|q| std::ptr::eq(q, queue)) else { return vec![] };
    let below: Vec<&QueueFact<'_>> = children(facts, own).filter_map(|at| facts.queues.get(at)).collect();
    let patch = may_be_patch(&facts.queues, queue);
    let over = Resource::ALL.into_iter().find_map(|resource| {
        let quota = queue.quota(resource).filter(|n| n.is_finite())?;
        if patch && queue.share(resource).quota.set().is_none() {
            return None;
        }
        let parts: Vec<(&QueueFact<'_>, f64)> = below
            .iter()
            .filter_map(|q| Some((*q, q.quota(resource).filter(|n| n.is_finite() && *n > 0.0)?)))
            .collect();
        let sum: f64 = parts.iter().map(|(_, n)| n).sum();
        (sum > quota).then_some((resource, quota, parts, sum))
    });
    let Some((resource, quota, parts, sum)) = over else { return vec![] };
    let terms: Vec<String> = parts.iter().map(|(_, n)| n.to_string()).collect();
    let sum_text = if terms.len() > 1 { format!("{} = {sum}", terms.join(" + ")) } else { sum.to_string() };
    let effect = "what is over the parent's own guarantee can be reclaimed by its neighbours, and work that is not preemptible never gets it";
    let message = format!(
        "the queues below `{}` are guaranteed {sum_text} {}, but it is guaranteed {quota} itself: {effect}",
        queue.name(),
        unit_word(resource)
    );
    let field = format!("spec.resources.{}.quota", resource.key());
    let at = queue.place(resource, |share| &share.quota);
    let mut finding = Finding::new(queue.object, field, at, "less than its queues together", message)
        .help(format!("raise the quota to {sum} or more, or set it to -1 for no bound"));
    for (child, n) in parts.iter().take(4) {
        finding =
            finding.label(child.place(resource, |share| &share.quota), format!("`{}`: {n}", child.name()));
    }
    // A lone root has no neighbours; it only keeps work from starting that is not preemptible.
    let roots = facts.queues.iter().filter(|q| q.queue.parent == Known::Absent).count();
    if queue.queue.parent == Known::Absent && roots == 1 {
        finding = finding.lower(Severity::Info);
    }
    vec![finding]
}

fn unit_word(resource: Resource) -> &'static str {
    match resource {
        Resource::Gpu => "GPUs",
        Resource::Cpu => "thousandths of a CPU",
        Resource::Memory => "MB of memory",
    }
}
