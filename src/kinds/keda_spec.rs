//! A ScaledObject's spec, which other kinds embed as well.
//!
//! Source: kedacore/keda, apis/keda/v1alpha1/scaledobject_types.go and schema/generated/scalers-schema.yaml.

use super::count;
use super::hpa_spec::behavior;
use super::quantity::Quantity;
use super::scaler::{Controller, Fallback, Formula, Scaler, Signal, SignalKind, Target, TargetType};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Node, Text};

/// Reads a ScaledObject's spec.
pub(super) fn read_spec(spec: Node<'_>, target: Target, span: Span, at: Span) -> Scaler {
    let advanced = spec.get("advanced");
    Scaler {
        target,
        signals: triggers(spec.get("triggers")),
        default_signal: None,
        min: count(spec, "minReplicaCount", Some(0), at),
        max: count(spec, "maxReplicaCount", Some(100), at),
        idle: count(spec, "idleReplicaCount", None, at),
        formula: advanced.and_then(|a| a.get("scalingModifiers")).and_then(formula),
        behavior: advanced.and_then(|a| a.get("horizontalPodAutoscalerConfig")).and_then(behavior),
        span,
        node: spec.id(),
        controller: Controller::Keda,
        policy_ref: Known::Absent,
        fallback: fallback(spec),
        takes_over: Known::Absent,
    }
}

fn fallback(spec: Node<'_>) -> Option<Fallback> {
    let entry = spec.entry("fallback").filter(|entry| entry.value.is_mapping())?;
    Some(Fallback { span: entry.key_node.span(), replicas: entry.value.field("replicas") })
}

fn formula(modifiers: Node<'_>) -> Option<Formula> {
    let text = modifiers.text_at("formula");
    text.is_written().then(|| Formula {
        text,
        target: modifiers.field::<Quantity>("target").map(|q| q.0),
        target_type: target_type(modifiers.field("metricType"), TargetType::AverageValue),
    })
}

fn target_type(known: Known<String>, default: TargetType) -> TargetType {
    match known {
        Known::Absent => default,
        known => match known.value().map(String::as_str) {
            Some("AverageValue") => TargetType::AverageValue,
            Some("Value") => TargetType::Value,
            Some("Utilization") => TargetType::Utilization,
            _ => TargetType::Unknown,
        },
    }
}

/// The `triggers` of a ScaledObject.
pub(super) fn triggers(list: Option<Node<'_>>) -> Vec<Signal> {
    list.into_iter().flat_map(|list| list.items()).flat_map(trigger).collect()
}

fn trigger(item: Node<'_>) -> Vec<Signal> {
    let kind = item.get("type").and_then(|t| t.raw_str()).unwrap_or("");
    let metadata = item.get("metadata");
    let shape = Trigger { item, kind, metadata };
    match kind {
        "cpu" | "memory" => vec![shape.resource()],
        "prometheus" | "predictkube" => shape.texts(SignalKind::PromQl, &["query"], "threshold"),
        "external" | "external-push" => shape.external(),
        "cron"
        | "kafka"
        | "rabbitmq"
        | "redis"
        | "redis-streams"
        | "kubernetes-workload"
        | "kubernetes-resource" => {
            vec![shape.outside()]
        }
        "aws-cloudwatch" => {
            shape.texts(SignalKind::Query, &["metricName", "expression"], "targetMetricValue")
        }
        "metrics-api" => shape.texts(SignalKind::Query, &["valueLocation"], "targetValue"),
        "gcp-stackdriver" => shape.texts(SignalKind::Query, &["filter"], "targetValue"),
        "datadog" => shape.texts(SignalKind::Query, &["query", "datadogMetricName"], "queryValue"),
        "azure-monitor" | "azure-app-insights" => {
            shape.texts(SignalKind::Query, &["metricName", "metricId"], "targetValue")
        }
        "new-relic" => shape.texts(SignalKind::Query, &["nrql"], "threshold"),
        "dynatrace" => shape.texts(SignalKind::Query, &["metricSelector", "query"], "threshold"),
        _ => shape.texts(SignalKind::Query, &["query", "metricName", "metricID", "metricKey"], "threshold"),
    }
}

