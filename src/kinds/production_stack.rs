//! VLLMRuntime of the vLLM production stack.

use super::constraints::tolerations;
use super::meta::{Meta, Pairs};
use super::pods::{Gpus, PodContainer, PodTemplate, Purpose, Workload, gpu_count};
use super::scaler::{Behavior, Controller, Direction, Scaler, Signal, SignalKind, Target, TargetType};
use super::words::{implied, word};
use super::{Model, Reading, count, items};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Node;

/// VLLMRuntime: no pod template, but fields that the operator makes one of.
///
/// Source: vllm-project/production-stack, operator/config/crd/bases/production-stack.vllm.ai_vllmruntimes.yaml.
pub(super) fn runtime(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let replicas = count(spec, "deploymentConfig.replicas", Some(1), object.at);
    let mut workload = Workload::single(template(object), replicas, object.name_span());
    workload.scaled_as = object.own_name();
    workload.declared.engine = Some(("vllm".to_owned(), object.at));
    workload.declared.tensor_parallel = spec.field("vllmConfig.tensorParallelSize");
    let memory = spec.field::<String>("vllmConfig.gpuMemoryUtilization");
    if memory.is_written() {
        let fraction = memory.try_map("a number", |text| text.parse().ok());
        workload.declared.memory = Some(("gpuMemoryUtilization".to_owned(), fraction));
    }
    workload.purpose = Purpose::Serving;
    workload.plain_pods = false;
    workload.read_meta(&object.meta);
    let scaler = spec.get("autoscalingConfig").and_then(|config| scaler(config, object));
    Model { workloads: vec![workload], scalers: scaler.into_iter().collect(), ..Model::default() }
}

fn template(object: &Reading<'_>) -> PodTemplate {
    let spec = object.spec();
    let config = spec.get("deploymentConfig");
    let meta = Meta {
        annotations: Pairs::of(config.and_then(|config| config.get("podAnnotations"))),
        ..Meta::default()
    };
    let mut template = PodTemplate::of_spec(None, meta, object.node.key_span("spec.deploymentConfig"));
    template.tolerations = tolerations(config.and_then(|config| config.get("toleration")));
    let Some(engine) = spec.get("vllmConfig") else {
        template.gpus = gpus(config);
        return template;
    };
    let mut container = PodContainer::of(engine, false, &[], &[]);
    let place = engine.first_key_span();
    container.container.command = ["vllm", "serve"].map(|word| implied(word, place)).into();
    container.container.args = items(engine, "extraArgs").map(word).collect();
    container.container.image = config.map(|config| config.text_at("image.name")).unwrap_or_default();
    container.gpus = gpus(config);
    template.add(container);
    template
}

/// `resources.gpu`, of the resource that `gpuType` names.
fn gpus(config: Option<Node<'_>>) -> Gpus {
    let Some(resources) = config.and_then(|config| config.get("resources")) else { return Gpus::default() };
    let Some(gpu) = resources.get("gpu") else { return Gpus::default() };
    let kind = resources.field::<String>("gpuType").value().cloned();
    Gpus { count: gpu_count(gpu), resource: kind.unwrap_or_else(|| "nvidia.com/gpu".to_owned()) }
}

/// `autoscalingConfig`: KEDA on three thresholds that are always there. All are counted by the engine, none of them is
/// its queue or its cache.
fn scaler(config: Node<'_>, object: &Reading<'_>) -> Option<Scaler> {
    if config.field::<bool>("enabled").value() != Some(&true) {
        return None;
    }
    let span = object.spec().key_span("autoscalingConfig");
    let triggers = config.get("triggers");
    let signal = |key: &str, what: &str, default: f64| {
        let entry = triggers.and_then(|triggers| triggers.entry(key));
        let at = entry.map_or(span, |entry| entry.key_node.span());
        let target = entry.map(|entry| entry.value.read()).unwrap_or_default();
        Signal {
            target: target.or_default(default, at),
            target_type: TargetType::AverageValue,
            ..Signal::of(
                SignalKind::PlatformRequests,
                key,
                implied(what, at),
                at,
                triggers.unwrap_or(config).id(),
            )
        }
    };
    Some(Scaler {
        signals: vec![
            signal("requestsRunningThreshold", "running requests", 5.0),
            signal("promptTokensThreshold", "prompt tokens per second", 100.0),
            signal("generationTokensThreshold", "generated tokens per second", 100.0),
        ],
        min: count(config, "minReplicas", Some(1), object.at),
        max: count(config, "maxReplicas", None, object.at),
        behavior: Some(Behavior {
            up: direction(config.get("scaleUpPolicy"), 0, span),
            down: direction(config.get("scaleDownPolicy"), 300, span),
            span: Some(span),
        }),
        ..Scaler::of(Target::Own(0), Controller::Keda, span, config.id())
    })
}

fn direction(policy: Option<Node<'_>>, window: i64, at: Span) -> Direction {
    let number = |key: &str, default: i64| {
        let known: Known<i64> = policy.map(|policy| policy.field(key)).unwrap_or_default();
        known.or_default(default, at)
    };
    Direction {
        window: number("stabilizationWindowSeconds", window),
        select: Known::Absent,
        policies: vec![(
            Known::Default("Pods".to_owned(), at),
            number("podValue", 1),
            number("periodSeconds", 60),
        )],
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    fn runtime(spec: &str, expect: &str) {
        check(
            &format!(
                "{{apiVersion: production-stack.vllm.ai/v1alpha1, kind: VLLMRuntime, metadata: {{name: a}}, spec: {spec}}}"
            ),
            expect,
        );
    }

    #[test]
    fn runtimes() {
        runtime(
            "{vllmConfig: {tensorParallelSize: 2, gpuMemoryUtilization: '0.9', extraArgs: [--enforce-eager]},
              deploymentConfig: {replicas: 3, resources: {gpu: '2', gpuType: nvidia.com/gpu}}}",
            "workload - x3; pods x1 by default 2 nvidia.com/gpu; tp 2; engine vllm; scaled as VLLMRuntime/a",
        );
        runtime(
            "{vllmConfig: {tensorParallelSize: '{{ tp }}'}, deploymentConfig: {replicas: '{{ n }}', resources: {gpu: '{{ g }}'}}}",
            "workload - xunresolved; pods x1 by default unresolved nvidia.com/gpu; tp unresolved; engine vllm; scaled as VLLMRuntime/a",
        );
        runtime(
            "{deploymentConfig: {resources: {gpu: some, gpuType: amd.com/gpu}}}",
            "workload - x1 by default; pods x1 by default invalid amd.com/gpu; engine vllm; scaled as VLLMRuntime/a",
        );
        runtime("x", "workload - x1 by default; pods x1 by default; engine vllm; scaled as VLLMRuntime/a");
    }

    #[test]
    fn autoscalers() {
        let pods = "workload - x1 by default; pods x1 by default; engine vllm; scaled as VLLMRuntime/a\n";
        runtime(
            "{autoscalingConfig: {enabled: true, minReplicas: 0, maxReplicas: 4, triggers: {requestsRunningThreshold: 8}}}",
            &format!(
                "{pods}scaler of own workload 0 0..4; PlatformRequests \"running requests\" 8.0 AverageValue; PlatformRequests \"prompt tokens per second\" 100.0 by default AverageValue; PlatformRequests \"generated tokens per second\" 100.0 by default AverageValue"
            ),
        );
        runtime("{autoscalingConfig: {maxReplicas: 4}}", pods);
        runtime("{autoscalingConfig: {enabled: '{{ x }}'}}", pods);
    }
}
