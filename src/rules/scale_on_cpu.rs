//! `scale-on-cpu`: an autoscaler follows the CPU of a workload whose work is on the GPU.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::drives::Driver;
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
    let cpu = driver
        .signals
        .iter()
        .find_map(|(signal, measured)| measured.of(Class::Cpu).next().map(|measure| (*signal, measure.span)));
    let Some((_, span)) = cpu else { return vec![] };
    let host_only = |class: Class| matches!(class, Class::Cpu | Class::HostMemory);
    let alone = driver.signals.iter().all(|(_, measured)| {
        !measured.measures.is_empty() && measured.measures.iter().all(|m| host_only(m.class))
    });
    let message = if alone {
        format!(
            "{title} scales {goal} on CPU alone: the work of a GPU engine does not show in its CPU, so it neither grows under load nor shrinks after it"
        )
    } else {
        format!(
            "{title} scales {goal} on CPU beside other signals: an HPA takes the largest answer, so a busy tokenizer or a busy loop buys GPUs"
        )
    };
    let finding =
        Finding::new(driver.object, "signal.cpu", span, "CPU of a pod whose work is on the GPU", message)
            .help("scale on the engine's queue depth or KV-cache use instead");
    vec![if alone { soften(finding, serves) } else { finding.lower(Severity::Warning) }]
}

/// A GPU workload that is no known engine may do its work on the CPU after all.
fn soften(finding: Finding<'_>, serves: bool) -> Finding<'_> {
    if serves { finding } else { finding.at_most(Severity::Warning) }
}
