//! `kai-training-not-preemptible`: batch work on GPUs that KAI Scheduler never takes back.

use super::{Context, Finding};
use crate::facts::kai;
use crate::facts::units::Unit;
use crate::kinds::pods::Purpose;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    if unit.workload.purpose != Purpose::Batch || unit.serves_model() || !unit.uses_gpus() {
        return vec![];
    }
    let Some(handed_over) = kai::handed_over(unit) else { return vec![] };
    let Some(class) = kai::class_of(context.facts.inventory, unit).filter(|class| !class.preemptible) else {
        return vec![];
    };
    let message = format!(
        "{} runs to an end in a class that is not preemptible ({}): it takes guaranteed quota only, cannot use idle GPUs beyond it, and keeps them from serving until it ends",
        unit.title(),
        class.why
    );
    let span = class.span.unwrap_or(handed_over);
    vec![
        Finding::new(unit.object, "metadata.labels.priorityClassName", span, "never given back", message)
            .help("use the class `train`, which may use idle GPUs and gives them back"),
    ]
}
