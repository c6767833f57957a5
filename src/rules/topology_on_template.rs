//! `topology-on-template`: a topology for KAI Scheduler where it is not read.

use super::{Context, Finding};
use crate::facts::kai::handed_over;
use crate::facts::units::Unit;
use crate::kinds::placing::{KaiReads, TopologyPlace, TopologySystem};

pub(super) fn check<'a>(_: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let placing = &unit.workload.placing;
    if placing.kai_reads != KaiReads::Owner || handed_over(unit).is_none() {
        return vec![];
    }
    let of_kai = || placing.topologies.iter().filter(|t| t.system == TopologySystem::Kai);
    let Some(request) = of_kai().find(|t| t.place == TopologyPlace::Template) else { return vec![] };
    if of_kai().any(|t| t.place == TopologyPlace::Owner) {
        return vec![];
    }
    let kind = &unit.object.kind;
    let message = format!(
        "{} asks for its topology on the pod template, but KAI Scheduler reads it from the {kind}'s own metadata: the pods are placed without it",
        unit.title()
    );
    vec![
        Finding::new(
            unit.object,
            "metadata.annotations.kai.scheduler/topology",
            request.span,
            "not read here",
            message,
        )
        .help(format!("move the annotations to `metadata.annotations` of the {kind}")),
    ]
}
