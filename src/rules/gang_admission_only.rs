//! `gang-admission-only`: Kueue admits a group by its quota, and nothing places its pods together.

use super::split::at_split;
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::gang::{Setting, Verdict, only_admitted};
use crate::facts::topology;
use crate::facts::units::Unit;
use crate::kinds::gang::{GangScheduler, HintKind};

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let Some(fact) = context.facts.gangs.get(unit.id.0) else { return vec![] };
    let (Verdict::Present(_), Some(split)) = (&fact.verdict, unit.parallel_span()) else { return vec![] };
    let Some(pods) = fact.pods.filter(|_| only_admitted(unit)) else { return vec![] };
    if !topology::holding(context.facts, unit).is_empty() {
        return vec![];
    }
    let setting = Setting::build(context.facts.inventory);
    if setting.has(&HintKind::KueueTopology) || setting.has(&HintKind::KueueWaits) {
        return vec![];
    }
    let Some(label) = unit.workload.gang.declared.iter().find(|e| e.scheduler == GangScheduler::Kueue) else {
        return vec![];
    };
    let message = format!(
        "{} is one group of {pods} pods that Kueue admits by quota alone: quota is counted over all nodes, so an admitted group may find room for a part of its pods only, and those hold their GPUs",
        unit.title()
    );
    let field = format!("gang.{}", unit.workload.component.as_deref().unwrap_or(""));
    let mut finding = at_split(unit, split, field, "the model is split over pods here", message)
        .label(label.span, "admits by quota")
        .help("ask for a topology with `kueue.x-k8s.io/podset-required-topology` on the pod templates, or turn on `waitForPodsReady` in Kueue's configuration");
    // Flavors and configuration may be kept elsewhere; with a queue here the platform is.
    if !context
        .facts
        .inventory
        .objects
        .iter()
        .any(|o| o.model.queue.as_ref().is_some_and(|q| q.admits_by_quota()))
    {
        finding = finding.at_most(Severity::Info);
    }
    vec![finding]
}
