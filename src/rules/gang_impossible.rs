//! `gang-impossible`: a gang that waits for more pods than there can be.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::disaggregated::may_be_driven;
use crate::facts::gang::Setting;
use crate::facts::kai::replicas;
use crate::facts::scope::may_share_namespace;
use crate::facts::units::Unit;
use crate::kinds::Object;
use crate::kinds::gang::PodGroup;
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>) -> Vec<Finding<'a>> {
    let setting = Setting::build(context.facts.inventory);
    let by_units = context.facts.units.iter().flat_map(|unit| own(context, unit));
    let groups =
        context.facts.inventory.objects.iter().filter_map(|o| Some((o, o.model.pod_group.as_ref()?)));
    by_units.chain(groups.filter_map(|(object, group)| joined(context, &setting, object, group))).collect()
}

/// Minimums that a workload states itself.
fn own<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Option<Finding<'a>> {
    let stated = unit.workload.gang.declared.iter().filter(|e| e.pod_group.is_none());
    let (evidence, min) = stated.filter_map(|e| Some((e, *e.min.set()?))).max_by_key(|(_, min)| *min)?;
    // A minimum that stands above several roles is for the pods of all of them.
    let shares = |other: &&Unit<'_>| {
        std::ptr::eq(other.object, unit.object)
            && other.workload.gang.declared.iter().any(|e| e.span == evidence.span && e.what == evidence.what)
    };
    let mut sharing = context.facts.units.iter().filter(shares).peekable();
    if sharing.peek()?.id != unit.id {
        return None;
    }
    let most = sharing.try_fold(0u32, |sum, other| Some(sum.saturating_add(most_pods(context, other)?)))?;
    if min <= most {
        return None;
    }
    let message = format!(
        "{} waits for {min} pods ({}), and there are {} at most: {} never starts any of them",
        unit.title(),
        evidence.what,
        most,
        evidence.scheduler.name()
    );
    let at = evidence.min.span().filter(|span| unit.holds(*span)).unwrap_or(evidence.span);
    let mut finding = Finding::new(unit.object, "gang.min", at, "more than there are pods", message)
        .help(format!("lower the minimum to {most}, or raise the number of pods to {min}"));
    if let Some(at) = unit.workload.replicas.set().and(unit.workload.replicas.span()) {
        finding = finding.label(at, "as many as there can be");
    }
    Some(finding)
}

/// The minimum of a group object against all the pods that join it.
fn joined<'a>(
    context: &Context<'a>,
    setting: &Setting<'_>,
    object: &'a Object,
    group: &PodGroup,
) -> Option<Finding<'a>> {
    let min = *group.min.set()?;
    let joins = |unit: &&Unit<'_>| {
        let named = unit.workload.gang.declared.iter().filter_map(|e| setting.group_of(e, unit.object));
        may_share_namespace(unit.object, object) && named.into_iter().any(|g| std::ptr::eq(g, group))
    };
    // A name that a template leaves open may be that of this group.
    let open = context
        .facts
        .units
        .iter()
        .flat_map(|u| &u.workload.gang.declared)
        .any(|e| e.scheduler == group.scheduler && e.pod_group.is_none() && e.min == Known::Absent);
    let members: Vec<&Unit<'_>> = context.facts.units.iter().filter(joins).collect();
    if open || members.is_empty() || !group.counts_pods {
        return None;
    }
    let mut most = 0u32;
    for unit in &members {
        most = most.saturating_add(most_pods(context, unit)?);
    }
    if min <= most {
        return None;
    }
    let name = object.name().unwrap_or("?");
    let message = format!(
        "group `{name}` waits for {min} pods, and the workloads here that join it have {most} at most: {} never starts any of them",
        group.scheduler.name()
    );
    let mut finding = Finding::new(object, "spec.minMember", group.span, "more than there are pods", message)
        .help(format!("lower the minimum to {most}, or raise the number of pods to {min}"))
        // Others may join from manifests that are kept elsewhere.
        .lower(Severity::Warning);
    for unit in members.iter().take(4) {
        finding = finding.label(unit.workload.span, format!("{} joins it", unit.title()));
    }
    Some(finding)
}

/// How many pods a workload can have; none where the inputs do not tell.
fn most_pods(context: &Context<'_>, unit: &Unit<'_>) -> Option<u32> {
    let facts = context.facts;
    if !unit.object.complete || may_be_driven(facts.inventory, &facts.drivers, unit) {
        return None;
    }
    let pods = *unit.workload.pods_per_replica().value()?;
    let most = replicas(facts, unit).1?.max(unit.workload.replicas.value().copied().unwrap_or(0));
    Some(pods.saturating_mul(most))
}
