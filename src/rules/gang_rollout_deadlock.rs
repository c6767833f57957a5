//! `gang-rollout-deadlock`: an update that makes fewer new pods than their gang waits for.

use super::{Context, Finding};
use crate::facts::kai::{names, replicas};
use crate::facts::units::Unit;
use crate::kinds::gang::GangScheduler;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let Some(rollout) = &unit.workload.rollout else { return vec![] };
    let own = unit.workload.gang.declared.iter().filter(|e| e.scheduler == GangScheduler::Volcano);
    let Some((evidence, min)) = own.filter_map(|e| Some((e, *e.min.set()?))).find(|(_, min)| *min > 1) else {
        return vec![];
    };
    let handed = unit.workload.sets.iter().all(|s| names(s, GangScheduler::Volcano));
    let count = replicas(context.facts, unit).0.filter(|n| *n >= min);
    let Some((count, new)) = count.and_then(|n| Some((n, rollout.new_at_once(n)?))) else { return vec![] };
    if !handed || new >= min {
        return vec![];
    }
    let message = format!(
        "an update of {} makes {new} new pods of {count} before one of them is ready, and Volcano places none of a new ReplicaSet before {min} are there: the update never moves",
        unit.title()
    );
    vec![
        Finding::new(
            unit.object,
            "spec.strategy.rollingUpdate.maxSurge",
            rollout.span,
            "fewer new pods than a gang",
            message,
        )
        .label(evidence.span, format!("waits for {min}"))
        .help("set `maxSurge: 100%`, or `type: Recreate` where there are no nodes for both"),
    ]
}
