//! `kai-inference-preemptible`: an engine in a class of KAI Scheduler whose GPUs others may take.

use super::kai_demand::{guarantee, queues};
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::kai;
use crate::facts::queue_tree::Resource;
use crate::facts::units::Unit;
use crate::kinds::pods::Purpose;
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let facts = context.facts;
    if unit.workload.purpose != Purpose::Serving || !unit.serves_model() || !unit.uses_gpus() {
        return vec![];
    }
    let Some(handed_over) = kai::handed_over(unit) else { return vec![] };
    let Some(class) = kai::class_of(facts.inventory, unit).filter(|class| class.preemptible) else {
        return vec![];
    };
    // Without a queue there is more to say, and another rule says it.
    if class.span.is_none() && unit.workload.kai_queue == Known::Absent {
        return vec![];
    }
    let message = format!(
        "{} serves in a preemptible class ({}): any higher class in its queue evicts it, and so does every queue that claims its share while this one is over its own",
        unit.title(),
        class.why
    );
    let label = if class.span.is_some() { "preemptible" } else { "no class is stated for these pods" };
    let span = class.span.unwrap_or(handed_over);
    let mut finding = Finding::new(unit.object, "metadata.labels.priorityClassName", span, label, message).help(
        "set `priorityClassName: inference` (or another class of 100 or more), and give its queue a quota for it",
    );
    if covered(context, unit) {
        finding = finding.lower(Severity::Info);
    }
    vec![finding]
}

/// True where the quota of the whole chain covers the peak: then no other queue can claim the GPUs.
fn covered(context: &Context<'_>, unit: &Unit<'_>) -> bool {
    let (Some(demand), (_, Some(most))) = (kai::replica(unit), kai::replicas(context.facts, unit)) else {
        return false;
    };
    let chain = queues(context, unit);
    let need = demand.gpu * f64::from(most);
    !chain.is_empty()
        && chain.iter().all(|q| guarantee(context, q, Resource::Gpu).is_some_and(|quota| quota >= need))
}
