//! `topology-incomplete`: a topology without a level, or a level without a topology.

use super::{Context, Finding};
use crate::facts::kai::handed_over;
use crate::facts::topology::{Asked, asked};
use crate::kinds::placing::{KaiReads, TopologyPlace, TopologySystem};
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>) -> Vec<Finding<'a>> {
    asked(context.facts).into_iter().filter(is_read).filter_map(|asked| incomplete(&asked)).collect()
}

/// True for group objects, and for the metadata of kinds whose metadata KAI Scheduler reads.
fn is_read(asked: &Asked<'_>) -> bool {
    if asked.request.system != TopologySystem::Kai {
        return false;
    }
    let Some(unit) = asked.unit else { return true };
    let placing = &unit.workload.placing;
    let owner = placing.kai_reads == KaiReads::Owner && asked.request.place == TopologyPlace::Owner;
    owner && handed_over(unit).is_some() && asked.object.complete
}

fn incomplete<'a>(asked: &Asked<'a>) -> Option<Finding<'a>> {
    let request = asked.request;
    let no_level = request.required == Known::Absent && request.preferred == Known::Absent;
    let (what, effect, help) = match (request.topology == Known::Absent, no_level) {
        (true, false) => (
            "asks for a level but names no topology",
            "KAI Scheduler ignores the level without a word",
            "name the Topology that has this level",
        ),
        (false, true) => (
            "names a topology but asks for no level of it",
            "KAI Scheduler finds no constraint where one should be, and the pods are never placed",
            "add the level that has to hold the group, or remove the topology",
        ),
        _ => return None,
    };
    let title = match asked.unit {
        Some(unit) => unit.title(),
        None => format!("{}/{}", asked.object.kind, asked.object.name().unwrap_or("?")),
    };
    let message = format!("{title} {what}: {effect}");
    Some(Finding::new(asked.object, "topology", request.span, "half of a constraint", message).help(help))
}
