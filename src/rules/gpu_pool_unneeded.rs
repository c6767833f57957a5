//! `gpu-pool-unneeded`: Karpenter for one GPU type on one node.

use super::pool_words::{limit, some_of};
use super::{Context, Finding};
use crate::facts::placement::PoolFact;
use crate::kinds::pods::is_gpu_resource;
use crate::source::Span;

pub(super) fn check<'a>(context: &Context<'a>) -> Vec<Finding<'a>> {
    // Other pools make other nodes, with or without GPUs: then Karpenter has work to do.
    let [pool] = context.facts.pools.as_slice() else { return vec![] };
    let models = pool.machines.models();
    if !pool.is_judged() || !pool.machines.complete || models.len() != 1 {
        return vec![];
    }
    let Some((span, why)) = one_node(pool) else { return vec![] };
    let message = format!(
        "GPU pool `{}` is the only pool here, with one GPU type ({}) and one node ({why}): there is nothing for an autoscaler of nodes to choose, and a managed serverless endpoint comes first",
        pool.name(),
        some_of(models, 1),
    );
    vec![
        Finding::new(pool.object, "spec", span, "one node at most", message).help(
            "serve from a managed endpoint or a fixed node, or raise the limit where the pool is to grow",
        ),
    ]
}

/// Why the pool has one node at most, with the place.
fn one_node(pool: &PoolFact<'_>) -> Option<(Span, String)> {
    if let Some(1) = pool.pool.replicas.set() {
        return Some((pool.pool.replicas.span()?, "`replicas: 1`".to_owned()));
    }
    if let Some((value, span)) = limit(pool, |name| name == "nodes")
        && value.set() == Some(&1.0)
    {
        return Some((span, "`limits.nodes: 1`".to_owned()));
    }
    let (value, span) = limit(pool, is_gpu_resource)?;
    let (limit, fewest) = (*value.set()?, pool.machines.fewest_gpus()?);
    // Two of the smallest machines would exceed it.
    let one = limit >= f64::from(fewest) && limit < 2.0 * f64::from(fewest);
    one.then(|| (span, format!("a limit of {limit} GPUs, and {fewest} or more on each node")))
}
