//! `warm-pool-scale-to-zero`: an engine that goes to zero and that nothing outside wakes.

use super::{Context, Finding};
use crate::diagnostic::{Applicability, Edit};
use crate::facts::drives::Driver;
use crate::facts::renames::{Measure, Measured};
use crate::kinds::scaler::{Controller, SignalKind};
use crate::known::Known;
use crate::metrics::Class;
use crate::yaml::edit;

/// Exporters that stand in front of the pods and are there when the pods are not. Dynamo's frontend is none of them: it
/// drops a model without workers and shows no demand for it (ai-dynamo/dynamo, docs on autoscaling).
const IN_FRONT: &[&str] = &[
    "llm-d EPP",
    "Gateway API inference extension",
    "Dynamo router",
    "Dynamo planner",
    "production-stack router",
    "Knative",
    "llm-d WVA",
    "llm-d WVA (older name)",
    "AIBrix GPU optimizer",
    "ingress-nginx",
    "Istio",
    "HTTP middleware",
];

pub(super) fn check<'a>(context: &Context<'a>, driver: &'a Driver<'a>) -> Vec<Finding<'a>> {
    let scaler = driver.scaler;
    let (span, omitted) = match (&scaler.idle, &scaler.min) {
        (Known::Set(0, span), _) | (_, Known::Set(0, span)) => (*span, false),
        (_, Known::Default(0, _)) => (scaler.span, true),
        _ => return vec![],
    };
    // Platforms that take the request themselves wake their pods.
    let buffered = matches!(scaler.controller, Controller::Knative | Controller::Operator);
    if buffered || !serves_model(context, driver) || driver.signals.iter().any(|(s, m)| may_wake(s.kind, m)) {
        return vec![];
    }
    let goal: Vec<String> = context.facts.targets_of(driver).map(|u| u.title()).take(1).collect();
    let goal = goal.first().map_or_else(|| "its engine".to_owned(), String::clone);
    let how = if omitted { "sets no minimum, and the default is 0" } else { "lets the minimum be 0" };
    let message = format!(
        "{} {how} for {goal}: its signals come from the pods that are gone then, so nothing wakes it, and any first request waits for node, image and model",
        driver.title()
    );
    let label = if omitted { "no minimum is stated" } else { "no replica stays warm" };
    let mut finding = Finding::new(driver.object, "spec.minReplicas", span, label, message).help(
        "keep at least one warm replica, or wake the engine from outside: a router's or gateway's queue, a schedule, KEDA's HTTP add-on",
    );
    for signal in driver.signals.iter().take(2).map(|(signal, _)| signal.span) {
        finding = finding.label(signal, "read from the engine's own pods");
    }
    vec![finding.fix("Keep one replica warm", Applicability::Unsafe, edits(context, driver))]
}

/// True where the target runs an engine, or where the signals are those of one.
fn serves_model(context: &Context<'_>, driver: &Driver<'_>) -> bool {
    let mut targets = context.facts.targets_of(driver).peekable();
    if targets.peek().is_some() {
        return targets.any(|unit| unit.serves_model());
    }
    let of_engine = |measure: &Measure| {
        matches!(
            measure.class,
            Class::KvCache
                | Class::RunningRequests
                | Class::QueueDepth
                | Class::Ttft
                | Class::InterTokenLatency
        ) || matches!(measure.class, Class::GpuMemory | Class::GpuDutyCycle)
            && measure.entry.is_some_and(|e| e.name.ends_with("-inference"))
    };
    driver.signals.iter().flat_map(|(_, measured)| &measured.measures).any(of_engine)
}

/// True where a signal may still be there when the pods are gone, or is not known well enough to tell.
fn may_wake(kind: SignalKind, measured: &Measured) -> bool {
    match kind {
        SignalKind::Outside | SignalKind::PlatformRequests | SignalKind::DesiredReplicas => true,
        // Keys of an external scaler that name no metric are settings of it.
        SignalKind::ScalerMetadata => measured.measures.iter().any(in_front),
        _ => {
            measured.unresolved
                || !measured.unexplained.is_empty()
                || measured.measures.is_empty()
                || measured.measures.iter().any(in_front)
        }
    }
}

fn in_front(measure: &Measure) -> bool {
    measure.entry.is_some_and(|entry| IN_FRONT.contains(&entry.source))
        || measure.class == Class::DesiredReplicas
}

/// One replica as the minimum. Where an idle count is written, the line has to go, which is a choice.
fn edits(context: &Context<'_>, driver: &Driver<'_>) -> Vec<Edit> {
    let scaler = driver.scaler;
    if scaler.idle.is_written() {
        return vec![];
    }
    let node = driver.object.tree.node(scaler.node);
    let keys = ["minReplicaCount", "minReplicas"];
    let edit = match keys.iter().find_map(|key| node.get(key)) {
        Some(written) => edit::replace_scalar(written, "1"),
        None if scaler.controller == Controller::Keda => {
            let source = context.facts.inventory.files.get(driver.object.file).map_or("", |f| &*f.text);
            edit::append_entry(node, source, "minReplicaCount: 1", "minReplicaCount: 1")
        }
        None => None,
    };
    edit.into_iter().collect()
}
