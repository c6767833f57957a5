//! The pod of an engine: the container that serves, with its probes and hooks.

use super::scaled::is_engine_on_gpus;
use crate::facts::units::Unit;
use crate::kinds::lifecycle::Lifecycle;
use crate::kinds::pods::{PodContainer, PodTemplate, Purpose};

/// The container of the engine in a workload whose pods are as written: no operator adds probes or volumes.
pub(super) struct EnginePod<'u> {
    /// The pod template.
    pub(super) template: &'u PodTemplate,
    /// Its probes and stop hook.
    pub(super) lifecycle: Lifecycle,
}

/// The engine's pod, where it is beyond doubt which container it is: the one with the GPUs, or the only one. Of a group
/// of pods the first one serves.
pub(super) fn of<'u>(unit: &'u Unit<'_>) -> Option<EnginePod<'u>> {
    let as_written = unit.workload.plain_pods && unit.object.complete && unit.object.modelled;
    if !as_written || !is_engine_on_gpus(unit) || unit.workload.purpose != Purpose::Serving {
        return None;
    }
    let template = &unit.workload.sets.first()?.template;
    let all: Vec<&PodContainer> = template.main_containers().collect();
    let on_gpus: Vec<&PodContainer> = all.iter().copied().filter(|container| container.gpus.any()).collect();
    let container = match (on_gpus.as_slice(), all.as_slice()) {
        ([one], _) | ([], [one]) => *one,
        _ => return None,
    };
    Some(EnginePod { template, lifecycle: Lifecycle::of(&unit.object.tree, container) })
}
