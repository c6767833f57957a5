//! `warm-pool-progress-deadline`: a rollout that is called failed while its pods still start.

use super::scaled::seconds;
use super::slo::Slo;
use super::{Context, Finding, engine_pod};
use crate::facts::units::Unit;
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let (Some(pod), Some(rollout)) = (engine_pod::of(unit), &unit.workload.rollout) else { return vec![] };
    let Some(deadline) = rollout.progress_deadline.value().map(|seconds| *seconds as f64) else {
        return vec![];
    };
    let cold = Slo::of_unit(context, unit).cold_start;
    let startup = pod.lifecycle.startup.as_ref().and_then(|probe| Some((probe.budget()? as f64, probe.span)));
    let cold = cold.value().copied().zip(cold.span()).filter(|(cold, _)| *cold >= deadline);
    let (needs, at, what) = match (cold, startup) {
        (Some((cold, at)), _) => (cold, at, "a cold start takes"),
        (None, Some((budget, at))) if budget >= deadline => (budget, at, "its startup probe waits"),
        _ => return vec![],
    };
    let by_default = if rollout.progress_deadline.set().is_some() { "" } else { ", the default" };
    let span = match rollout.progress_deadline {
        Known::Set(_, span) => span,
        _ => unit.workload.span,
    };
    let message = format!(
        "a rollout of {} counts as failed after {}{by_default}, and {what} {}: Helm with `--wait`, Argo CD or Flux then roll back pods that are only loading",
        unit.title(),
        seconds(deadline),
        seconds(needs)
    );
    let finding =
        Finding::new(unit.object, "warm-pool.progress-deadline", span, "ends before the start", message)
            .label(at, seconds(needs))
            .help(format!("set `progressDeadlineSeconds` to {} or more", (needs + 300.0).ceil()));
    vec![finding]
}
