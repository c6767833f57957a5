//! `kai-queue-not-leaf`: a workload is charged to a KAI queue that has queues below it.

use super::{Context, Finding};
use crate::facts::kai::queue_of;
use crate::facts::queue_tree::{Found, INSTALLED_LEAF, INSTALLED_PARENT, children};
use crate::facts::units::Unit;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let facts = context.facts;
    let Some((name, span, found)) = queue_of(facts, unit) else { return vec![] };
    let finding = |below: &str| {
        let message = format!(
            "{} names the queue `{name}`, which is no leaf: KAI Scheduler passes over work in a queue that has others below it, and the pods stay Pending without an event",
            unit.title()
        );
        Finding::new(
            unit.object,
            "metadata.labels.kai.scheduler/queue",
            span,
            "not a leaf of the tree",
            message,
        )
        .help(format!("name a leaf: {below}"))
    };
    match found {
        Found::Installed if name == INSTALLED_PARENT => vec![finding(&format!("`{INSTALLED_LEAF}`"))],
        Found::Queue(index) => {
            let below: Vec<_> = children(facts, index).filter_map(|at| facts.queues.get(at)).collect();
            let Some(first) = below.first() else { return vec![] };
            let names: Vec<String> = below.iter().map(|q| format!("`{}`", q.name())).collect();
            let at = first.queue.parent.span().unwrap_or(first.queue.span);
            vec![finding(&names.join(", ")).label(at, format!("`{}` hangs from it", first.name()))]
        }
        _ => vec![],
    }
}
