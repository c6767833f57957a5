//! `gpu-pool-group-too-large`: pods that no node, or no pool as a whole, can hold.

use super::pool_words::{limit, some_of};
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::landing::{Fit, fit, is_near};
use crate::facts::placement::{PoolClass, PoolFact};
use crate::facts::units::Unit;
use crate::kinds::pods::{PodSet, is_gpu_resource};
use crate::source::Span;

/// The pools that pods may run on, and whether they chose them.
struct Goal<'a> {
    pools: Vec<&'a PoolFact<'a>>,
    chosen: bool,
}

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let sets = unit.workload.sets.iter().filter(|s| s.template.gpus.any());
    let found = sets.clone().find_map(|set| one_pod(context, unit, set));
    found.or_else(|| sets.take(1).find_map(|set| whole_group(context, unit, set))).into_iter().collect()
}

/// The pools that a pod may land on: those that it chooses; or the only GPU pool of the inputs.
fn goal<'a>(context: &Context<'a>, unit: &Unit<'_>, set: &PodSet) -> Option<Goal<'a>> {
    let pools: Vec<&PoolFact<'a>> = context
        .facts
        .pools
        .iter()
        .filter(|p| !matches!(p.class, PoolClass::Cpu | PoolClass::OtherAccelerator))
        .collect();
    let fits: Vec<(Fit, &PoolFact<'a>)> = pools.iter().map(|p| (fit(&set.template, p), *p)).collect();
    let chosen: Vec<&PoolFact<'a>> =
        fits.iter().filter(|(f, _)| matches!(f, Fit::Chosen(_))).map(|(_, p)| *p).collect();
    if !chosen.is_empty() {
        return chosen.iter().all(|p| p.is_judged()).then_some(Goal { pools: chosen, chosen: true });
    }
    match fits.as_slice() {
        [(Fit::Possible, only)]
            if only.is_judged() && is_near(context.facts.inventory, unit.object, only.object) =>
        {
            Some(Goal { pools: vec![*only], chosen: false })
        }
        _ => None,
    }
}

/// A pod that asks for more GPUs than any node has.
fn one_pod<'a>(context: &Context<'a>, unit: &'a Unit<'a>, set: &'a PodSet) -> Option<Finding<'a>> {
    let gpus = &set.template.gpus;
    let (asked, span) = (*gpus.count.set()?, gpus.count.span()?);
    if gpus.resource != "nvidia.com/gpu" && gpus.resource != "amd.com/gpu" {
        return None;
    }
    let goal = goal(context, unit, set)?;
    let most: Vec<u32> = goal.pools.iter().map(|p| p.machines.most_gpus()).collect::<Option<_>>()?;
    let most = most.into_iter().max()?;
    if asked <= most {
        return None;
    }
    let pool = *goal.pools.first()?;
    let types = pool.machines.types.iter().filter(|t| t.gpu_count == Some(most)).map(|t| t.name);
    let message = format!(
        "{} asks for {asked} GPUs on one node{}, and {} has at most {most} ({}): no pod of it ever starts",
        unit.title(),
        degree(unit),
        names(&goal),
        some_of(types, 3),
    );
    let help = format!("give it a pool with nodes of {asked} GPUs, or split the model over several pods");
    Some(finish(unit, &goal, pool.pool.place.requirements, span, message).help(help))
}

/// A replica that asks for more GPUs than the pool may buy.
fn whole_group<'a>(context: &Context<'a>, unit: &'a Unit<'a>, set: &'a PodSet) -> Option<Finding<'a>> {
    let goal = goal(context, unit, set)?;
    let mut need = 0u32;
    let mut parts = Vec::new();
    for set in &unit.workload.sets {
        let gpus = &set.template.gpus;
        if !gpus.any() {
            continue;
        }
        // Several sets may have pools of their own.
        let same = self::goal(context, unit, set)?;
        if !same.pools.iter().map(|p| p.object.id).eq(goal.pools.iter().map(|p| p.object.id)) {
            return None;
        }
        let (pods, each) = (*set.pods.value()?, *gpus.count.value()?);
        need = need.saturating_add(pods.saturating_mul(each));
        parts.push(format!("{pods} x {each}"));
    }
    let mut room: Vec<(f64, Span, String)> = Vec::new();
    for pool in &goal.pools {
        room.push(capacity(pool)?);
    }
    let total: f64 = room.iter().map(|(n, _, _)| n).sum();
    if need == 0 || f64::from(need) <= total {
        return None;
    }
    let (_, at, what) = room.first()?;
    let span = set.template.gpus.count.span()?;
    let message = format!(
        "one replica of {} needs {need} GPUs ({} GPUs{}), and {} may have {total} ({what}): the group never starts as a whole",
        unit.title(),
        parts.join(" + "),
        degree(unit),
        names(&goal),
    );
    let help = format!("raise the limit to {need} GPUs times the number of replicas");
    Some(finish(unit, &goal, *at, span, message).help(help))
}

fn finish<'a>(unit: &'a Unit<'a>, goal: &Goal<'_>, at: Span, span: Span, message: String) -> Finding<'a> {
    let label = if goal.chosen { "of the pool that it chooses" } else { "of the only GPU pool here" };
    let finding = Finding::new(unit.object, "resources.gpu", span, "more than the pool can give", message)
        .label(at, label);
    // Other nodes than those of the pool may be in the cluster.
    if goal.chosen { finding } else { finding.at_most(Severity::Warning) }
}

/// The GPUs that a pool may have in all, with the place and the words of its limit.
fn capacity(pool: &PoolFact<'_>) -> Option<(f64, Span, String)> {
    let gpus = limit(pool, is_gpu_resource)
        .and_then(|(value, span)| Some((*value.value()?, span)))
        .map(|(n, span)| (n, span, format!("limit of {n} GPUs")));
    let nodes = limit(pool, |name| name == "nodes").and_then(|(value, span)| Some((*value.value()?, span)));
    let nodes = nodes.or_else(|| Some((f64::from(*pool.pool.replicas.set()?), pool.pool.replicas.span()?)));
    let nodes = nodes.and_then(|(nodes, span)| {
        let each = pool.machines.most_gpus()?;
        Some((nodes * f64::from(each), span, format!("{nodes} nodes of at most {each} GPUs")))
    });
    match (gpus, nodes) {
        (Some(a), Some(b)) => Some(if a.0 <= b.0 { a } else { b }),
        (a, b) => a.or(b),
    }
}

fn names(goal: &Goal<'_>) -> String {
    let names = some_of(goal.pools.iter().map(|p| p.name()), 3);
    if goal.pools.len() == 1 { format!("GPU pool {names}") } else { format!("each of the GPU pools {names}") }
}

/// "(tensor parallel 8 x pipeline parallel 2)", where that is known.
fn degree(unit: &Unit<'_>) -> String {
    let above =
        |known: Option<&u32>, word: &str| known.filter(|n| **n > 1).map(|n| format!("{word} parallel {n}"));
    let parts: Vec<String> =
        [above(unit.tensor_parallel.value(), "tensor"), above(unit.pipeline_parallel.value(), "pipeline")]
            .into_iter()
            .flatten()
            .collect();
    if parts.is_empty() { String::new() } else { format!(", {}", parts.join(" x ")) }
}
