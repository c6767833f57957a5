//! `topology-group-split`: a rule of the pods drives the members of one group into different zones.

use super::{Context, Finding};
use crate::facts::topology::torn_apart;
use crate::facts::units::Unit;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let pods = context.facts.gangs.get(unit.id.0).and_then(|fact| fact.pods);
    let Some(pods) = pods.filter(|n| *n > 1) else { return vec![] };
    let Some(rule) = torn_apart(unit) else { return vec![] };
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
