//! KAITO: presets that decide engine, parallelism and pods by themselves.

use super::meta::Meta;
use super::pods::{Gpus, PodTemplate, Purpose, Workload};
use super::scaler::{Controller, Scaler, Signal, SignalKind, Target, TargetType};
use super::words::implied;
use super::{Model, Reading, count};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Node, looks_templated};

/// Workspace: no `spec`, its parts stand at the top. A tuning workspace runs to an end.
///
/// Source: kaito-project/kaito, api/v1beta1/workspace_types.go.
pub(super) fn workspace(object: &Reading<'_>) -> Model {
    let node = object.node;
    let Some(part) = node.get("inference").or_else(|| node.get("tuning")) else { return Model::default() };
    let replicas = Known::Default(1, object.at);
    let mut workload = workload(object, part, node.get("resource"), replicas);
    if node.get("inference").is_none() {
        workload.purpose = Purpose::Batch;
    }
    Model { workloads: vec![workload], ..Model::default() }
}

/// InferenceSet: so many workspaces of one template. keda-kaito-scaler makes its autoscaler where an annotation asks.
///
/// Source: kaito-project/kaito, config/crd/bases/kaito.sh_inferencesets.yaml.
pub(super) fn inference_set(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let Some(inference) = spec.at("template.inference") else { return Model::default() };
    let replicas = count(spec, "replicas", Some(1), object.at);
    let mut workload = workload(object, inference, spec.at("template.resource"), replicas);
    workload.scaled_as = object.own_name();
    Model { workloads: vec![workload], scalers: scaler(object).into_iter().collect(), ..Model::default() }
}

fn workload(
    object: &Reading<'_>,
    part: Node<'_>,
    resource: Option<Node<'_>>,
    replicas: Known<u32>,
) -> Workload {
    let mut template = match part.get("template") {
        Some(pod) => PodTemplate::of(Some(pod), part.key_span("template")),
        None => PodTemplate::of_spec(None, Meta::default(), part.first_key_span()),
    };
    // The preset asks for all GPUs of the node that its instance type stands for.
    if let Some(preset) = part.get("preset") {
        let machine = resource.and_then(|resource| resource.get("instanceType"));
        let span = machine.unwrap_or(preset).span();
        template.gpus = Gpus { count: Known::Unresolved(span), resource: "preset".to_owned() };
    }
    let mut workload = Workload::single(template, replicas, object.name_span());
    // Several nodes are an upper bound: the operator makes as many pods as the model needs.
    let nodes = resource.map(|resource| resource.field::<u32>("count")).unwrap_or_default();
    if let (Some(set), Some(span)) = (workload.sets.first_mut(), nodes.span())
        && nodes.value() != Some(&1)
    {
        set.pods = Known::Unresolved(span);
    }
    if let Some(pair) = object.meta.annotations.pair("kaito.sh/runtime")
        && let Known::Set(runtime, span) = &pair.value
    {
        workload.declared.engine = Some((runtime.clone(), *span));
    }
    workload.purpose = Purpose::Serving;
    workload.plain_pods = false;
    workload.read_meta(&object.meta);
    workload
}

/// Source: kaito-project/keda-kaito-scaler, README.md.
fn scaler(object: &Reading<'_>) -> Option<Scaler> {
    const PREFIX: &str = "scaledobject.kaito.sh/";
    let pair = |name: &str| object.meta.annotations.pair(&format!("{PREFIX}{name}"));
    let asked = pair("auto-provision")?;
    if asked.value.value().is_none_or(|value| value != "true") {
        return None;
    }
    let at: Span = asked.key_span;
    let text = match pair("metricName").and_then(|pair| pair.text.clone()) {
        Some(text) if looks_templated(&text.value) => Known::Unresolved(text.span()),
        Some(text) => {
            let span = text.span();
            Known::Set(text, span)
        }
        None => implied("vllm:num_requests_waiting", at),
    };
    let node = object.meta.node.unwrap_or(object.node.id());
    let threshold = pair("threshold").map(|pair| pair.value.clone()).unwrap_or_default();
    let signal = Signal {
        target: threshold.try_map("a number", |text| text.parse().ok()),
        target_type: TargetType::AverageValue,
        ..Signal::of(SignalKind::PodsMetric, "metricName", text, at, node)
    };
    Some(Scaler {
        signals: vec![signal],
        min: Known::Default(1, at),
        max: object.spec().field("nodeCountLimit"),
        ..Scaler::of(Target::Own(0), Controller::Keda, at, node)
    })
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn workspaces() {
        let workspace = |rest: &str, expect: &str| {
            check(
                &format!("{{apiVersion: kaito.sh/v1beta1, kind: Workspace, metadata: {{name: a}}, {rest}}}"),
                expect,
            );
        };
        workspace(
            "resource: {instanceType: Standard_NC24ads_A100_v4}, inference: {preset: {name: phi-4}}",
            "workload - x1 by default; pods x1 by default unresolved preset",
        );
        workspace(
            "resource: {count: 2}, inference: {preset: {name: llama-3.3-70b-instruct}}",
            "workload - x1 by default; pods xunresolved unresolved preset",
        );
        workspace(
            "resource: {count: '{{ n }}'}, inference: {template: {spec: {containers: [{resources: {limits: {nvidia.com/gpu: 4}}}]}}}",
            "workload - x1 by default; pods xunresolved 4 nvidia.com/gpu",
        );
        workspace(
            "resource: {count: 1}, tuning: {preset: {name: phi-4}}",
            "workload - x1 by default; pods x1 by default unresolved preset",
        );
        workspace("resource: {count: 1}", "");
        workspace("inference: x", "workload - x1 by default; pods x1 by default");
    }

    #[test]
    fn inference_sets() {
        let set = |annotations: &str, spec: &str, expect: &str| {
            check(
                &format!(
                    "{{apiVersion: kaito.sh/v1alpha1, kind: InferenceSet, metadata: {{name: a, annotations: {annotations}}}, spec: {spec}}}"
                ),
                expect,
            );
        };
        let template = "template: {resource: {instanceType: x}, inference: {preset: {name: phi-4}}}";
        set(
            "{scaledobject.kaito.sh/auto-provision: 'true', scaledobject.kaito.sh/metricName: 'vllm:gpu_cache_usage_perc', scaledobject.kaito.sh/threshold: '10'}",
            &format!("{{replicas: 2, nodeCountLimit: 5, {template}}}"),
            "workload - x2; pods x1 by default unresolved preset; scaled as InferenceSet/a
             scaler of own workload 0 1 by default..5; PodsMetric \"vllm:gpu_cache_usage_perc\" 10.0 AverageValue",
        );
        set(
            "{scaledobject.kaito.sh/auto-provision: true, kaito.sh/runtime: vllm}",
            &format!("{{replicas: '{{{{ n }}}}', {template}}}"),
            "workload - xunresolved; pods x1 by default unresolved preset; engine vllm; scaled as InferenceSet/a
             scaler of own workload 0 1 by default..?; PodsMetric \"vllm:num_requests_waiting\" ? AverageValue",
        );
        set(
            "{scaledobject.kaito.sh/auto-provision: '{{ x }}'}",
            &format!("{{{template}}}"),
            "workload - x1 by default; pods x1 by default unresolved preset; scaled as InferenceSet/a",
        );
        set("{}", "{replicas: 2}", "");
    }
}
