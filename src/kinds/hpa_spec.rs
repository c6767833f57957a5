//! The parts of an HPA's spec that other kinds embed: metrics, behaviour, target.
//!
//! Source: kubernetes/api, autoscaling/v2, v2beta1 and v2beta2, types.go.

use super::quantity::Quantity;
use super::scaler::{Behavior, DefaultSignal, Direction, Signal, SignalKind, Target, TargetRef, TargetType};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Node, Text};

/// What the HPA API does without metrics.
/// Source: kubernetes/api, autoscaling/v2/types.go, comment of `Metrics`.
pub(super) const DEFAULT_CPU: DefaultSignal =
    DefaultSignal { what: "80% average CPU utilization", source: "kubernetes/api autoscaling/v2/types.go" };

/// What drives an autoscaler whose `metrics` list is not written or empty; none where a template stands for it.
pub(super) fn default_signal(list: Option<Node<'_>>) -> Option<DefaultSignal> {
    let empty = list.is_none_or(|list| list.is_sequence() && list.items().next().is_none());
    empty.then_some(DEFAULT_CPU)
}

/// A `scaleTargetRef` as HPAs write it.
pub(super) fn target(node: Option<Node<'_>>, at: Span) -> Target {
    let Some(node) = node else { return Target::Unknown(at) };
    let api = node.field::<String>("apiVersion");
    Target::Reference(TargetRef {
        group: api.value().map(|api| api.split_once('/').map_or("", |(group, _)| group).to_owned()),
        kind: node.field("kind"),
        name: node.field("name"),
        role: Known::Absent,
        span: node.get("name").map_or_else(|| node.first_key_span(), |n| n.span()),
    })
}

/// The `metrics` list of v2, v2beta1 and v2beta2, which other kinds embed as well.
pub(super) fn metrics(list: Option<Node<'_>>) -> Vec<Signal> {
    list.into_iter().flat_map(|list| list.items()).filter_map(metric).collect()
}

fn metric(item: Node<'_>) -> Option<Signal> {
    let kind = item.get("type").and_then(|t| t.raw_str()).unwrap_or("");
    let (key, signal_kind) = match kind {
        "Resource" => ("resource", SignalKind::Resource),
        "ContainerResource" => ("containerResource", SignalKind::Resource),
        "Pods" => ("pods", SignalKind::PodsMetric),
        "Object" => ("object", SignalKind::ObjectMetric),
        "External" => ("external", SignalKind::ExternalMetric),
        // Older manifests leave the type out or misspell it; the block that is there decides.
        _ => ["resource", "containerResource", "pods", "object", "external"].iter().find_map(|key| {
            item.get(key)?;
            Some((*key, block_kind(key)))
        })?,
    };
    let block = item.get(key)?;
    // v2 and v2beta2 hold the name in `metric.name`, v2beta1 in `metricName`.
    let paths: &[&str] =
        if signal_kind == SignalKind::Resource { &["name"] } else { &["metric.name", "metricName"] };
    let text =
        paths.iter().map(|path| name_at(block, path)).fold(Known::Absent, |known, next| known.or(|| next));
    let (target, target_type) = metric_target(block, signal_kind);
    let selector = block
        .at("metric.selector.matchLabels")
        .or_else(|| block.at("metricSelector.matchLabels"))
        .map(|labels| labels.entries())
        .unwrap_or_default()
        .into_iter()
        .filter_map(|e| Some((e.key.to_owned(), e.value.raw_str()?.to_owned())))
        .collect();
    Some(Signal {
        kind: signal_kind,
        key: key.to_owned(),
        span: text.span().unwrap_or_else(|| block.first_key_span()),
        text,
        target,
        target_type,
        name: None,
        node: block.id(),
        null_is_zero: Known::Absent,
        type_span: None,
        selector,
    })
}

fn block_kind(key: &str) -> SignalKind {
    match key {
        "pods" => SignalKind::PodsMetric,
        "object" => SignalKind::ObjectMetric,
        "external" => SignalKind::ExternalMetric,
        _ => SignalKind::Resource,
    }
}

/// A metric name, which is unresolved where it is a template.
fn name_at(block: Node<'_>, path: &str) -> Known<Text> {
    block.field::<Text>(path)
}

/// What a metric is compared with, and how.
pub(super) fn metric_target(block: Node<'_>, kind: SignalKind) -> (Known<f64>, TargetType) {
    let at = block.get("target").unwrap_or(block);
    let fields = [
        ("averageUtilization", TargetType::Utilization),
        ("averageValue", TargetType::AverageValue),
        ("value", TargetType::Value),
        ("targetAverageUtilization", TargetType::Utilization),
        ("targetAverageValue", TargetType::AverageValue),
        ("targetValue", TargetType::Value),
    ];
    // The value of an Object metric of v2beta1 stands beside a `target` that is a reference.
    for at in [at, block] {
        for (field, kind) in fields {
            let value = at.field::<Quantity>(field).map(|q| q.0);
            if value.is_written() {
                return (value, kind);
            }
        }
    }
    let stated = match at.get("type").and_then(|t| t.raw_str()) {
        Some("Utilization") => TargetType::Utilization,
        Some("AverageValue") => TargetType::AverageValue,
        Some("Value") => TargetType::Value,
        _ if kind == SignalKind::PodsMetric => TargetType::AverageValue,
        _ => TargetType::Unknown,
    };
    (Known::Absent, stated)
}

/// `behavior`.
pub(super) fn behavior(spec: Node<'_>) -> Option<Behavior> {
    let entry = spec.entry("behavior").filter(|e| e.value.is_mapping())?;
    Some(Behavior {
        up: direction(entry.value.get("scaleUp")),
        down: direction(entry.value.get("scaleDown")),
        span: Some(entry.key_node.span()),
    })
}

fn direction(node: Option<Node<'_>>) -> Direction {
    let Some(node) = node else { return Direction::default() };
    Direction {
        window: node.field("stabilizationWindowSeconds"),
        select: node.field("selectPolicy"),
        policies: node
            .get("policies")
            .into_iter()
            .flat_map(|p| p.items())
            .map(|p| (p.field("type"), p.field("value"), p.field("periodSeconds")))
            .collect(),
    }
}
