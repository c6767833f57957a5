//! `gpu-pool-instance-wide`: a GPU pool leaves open which GPU its nodes have.

use super::pool_words::{requirements, some_of};
use super::{Context, Finding};
use crate::facts::landing::on_pool;
use crate::facts::machines::{in_list, is_gpu_name};
use crate::facts::placement::{Key, PoolFact, key_kind};
use crate::kinds::pool::Requirement;
use crate::source::Span;

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let models = pool.machines.models();
    if !pool.is_judged() || models.len() < 2 {
        return vec![];
    }
    by_category(pool).or_else(|| by_group(context, pool)).into_iter().collect()
}

/// Only the category chooses, with whatever GPU count.
fn by_category<'a>(pool: &'a PoolFact<'a>) -> Option<Finding<'a>> {
    let narrower = |r: &Requirement| {
        let Some((key, _)) = key_kind(&r.key) else { return false };
        // How much memory a GPU has is a choice too. A template may be any.
        let memory = r.key.ends_with("gpu-memory");
        matches!(key, Key::Type | Key::Family) || is_gpu_name(&r.key) || memory
    };
    if pool.pool.requirements.iter().any(narrower) {
        return None;
    }
    let wide = requirements(pool, Key::Category).chain(requirements(pool, Key::SkuFamily)).next()?;
    let listed = in_list(wide)?;
    let models = pool.machines.models();
    let memory = pool.machines.types.iter().filter_map(|t| t.gpu_memory_gib);
    let (least, most) = memory.fold((f64::MAX, 0.0_f64), |(a, b), m| (a.min(m), b.max(m)));
    let range = if most > 0.0 { format!(", with {least:.0} to {most:.0} GiB each") } else { String::new() };
    let message = format!(
        "GPU pool `{}` chooses its machines by {} alone, which leaves {} GPU models ({}){range}: Karpenter takes the cheapest that has enough GPUs, whatever their memory",
        pool.name(),
        listed.join(", "),
        models.len(),
        some_of(models, 3),
    );
    Some(
        Finding::new(
            pool.object,
            "spec.template.spec.requirements.instance",
            wide.span,
            "the only choice of machines",
            message,
        )
        .help("name the GPU and how many a node has, or the instance family"),
    )
}

/// A group of several pods may get another GPU on each node.
fn by_group<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Option<Finding<'a>> {
    let landed = on_pool(context.facts, pool);
    let group = landed.into_iter().find(|l| {
        let several = l.unit.workload.pods_per_replica().value().is_some_and(|n| *n > 1);
        let pinned = l.pod.node_selector.0.iter().map(|p| &p.key).any(|k| pins(k))
            || l.pod.node_affinity.iter().flatten().any(|e| pins(&e.key));
        several && l.unit.model_parallel().is_some_and(|n| n > 1) && !pinned
    })?;
    let at: Span = pool
        .pool
        .requirements
        .iter()
        .find(|r| key_kind(&r.key).is_some_and(|(k, _)| matches!(k, Key::Type | Key::Family | Key::GpuWord)))
        .map_or(pool.pool.place.requirements, |r| r.span);
    let models = pool.machines.models();
    let message = format!(
        "GPU pool `{}` has nodes with {} GPU models ({}), and {} spreads one model over several nodes: a group with two sorts of GPU runs at the pace and with the memory of the smaller",
        pool.name(),
        models.len(),
        some_of(models, 4),
        group.unit.title(),
    );
    Some(
        Finding::new(pool.object, "spec.template.spec.requirements.instance", at, "several GPU models", message)
            .label(group.span, "this group runs here")
            .help("give the group a pool with one GPU model, or let its pods ask for one by a node selector on the GPU name"),
    )
}

/// True for keys by which a pod asks for one GPU model.
fn pins(key: &str) -> bool {
    is_gpu_name(key)
        || matches!(key_kind(key), Some((Key::Type | Key::Family, _)))
        || key == "nvidia.com/gpu.product"
}
