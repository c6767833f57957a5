//! `warm-pool-grace`: a grace period that ends before the engine has drained.

use super::{Context, Finding, engine_pod};
use crate::facts::units::Unit;
use crate::known::Known;

/// `terminationGracePeriodSeconds` where it is not written.
/// Source: kubernetes/api, core/v1/types.go, PodSpec.
const DEFAULT: i64 = 30;

pub(super) fn check<'a>(_context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let Some(pod) = engine_pod::of(unit) else { return vec![] };
    let grace = match &pod.template.termination_grace {
        Known::Set(grace, _) => *grace,
        Known::Absent => DEFAULT,
        _ => return vec![],
    };
    if let Known::Set(sleep, at) = pod.lifecycle.stop_sleep
        && sleep >= grace
    {
        let by_default = if pod.template.termination_grace.set().is_some() { "" } else { ", the default" };
        let message = format!(
            "{} is killed in the middle of its answers: the preStop hook takes {sleep} s of a grace period of {grace} s{by_default}, so nothing is left to drain",
            unit.title()
        );
        let mut finding = Finding::new(unit.object, "warm-pool.grace", at, "takes the whole grace period", message)
            .help("set `terminationGracePeriodSeconds` to the hook plus the longest answer, 120 s or more for generation");
        if let Known::Set(_, span) = pod.template.termination_grace {
            finding = finding.label(span, "the grace period");
        }
        return vec![finding];
    }
    if let Known::Set(0, at) = pod.template.termination_grace {
        let message = format!(
            "{} is killed at once when it is scaled in, rolled out or drained: a grace period of 0 cuts every answer",
            unit.title()
        );
        let finding = Finding::new(unit.object, "warm-pool.grace", at, "no time to drain", message)
            .help("set `terminationGracePeriodSeconds` to the longest answer, 120 s or more for generation");
        return vec![finding];
    }
    vec![]
}
