//! `gang-leader-first`: a leader that starts before its gang, and holds its GPUs.

use super::{Context, Finding};
use crate::diagnostic::{Applicability, Edit};
use crate::facts::kai::names;
use crate::facts::units::Unit;
use crate::kinds::gang::GangScheduler;
use crate::kinds::placing::StartOrder;
use crate::yaml::edit;

pub(super) fn check<'a>(_: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let StartOrder::LeaderFirst(span) = unit.workload.placing.order else { return vec![] };
    let sets = &unit.workload.sets;
    let first_holds = sets.first().is_some_and(|s| s.template.gpus.any());
    let scheduler = [GangScheduler::Kai, GangScheduler::Volcano]
        .into_iter()
        .find(|scheduler| sets.iter().all(|s| names(s, *scheduler)));
    let Some(scheduler) = scheduler else { return vec![] };
    // KAI Scheduler waits for the rest once the leader is placed; Volcano never does.
    let held = first_holds || scheduler == GangScheduler::Volcano && unit.workload.asks_gpus();
    if !held || unit.workload.pods_per_replica().value().is_none_or(|pods| *pods < 2) {
        return vec![];
    }
    let names: Vec<&str> = sets.iter().map(|s| s.name.as_str()).filter(|name| !name.is_empty()).collect();
    let (first, rest) = match names.as_slice() {
        [first, rest @ ..] if !rest.is_empty() => (format!("`{first}`"), "the others"),
        _ => ("the leader".to_owned(), "its workers"),
    };
    let message = format!(
        "{} makes {rest} only when {first} is ready, so {} cannot wait for the whole group: {first} is placed alone and holds its GPUs while {rest} may not fit",
        unit.title(),
        scheduler.name()
    );
    vec![
        Finding::new(unit.object, "spec.startupPolicy", span, "a gang of one", message)
            .help("start all pods together, and let the workers wait for the leader inside their containers")
            .fix("Start leader and workers together", Applicability::Unsafe, edits(unit)),
    ]
}

fn edits(unit: &Unit<'_>) -> Vec<Edit> {
    let Some(node) = unit.workload.placing.order_node else { return vec![] };
    let policy = unit.object.tree.node(node).get("startupPolicy");
    policy.and_then(|policy| edit::replace_scalar(policy, "LeaderCreated")).into_iter().collect()
}
