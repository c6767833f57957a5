//! `disaggregated-missing-autoscaler`: a prefill or decode pool has a fixed size.

use super::{Context, Finding};
use crate::engine::Role;
use crate::facts::disaggregated::{Pair, may_be_driven, role_place};

pub(super) fn check<'a>(context: &Context<'a>, pair: &'a Pair) -> Vec<Finding<'a>> {
    let facts = context.facts;
    let members: Vec<_> = pair.members().filter_map(|(role, id)| Some((role, facts.unit(id)?))).collect();
    if members.iter().any(|(_, unit)| unit.coordinator.is_some()) {
        return vec![];
    }
    let open = |unit: &crate::facts::units::Unit<'_>| {
        facts.drivers_of(unit.id).next().is_none() && !may_be_driven(facts.inventory, &facts.drivers, unit)
    };
    let mut found = Vec::new();
    for (role, unit) in members.iter().filter(|(_, unit)| open(unit)) {
        let (word, signal, other) = match role {
            Role::Prefill => ("prefill", "queue depth", "decode"),
            _ => ("decode", "KV-cache use", "prefill"),
        };
        let size = match unit.workload.replicas.value() {
            Some(n) => format!("stays at {n} replica{}", if *n == 1 { "" } else { "s" }),
            None => "has no autoscaler".to_owned(),
        };
        let message = format!(
            "the {word} pool {} {size}: nothing here scales it on its {signal}, so it is too small at peaks and too large between them",
            unit.title()
        );
        let field = format!("autoscaler.{}", unit.workload.component.as_deref().unwrap_or(word));
        let mut finding = Finding::new(unit.object, field, role_place(unit), format!("{word} pool of fixed size"), message)
            .help(format!("add an autoscaler for the {word} pool that follows its {signal}, or a planner that scales both pools"));
        for peer in pair.peers(*role).iter().filter_map(|id| facts.unit(*id)) {
            finding = finding.label(role_place(peer), format!("its {other} pool"));
        }
        found.push(finding);
    }
    found
}
