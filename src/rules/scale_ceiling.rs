//! `scale-ceiling`: a maximum that the pools or the queues cannot hold.

use super::scaled::number;
use super::{Context, Finding};
use crate::facts::drives::Driver;
use crate::facts::placement;
use crate::facts::queues::{self, QueueFact};
use crate::facts::units::Unit;
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    let units: Vec<&Unit<'_>> = context.facts.targets_of(driver).collect();
    let ([unit], Some(max)) = (units.as_slice(), driver.scaler.max.value().copied()) else { return vec![] };
    let Some(gpus) = unit.gpus_per_replica().filter(|gpus| *gpus > 0) else { return vec![] };
    let need = u64::from(max) * u64::from(gpus);
    let by_default = if driver.scaler.max.set().is_some() { "" } else { ", the default," };
    let sum = format!(
        "{} may ask for {max} replicas{by_default} of {}, {max} × {gpus} = {need} GPUs",
        driver.title(),
        unit.title()
    );
    let span = driver.scaler.max.set().and(driver.scaler.max.span()).unwrap_or(driver.scaler.span);
    let tight = queue_limit(context, unit).filter(|(limit, _)| (need as f64) > *limit);
    if let Some((limit, queue)) = tight {
        let name = queue.object.name().unwrap_or("?");
        let message = format!(
            "{sum}, but the queue `{name}` is limited to {}: the autoscaler reports the number and the pods stay Pending",
            number(limit)
        );
        let at = queue.queue.gpu.limit.span().unwrap_or(queue.queue.span);
        return vec![finding(driver, span, message, limit, gpus).label(at, "the limit of the queue")];
    }
    let Some(pools) = placement::gpu_limit(&context.facts.pools, unit) else { return vec![] };
    if (need as f64) <= pools.gpus {
        return vec![];
    }
    let names: Vec<&str> = pools.at.iter().filter_map(|(pool, _)| pool.object.name()).take(3).collect();
    let message = format!(
        "{sum}, but the limits of the GPU pools allow {} ({}): the autoscaler reports the number and the pods stay Pending",
        number(pools.gpus),
        names.join(", ")
    );
    let mut found = finding(driver, span, message, pools.gpus, gpus);
    for (_, at) in pools.at.iter().take(3) {
        found = found.label(*at, "the limit of the pool");
    }
    vec![found]
}

fn finding<'a>(
    driver: &'a Driver<'a>,
    span: crate::source::Span,
    message: String,
    limit: f64,
    gpus: u32,
) -> Finding<'a> {
    let fits = (limit / f64::from(gpus)).floor();
    Finding::new(driver.object, "spec.maxReplicas", span, "more than there is room for", message)
        .help(format!("set the maximum to at most {}, or raise the limit", number(fits)))
}

/// The tightest limit on GPUs from the workload's KAI queue up to its root.
fn queue_limit<'c>(context: &'c Context<'_>, unit: &Unit<'_>) -> Option<(f64, &'c QueueFact<'c>)> {
    let Known::Set(name, _) = &unit.workload.kai_queue else { return None };
    let all = &context.facts.queues;
    let line = queues::line(all, name);
    let limits = line.into_iter().filter_map(|queue| {
        let limit = *queue.queue.gpu.limit.set()?;
        (limit >= 0.0).then_some((limit, queue))
    });
    limits.min_by(|(a, _), (b, _)| a.total_cmp(b))
}
