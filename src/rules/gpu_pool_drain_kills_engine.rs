//! `gpu-pool-drain-kills-engine`: a pool ends a drain before its pods are done.

use super::pool_words::do_not_disrupt;
use super::{Context, Finding};
use crate::facts::landing::on_pool;
use crate::facts::placement::PoolFact;
use crate::kinds::quantity::show_seconds;
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let Known::Set(grace, span) = pool.pool.termination_grace else { return vec![] };
    if !pool.is_judged() {
        return vec![];
    }
    let landed = on_pool(context.facts, pool);
    let slow = landed.iter().find_map(|l| {
        let Known::Set(seconds, at) = l.pod.termination_grace else { return None };
        (seconds as f64 > grace).then(|| {
            let why = format!(
                "{} asks for {} to finish its requests, and its pods are deleted early enough to fit into the shorter time",
                l.unit.title(),
                show_seconds(seconds as f64)
            );
            (why, at, "needs longer than the node is given")
        })
    });
    let kept = || {
        landed.iter().find_map(|l| {
            let at = do_not_disrupt(l.pod)?;
            let why = format!(
                "{} forbids its eviction, but with this setting drift and expiry drain the node all the same and delete the pod at the end",
                l.unit.title()
            );
            Some((why, at, "is not honoured beyond that time"))
        })
    };
    let Some((why, at, label)) = slow.or_else(kept) else { return vec![] };
    let message = format!("GPU pool `{}` ends a drain after {}: {why}", pool.name(), show_seconds(grace));
    vec![
        Finding::new(
            pool.object,
            "spec.template.spec.terminationGracePeriod",
            span,
            "the longest a drain may take",
            message,
        )
        .label(at, label)
        .help("raise `terminationGracePeriod` above what the pods need, or remove it"),
    ]
}
