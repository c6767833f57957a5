//! `gang-partial`: a gang that is smaller than one model replica.

use super::split::at_split;
use super::{Context, Finding};
use crate::facts::gang::{Setting, Verdict};
use crate::facts::units::Unit;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let Some(Verdict::Partial { by, min, need }) = context.facts.gangs.get(unit.id.0).map(|g| &g.verdict)
    else {
        return vec![];
    };
    let Some(split) = unit.parallel_span() else { return vec![] };
    let message = format!(
        "{} needs {need} pods for one model replica, but its gang waits for {min} only: the rest may never fit while these hold their GPUs",
        unit.title()
    );
    let field = format!("gang.{}", unit.workload.component.as_deref().unwrap_or(""));
    let label = format!("a gang of {min}");
    let mut finding = if unit.holds(by.span) {
        Finding::new(unit.object, field, by.span, label.clone(), message)
            .label(split, "the model is split over pods here")
    } else {
        at_split(unit, split, field, "the model is split over pods here", message)
            .label(by.span, label.clone())
    };
    // The number of a group object stands in that object.
    let setting = Setting::build(context.facts.inventory);
    let joined = unit.workload.gang.declared.iter().find(|e| e.span == by.span);
    if let Some(group) = joined.and_then(|e| setting.group_of(e, unit.object)) {
        finding = finding.label(group.span, label);
    }
    vec![finding.help(format!("raise the minimum to {need}"))]
}
