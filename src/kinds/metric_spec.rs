//! The list `metrics` of a HorizontalPodAutoscaler, which several kinds embed.

use super::quantity::Quantity;
use super::scaler::{DefaultSignal, Signal, SignalKind, TargetType};
use crate::known::Known;
use crate::yaml::Node;

/// The blocks of a metric, with where the metric's name stands in each and what it is.
const BLOCKS: &[(&str, &str, SignalKind)] = &[
    ("resource", "name", SignalKind::Resource),
    ("containerResource", "name", SignalKind::Resource),
    ("pods", "metric.name", SignalKind::PodsMetric),
    ("object", "metric.name", SignalKind::ObjectMetric),
    ("external", "metric.name", SignalKind::ExternalMetric),
];

/// What an HPA falls back to where `metrics` is not written or empty.
/// Source: k8s.io/api, autoscaling/v2/types.go, HorizontalPodAutoscalerSpec.metrics.
pub(super) fn default_signal(list: Option<Node<'_>>) -> Option<DefaultSignal> {
    let empty = list.is_none_or(|list| list.is_sequence() && list.items().next().is_none());
    empty.then_some(DefaultSignal {
        what: "80% average CPU utilization",
        source: "https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/",
    })
}

/// Reads `metrics` in the shape of autoscaling/v2. An entry without any known block gives nothing.
pub(super) fn signals(list: Option<Node<'_>>) -> Vec<Signal> {
    list.into_iter().flat_map(|list| list.items()).filter_map(signal).collect()
}

fn signal(item: Node<'_>) -> Option<Signal> {
    let (block, name, kind) =
        BLOCKS.iter().find_map(|(key, name, kind)| Some((item.get(key)?, *name, *kind)))?;
    let text = block.text_at(name);
    let (target, target_type) = target(block);
    let selector = block.at("metric.selector.matchLabels").map(|m| m.entries()).unwrap_or_default();
    Some(Signal {
        kind,
        key: item.field::<String>("type").value().cloned().unwrap_or_default(),
        span: text.span().unwrap_or_else(|| item.first_key_span()),
        text,
        target,
        target_type,
        name: None,
        node: item.id(),
        null_is_zero: Known::Absent,
        type_span: None,
        selector: selector
            .into_iter()
            .filter_map(|e| Some((e.key.to_owned(), e.value.raw_str()?.to_owned())))
            .collect(),
    })
}

/// The target is what is written; `type` only repeats which of the fields that is.
fn target(block: Node<'_>) -> (Known<f64>, TargetType) {
    let fields = [
        ("target.averageUtilization", TargetType::Utilization),
        ("target.averageValue", TargetType::AverageValue),
        ("target.value", TargetType::Value),
    ];
    fields
        .into_iter()
        .map(|(path, kind)| (block.field::<Quantity>(path).map(|q| q.0), kind))
        .find(|(value, _)| value.is_written())
        .unwrap_or((Known::Absent, TargetType::Unknown))
}
