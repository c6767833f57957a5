//! `kai-priority-class-unknown`: a class that KAI Scheduler does not find, so that it takes the default of the kind.

use super::{Context, Finding};
use crate::facts::kai;
use crate::facts::units::Unit;
use crate::kinds::pods::KaiClass;
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let inventory = context.facts.inventory;
    if kai::handed_over(unit).is_none() {
        return vec![];
    }
    let Known::Set(name, span) = kai::class_name(unit) else { return vec![] };
    let own: Vec<&str> = kai::classes(inventory).map(|(name, _)| name).collect();
    let known: Vec<&str> = own.iter().copied().chain(kai::CLASSES.iter().map(|(name, _)| *name)).collect();
    if known.contains(&name.as_str()) {
        return vec![];
    }
    let by_label = unit.workload.placing.class_label != Known::Absent;
    let near = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, &name), *known))
        .filter(|(distance, known)| *distance <= 2 && known.len() > 4)
        .min();
    // A class may be kept elsewhere: only a misspelt one is told, or one that is missing among those that are kept here.
    if near.is_none() && (own.is_empty() || !by_label) {
        return vec![];
    }
    let effect = match (by_label, unit.workload.kai_class) {
        (true, KaiClass::Train) => {
            "KAI Scheduler takes a class that does not exist as none, and the pods become `train`, preemptible"
        }
        (true, KaiClass::Inference) => {
            "KAI Scheduler takes a class that does not exist as none, and the pods become `inference`"
        }
        (false, _) => "the API server refuses pods of a class that does not exist",
    };
    let message = format!(
        "{} names the class `{name}`, which is neither here nor made by KAI Scheduler's chart: {effect}",
        unit.title()
    );
    let help = match near {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => format!("add a PriorityClass named `{name}`, or name one that exists"),
    };
    let field = if by_label { "metadata.labels.priorityClassName" } else { "spec.priorityClassName" };
    vec![Finding::new(unit.object, field, span, "no such class", message).help(help)]
}
