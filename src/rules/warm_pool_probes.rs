//! `warm-pool-probes`: a probe that kills the engine while it loads its model.

use super::scaled::seconds;
use super::{Context, Finding, engine_pod};
use crate::facts::units::Unit;
use std::time::Duration;

const RULE: &str = "warm-pool-probes";

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let Some(pod) = engine_pod::of(unit) else { return vec![] };
    let load = context.config.option_duration(RULE, "load").unwrap_or(Duration::from_secs(120)).as_secs_f64();
    let (probe, what, help) = match (&pod.lifecycle.startup, &pod.lifecycle.liveness) {
        (Some(startup), _) => (
            startup,
            "its startup probe",
            "raise `failureThreshold` of the startup probe until it covers the longest load, ten minutes for a large model",
        ),
        (None, Some(liveness)) => (
            liveness,
            "its liveness probe, which no startup probe holds back,",
            "add a startup probe whose `failureThreshold` × `periodSeconds` covers the longest load",
        ),
        (None, None) => return vec![],
    };
    let Some(budget) = probe.budget().map(|budget| budget as f64).filter(|budget| *budget < load) else {
        return vec![];
    };
    let (delay, period, failures) = (probe.delay.value(), probe.period.value(), probe.failures.value());
    let sum = match (delay, period, failures) {
        (Some(delay), Some(period), Some(failures)) => {
            format!("{delay} + {failures} × {period} = {}", seconds(budget))
        }
        _ => seconds(budget),
    };
    let message = format!(
        "{} is killed while it loads its model: {what} gives up after {sum}, and each restart begins the load anew",
        unit.title()
    );
    let finding = Finding::new(
        unit.object,
        "warm-pool.probes",
        probe.span,
        format!("{} from start to kill", seconds(budget)),
        message,
    )
    .help(help);
    vec![finding]
}
