//! Knative Serving.

use super::knative_spec;
use super::pods::{PodTemplate, Purpose, Workload};
use super::scaler::{Controller, Scaler, Target};
use super::{Model, Reading};
use crate::known::Known;

/// Kinds of `serving.knative.dev` with a template of revisions.
pub(super) const KINDS: &[&str] = &["Service", "Configuration"];

/// Service and Configuration. Every revision has an autoscaler, which goes down to nothing unless an annotation says
/// otherwise, and up without bound.
pub(super) fn service(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let Some(revision) = spec.get("template") else { return Model::default() };
    let template = PodTemplate::of(Some(revision), spec.key_span("template"));
    let meta = template.meta.clone();
    let initial = knative_spec::number(&meta, &["initial-scale", "initialScale"]).or_default(1, object.at);
    let mut workload = Workload::single(template, initial, object.name_span());
    workload.purpose = Purpose::Serving;
    workload.plain_pods = false;
    workload.read_meta(&object.meta);

    let annotations = revision.at("metadata.annotations");
    let span = annotations.map_or(object.name_span(), |_| revision.key_span("metadata.annotations"));
    let node = annotations.unwrap_or(revision).id();
    let unbounded = |max: Known<u32>| if max.value() == Some(&0) { Known::Absent } else { max };
    let scaler = Scaler {
        signals: vec![knative_spec::signal(&meta, span, node)],
        min: knative_spec::number(&meta, &["min-scale", "minScale"]).or_default(0, span),
        max: unbounded(knative_spec::number(&meta, &["max-scale", "maxScale"])),
        ..Scaler::of(Target::Own(0), Controller::Knative, span, node)
    };
    Model { workloads: vec![workload], scalers: vec![scaler], ..Model::default() }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    fn service(annotations: &str, expect: &str) {
        check(
            &format!(
                "apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: a}}
spec:
  template:
    metadata: {{annotations: {annotations}}}
    spec: {{containers: [{{image: vllm/vllm-openai, resources: {{limits: {{nvidia.com/gpu: 1}}}}}}]}}
"
            ),
            expect,
        );
    }

    #[test]
    fn autoscalers_of_revisions() {
        let pods = "pods x1 by default 1 nvidia.com/gpu";
        service(
            "{}",
            &format!(
                "workload - x1 by default; {pods}
                 scaler of own workload 0 0 by default..?; PlatformRequests \"concurrency\" 100.0 by default AverageValue"
            ),
        );
        service(
            "{autoscaling.knative.dev/min-scale: '2', autoscaling.knative.dev/maxScale: 4, autoscaling.knative.dev/metric: rps,
              autoscaling.knative.dev/target: '10', autoscaling.knative.dev/initial-scale: '3'}",
            &format!(
                "workload - x3; {pods}
                 scaler of own workload 0 2..4; PlatformRequests \"rps\" 10.0 AverageValue"
            ),
        );
        service(
            "{autoscaling.knative.dev/class: hpa.autoscaling.knative.dev, autoscaling.knative.dev/metric: gpu_util,
              autoscaling.knative.dev/min-scale: '{{ min }}', autoscaling.knative.dev/max-scale: many}",
            &format!(
                "workload - x1 by default; {pods}
                 scaler of own workload 0 unresolved..invalid; PodsMetric \"gpu_util\" ? AverageValue"
            ),
        );
        service(
            "{autoscaling.knative.dev/class: hpa.autoscaling.knative.dev, autoscaling.knative.dev/max-scale: '0'}",
            &format!(
                "workload - x1 by default; {pods}
                 scaler of own workload 0 0 by default..?; Resource \"cpu\" ? Utilization"
            ),
        );
        service(
            "{autoscaling.knative.dev/class: '{{ class }}', autoscaling.knative.dev/metric: '{{ metric }}'}",
            &format!(
                "workload - x1 by default; {pods}
                 scaler of own workload 0 0 by default..?; PodsMetric \"?\" ? AverageValue"
            ),
        );
    }

    #[test]
    fn odd_services() {
        check("{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: a}, spec: {}}", "");
        check(
            "{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: a}, spec: {template: x}}",
            "workload - x1 by default; pods x1 by default
             scaler of own workload 0 0 by default..?; PlatformRequests \"concurrency\" 100.0 by default AverageValue",
        );
        check("{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {template: {spec: {}}}}", "");
    }
}