struct Trigger<'t> {
    item: Node<'t>,
    kind: &'t str,
    metadata: Option<Node<'t>>,
}

impl<'t> Trigger<'t> {
    fn type_span(&self) -> Span {
        self.item.get("type").map_or_else(|| self.item.first_key_span(), |t| t.span())
    }

    fn signal(&self, kind: SignalKind, key: &str, text: Known<Text>, target: Known<f64>) -> Signal {
        Signal {
            kind,
            key: key.to_owned(),
            span: text.span().unwrap_or_else(|| self.type_span()),
            text,
            target,
            target_type: target_type(self.item.field("metricType"), TargetType::AverageValue),
            type_span: self.item.get("metricType").map(|word| word.span()),
            name: self.item.field::<String>("name").value().cloned(),
            node: self.metadata.unwrap_or(self.item).id(),
            null_is_zero: self.null_is_zero(),
            selector: vec![],
        }
    }

    /// `ignoreNullValues` of the prometheus trigger, a string that is `true` by default.
    fn null_is_zero(&self) -> Known<bool> {
        if self.kind != "prometheus" {
            return Known::Absent;
        }
        let written = self.metadata.map(|m| m.field::<String>("ignoreNullValues")).unwrap_or_default();
        written.map(|word| word != "false").or_default(true, self.type_span())
    }

    fn resource(&self) -> Signal {
        let text = Known::Set(Text::opaque(self.kind.to_owned(), self.type_span()), self.type_span());
        let target = self.metadata.map(|m| m.field::<Quantity>("value").map(|q| q.0)).unwrap_or_default();
        let mut signal = self.signal(SignalKind::Resource, self.kind, text, target);
        signal.target_type = target_type(self.item.field("metricType"), TargetType::Utilization);
        signal
    }

    fn outside(&self) -> Signal {
        let text = Known::Set(Text::opaque(self.kind.to_owned(), self.type_span()), self.type_span());
        self.signal(SignalKind::Outside, self.kind, text, Known::Absent)
    }

    /// The texts of the trigger that name a metric: the first of `keys` that is written, or the trigger without any.
    fn texts(&self, kind: SignalKind, keys: &[&str], threshold: &str) -> Vec<Signal> {
        let target = self.metadata.map(|m| m.field::<Quantity>(threshold).map(|q| q.0)).unwrap_or_default();
        let found: Vec<Signal> = keys
            .iter()
            .filter_map(|key| {
                let text = self.metadata?.text_at(key);
                text.is_written().then(|| self.signal(kind, key, text, target.clone()))
            })
            .collect();
        if found.is_empty() {
            vec![self.signal(SignalKind::Outside, self.kind, Known::Absent, target)]
        } else {
            found
        }
    }

    /// An external scaler gets its whole metadata, so any value may name the metric.
    /// Source: kedacore/keda-docs, content/docs/2.21/scalers/external.md.
    fn external(&self) -> Vec<Signal> {
        let entries = self.metadata.map(|m| m.entries()).unwrap_or_default();
        const TARGETS: &[&str] = &["targetValue", "threshold", "target", "targetUtilization"];
        const CONNECTION: &[&str] = &["scalerAddress", "tlsCertFile", "caCert"];
        let target = entries
            .iter()
            .find(|e| TARGETS.contains(&e.key))
            .map(|e| e.value.read::<Quantity>().map(|q| q.0))
            .unwrap_or_default();
        let found: Vec<Signal> = entries
            .iter()
            .filter(|e| !TARGETS.contains(&e.key) && !CONNECTION.contains(&e.key))
            .filter_map(|e| {
                let text = e.value.text()?;
                let span = text.span();
                let kind = match e.key {
                    "query" | "metricQuery" => SignalKind::PromQl,
                    _ => SignalKind::ScalerMetadata,
                };
                Some(self.signal(kind, e.key, Known::Set(text, span), target.clone()))
            })
            .collect();
        if found.is_empty() { vec![self.outside()] } else { found }
    }
}
