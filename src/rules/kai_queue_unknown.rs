//! `kai-queue-unknown`: a workload is charged to a KAI queue that does not exist.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::kai::queue_of;
use crate::facts::queue_tree::Found;
use crate::facts::units::Unit;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let Some((name, span, Found::Missing)) = queue_of(context.facts, unit) else { return vec![] };
    let mut names: Vec<&str> = context.facts.queues.iter().filter_map(|q| q.object.name()).collect();
    names.sort_unstable();
    names.dedup();
    let near = names
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, name), *known))
        .filter(|(distance, _)| *distance <= 2)
        .min();
    let message = format!(
        "{} names the queue `{name}`, which is none of the {} queues here: without it the pods stay Pending with QueueDoesNotExist",
        unit.title(),
        names.len()
    );
    let finding =
        Finding::new(unit.object, "metadata.labels.kai.scheduler/queue", span, "no such queue", message);
    vec![match near {
        Some((_, known)) => finding.help(format!("did you mean `{known}`?")),
        // A queue with quite another name may be kept elsewhere.
        None => finding
            .help(format!("add a Queue named `{name}`, or name one of: {}", names.join(", ")))
            .lower(Severity::Warning),
    }]
}
