//! KEDA: ScaledObject and ScaledJob.

use super::keda_spec::read_spec;
use super::scaler::{Target, TargetRef};
use super::{Model, Reading};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Node;

/// ScaledObject and ScaledJob of `keda.sh`.
pub(super) fn scaled(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let target = match object.kind {
        // A ScaledJob makes jobs from its own template: nothing else is scaled.
        "ScaledJob" => Target::Unknown(object.at),
        _ => reference(spec, object.at),
    };
    let mut scaler = read_spec(spec, target, object.name_span(), object.at);
    // Source: kedacore/keda, apis/keda/v1alpha1/scaledobject_webhook.go, verifyHpas.
    let transfer = object.meta.annotations.get("scaledobject.keda.sh/transfer-hpa-ownership");
    if transfer.value().is_some_and(|word| word == "true") {
        scaler.takes_over = spec.field("advanced.horizontalPodAutoscalerConfig.name");
    }
    Model { scalers: vec![scaler], ..Model::default() }
}

fn reference(spec: Node<'_>, at: Span) -> Target {
    let Some(node) = spec.get("scaleTargetRef") else { return Target::Unknown(at) };
    let api = node.field::<String>("apiVersion");
    let group = match &api {
        Known::Absent => Some("apps".to_owned()),
        known => known.value().map(|api| api.split_once('/').map_or("", |(group, _)| group).to_owned()),
    };
    Target::Reference(TargetRef {
        group,
        kind: node.field::<String>("kind").or_default("Deployment".to_owned(), at),
        name: node.field("name"),
        role: Known::Absent,
        span: node.get("name").map_or_else(|| node.first_key_span(), |n| n.span()),
    })
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn triggers_are_read() {
        check(
            "apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: a}
spec:
  scaleTargetRef: {name: d}
  triggers:
  - {type: prometheus, metadata: {query: 'sum(vllm:num_requests_waiting)', threshold: '5'}}
  - {type: cpu, metadata: {value: '60'}, metricType: Utilization}
  - {type: external, metadata: {scalerAddress: x, profile: vllm-inference, targetValue: '80'}}
  - {type: cron, metadata: {start: x}}
  - {type: aws-cloudwatch, metadata: {metricName: node_gpu_utilization, targetMetricValue: '7'}}
",
            "scaler of Deployment/d 0 by default..100 by default; \
             PromQl \"sum(vllm:num_requests_waiting)\" 5.0 AverageValue; \
             Resource \"cpu\" 60.0 Utilization; \
             ScalerMetadata \"vllm-inference\" 80.0 AverageValue; \
             Outside \"cron\" ? AverageValue; \
             Query \"node_gpu_utilization\" 7.0 AverageValue",
        );
        check(
            "apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: a}
spec:
  minReplicaCount: 1
  maxReplicaCount: '{{ max }}'
  scaleTargetRef: {apiVersion: leaderworkerset.x-k8s.io/v1, kind: LeaderWorkerSet, name: d}
  triggers: [{type: prometheus, metricType: Value, metadata: {serverAddress: x}}]
",
            "scaler of LeaderWorkerSet/d 1..unresolved; Outside \"?\" ? Value",
        );
        check(
            "apiVersion: keda.sh/v1alpha1\nkind: ScaledJob\nmetadata: {name: a}\nspec: {triggers: []}\n",
            "scaler of unknown 0 by default..100 by default",
        );
    }
}
