//! `topology-too-wide`: a tensor-parallel group that only a zone or a region holds together.

use super::{Context, Finding};
use crate::facts::topology::{Level, holding};
use crate::facts::units::Unit;
use crate::kinds::placing::TopologyRequest;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let Some(pods) = context.facts.gangs.get(unit.id.0).and_then(|fact| fact.pods).filter(|n| *n > 1) else {
        return vec![];
    };
    let tensor = unit.tensor_parallel.value().copied().unwrap_or(1);
    if unit.gpus_per_pod.value().is_none_or(|gpus| tensor <= *gpus) {
        return vec![];
    }
    let requests = holding(context.facts, unit);
    // One that cannot be read may be the narrow one.
    let Some(levels) = requests.iter().map(narrowest).collect::<Option<Vec<Level>>>() else {
        return vec![];
    };
    let Some((level, request)) = levels.into_iter().zip(&requests).min_by_key(|(level, _)| *level) else {
        return vec![];
    };
    let Some(at) = request.required.span().filter(|at| level >= Level::Zone && unit.holds(*at)) else {
        return vec![];
    };
    let message = format!(
        "{} spreads tensor parallel {tensor} over {pods} pods and asks for {} to hold them: that is many racks, and every layer waits for the slowest link between them",
        unit.title(),
        level.name()
    );
    let mut finding =
        Finding::new(unit.object, "topology.level", at, "too wide for tensor parallelism", message)
            .help("ask for one rack, or for one NVLink domain where the machines have one");
    if let Some(split) = unit.parallel_span() {
        finding = finding.label(split, "split over pods here");
    }
    vec![finding]
}

/// The narrowest level of a constraint, preferred or required; none where it is not known.
fn narrowest(request: &&TopologyRequest) -> Option<Level> {
    let required = Level::of(request.required.set()?)?;
    if request.preferred.is_written() {
        return Some(required.min(Level::of(request.preferred.set()?)?));
    }
    Some(required)
}
