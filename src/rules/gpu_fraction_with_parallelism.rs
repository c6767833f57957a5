//! `gpu-fraction-with-parallelism`: a model that is split over GPUs, on parts of GPUs.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::kai::handed_over;
use crate::facts::units::Unit;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let Some(fraction) = &unit.workload.placing.fraction else { return vec![] };
    let Some(parallel) = unit.model_parallel().filter(|n| *n > 1) else { return vec![] };
    // Nobody else reads the annotations.
    if !fraction.slice && handed_over(unit).is_none() {
        return vec![];
    }
    let pods = context.facts.gangs.get(unit.id.0).and_then(|fact| fact.pods).unwrap_or(1).max(1);
    let ranks = parallel.div_ceil(pods);
    if ranks < 2 {
        return vec![];
    }
    let Some(devices) = fraction.devices.value().copied() else { return vec![] };
    let title = unit.title();
    let too_few = devices < ranks;
    let message = if too_few {
        format!(
            "{title} splits its model over {ranks} GPUs in a pod, and `{}` gives it a part of {devices}: the engine finds too few devices and ends",
            fraction.key
        )
    } else if fraction.slice {
        format!(
            "{title} splits its model over {ranks} slices of GPUs (`{}`): slices have no link to each other but through the host",
            fraction.key
        )
    } else {
        format!(
            "{title} splits its model over parts of {devices} GPUs (`{}`): every layer waits for the part whose neighbour is busiest, and memory is not kept apart",
            fraction.key
        )
    };
    let mut finding = Finding::new(unit.object, "gpu-fraction", fraction.span, "a part of a GPU", message)
        .help("ask for whole GPUs, as many as the model is split over");
    if let Some(split) = unit.parallel_span() {
        finding = finding.label(split, "split over GPUs here");
    }
    vec![if too_few { finding } else { finding.lower(Severity::Warning) }]
}
