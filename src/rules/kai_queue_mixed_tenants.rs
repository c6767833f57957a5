//! `kai-queue-mixed-tenants`: training and serving share one leaf of the KAI queues.

use super::{Context, Finding};
use crate::facts::kai::queue_of;
use crate::facts::queue_tree::Found;
use crate::facts::units::Unit;
use crate::kinds::pods::Purpose;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let facts = context.facts;
    if unit.workload.purpose != Purpose::Batch || unit.serves_model() || !unit.uses_gpus() {
        return vec![];
    }
    let Some((name, span, found @ Found::Queue(index))) = queue_of(facts, unit) else { return vec![] };
    let serves = |u: &&Unit<'_>| {
        u.workload.purpose != Purpose::Batch
            && u.serves_model()
            && u.uses_gpus()
            && queue_of(facts, u).is_some_and(|(_, _, other)| other == found)
    };
    let Some(engine) = facts.units.iter().find(serves) else { return vec![] };
    let message = format!(
        "{} trains in the queue `{name}`, in which {} serves: KAI Scheduler keeps quotas between queues only, so the two take one quota from each other",
        unit.title(),
        engine.title()
    );
    let mut finding =
        Finding::new(unit.object, "metadata.labels.kai.scheduler/queue", span, "a queue that serves too", message)
            .help("give training a queue of its own below the same parent, with a small quota and a part of the surplus");
    let place = queue_of(facts, engine).map_or(engine.workload.span, |(_, at, _)| at);
    finding = finding.label(place, "serves in the same queue");
    if let Some(queue) = facts.queues.get(index) {
        finding = finding.label(queue.object.name_span(), "the queue");
    }
    vec![finding]
}
