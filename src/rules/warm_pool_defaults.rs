//! `warm-pool-defaults`: defaults of the pod that do not fit an engine which loads for minutes.

use super::{Context, Finding, engine_pod};
use crate::facts::units::Unit;
use crate::kinds::pods::PodTemplate;
use crate::known::Known;

pub(super) fn check<'a>(_context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let Some(pod) = engine_pod::of(unit) else { return vec![] };
    let hooks = &pod.lifecycle;
    let mut left: Vec<String> = Vec::new();
    let serves = unit
        .engine
        .as_ref()
        .is_some_and(|engine| !engine.headless && engine.node_rank.value().is_none_or(|rank| *rank == 0));
    if serves && hooks.startup.is_none() && hooks.readiness.is_none() {
        left.push("no startup or readiness probe, so requests reach a server that still loads".to_owned());
    }
    if pod.template.termination_grace == Known::Absent {
        left.push("a grace period of 30 s, which cuts longer answers".to_owned());
    }
    left.extend(surge(unit));
    if needs_shared_memory(unit, pod.template) {
        left.push("64 MiB of shared memory at /dev/shm for tensor parallelism".to_owned());
    }
    // One default alone is left by nearly every manifest, and often on purpose.
    if left.len() < 2 {
        return vec![];
    }
    let message = format!("{} leaves defaults that do not fit an engine: {}", unit.title(), left.join("; "));
    let finding = Finding::new(
        unit.object,
        "warm-pool.defaults",
        pod.template.span,
        "defaults of small web servers",
        message,
    )
    .help("state them for this pod, or ignore this advice here with a reason");
    vec![finding]
}

/// The default rollout of a small Deployment: one pod more, none fewer.
fn surge(unit: &Unit<'_>) -> Option<String> {
    let rollout = unit.workload.rollout.as_ref()?;
    let replicas = *unit.workload.replicas.value()?;
    let gpus = *unit.gpus_per_pod.value()?;
    let untouched = matches!(rollout.strategy, Known::Default(..))
        && matches!(rollout.surge, Known::Default(..))
        && matches!(rollout.unavailable, Known::Default(..));
    (untouched && (1..4).contains(&replicas) && gpus > 1).then(|| {
        format!("a rolling update that needs {gpus} free GPUs for a surge pod, since 25 % of {replicas} rounds up to 1 more and down to 0 fewer")
    })
}

/// Workers of one engine in one pod talk through shared memory.
/// Source: vllm-project/vllm, docs/deployment/k8s.md: the volume at /dev/shm of its example.
fn needs_shared_memory(unit: &Unit<'_>, template: &PodTemplate) -> bool {
    let parallel = unit.tensor_parallel.set().is_some_and(|degree| *degree > 1);
    let several = unit.gpus_per_pod.value().is_some_and(|gpus| *gpus > 1);
    let mounted = template
        .main_containers()
        .any(|c| c.container.mounts.iter().any(|m| m.path.trim_end_matches('/') == "/dev/shm"));
    parallel && several && !mounted && template.host_ipc.is_omitted()
}
