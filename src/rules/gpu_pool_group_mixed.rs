//! `gpu-pool-group-mixed`: a group of several pods may get a different GPU on each node.

use super::pool_words::some_of;
use super::{Context, Finding};
use crate::facts::landing::on_pool;
use crate::facts::machines::is_gpu_name;
use crate::facts::placement::PoolFact;
use crate::kinds::node_labels::{Key, key_kind};
use crate::kinds::pods::PodTemplate;

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let models = pool.machines.models();
    if !pool.is_judged() || !pool.machines.complete || models.len() < 2 {
        return vec![];
    }
    let landed = on_pool(context.facts, pool);
    let group = landed.into_iter().find(|l| {
        let several = l.unit.workload.pods_per_replica().value().is_some_and(|n| *n > 1);
        several && l.unit.model_parallel().is_some_and(|n| n > 1) && !pins(l.pod)
    });
    let Some(group) = group else { return vec![] };
    let chooses = |key: Key| matches!(key, Key::Type | Key::Family | Key::GpuWord);
    let at = pool.pool.requirements.iter().find(|r| key_kind(&r.key).is_some_and(|(key, _)| chooses(key)));
    let message = format!(
        "GPU pool `{}` has nodes with {} GPU models ({}), and {} spreads one model over several nodes: a group with two sorts of GPU goes at the pace and with the memory of the smaller",
        pool.name(),
        models.len(),
        some_of(models, 4),
        group.unit.title(),
    );
    let span = at.map_or(pool.pool.place.requirements, |r| r.span);
    vec![
        Finding::new(pool.object, "spec.template.spec.requirements.instance", span, "several GPU models", message)
            .label(group.span, "this group runs here")
            .help("give the group a pool with one GPU model, or let its pods ask for one by a node selector on the GPU name"),
    ]
}

/// True for a pod that asks for one GPU model itself.
fn pins(pod: &PodTemplate) -> bool {
    let selector = pod.node_selector.0.iter().map(|p| p.key.as_str());
    let affinity = pod.node_affinity.iter().flatten().map(|e| e.key.as_str());
    selector.chain(affinity).any(|key| {
        is_gpu_name(key)
            || key == "nvidia.com/gpu.product"
            || matches!(key_kind(key), Some((Key::Type | Key::Family, _)))
    })
}
