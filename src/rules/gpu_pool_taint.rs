//! `gpu-pool-taint`: nothing keeps pods without GPUs off a GPU pool.

use super::pool_edit::{append, node};
use super::{Context, Finding};
use crate::diagnostic::{Applicability, Edit};
use crate::facts::placement::{PoolClass, PoolFact};
use crate::kinds::pool::Taint;
use crate::yaml::edit;

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let said = pool.pool;
    let judged = matches!(pool.class, PoolClass::Gpu | PoolClass::Mixed) && said.has_requirements;
    if !judged || pool.class_taints || said.taints.iter().any(keeps_out) {
        return vec![];
    }
    let name = pool.object.name().unwrap_or("?");
    let message = format!(
        "GPU pool `{name}` has no taint with effect NoSchedule or NoExecute: any pod may start on its nodes, and one small pod keeps an idle GPU node alive"
    );
    let soft = said.taints.first().and_then(|taint| taint.effect.span());
    let (at, label) = match soft {
        Some(at) => (at, "keeps nothing out where no other node fits"),
        None => (said.place.template, "no taint that keeps pods out"),
    };
    vec![
        Finding::new(pool.object, "spec.template.spec.taints", at, label, message)
            .help("add a taint such as `nvidia.com/gpu=true:NoSchedule`; it is part of the drift hash, so Karpenter replaces the nodes of the pool one by one")
            .fix("Taint the nodes (this replaces every node of the pool)", Applicability::Unsafe, edits(context, pool)),
    ]
}

/// True for a taint that keeps pods out, or may: what a template leaves open is not judged.
fn keeps_out(taint: &Taint) -> bool {
    taint.effect.is_unresolved() || taint.effect.value().is_none_or(|e| e == "NoSchedule" || e == "NoExecute")
}

fn edits(context: &Context<'_>, pool: &PoolFact<'_>) -> Vec<Edit> {
    let said = pool.pool;
    if let Some(soft) = said.taints.first() {
        let effect = soft.effect_node.map(|id| node(pool, id));
        return effect.and_then(|n| edit::replace_scalar(n, "NoSchedule")).into_iter().collect();
    }
    let Some(template) = said.place.template_node else { return vec![] };
    let amd = said.requirements.iter().any(|r| {
        r.key.ends_with("gpu-manufacturer") && r.values.iter().any(|v| v.value().is_some_and(|v| v == "amd"))
    });
    let key = if amd { "amd.com/gpu" } else { "nvidia.com/gpu" };
    let lines = format!("taints:\n  - key: {key}\n    value: \"true\"\n    effect: NoSchedule");
    let flow = format!("taints: [{{key: {key}, value: \"true\", effect: NoSchedule}}]");
    append(context, pool, template, &lines, &flow).into_iter().collect()
}
