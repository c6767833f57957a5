//! `gang-missing`: the pods of one model replica do not start together.

use super::kai_edit::{queue_label, scheduler_names};
use super::split::at_split;
use super::{Context, Finding};
use crate::diagnostic::{Applicability, Edit, Severity};
use crate::facts::gang::{GangFact, Verdict};
use crate::facts::units::Unit;
use crate::kinds::gang::KaiGang;
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let Some(fact) = context.facts.gangs.get(unit.id.0) else { return vec![] };
    let Some(span) = unit.parallel_span() else { return vec![] };
    let title = unit.title();
    let replica = describe(unit, fact);
    let finding = |message: String| {
        let field = format!("gang.{}", unit.workload.component.as_deref().unwrap_or(""));
        at_split(unit, span, field, "the model is split over pods here", message)
            .label(unit.workload.span, replica.clone())
    };
    match &fact.verdict {
        Verdict::Absent { named: None } => vec![
            finding(format!(
                "{title} needs {replica}, and nothing starts them together: when one does not fit, the others hold their GPUs and serve nothing"
            ))
            .help(way_out(unit))
            .fix("Hand the group to KAI Scheduler", Applicability::Display, edits(context, unit)),
        ],
        Verdict::Absent { named: Some((scheduler, at)) } => vec![
            finding(format!(
                "{title} needs {replica}, and {} treats each pod of this kind by itself: the others hold their GPUs while one does not fit",
                scheduler.name()
            ))
            .label(*at, "makes no gang of this kind")
            .help("use a LeaderWorkerSet, or a PodGroup with `minMember` that the pods join"),
        ],
        Verdict::Hidden(hidden) => vec![
            finding(format!(
                "{title} needs {replica}, and nothing in its manifest starts them together: when one does not fit, the others hold their GPUs; {}",
                hidden.how
            ))
            .help(hidden.settle.clone())
            .fix("Hand the group to KAI Scheduler", Applicability::Display, edits(context, unit))
            .at_most(Severity::Warning),
        ],
        _ => vec![],
    }
}

/// One replica in numbers: "2 pods with 8 GPUs each for one model replica (tensor parallel 8 x pipeline parallel 2)".
fn describe(unit: &Unit<'_>, fact: &GangFact) -> String {
    let pods = fact.pods.map_or_else(|| "several".to_owned(), |n| n.to_string());
    let gpus = fact.gpus.map(|n| format!(" with {n} GPUs in all")).unwrap_or_default();
    let degree =
        |known: Option<&u32>, word: &str| known.filter(|n| **n > 1).map(|n| format!("{word} parallel {n}"));
    let split: Vec<String> =
        [degree(unit.tensor_parallel.value(), "tensor"), degree(unit.pipeline_parallel.value(), "pipeline")]
            .into_iter()
            .flatten()
            .collect();
    format!("{pods} pods{gpus} for one model replica ({})", split.join(" x "))
}

fn way_out(unit: &Unit<'_>) -> String {
    match unit.workload.gang.kai {
        KaiGang::PerReplica | KaiGang::Whole => {
            "set `schedulerName: kai-scheduler` on every pod template and the label `kai.scheduler/queue` on the object: KAI Scheduler makes a gang of this kind by itself; Volcano, Kueue and coscheduling need their own label or PodGroup".to_owned()
        }
        _ => "give the pods one gang: a LeaderWorkerSet under KAI Scheduler, a PodGroup with `minMember`, or a Kueue queue with topology-aware scheduling".to_owned(),
    }
}

/// What makes a gang of the kinds that KAI Scheduler groups by itself: the scheduler in every template, and a queue.
fn edits(context: &Context<'_>, unit: &Unit<'_>) -> Vec<Edit> {
    if !matches!(unit.workload.gang.kai, KaiGang::PerReplica | KaiGang::Whole) {
        return vec![];
    }
    let Some(mut edits) = scheduler_names(context, unit) else { return vec![] };
    if unit.workload.kai_queue == Known::Absent {
        edits.extend(queue_label(context, unit));
    }
    edits
}
