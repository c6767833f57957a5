//! `scale-engine-world-size`: an engine that is split over more or fewer GPUs than its pods have.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::engine::{Engine, Family, Flag, Launch};
use crate::facts::units::Unit;
use crate::known::Known;

pub(super) fn check<'a>(_context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let Some(engine) = unit.engine.as_ref().filter(|engine| is_literal(engine)) else { return vec![] };
    let (Known::Set(world, at), true) =
        (engine.world_size(), unit.workload.plain_pods && unit.object.complete)
    else {
        return vec![];
    };
    let holders = unit.workload.sets.iter().flat_map(|set| set.template.main_containers());
    let per_pod = holders.filter(|container| container.gpus.any()).count();
    // Two containers with GPUs in one pod may be two engines.
    let one_engine = per_pod == unit.workload.sets.iter().filter(|set| set.template.gpus.any()).count();
    let whole = unit.workload.sets.iter().all(|set| {
        let gpus = &set.template.gpus;
        !gpus.any() || matches!(gpus.resource.as_str(), "nvidia.com/gpu" | "amd.com/gpu")
    });
    let Some(have) = unit.gpus_per_replica().filter(|have| *have > 0 && one_engine && whole) else {
        return vec![];
    };
    // A single pod of several nodes is one rank; the other ranks are objects of their own.
    let nodes = engine.nodes.value().copied().unwrap_or(1).max(1);
    let pods = unit.workload.pods_per_replica().value().copied().unwrap_or(1);
    let have = if pods == 1 { have.saturating_mul(nodes) } else { have };
    if world == have {
        return vec![];
    }
    let degrees = degrees(engine);
    let place = if pods > 1 { format!("{pods} pods") } else { "the pod".to_owned() };
    let more = world > have;
    let effect = if more {
        format!("{} waits for devices that never come, or stops at start", engine.family.name())
    } else {
        format!("{} of them stay idle and are paid for", have - world)
    };
    let message = format!(
        "{} splits its model over {degrees} = {world} GPUs and {place} of a replica {} {have}: {effect}",
        unit.title(),
        if pods > 1 { "ask for" } else { "asks for" },
    );
    let mut finding = Finding::new(unit.object, "engine.world-size", at, format!("{world} GPUs"), message)
        .help("make the product of the degrees of parallelism the number of GPUs of a replica");
    if let Some(span) = unit.gpus_per_pod.span() {
        finding = finding.label(span, format!("{have} GPUs for a replica"));
    }
    vec![if more { finding } else { finding.lower(Severity::Warning) }]
}

/// True where every number that counts is written, and where no cluster of another launcher may hold the rest.
fn is_literal(engine: &Engine) -> bool {
    let degrees = [&engine.pipeline_parallel, &engine.data_parallel, &engine.context_parallel];
    let known = degrees.iter().all(|degree| !degree.is_unresolved()) && !engine.nodes.is_unresolved();
    // A launcher of ranks and Ray take GPUs from other pods; data parallelism may be spread by hand.
    let local = |flag: &Flag| flag.value.value().is_some_and(|value| value.value == "mp");
    let ray = engine.flags.iter().any(|flag| match flag.name.as_str() {
        "--distributed-executor-backend" => !local(flag),
        "--worker-use-ray" => true,
        name => name.starts_with("--data-parallel"),
    });
    let alone = matches!(engine.launch, Launch::Command | Launch::Image)
        && engine.runtime.is_none()
        && !engine.headless;
    let family = matches!(engine.family, Family::Vllm | Family::Sglang);
    known
        && alone
        && family
        && !ray
        && engine.ranks == Known::Absent
        && !engine.reaches_out()
        && engine.tensor_parallel.set().is_some()
}

/// The factors that are above 1: `tensor 8 × pipeline 2`.
fn degrees(engine: &Engine) -> String {
    let named = [
        ("tensor", &engine.tensor_parallel),
        ("pipeline", &engine.pipeline_parallel),
        ("data", &engine.data_parallel),
        ("context", &engine.context_parallel),
    ];
    let above =
        named.iter().filter_map(|(name, degree)| Some((*name, *degree.value()?))).filter(|(_, n)| *n > 1);
    let shown: Vec<String> = above.map(|(name, n)| format!("{name} {n}")).collect();
    if shown.is_empty() { "tensor 1".to_owned() } else { shown.join(" × ") }
}
