//! `gang-group-unjoined`: pods name a gang group that they do not join.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::gang::Setting;
use crate::facts::kai::handed_over;
use crate::facts::units::Unit;
use crate::kinds::Object;
use crate::kinds::gang::{Evidence, GangScheduler};
use crate::kinds::placing::KaiReads;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let named = unit.workload.gang.declared.iter().find_map(|e| Some((e, e.pod_group.as_deref()?)));
    let Some((evidence, name)) = named else { return vec![] };
    if let Some(finding) = overwritten(unit, evidence, name) {
        return vec![finding];
    }
    let setting = Setting::build(context.facts.inventory);
    if setting.group_of(evidence, unit.object).is_some() {
        return vec![];
    }
    let groups: Vec<&Object> =
        context.facts.inventory.objects.iter().filter(|o| o.model.pod_group.is_some()).collect();
    let same = |o: &&&Object| o.model.pod_group.as_ref().is_some_and(|g| g.scheduler == evidence.scheduler);
    let (why, at) = if let Some(other) = groups.iter().find(|o| o.name() == Some(name)) {
        match other.model.pod_group.as_ref() {
            Some(group) if group.scheduler != evidence.scheduler => (
                format!(
                    "the group of that name is one of {}, which reads another label",
                    group.scheduler.name()
                ),
                other.name_span(),
            ),
            _ => (
                format!(
                    "the group of that name is in the namespace `{}`",
                    other.namespace().unwrap_or("default")
                ),
                other.meta.namespace.span().unwrap_or_else(|| other.name_span()),
            ),
        }
    } else {
        let near = groups.iter().filter(same).filter_map(|o| {
            let distance = strsim::damerau_levenshtein(o.name()?, name);
            (distance <= 2).then_some((distance, *o))
        });
        let Some((_, group)) = near.min_by_key(|(distance, o)| (*distance, o.name())) else { return vec![] };
        (format!("the group here is `{}`", group.name().unwrap_or("?")), group.name_span())
    };
    let message = format!(
        "{} joins the group `{name}` of {}, but {why}: without its group the pods are never placed, or each by itself",
        unit.title(),
        evidence.scheduler.name()
    );
    vec![
        Finding::new(unit.object, "gang.group", evidence.span, "no such group", message)
            .label(at, "the group")
            .help("let the name, the namespace and the API of the group agree with the label")
            .lower(Severity::Warning),
    ]
}

/// KAI Scheduler's grouping writes a group of its own on pods that a controller makes, unless it is told to stay away.
fn overwritten<'a>(unit: &'a Unit<'a>, evidence: &Evidence, name: &str) -> Option<Finding<'a>> {
    let placing = &unit.workload.placing;
    let made = placing.kai_reads == KaiReads::Owner;
    let kai = evidence.scheduler == GangScheduler::Kai && handed_over(unit).is_some();
    if !kai || !made || placing.grouped_by_hand {
        return None;
    }
    let message = format!(
        "{} names the group `{name}`, but KAI Scheduler groups the pods of a {} itself and writes another name over it: the pods never join `{name}`",
        unit.title(),
        unit.object.kind
    );
    Some(
        Finding::new(unit.object, "metadata.annotations.kai.scheduler/skip-podgrouper", evidence.span, "written over", message)
            .help("add the annotation `kai.scheduler/skip-podgrouper: \"true\"` to the object, or leave the grouping to KAI Scheduler"),
    )
}
