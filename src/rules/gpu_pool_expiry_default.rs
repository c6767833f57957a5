//! `gpu-pool-expiry-default`: nodes of a GPU pool expire after a time that nobody chose.

use super::{Context, Finding};
use crate::facts::landing::on_pool;
use crate::facts::placement::PoolFact;
use crate::kinds::pool::PoolApi;
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let said = pool.pool;
    // A Provisioner without the field never lets its nodes expire; a field in a wrong place has its own report.
    let misplaced =
        said.dropped.iter().any(|p| p.field.ends_with("expireAfter") || p.field.ends_with("disruption"));
    let judged = pool.is_judged() && said.api != PoolApi::V1Alpha5 && !said.replicas.is_written();
    if !judged || misplaced || said.expire_after != Known::Absent || said.template_open {
        return vec![];
    }
    let auto = said.node_class.is_auto_mode();
    let (hours, who) = if auto { ("336h", "EKS Auto Mode's") } else { ("720h", "Karpenter's") };
    let message = format!(
        "GPU pool `{}` does not say when its nodes expire, so {who} default of {hours} holds: an expired node is drained at once, outside of all budgets and before a replacement runs, whatever the consolidation policy",
        pool.name()
    );
    let at = if said.api == PoolApi::V1 { said.place.template } else { said.place.disruption };
    let mut finding = Finding::new(pool.object, "spec.template.spec.expireAfter", at, "no expireAfter here", message).help(
        "set `expireAfter` to a time that you choose, or to `Never`; it is part of the drift hash, so Karpenter replaces the nodes of the pool one by one",
    );
    let kept =
        on_pool(context.facts, pool).into_iter().find_map(|l| super::pool_words::do_not_disrupt(l.pod));
    if let Some(span) = kept
        && said.termination_grace == Known::Absent
    {
        finding = finding
            .label(span, "this pod holds the drain for ever, and its node takes no other pods meanwhile");
    }
    vec![finding]
}
