//! `gang-scheduler-mixed`: pods of one group are for different schedulers.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::gang::Setting;
use crate::facts::units::Unit;
use crate::kinds::gang::{GangScheduler, HintKind};
use crate::kinds::pods::PodSet;
use crate::known::Known;

const DEFAULT: &str = "default-scheduler";

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let present = |set: &&PodSet| {
        let image = set.template.containers.iter().any(|c| c.container.image != Known::Absent);
        image && set.pods.value() != Some(&0)
    };
    let sets: Vec<&PodSet> = unit.workload.sets.iter().filter(present).collect();
    if sets.len() < 2 || !unit.object.complete || sets.iter().any(|s| s.template.scheduler.is_unresolved()) {
        return vec![];
    }
    let name = |set: &PodSet| set.template.scheduler.value().cloned().unwrap_or_else(|| DEFAULT.to_owned());
    let gang = sets.iter().find_map(|set| Some((*set, GangScheduler::of_name(&name(set))?)));
    let Some((with, scheduler)) = gang else { return vec![] };
    let Some(without) = sets.iter().find(|set| name(set) != name(with)) else { return vec![] };
    if Setting::build(context.facts.inventory).has(&HintKind::RewritesScheduler) {
        return vec![];
    }
    let stated = without.template.scheduler.set().is_some();
    let other = name(without);
    let by = if stated { format!("are for {other}") } else { "name no scheduler".to_owned() };
    let message = format!(
        "the `{}` pods of {} are for {}, its `{}` pods {by}: no scheduler sees the whole group, so one part is placed without the other, and a gang of all never completes",
        with.name,
        unit.title(),
        name(with),
        without.name
    );
    let at = without.template.scheduler.span().unwrap_or(without.template.span);
    let mut finding =
        Finding::new(unit.object, "schedulerName", at, "not handed to the same scheduler", message)
            .help(format!("set `schedulerName: {}` in every pod template of the group", name(with)));
    if let Some(span) = with.template.scheduler.span() {
        finding = finding.label(span, format!("handed to {}", scheduler.name()));
    }
    // An operator may stamp its scheduler on pods that name none.
    let hidden = unit.workload.gang.hidden.as_ref();
    let stamped = !unit.workload.plain_pods || hidden.is_some_and(|hidden| !hidden.ends_with_scheduler);
    if !stated && stamped {
        finding = finding.at_most(Severity::Warning);
    }
    vec![finding]
}
