//! `gpu-pool-limit-too-small`: a limit below the smallest machine of the pool.

use super::pool_words::limit;
use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::machines::vcpus;
use crate::facts::placement::{PoolClass, PoolFact};
use crate::kinds::pods::is_gpu_resource;

pub(super) fn check<'a>(_: &Context<'a>, pool: &'a PoolFact<'a>) -> Vec<Finding<'a>> {
    if !pool.is_judged() || pool.class != PoolClass::Gpu || pool.pool.replicas.is_written() {
        return vec![];
    }
    gpus(pool).or_else(|| cpus(pool)).into_iter().collect()
}

/// A limit of 0 switches a pool off, and is meant.
fn gpus<'a>(pool: &'a PoolFact<'a>) -> Option<Finding<'a>> {
    let (value, span) = limit(pool, is_gpu_resource)?;
    let (limit, fewest) = (*value.set()?, pool.machines.fewest_gpus()?);
    if limit <= 0.0 || limit >= f64::from(fewest) {
        return None;
    }
    let smallest = pool.machines.types.iter().find(|t| t.gpu_count == Some(fewest)).map_or("?", |t| t.name);
    let message = format!(
        "GPU pool `{}` may have {limit} GPUs, and its smallest machine, {smallest}, has {fewest}: Karpenter leaves out what exceeds a limit, so the pool starts no node",
        pool.name()
    );
    let help = format!("raise the limit to a multiple of {fewest}, or add smaller machines");
    Some(Finding::new(pool.object, "spec.limits.gpu", span, "below one node", message).help(help))
}

fn cpus<'a>(pool: &'a PoolFact<'a>) -> Option<Finding<'a>> {
    let (value, span) = limit(pool, |name| name == "cpu")?;
    let limit = *value.set()?;
    let each: Vec<(u32, &str)> =
        pool.machines.types.iter().map(|t| Some((vcpus(t)?, t.name))).collect::<Option<_>>()?;
    let (fewest, smallest) = each.into_iter().min().filter(|_| pool.machines.complete)?;
    if limit <= 0.0 || limit >= f64::from(fewest) {
        return None;
    }
    let message = format!(
        "GPU pool `{}` may have {limit} CPUs, and its smallest machine, {smallest}, has {fewest}: Karpenter leaves out what exceeds a limit, so the pool starts no node",
        pool.name()
    );
    let help = format!("raise `cpu` to {fewest} for each node, or limit `nvidia.com/gpu` instead");
    Some(
        Finding::new(pool.object, "spec.limits.cpu", span, "below one node", message)
            .help(help)
            .at_most(Severity::Warning),
    )
}
