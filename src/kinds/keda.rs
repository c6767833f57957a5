//! KEDA: ScaledObject and ScaledJob.

use super::dashboard::{Pause, Paused};
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
    Model { scalers: vec![scaler], pauses: pauses(object), ..Model::default() }
}

/// The annotations that hold a ScaledObject still. A value that is no boolean counts as true, and a number of replicas
/// wins over the rest.
///
/// Source: kedacore/keda, apis/keda/v1alpha1/scaledobject_types.go.
fn pauses(object: &Reading<'_>) -> Vec<Pause> {
    const SWITCHES: [(&str, Paused); 4] = [
        ("autoscaling.keda.sh/paused-replicas", Paused::AtCount),
        ("autoscaling.keda.sh/paused", Paused::Here),
        ("autoscaling.keda.sh/paused-scale-in", Paused::In),
        ("autoscaling.keda.sh/paused-scale-out", Paused::Out),
    ];
    let Some(annotations) = object.node.at("metadata.annotations") else { return vec![] };
    let found = SWITCHES.iter().filter_map(|(name, what)| {
        let value = annotations.get(name)?;
        let text = value.read::<String>();
        let off = text.value().is_none_or(|text| text.eq_ignore_ascii_case("false") || text == "0");
        // Zero replicas are a number as good as any other.
        let held = *what == Paused::AtCount && text.value().is_some();
        (held || !off).then(|| Pause {
            what: *what,
            name: (*name).to_owned(),
            span: value.span(),
            value: value.id(),
        })
    });
    found.collect()
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

    #[test]
    fn pauses_are_read() {
        let object = |annotations: &str, expect: &str| {
            let text = format!(
                "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {{name: a, annotations: {{{annotations}}}}}\nspec: {{scaleTargetRef: {{name: d}}, triggers: []}}\n"
            );
            check(&text, &format!("scaler of Deployment/d 0 by default..100 by default\n{expect}"));
        };
        let annotation = |key: &str, value: &str| format!("autoscaling.keda.sh/{key}: '{value}'");
        object(&annotation("paused", "true"), "Here by autoscaling.keda.sh/paused");
        object(&annotation("paused", "yes, please"), "Here by autoscaling.keda.sh/paused");
        object(&annotation("paused", "false"), "");
        object(&annotation("paused", "{{ .Values.paused }}"), "");
        object(&annotation("paused-replicas", "0"), "AtCount by autoscaling.keda.sh/paused-replicas");
        object(&annotation("paused-scale-in", "true"), "In by autoscaling.keda.sh/paused-scale-in");
        object(&annotation("paused-scale-out", "true"), "Out by autoscaling.keda.sh/paused-scale-out");
    }
}
