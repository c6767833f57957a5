//! `gpu-pool-drain-stuck`: nodes that expire while a pod on them may not be evicted.

use super::pool_words::do_not_disrupt;
use super::{Context, Finding};
use crate::facts::landing::on_pool;
use crate::facts::placement::PoolFact;
use crate::kinds::quantity::{Delay, show_seconds};
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let Known::Set(Delay::Seconds(seconds), span) = pool.pool.expire_after else { return vec![] };
    if !pool.is_judged() || pool.pool.termination_grace != Known::Absent {
        return vec![];
    }
    let kept = on_pool(context.facts, pool).into_iter().find_map(|l| Some((l.unit, do_not_disrupt(l.pod)?)));
    let Some((unit, at)) = kept else { return vec![] };
    let message = format!(
        "nodes of GPU pool `{}` expire after {}, and {} forbids its eviction: the drain begins, the node takes no new pods, and it waits for this pod without an end",
        pool.name(),
        show_seconds(seconds),
        unit.title(),
    );
    vec![
        Finding::new(
            pool.object,
            "spec.template.spec.expireAfter",
            span,
            "drains the node at this age",
            message,
        )
        .label(at, "may not be evicted")
        .help("set `terminationGracePeriod` to the time that the pods may take, or `expireAfter: Never`"),
    ]
}
