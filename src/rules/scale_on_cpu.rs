//! `scale-on-cpu`: an autoscaler follows the CPU of a workload whose work is on the GPU.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::drives::Driver;
use crate::facts::renames::Measured;
use crate::metrics::Class;

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    let on_gpus: Vec<_> = context.facts.targets_of(driver).filter(|u| u.uses_gpus()).collect();
    let Some(target) = on_gpus.first() else { return vec![] };
    let serves = target.serves_model();
    let title = driver.title();
    let goal = target.title();
    if let Some(default) = &driver.scaler.default_signal {
        let message = format!(
            "{title} states no metric, so it scales {goal} on the default, {}: the work of a GPU engine does not show in its CPU",
            default.what
        );
        let finding =
            Finding::new(driver.object, "spec.metrics", driver.scaler.span, "no metric is stated", message)
                .help("state the engine's queue depth or KV-cache use as a metric");
        return vec![soften(finding, serves)];
    }
    let host_only = |measured: &Measured| {
        !measured.measures.is_empty()
            && measured.measures.iter().all(|m| matches!(m.class, Class::Cpu | Class::HostMemory))
    };
    let alone = driver.signals.iter().all(|(_, measured)| host_only(measured));
    let host = driver.signals.iter().filter(|(_, measured)| host_only(measured));
    host.filter_map(|(_, measured)| measured.measures.first())
        .map(|measure| {
            let what = if measure.class == Class::Cpu { "CPU" } else { "host memory" };
            let message = if alone {
                format!(
                    "{title} scales {goal} on {what} alone: the work of a GPU engine does not show there, so it neither grows under load nor shrinks after it"
                )
            } else {
                format!(
                    "{title} scales {goal} on {what} beside other signals: an HPA takes the largest answer, so a busy tokenizer buys GPUs"
                )
            };
            let label = format!("{what} of a pod whose work is on the GPU");
            let finding = Finding::new(driver.object, format!("signal.{}", measure.name), measure.span, label, message)
                .help("scale on the engine's queue depth or KV-cache use instead");
            if alone { soften(finding, serves) } else { finding.lower(Severity::Warning) }
        })
        .collect()
}

/// A GPU workload that is no known engine may do its work on the CPU after all.
fn soften(finding: Finding<'_>, serves: bool) -> Finding<'_> {
    if serves { finding } else { finding.at_most(Severity::Warning) }
}
