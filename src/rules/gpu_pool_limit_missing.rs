//! `gpu-pool-limit-missing`: nothing bounds how many GPUs a pool buys.

use super::pool_words::{capacity, limit};
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::machines::vcpus;
use crate::facts::placement::PoolFact;
use crate::kinds::gang::{GangScheduler, HintKind};
use crate::kinds::pods::is_gpu_resource;

pub(super) fn check<'a>(context: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    let bounded = limit(pool, |name| is_gpu_resource(name) || name == "nodes").is_some();
    // A reservation is a bound of its own.
    let reserved = capacity(pool).is_some_and(|(values, _)| values.iter().all(|v| *v == "reserved"));
    if reserved
        || !pool.is_judged()
        || bounded
        || is_uniform(pool)
        || pool.pool.replicas.is_written()
        || pool.pool.limits_open
    {
        return vec![];
    }
    let name = pool.name();
    let other = limit(pool, |_| true);
    let help = "add `nvidia.com/gpu` to `spec.limits`; it is no part of the drift hash, so no node is replaced by this edit";
    let finding = match other {
        None => Finding::new(
            pool.object,
            "spec.limits",
            pool.pool.place.limits,
            "no limit here",
            format!("GPU pool `{name}` has no limit: every pending pod that asks for a GPU buys one, up to the quota of the cloud account{}", waiting(context)),
        ),
        Some((_, span)) => Finding::new(
            pool.object,
            "spec.limits",
            span,
            "bounds GPUs by the way only",
            format!("GPU pool `{name}` limits CPU or memory and not GPUs{}: how many GPUs it may buy depends on the machines", by_the_way(pool)),
        )
        .lower(Severity::Info),
    };
    vec![finding.help(help)]
}

/// True where a limit on CPUs is one on GPUs in other words: every machine has as many CPUs to a GPU.
fn is_uniform(pool: &PoolFact<'_>) -> bool {
    if !pool.machines.complete || limit(pool, |name| name == "cpu").is_none() {
        return false;
    }
    let each: Option<Vec<(u32, u32)>> =
        pool.machines.types.iter().map(|t| Some((vcpus(t)?, t.gpu_count.filter(|n| *n > 0)?))).collect();
    let Some((first, rest)) = each.as_deref().and_then(|each| each.split_first()) else { return false };
    rest.iter().all(|other| other.0.saturating_mul(first.1) == first.0.saturating_mul(other.1))
}

/// Under KAI Scheduler a pod without quota looks like one without a node.
/// Source: kai-scheduler/KAI-Scheduler#1615.
fn waiting(context: &Context<'_>) -> &'static str {
    let hints = context.facts.inventory.objects.iter().flat_map(|o| &o.model.hints);
    let kai = hints.into_iter().any(|h| h.kind == HintKind::Uses(GangScheduler::Kai));
    if kai { ", and KAI Scheduler reports pods that only lack quota as unschedulable too" } else { "" }
}

/// How many GPUs a limit on CPUs allows, where the machines are known.
fn by_the_way(pool: &PoolFact<'_>) -> String {
    let cpus = limit(pool, |name| name == "cpu").and_then(|(value, _)| value.value().copied());
    let Some(cpus) = cpus.filter(|_| pool.machines.complete) else { return String::new() };
    // The most GPUs for the least CPUs.
    let best = pool
        .machines
        .types
        .iter()
        .filter_map(|t| {
            let (have, gpus) = (f64::from(vcpus(t)?), f64::from(t.gpu_count.filter(|n| *n > 0)?));
            Some(((cpus / have).floor() * gpus, t))
        })
        .max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(gpus, _)| *gpus > 0.0)
        .map(|(gpus, t)| format!(" (`cpu: {cpus}` allows {gpus} GPUs on {})", t.name))
        .unwrap_or_default()
}
