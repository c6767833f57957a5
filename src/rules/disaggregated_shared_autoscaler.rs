//! `disaggregated-shared-autoscaler`: one autoscaler moves prefill and decode together.

use super::{Context, Finding};
use crate::facts::disaggregated::{Pair, role_place};
use crate::facts::drives::Driver;
use crate::facts::units::{Unit, UnitId};
use crate::kinds::scaler::Target;
use crate::source::Span;

pub(super) fn check<'a>(context: &Context<'a>, pair: &'a Pair) -> Vec<Finding<'a>> {
    let members: Vec<&Unit<'a>> = pair.members().filter_map(|(_, id)| context.facts.unit(id)).collect();
    if members.iter().any(|unit| unit.coordinator.is_some()) {
        return vec![];
    }
    let holds = |side: &[UnitId], driver: &Driver<'_>| side.iter().any(|id| driver.targets.contains(id));
    let shared = context.facts.drivers.iter().filter(|d| holds(&pair.prefill, d) && holds(&pair.decode, d));
    shared.map(|driver| report(driver, &members)).collect()
}

fn report<'a>(driver: &'a Driver<'a>, members: &[&Unit<'a>]) -> Finding<'a> {
    let message = format!(
        "{} scales prefill and decode together: prompts fill the queue of the one, generation the KV cache of the other, so one of them is always the wrong size",
        driver.title()
    );
    let target = target_span(driver);
    let label = "both roles hang from this target";
    // Two pools of one object are that object's shape; of several objects, the autoscaler is what joins them.
    let whole = members.first().filter(|first| members.iter().all(|m| std::ptr::eq(m.object, first.object)));
    let mut finding = match whole {
        Some(first) => {
            Finding::new(first.object, "autoscaler", role_place(first), "moves with the other role", message)
                .label(target, label)
        }
        None => Finding::new(driver.object, "spec.scaleTargetRef", target, label, message),
    };
    for unit in members.iter().skip(usize::from(whole.is_some())) {
        finding = finding.label(role_place(unit), "moves with the other role");
    }
    finding.help("scale each role by itself: prefill on queue depth, decode on KV-cache use; a declared planner may do both")
}

fn target_span(driver: &Driver<'_>) -> Span {
    match &driver.scaler.target {
        Target::Reference(reference) => reference.span,
        _ => driver.scaler.span,
    }
}
