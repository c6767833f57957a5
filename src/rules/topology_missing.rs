//! `topology-missing`: nothing keeps the pods of one model replica near each other.

use super::split::at_split;
use super::{Context, Finding};
use crate::config::Profile;
use crate::diagnostic::Severity;
use crate::facts::gang::{Verdict, only_admitted};
use crate::facts::kai::handed_over;
use crate::facts::topology::{holding, kept_near, torn_apart};
use crate::facts::units::Unit;
use crate::kinds::placing::KaiReads;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let Some(fact) = context.facts.gangs.get(unit.id.0) else { return vec![] };
    // Where the pods do not start together, that comes first; the strict profile wants both.
    let judged = match &fact.verdict {
        Verdict::Present(_) | Verdict::Partial { .. } => !only_admitted(unit),
        Verdict::Absent { .. } => context.profile == Profile::Strict,
        _ => false,
    };
    let (Some(pods), Some(split), true) = (fact.pods, unit.parallel_span(), judged) else { return vec![] };
    // A group that is torn apart on purpose is told so.
    if pods < 2 || kept_near(unit) || torn_apart(unit).is_some() || !holding(context.facts, unit).is_empty() {
        return vec![];
    }
    let tensor = unit.tensor_parallel.value().copied().unwrap_or(1);
    let crosses = unit.gpus_per_pod.value().is_some_and(|gpus| tensor > *gpus);
    let (what, cost) = if crosses {
        (format!("tensor parallel {tensor}"), "every layer waits for the slowest link between them")
    } else {
        ("its parts".to_owned(), "every token crosses the links between them")
    };
    let message = format!(
        "{} spreads {what} over {pods} pods, and nothing keeps them near each other: they may stand in different racks or zones, where {cost}",
        unit.title()
    );
    let field = format!("topology.{}", unit.workload.component.as_deref().unwrap_or(""));
    let help = if handed_over(unit).is_some() && unit.workload.placing.kai_reads == KaiReads::Owner {
        "add the annotations `kai.scheduler/topology` and `kai.scheduler/topology-required-placement` to the object's metadata"
    } else {
        "ask the scheduler for one rack or one NVLink domain for all pods of the group"
    };
    let finding = at_split(unit, split, field, "the model is split over pods here", message).help(help);
    // A pipeline sends little between its stages.
    vec![if crosses { finding } else { finding.lower(Severity::Info) }]
}
