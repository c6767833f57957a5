//! KubeAI.

use super::meta::Meta;
use super::pods::{Gpus, PodContainer, PodTemplate, Purpose, Workload};
use super::scaler::{Controller, Scaler, Signal, SignalKind, Target, TargetType};
use super::words::implied;
use super::{Model, Reading, count};
use crate::engine::{EnvValue, EnvVar};
use crate::known::Known;
use crate::yaml::Node;

/// Model. KubeAI makes its pods itself and scales them on requests in flight, unless that is turned off.
///
/// Source: kubeai-project/kubeai, manifests/crds/kubeai.org_models.yaml and api/k8s/v1/model_types.go.
pub(super) fn model(object: &Reading<'_>) -> Model {
    let spec = object.spec();
    let min = count(spec, "minReplicas", Some(0), object.at);
    let mut workload = Workload::single(template(object), spec.field("replicas"), object.name_span());
    workload.scaled_as = object.own_name();
    workload.purpose = Purpose::Serving;
    workload.plain_pods = false;
    if let Known::Set(name, span) = spec.field::<String>("engine") {
        workload.declared.engine = Some((engine(&name), span));
    }
    workload.read_meta(&object.meta);
    let mut model = Model { workloads: vec![workload], ..Model::default() };

    if spec.field::<bool>("autoscalingDisabled").value() != Some(&true) {
        let entry = spec.entry("targetRequests");
        let at = entry.map_or_else(|| object.name_span(), |entry| entry.key_node.span());
        let requests = Signal {
            target: spec.field("targetRequests").or_default(100.0, object.at),
            target_type: TargetType::AverageValue,
            ..Signal::of(
                SignalKind::PlatformRequests,
                "targetRequests",
                implied("requests", at),
                at,
                spec.id(),
            )
        };
        model.scalers.push(Scaler {
            signals: vec![requests],
            min,
            max: count(spec, "maxReplicas", None, object.at),
            ..Scaler::of(Target::Own(0), Controller::Operator, object.name_span(), spec.id())
        });
    }
    model
}

/// The engine's name, as other kinds spell it.
fn engine(name: &str) -> String {
    match name {
        "OLlama" => "ollama".to_owned(),
        "FasterWhisper" => "faster-whisper".to_owned(),
        other => other.to_ascii_lowercase(),
    }
}

/// The pod of a model: one container, whose command is the engine's.
fn template(object: &Reading<'_>) -> PodTemplate {
    let spec = object.spec();
    let mut template = PodTemplate::of_spec(None, Meta::default(), object.node.key_span("spec"));
    template.priority_class = spec.field("priorityClassName");
    let mut container = PodContainer::of(spec, false, &[], &[]);
    // `env` is a mapping here.
    let entries = spec.get("env").map(|env| env.entries()).unwrap_or_default();
    container.container.env = entries
        .into_iter()
        .map(|entry| EnvVar {
            name: entry.key.to_owned(),
            span: entry.key_node.span(),
            value: entry.value.text().map_or(EnvValue::Elsewhere(entry.value.span()), EnvValue::Literal),
        })
        .collect();
    if let Some(name) = spec.get("engine").filter(|name| name.raw_str() == Some("VLLM")) {
        container.container.command = ["vllm", "serve"].map(|word| implied(word, name.span())).into();
    }
    container.gpus = gpus(spec.get("resourceProfile"));
    template.add(container);
    template
}

/// The GPUs of a profile such as `nvidia-gpu-l4:2`. A profile that names no GPU may still stand for one, which only the
/// system's configuration tells.
fn gpus(profile: Option<Node<'_>>) -> Gpus {
    let Some(profile) = profile else { return Gpus::default() };
    let known = profile.read::<String>();
    let names_gpu = known.value().is_none_or(|text| text.split(['-', ':']).any(|word| word == "gpu"));
    let count = known.try_map("a profile and a count, such as nvidia-gpu-l4:1", |text| {
        text.rsplit_once(':').and_then(|(_, count)| count.parse().ok())
    });
    if names_gpu { Gpus { count, resource: "resourceProfile".to_owned() } } else { Gpus::default() }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    fn model(spec: &str, expect: &str) {
        check(
            &format!("{{apiVersion: kubeai.org/v1, kind: Model, metadata: {{name: a}}, spec: {spec}}}"),
            expect,
        );
    }

    #[test]
    fn models() {
        model(
            "{engine: VLLM, resourceProfile: 'nvidia-gpu-l4:2', args: [--tensor-parallel-size=2], minReplicas: 1,
              maxReplicas: 3, targetRequests: 32, env: {A: b}}",
            "workload - x?; pods x1 by default 2 resourceProfile; engine vllm; scaled as Model/a
             scaler of own workload 0 1..3; PlatformRequests \"requests\" 32.0 AverageValue",
        );
        model(
            "{engine: OLlama, resourceProfile: 'cpu:4'}",
            "workload - x?; pods x1 by default; engine ollama; scaled as Model/a
             scaler of own workload 0 0 by default..?; PlatformRequests \"requests\" 100.0 by default AverageValue",
        );
        model(
            "{engine: '{{ e }}', resourceProfile: '{{ p }}', minReplicas: '{{ n }}', autoscalingDisabled: false}",
            "workload - x?; pods x1 by default unresolved resourceProfile; scaled as Model/a
             scaler of own workload 0 unresolved..?; PlatformRequests \"requests\" 100.0 by default AverageValue",
        );
        model(
            "{engine: VLLM, resourceProfile: nvidia-gpu-h100, autoscalingDisabled: true, replicas: 2}",
            "workload - x2; pods x1 by default invalid resourceProfile; engine vllm; scaled as Model/a",
        );
        model(
            "[]",
            "workload - x?; pods x1 by default; scaled as Model/a
             scaler of own workload 0 0 by default..?; PlatformRequests \"requests\" 100.0 by default AverageValue",
        );
    }
}
