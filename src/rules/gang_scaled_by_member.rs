//! `gang-scaled-by-member`: an autoscaler adds and removes single members of a group.

use super::{Context, Finding};
use crate::facts::drives::Driver;
use crate::facts::gang::Setting;
use crate::facts::units::Unit;
use crate::kinds::gang::{GangScheduler, KaiGang};

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    let setting = Setting::build(context.facts.inventory);
    let member =
        context.facts.targets_of(driver).find_map(|unit| Some((unit, group(context, &setting, unit)?)));
    let Some((unit, size)) = member else { return vec![] };
    // Bounds that are one number scale nothing.
    let bounds = (driver.scaler.min.value(), driver.scaler.max.value());
    if matches!(bounds, (Some(min), Some(max)) if min == max) {
        return vec![];
    }
    let message = format!(
        "{} scales {} pod by pod, but {size} of its pods form one group: one pod less and the group serves nothing, one pod more belongs to none",
        driver.title(),
        unit.title()
    );
    let span = driver.scaler.span;
    vec![
        Finding::new(driver.object, "spec.scaleTargetRef", span, "adds and removes single pods", message)
            .label(unit.workload.span, format!("a group of {size} pods"))
            .help("scale whole groups: a LeaderWorkerSet, a PodCliqueScalingGroup or another kind of which one replica is one group"),
    ]
}

/// The size of the group of which one replica of a workload is one pod.
fn group(context: &Context<'_>, setting: &Setting<'_>, unit: &Unit<'_>) -> Option<u32> {
    let workload = unit.workload;
    if workload.pods_per_replica().value() != Some(&1) || workload.gang.kai != KaiGang::None {
        return None;
    }
    // The engine's own count of nodes, or the minimum that a scheduler waits for.
    let by_engine = context.facts.gangs.get(unit.id.0).and_then(|fact| fact.pods).filter(|pods| *pods > 1);
    let statements = workload.gang.declared.iter().filter(|e| e.scheduler != GangScheduler::Kueue);
    let by_gang =
        || statements.filter_map(|e| setting.minimum(e, unit.object).set().copied()).find(|min| *min > 1);
    by_engine.or_else(by_gang)
}
