//! `gpu-pool-toleration-mismatch`: pods that choose a GPU pool, or its device plugin, do not tolerate its taints.

use super::{Context, Finding};
use crate::diagnostic::Severity;
use crate::facts::landing::{Fit, fit, untolerated};
use crate::facts::placement::{PoolClass, PoolFact};
use crate::facts::units::Unit;
use crate::kinds::pods::PodTemplate;
use crate::kinds::pool::Taint;
use crate::source::Span;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let pods = unit.workload.sets.iter().map(|s| &s.template);
    pods.filter_map(|pod| {
        if pod.gpus.any() { chooses(context, unit, pod) } else { device_plugin(context, unit, pod) }
    })
    .take(1)
    .collect()
}

/// A pod that asks for GPUs, chooses pools and tolerates none of them.
fn chooses<'a>(context: &Context<'a>, unit: &'a Unit<'a>, pod: &'a PodTemplate) -> Option<Finding<'a>> {
    // A patch names no image, and a chart's values hold half of a pod: the tolerations may be in the other part.
    let whole = pod.main_containers().all(|c| c.container.image.is_written());
    if !whole || !unit.object.complete {
        return None;
    }
    let pools = context.facts.pools.iter().filter(|p| p.class != PoolClass::Cpu && p.pool.has_requirements);
    let chosen: Vec<(&PoolFact<'_>, Span)> = pools
        .filter_map(|p| match fit(pod, p) {
            Fit::Chosen(span) => Some((p, span)),
            _ => None,
        })
        .collect();
    let (pool, span) = *chosen.first()?;
    if chosen.iter().any(|(p, _)| untolerated(pod, p).is_empty()) {
        return None;
    }
    let taint = *untolerated(pod, pool).first()?;
    let others = match chosen.len() {
        1 => String::new(),
        n => format!(" and {} more like it", n - 1),
    };
    let message = format!(
        "{} chooses GPU pool `{}`{others} and does not tolerate its taint `{}`: Karpenter starts no node for its pods, and they stay Pending",
        unit.title(),
        pool.name(),
        show(taint),
    );
    let finding = Finding::new(unit.object, "spec.tolerations", span, "chooses the pool", message)
        .label(taint.span, "this taint is not tolerated")
        .help(format!("add the toleration {}", toleration(taint)));
    // An operator may add tolerations to the pods that it makes.
    Some(if unit.workload.plain_pods {
        finding.at_most(Severity::Warning)
    } else {
        finding.at_most(Severity::Info)
    })
}

/// The device plugin of NVIDIA on a pool whose taint it does not tolerate.
fn device_plugin<'a>(context: &Context<'a>, unit: &'a Unit<'a>, pod: &'a PodTemplate) -> Option<Finding<'a>> {
    let is_plugin = pod
        .main_containers()
        .any(|c| c.container.image.value().is_some_and(|image| image.value.contains("k8s-device-plugin")));
    if !is_plugin {
        return None;
    }
    let mut kept_out = context.facts.pools.iter().filter(|p| p.is_judged() && fit(pod, p) != Fit::No);
    let (pool, taint) = kept_out.find_map(|p| Some((p, *untolerated(pod, p).first()?)))?;
    let message = format!(
        "{} is the device plugin and does not tolerate the taint `{}` of GPU pool `{}`: its nodes never offer a GPU, and Karpenter waits for that without an end",
        unit.title(),
        show(taint),
        pool.name(),
    );
    Some(
        Finding::new(unit.object, "spec.tolerations", pod.span, "no toleration for the taint", message)
            .label(taint.span, "this taint is not tolerated")
            .help(format!("add the toleration {}", toleration(taint))),
    )
}

fn show(taint: &Taint) -> String {
    let text = |known: &crate::known::Known<String>| known.value().cloned().unwrap_or_default();
    let value = text(&taint.value);
    let equals = if value.is_empty() { String::new() } else { format!("={value}") };
    format!("{}{equals}:{}", text(&taint.key), text(&taint.effect))
}

fn toleration(taint: &Taint) -> String {
    let key = taint.key.value().map_or("", String::as_str);
    let effect = taint.effect.value().map_or("NoSchedule", String::as_str);
    format!("`{{key: {key}, operator: Exists, effect: {effect}}}`")
}
