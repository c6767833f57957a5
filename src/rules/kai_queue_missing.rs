//! `kai-queue-missing`: KAI Scheduler is asked to place pods that name no queue.

use super::kai_edit::queue_label;
use super::{Context, Finding};
use crate::diagnostic::{Applicability, Severity};
use crate::facts::units::Unit;
use crate::kinds::gang::GangScheduler;
use crate::kinds::pods::KaiClass;
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    // A label `project` names a queue as well; a template may hold either.
    let project = unit.object.meta.labels.pair("project").is_some()
        || unit.workload.sets.iter().any(|s| s.template.meta.labels.pair("project").is_some());
    if unit.workload.kai_queue != Known::Absent || project {
        return vec![];
    }
    let named = unit.workload.sets.iter().find_map(|set| match &set.template.scheduler {
        Known::Set(name, span) if GangScheduler::of_name(name) == Some(GangScheduler::Kai) => {
            Some((name, *span))
        }
        _ => None,
    });
    let Some((name, span)) = named.filter(|(name, _)| *name == "kai-scheduler") else { return vec![] };
    let title = unit.title();
    let (effect, lowered) = match unit.workload.kai_class {
        KaiClass::Inference => (
            "its pods are of class inference, which takes guaranteed quota only, and that queue guarantees none: they never start",
            None,
        ),
        KaiClass::Train => (
            "its pods are of class train there, which anything with quota may evict",
            Some(Severity::Warning),
        ),
    };
    let message = format!("{title} uses {name} but names no queue, so it lands in `default-queue`: {effect}");
    let mut finding = Finding::new(
        unit.object,
        "metadata.labels.kai.scheduler/queue",
        span,
        "no queue goes with this",
        message,
    )
    .help("add the label `kai.scheduler/queue: <queue>` to the object's metadata")
    .fix("Name a queue", Applicability::Display, queue_label(context, unit).into_iter().collect());
    if let Some(severity) = lowered {
        finding = finding.lower(severity);
    }
    if unit.workload.gang.hidden.is_some() {
        finding = finding.at_most(Severity::Warning);
    }
    vec![finding]
}
