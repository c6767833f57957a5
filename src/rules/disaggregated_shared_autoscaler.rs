//! `disaggregated-shared-autoscaler`: one autoscaler moves prefill and decode together.

use super::{Context, Finding};
use crate::facts::disaggregated::Pair;

pub(super) fn check<'a>(context: &Context<'a>, pair: &'a Pair) -> Vec<Finding<'a>> {
    let coordinated = pair
        .members()
        .filter_map(|(_, id)| context.facts.unit(id))
        .any(|unit| unit.workload.coordinator.is_some());
    if coordinated {
        return vec![];
    }
    let both = |side: &[crate::facts::units::UnitId], targets: &[crate::facts::units::UnitId]| {
        side.iter().any(|id| targets.contains(id))
    };
    context
        .facts
        .drivers
        .iter()
        .filter(|driver| both(&pair.prefill, &driver.targets) && both(&pair.decode, &driver.targets))
        .map(|driver| {
            let span = match &driver.scaler.target {
                crate::kinds::scaler::Target::Reference(reference) => reference.span,
                _ => driver.scaler.span,
            };
            let message = format!(
                "{} scales prefill and decode together: prompts fill the queue of the one, generation the KV cache of the other, so one of them is always the wrong size",
                driver.title()
            );
            let mut finding =
                Finding::new(driver.object, "spec.scaleTargetRef", span, "both roles hang from this target", message)
                    .help("scale each role by itself: prefill on queue depth, decode on KV-cache use; a declared planner may do both");
            for (role, id) in pair.members() {
                if let Some(unit) = context.facts.unit(id) {
                    finding = finding.label(unit.workload.span, format!("{role:?} pool").to_lowercase());
                }
            }
            finding
        })
        .collect()
}
