//! `scale-on-gpu-utilization`: an autoscaler follows how long the GPU was busy.

use super::signal::{Culprit, adapter_rules, driven};
use super::{Context, Finding};
use crate::diagnostic::Applicability;
use crate::metrics::Class;

const CULPRIT: Culprit = Culprit {
    class: Class::GpuDutyCycle,
    field: "signal.gpu-utilization",
    label: "GPU utilization: the share of time in which any kernel ran",
};

pub(super) fn check<'a>(context: &Context<'a>) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for (driver, signal, measure) in driven(context, CULPRIT.class) {
        let message = format!(
            "{} scales {} on GPU utilization (`{}`): a batching engine keeps it near 100 % from the first request on, so it says nothing of load",
            driver.title(),
            CULPRIT.target(context, driver),
            measure.name
        );
        found.push(
            CULPRIT.finding(driver, signal, measure, message).help(CULPRIT.way_out(context, driver)).fix(
                "Follow the load of the engine (choose the target anew)",
                Applicability::Display,
                CULPRIT.edits(context, driver, signal),
            ),
        );
    }
    found.extend(adapter_rules(context, CULPRIT.class).map(|(alias, source)| {
        let message = format!(
            "this adapter rule offers GPU utilization (`{source}`) to autoscalers as `{}`: a batching engine keeps it near 100 % from the first request on",
            alias.name
        );
        CULPRIT.adapter(alias, message).help("offer the engine's queue depth and KV-cache use instead")
    }));
    found
}
