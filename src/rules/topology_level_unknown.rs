//! `topology-level-unknown`: pods ask for a level that the topology does not have, or for a topology that is not there.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::kai::handed_over;
use crate::facts::scope::nearest;
use crate::facts::topology::{Asked, asked};
use crate::kinds::Object;
use crate::kinds::placing::{KaiReads, TopologyPlace, TopologySystem};
use crate::kinds::queue::{QueueSystem, Topology};
use crate::known::Known;
use crate::source::Span;

pub(super) fn check<'a>(context: &Context<'a>) -> Vec<Finding<'a>> {
    let inventory = context.facts.inventory;
    let declared: Vec<(&Object, &Topology)> =
        inventory.objects.iter().filter_map(|o| Some((o, o.model.topology.as_ref()?))).collect();
    asked(context.facts)
        .into_iter()
        .filter(is_read)
        .filter_map(|asked| match asked.request.system {
            TopologySystem::Kai => by_name(context, &declared, &asked),
            TopologySystem::Kueue => by_level(&declared, &asked),
            TopologySystem::Other => None,
        })
        .collect()
}

/// False for a constraint that KAI Scheduler does not read at all.
fn is_read(asked: &Asked<'_>) -> bool {
    let Some(unit) = asked.unit.filter(|_| asked.request.system == TopologySystem::Kai) else { return true };
    let ignored =
        unit.workload.placing.kai_reads == KaiReads::Owner && asked.request.place == TopologyPlace::Template;
    handed_over(unit).is_some() && !ignored
}

/// A topology of KAI Scheduler is named, so its levels are known where it is here.
fn by_name<'a>(
    context: &Context<'a>,
    declared: &[(&'a Object, &'a Topology)],
    asked: &Asked<'a>,
) -> Option<Finding<'a>> {
    let Known::Set(name, at) = &asked.request.topology else { return None };
    let ours = declared.iter().filter(|(_, t)| t.system == QueueSystem::Kai);
    let named: Vec<(&Object, &Topology)> =
        ours.clone().filter(|(o, _)| o.name() == Some(name)).copied().collect();
    if named.is_empty() {
        // Topologies of Kueue are copied when KAI Scheduler is installed.
        let copied = declared.iter().any(|(o, t)| t.system == QueueSystem::Kueue && o.name() == Some(name));
        let open = declared.iter().any(|(o, _)| o.meta.name.value().is_none());
        let names: Vec<String> = ours.filter_map(|(o, _)| o.name().map(|n| format!("`{n}`"))).collect();
        if copied || open || names.is_empty() {
            return None;
        }
        let message = format!(
            "{} names the topology `{name}`, which is not here beside {}: without it the pods are never placed",
            title(asked),
            names.join(", ")
        );
        return Some(
            Finding::new(asked.object, "topology", *at, "no such topology", message)
                .help(format!("add a Topology named `{name}`, or name one of: {}", names.join(", ")))
                // It may be kept elsewhere, or an operator makes it.
                .lower(Severity::Warning),
        );
    }
    let near = nearest(context.facts.inventory, asked.object, named, |(o, _)| o);
    let [(object, topology)] = near.as_slice() else { return None };
    let (level, at, required) = missing_level(asked, &[*topology])?;
    let effect = if required { "the pods are never placed" } else { "the preference is not kept" };
    let message = format!(
        "{} asks for the level `{level}`, which topology `{name}` does not have: {effect}",
        title(asked)
    );
    let finding = Finding::new(asked.object, "topology.level", at, "no such level", message)
        .label(topology.span, format!("the levels of `{}`", object.name().unwrap_or("?")))
        .help(format!("name one of its levels: {}", levels(topology)));
    Some(if required { finding } else { finding.lower(Severity::Warning) })
}

/// A topology of Kueue is chosen by the flavor: a level is wrong for sure where no topology here has it.
fn by_level<'a>(declared: &[(&'a Object, &'a Topology)], asked: &Asked<'a>) -> Option<Finding<'a>> {
    let all: Vec<&Topology> =
        declared.iter().filter(|(_, t)| t.system == QueueSystem::Kueue).map(|(_, t)| *t).collect();
    let first = all.first()?;
    let (level, at, required) = missing_level(asked, &all)?;
    let effect = if required { "the workload is never admitted" } else { "the preference cannot be kept" };
    let message =
        format!("{} asks for the level `{level}`, which no topology here has: {effect}", title(asked));
    Some(
        Finding::new(asked.object, "topology.level", at, "no such level", message)
            .label(first.span, "the levels that there are")
            .help(format!("name one of its levels: {}", levels(first)))
            .lower(Severity::Warning),
    )
}

/// The first level that is asked for and that none of the topologies has, and whether it is required.
fn missing_level(asked: &Asked<'_>, topologies: &[&Topology]) -> Option<(String, Span, bool)> {
    let known = |level: &str| {
        topologies.iter().flat_map(|t| &t.levels).any(|(label, alias)| {
            let open = label.is_unresolved() || alias.is_unresolved();
            open || [label, alias].iter().any(|word| word.value().is_some_and(|word| word == level))
        })
    };
    let wanted = [(&asked.request.required, true), (&asked.request.preferred, false)];
    wanted.into_iter().find_map(|(level, required)| match level {
        Known::Set(level, at) if !known(level) => Some((level.clone(), *at, required)),
        _ => None,
    })
}

fn levels(topology: &Topology) -> String {
    let names = topology.levels.iter().filter_map(|(label, _)| label.value());
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn title(asked: &Asked<'_>) -> String {
    match asked.unit {
        Some(unit) => unit.title(),
        None => format!("{}/{}", asked.object.kind, asked.object.name().unwrap_or("?")),
    }
}
