//! `kai-label-without-scheduler`: a label for KAI Scheduler on pods of another scheduler.

use super::kai_edit::scheduler_names;
use super::{Context, Finding};
use crate::diagnostic::{Applicability, Severity};
use crate::facts::gang::{Setting, Verdict};
use crate::facts::kai::names;
use crate::facts::units::Unit;
use crate::kinds::gang::{GangScheduler, HintKind};
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let object = unit.object;
    let Known::Set(queue, span) = &unit.workload.kai_queue else { return vec![] };
    let sets = &unit.workload.sets;
    let pods = sets.iter().any(|s| s.template.containers.iter().any(|c| c.container.image != Known::Absent));
    if !object.modelled || !object.complete || !pods {
        return vec![];
    }
    let open = sets.iter().any(|s| names(s, GangScheduler::Kai) || s.template.scheduler.is_unresolved());
    // A group without a gang is the same mistake, with more at stake.
    let gang = context.facts.gangs.get(unit.id.0).map(|fact| &fact.verdict);
    if matches!(gang, Some(Verdict::Absent { .. } | Verdict::Hidden(_))) {
        return vec![];
    }
    let setting = Setting::build(context.facts.inventory);
    if open || setting.has(&HintKind::RewritesScheduler) || named_elsewhere(context, unit) {
        return vec![];
    }
    let other = sets.iter().find_map(|s| match &s.template.scheduler {
        Known::Set(name, at) => Some((name, *at)),
        _ => None,
    });
    let has = match other {
        Some((name, _)) => format!("are for {name}"),
        None => "name no scheduler".to_owned(),
    };
    let message = format!(
        "{} is labelled for the KAI queue `{queue}`, but its pods {has}: the label hands nothing over, so no quota, no gang and no topology applies to them",
        unit.title()
    );
    let mut finding = Finding::new(
        object,
        "metadata.labels.kai.scheduler/queue",
        *span,
        "read by KAI Scheduler only",
        message,
    )
    .help("set `schedulerName: kai-scheduler` in the pod template, or remove the label");
    match other {
        Some((_, at)) => finding = finding.label(at, "another scheduler"),
        None => {
            let edits = scheduler_names(context, unit).unwrap_or_default();
            finding = finding.fix("Hand the pods to KAI Scheduler", Applicability::Unsafe, edits);
        }
    }
    // An operator may stamp the scheduler on pods that name none.
    let stamped = unit.workload.gang.hidden.as_ref().is_some_and(|hidden| !hidden.ends_with_scheduler);
    if other.is_none() && (!unit.workload.plain_pods || stamped) {
        finding = finding.at_most(Severity::Info);
    }
    vec![finding]
}

/// True where another document of the same object names KAI Scheduler: one of the two is a patch.
fn named_elsewhere(context: &Context<'_>, unit: &Unit<'_>) -> bool {
    context.facts.units.iter().any(|other| {
        let same = other.object.kind == unit.object.kind && other.object.name() == unit.object.name();
        same && !std::ptr::eq(other.object, unit.object)
            && other.workload.sets.iter().any(|s| names(s, GangScheduler::Kai))
    })
}
