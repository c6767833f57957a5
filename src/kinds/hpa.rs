//! HorizontalPodAutoscaler in all its versions.

use super::hpa_spec::{DEFAULT_CPU, behavior, metrics, target};
use super::scaler::{Controller, Scaler, Signal, SignalKind, TargetType};
use super::{Model, Problem, Reading, adapter_rules, count};
use crate::known::Known;
use crate::yaml::{Node, Text};

/// HorizontalPodAutoscaler of `autoscaling`.
pub(super) fn autoscaler(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let signals = match object.version {
        "v1" => v1_signals(object, spec),
        _ => metrics(spec.get("metrics")),
    };
    let mut problems = Vec::new();
    if let Some(removed) = match object.version {
        "v2beta1" => Some("1.25"),
        "v2beta2" => Some("1.26"),
        _ => None,
    } {
        problems.push(Problem {
            span: object.node.get("apiVersion").map_or(object.at, |n| n.span()),
            field: "apiVersion".to_owned(),
            message: format!(
                "is autoscaling/{}, which the API server does not serve from Kubernetes {removed} on: the autoscaler is never created",
                object.version
            ),
            help: Some("write `apiVersion: autoscaling/v2`, and its form of the metrics".to_owned()),
            // The shape of v2beta2 is that of v2.
            replacement: (object.version == "v2beta2")
                .then(|| ("apiVersion".to_owned(), "autoscaling/v2".to_owned())),
        });
    }
    let unresolved = spec.get("metrics").is_some_and(|m| !m.is_sequence());
    let default_signal =
        (signals.is_empty() && !unresolved && spec.get("scaleTargetRef").is_some()).then_some(DEFAULT_CPU);
    let scaler = Scaler {
        target: target(spec.get("scaleTargetRef"), object.at),
        signals,
        default_signal,
        min: count(spec, "minReplicas", Some(1), object.at),
        max: count(spec, "maxReplicas", None, object.at),
        idle: Known::Absent,
        formula: None,
        behavior: behavior(spec),
        span: object.name_span(),
        node: spec.id(),
        controller: Controller::Hpa,
        policy_ref: Known::Absent,
        fallback: None,
        takes_over: Known::Absent,
    };
    // An HPA that a controller made is its output, not a statement of the repository.
    let scalers = if object.meta.owned { vec![] } else { vec![scaler] };
    let renames = adapter_rules::annotations(&object.meta);
    Model { scalers, problems, renames, ..Model::default() }
}

fn v1_signals(object: &Reading<'_>, spec: Node<'_>) -> Vec<Signal> {
    let mut found = Vec::new();
    if let Some(entry) = spec.entry("targetCPUUtilizationPercentage") {
        let span = entry.key_node.span();
        found.push(Signal {
            kind: SignalKind::Resource,
            key: "cpu".to_owned(),
            text: Known::Set(Text::opaque("cpu".to_owned(), span), span),
            target: entry.value.read(),
            target_type: TargetType::Utilization,
            name: None,
            span,
            node: spec.id(),
            null_is_zero: Known::Absent,
            type_span: None,
            selector: vec![],
        });
    }
    // Fields that only v2 knows survive in a v1 object as an annotation that holds JSON.
    let annotation = object.meta.annotations.pair("autoscaling.alpha.kubernetes.io/metrics");
    if let Some(tree) =
        annotation.and_then(|p| p.text.as_ref()).and_then(|t| crate::yaml::parse_embedded(t).ok())
    {
        found.extend(metrics(Some(tree.root())));
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn every_version_is_read() {
        check(
            "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: a}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: d}
  maxReplicas: 4
  metrics:
  - type: Pods
    pods: {metric: {name: vllm_queue}, target: {type: AverageValue, averageValue: 500m}}
  - type: External
    external: {metric: {name: x}, target: {type: Value, value: '5'}}
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}
",
            "scaler of Deployment/d 1 by default..4; PodsMetric \"vllm_queue\" 0.5 AverageValue; \
             ExternalMetric \"x\" 5.0 Value; Resource \"cpu\" 60.0 Utilization",
        );
        check(
            "apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata:
  name: a
  annotations: {autoscaling.alpha.kubernetes.io/metrics: '[{\"type\":\"Pods\",\"pods\":{\"metricName\":\"m\",\"targetAverageValue\":\"3\"}}]'}
spec: {scaleTargetRef: {kind: Deployment, name: d}, minReplicas: 2, maxReplicas: 3, targetCPUUtilizationPercentage: 50}
",
            "scaler of Deployment/d 2..3; Resource \"cpu\" 50.0 Utilization; PodsMetric \"m\" 3.0 AverageValue",
        );
        check(
            "apiVersion: autoscaling/v2beta1
kind: HorizontalPodAutoscaler
metadata: {name: a}
spec:
  scaleTargetRef: {kind: Deployment, name: d}
  metrics: [{type: Object, object: {metricName: q, target: {kind: Service, name: s}, targetValue: 7}}]
",
            "scaler of Deployment/d 1 by default..?; ObjectMetric \"q\" 7.0 Value
             problem apiVersion: is autoscaling/v2beta1, which the API server does not serve from Kubernetes 1.25 on: the autoscaler is never created",
        );
        check(
            "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: a}
spec: {scaleTargetRef: {kind: Deployment, name: '{{ name }}'}, maxReplicas: '{{ max }}'}
",
            "scaler of Deployment/unresolved 1 by default..unresolved; default 80% average CPU utilization",
        );
        check(
            "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: a, ownerReferences: [{kind: ScaledObject, name: s}]}
spec: {scaleTargetRef: {kind: Deployment, name: d}}
",
            "",
        );
    }
}
