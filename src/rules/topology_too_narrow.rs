//! `topology-too-narrow`: a group that has to be on one node and fits on none.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::kai::replica;
use crate::facts::topology::{Level, holding};
use crate::facts::units::Unit;
use crate::instances::instances;

/// GPUs of a usual machine; a few have more.
const USUAL: u32 = 8;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let Some(demand) = replica(unit).filter(|demand| demand.pods > 1 && demand.gpu > f64::from(USUAL)) else {
        return vec![];
    };
    let requests = holding(context.facts, unit);
    let host =
        requests.iter().find(|r| r.required.set().and_then(|level| Level::of(level)) == Some(Level::Host));
    let Some(at) = host.and_then(|r| r.required.span()).filter(|at| unit.holds(*at)) else { return vec![] };
    let most = instances().iter().filter_map(|i| i.gpu_count).max().unwrap_or(USUAL);
    let fits_none = demand.gpu > f64::from(most);
    let rest = if fits_none {
        format!("no machine has more than {most}, so they are never placed")
    } else {
        format!("most machines have {USUAL} at most, and on those they are never placed")
    };
    let message = format!(
        "{} asks for one node to hold {} pods with {} GPUs in all: {rest}",
        unit.title(),
        demand.pods,
        demand.gpu
    );
    let finding = Finding::new(unit.object, "topology.level", at, "too narrow for the group", message)
        .help("ask for one rack or one NVLink domain instead");
    vec![if fits_none { finding } else { finding.at_most(Severity::Warning) }]
}
