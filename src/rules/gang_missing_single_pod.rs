//! `gang-missing-single-pod`: a parallel model in one pod, which is bound as a whole but not packed.

use super::split::at_split;
use super::{Context, Finding};
use crate::facts::gang::Verdict;
use crate::facts::units::Unit;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let Some(fact) = context.facts.gangs.get(unit.id.0) else { return vec![] };
    let (Verdict::SinglePod { scheduled: None }, Some(span)) = (&fact.verdict, unit.parallel_span()) else {
        return vec![];
    };
    let title = unit.title();
    let parallel = unit.model_parallel().unwrap_or(1);
    let gpus = match unit.gpus_per_pod.value() {
        Some(n) if *n >= parallel => format!("{n} GPUs"),
        _ => format!("{parallel} GPUs"),
    };
    let message = format!(
        "{title} splits its model over {parallel} GPUs in one pod: the pod is bound as a whole, so it cannot start in part; what remains is fragmentation, since {gpus} that are free on several nodes are no place for it"
    );
    let field = format!("gang.{}", unit.workload.component.as_deref().unwrap_or(""));
    vec![
        at_split(unit, span, field, "one pod holds all of it", message).help(
            "let a scheduler that packs GPUs place it (KAI Scheduler with bin packing, or Kueue with topology-aware scheduling), or keep a pool whose nodes only such pods may use",
        ),
    ]
}
