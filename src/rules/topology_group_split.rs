//! `topology-group-split`: a rule of the pods drives the members of one group into different zones.

use super::{Context, Finding};
use crate::facts::topology::Level;
use crate::facts::units::Unit;
use crate::kinds::pods::{PodSet, Spreading};

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let pods = context.facts.gangs.get(unit.id.0).and_then(|fact| fact.pods);
    let Some(pods) = pods.filter(|n| *n > 1) else { return vec![] };
    let mut found =
        unit.workload.sets.iter().flat_map(|set| set.template.spreading.iter().map(move |s| (set, s)));
    let Some((_, rule)) = found.find(|(set, rule)| splits(unit, set, rule)) else { return vec![] };
    let Some(at) = rule.key.span() else { return vec![] };
    let what = if rule.kind == "podAntiAffinity" {
        "keeps the pods out of each other's zone"
    } else {
        "spreads the pods over zones"
    };
    let message = format!(
        "{} is one group of {pods} pods for each model replica, and a required rule of its pods {what}: it tears the group apart that the model is split over",
        unit.title()
    );
    let mut finding = Finding::new(unit.object, "topology.spread", at, "zones for one group", message)
        .help("spread the groups and not their members: let the selector match the leaders only, or use the topology of the scheduler");
    if let Some(split) = unit.parallel_span() {
        finding = finding.label(split, "split over pods here");
    }
    vec![finding]
}

/// True for a required rule on zones or regions that two pods of one group fall under.
fn splits(unit: &Unit<'_>, set: &PodSet, rule: &Spreading) -> bool {
    let wide = rule.key.set().and_then(|key| Level::of(key)).is_some_and(|level| level >= Level::Zone);
    if !rule.required || !wide || rule.kind == "podAffinity" {
        return false;
    }
    let Some(selects) = &rule.selects else { return false };
    let matches = |other: &PodSet| {
        selects.iter().all(|(key, value)| other.template.meta.labels.get(key).set() == Some(value))
    };
    // Where each rank is an object of its own, or a group has one set only, the set itself has to have two pods.
    let members: u32 = unit.workload.sets.iter().filter(|s| matches(s)).filter_map(|s| s.pods.value()).sum();
    let by_engine = unit.workload.sets.len() == 1 && matches(set);
    !selects.is_empty() && matches(set) && (members > 1 || by_engine)
}
