//! NVIDIA NIM operator.

use super::gang::{Hidden, KaiGang};
use super::meta::{Meta, Pairs};
use super::pods::{Gpus, PodContainer, PodTemplate, Purpose, ScaleName, Workload};
use super::scaler::{Controller, Scaler, Target};
use super::words::image;
use super::{Model, Reading, count, hpa_spec, items};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Node;

/// NIMService.
///
/// Source: NVIDIA/k8s-nim-operator, config/crd/bases/apps.nvidia.com_nimservices.yaml and
/// api/apps/v1alpha1/nimservice_types.go.
pub(super) fn service(object: &Reading<'_>) -> Model {
    let mut model = Model::default();
    let name = object.meta.name.clone();
    add(
        &mut model,
        object,
        &Service { spec: object.spec(), name, span: object.name_span(), component: None },
    );
    model
}

/// NIMPipeline: services in a list, each of which may be turned off.
///
/// Source: NVIDIA/k8s-nim-operator, api/apps/v1alpha1/nimpipeline_types.go.
pub(super) fn pipeline(object: &Reading<'_>) -> Model {
    let mut model = Model::default();
    for item in items(object.spec(), "services") {
        let off = item.field::<bool>("enabled").value() == Some(&false);
        let Some(spec) = item.get("spec").filter(|_| !off) else { continue };
        let name = item.field::<String>("name");
        let span = name.span().unwrap_or_else(|| item.first_key_span());
        let component = name.value().cloned();
        add(&mut model, object, &Service { spec, name, span, component });
    }
    model
}

/// One service with its place.
struct Service<'t> {
    spec: Node<'t>,
    name: Known<String>,
    span: Span,
    component: Option<String>,
}

fn add(model: &mut Model, object: &Reading<'_>, service: &Service<'_>) {
    let spec = service.spec;
    let scale = spec.get("scale").filter(|scale| scale.field::<bool>("enabled").value() == Some(&true));
    let replicas = match scale.and_then(|scale| scale.get("hpa")) {
        Some(hpa) => count(hpa, "minReplicas", Some(1), object.at),
        None => count(spec, "replicas", Some(1), object.at),
    };
    let mut workload = Workload::single(template(spec, service.span), replicas, service.span);
    workload.component.clone_from(&service.component);
    match spec.get("multiNode") {
        Some(nodes) => several_nodes(&mut workload, nodes, object.at),
        None => workload.scaled_as.extend(service.name.value().map(|name| ScaleName {
            group: "apps".to_owned(),
            kind: "Deployment".to_owned(),
            name: name.clone(),
            role: None,
        })),
    }
    // Source: NVIDIA/k8s-nim-operator, internal/controller/platform/standalone: the replicas of the Deployment are those
    // of the service unless it scales.
    if scale.is_none() && spec.get("replicas").is_some() {
        workload.replicas_kept_by = Some("the NIM operator");
    }
    workload.declared.engine = Some(("nim".to_owned(), object.at));
    workload.purpose = Purpose::Serving;
    workload.plain_pods = false;
    workload.read_meta(&object.meta);
    if let Some(scale) = scale {
        model.scalers.push(scaler(scale, model.workloads.len(), object.at));
    }
    model.workloads.push(workload);
}

/// A service over several nodes is a LeaderWorkerSet: one pod for each stage of the pipeline.
fn several_nodes(workload: &mut Workload, nodes: Node<'_>, at: Span) {
    let pipeline: Known<u32> = nodes.field("parallelism.pipeline");
    if let Some(set) = workload.sets.first_mut() {
        // Until the operator's version 3 the size was a field of its own.
        set.pods = pipeline.clone().or(|| nodes.field("size")).or_default(1, at);
        if set.template.scheduler.is_omitted() {
            workload.gang.hidden = Some(Hidden::in_leader_worker_set());
        }
    }
    workload.gang.kai = KaiGang::PerReplica;
    workload.declared.tensor_parallel = nodes.field("parallelism.tensor");
    workload.declared.pipeline_parallel = pipeline;
}

/// The pod: fields of the pod and of its one container stand side by side.
fn template(spec: Node<'_>, span: Span) -> PodTemplate {
    let meta = Meta {
        labels: Pairs::of(spec.get("labels")),
        annotations: Pairs::of(spec.get("annotations")),
        ..Meta::default()
    };
    let mut template = PodTemplate::of_spec(Some(spec), meta, span);
    let mut container = PodContainer::of(spec, false, &[], &[]);
    container.container.image = image(spec.text_at("image.repository"), spec.text_at("image.tag"));
    if !container.gpus.any() {
        container.gpus = gpus(spec);
    }
    template.add(container);
    template
}

/// GPUs without `resources`: the devices of claims, else as many as the profile of the model needs.
fn gpus(spec: Node<'_>) -> Gpus {
    let unknown = |key: &str| {
        let entry = spec.entry(key).filter(|entry| !entry.value.is_null())?;
        Some(Gpus { count: Known::Unresolved(entry.key_node.span()), resource: key.to_owned() })
    };
    unknown("draResources").or_else(|| unknown("image")).unwrap_or_default()
}

fn scaler(scale: Node<'_>, workload: usize, at: Span) -> Scaler {
    let span = scale.key_span("hpa");
    let hpa = scale.get("hpa").unwrap_or(scale);
    let signals = hpa_spec::metrics(hpa.get("metrics"));
    let unread = hpa.get("metrics").is_some_and(|metrics| !metrics.is_sequence());
    Scaler {
        default_signal: (signals.is_empty() && !unread).then_some(hpa_spec::DEFAULT_CPU),
        signals,
        min: count(hpa, "minReplicas", Some(1), at),
        max: count(hpa, "maxReplicas", None, at),
        behavior: hpa_spec::behavior(hpa),
        ..Scaler::of(Target::Own(workload), Controller::Hpa, span, hpa.id())
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    fn service(spec: &str, expect: &str) {
        check(
            &format!(
                "{{apiVersion: apps.nvidia.com/v1alpha1, kind: NIMService, metadata: {{name: a}}, spec: {spec}}}"
            ),
            expect,
        );
    }

    const IMAGE: &str = "image: {repository: nvcr.io/nim/meta/llama, tag: '1.8'}";
    const GPUS: &str = "resources: {limits: {nvidia.com/gpu: 8}}";

    #[test]
    fn services() {
        service(
            &format!(
                "{{{IMAGE}, {GPUS}, replicas: 2, schedulerName: kai-scheduler, labels: {{kai.scheduler/queue: q}}}}"
            ),
            "workload - x2; pods x1 by default 8 nvidia.com/gpu by kai-scheduler; engine nim; queue \"q\"; scaled as Deployment/a",
        );
        service(
            &format!("{{{IMAGE}, {GPUS}, multiNode: {{parallelism: {{tensor: 8, pipeline: 2}}}}}}"),
            "workload - x1 by default; pods x2 8 nvidia.com/gpu; tp 8; pp 2; engine nim; kai PerReplica; gang may be hidden",
        );
        service(
            &format!("{{{GPUS}, schedulerName: volcano, multiNode: {{size: '{{{{ n }}}}', gpusPerPod: 8}}}}"),
            "workload - x1 by default; pods xunresolved 8 nvidia.com/gpu by volcano; engine nim; kai PerReplica",
        );
        service(
            &format!("{{{IMAGE}, draResources: [{{resourceClaimName: x}}], multiNode: {{}}}}"),
            "workload - x1 by default; pods x1 by default unresolved draResources; engine nim; kai PerReplica; gang may be hidden",
        );
        service(
            &format!("{{{IMAGE}, replicas: many}}"),
            "workload - xinvalid; pods x1 by default unresolved image; engine nim; scaled as Deployment/a",
        );
        service("x", "workload - x1 by default; pods x1 by default; engine nim; scaled as Deployment/a");
    }

    #[test]
    fn autoscalers() {
        let scaled = "workload - x1 by default; pods x1 by default; engine nim; scaled as Deployment/a\n";
        service(
            "{replicas: 4, scale: {enabled: true, hpa: {minReplicas: 2, maxReplicas: 5, metrics: [{type: Object, object: {metric: {name: gpu_cache_usage_perc}, target: {type: Value, value: 500m}}}]}}}",
            "workload - x2; pods x1 by default; engine nim; scaled as Deployment/a
             scaler of own workload 0 2..5; ObjectMetric \"gpu_cache_usage_perc\" 0.5 Value",
        );
        service(
            "{scale: {enabled: true, hpa: {maxReplicas: '{{ n }}'}}}",
            &format!(
                "{scaled}scaler of own workload 0 1 by default..unresolved; default 80% average CPU utilization"
            ),
        );
        service(
            "{scale: {enabled: true, hpa: {metrics: {{ m }}}}}",
            &format!("{scaled}scaler of own workload 0 1 by default..?"),
        );
        service("{scale: {enabled: false, hpa: {maxReplicas: 5}}}", scaled);
        service("{scale: {hpa: {maxReplicas: 5}}}", scaled);
    }

    #[test]
    fn pipelines() {
        let pipeline = |services: &str, expect: &str| {
            check(
                &format!(
                    "{{apiVersion: apps.nvidia.com/v1alpha1, kind: NIMPipeline, metadata: {{name: p}}, spec: {{services: {services}}}}}"
                ),
                expect,
            );
        };
        pipeline(
            &format!(
                "[{{name: llm, spec: {{{GPUS}}}}}, {{name: off, enabled: false, spec: {{}}}},
                  {{name: embed, enabled: true, spec: {{scale: {{enabled: true, hpa: {{maxReplicas: 3}}}}}}}}, {{name: none}}]"
            ),
            "workload llm x1 by default; pods x1 by default 8 nvidia.com/gpu; engine nim; scaled as Deployment/llm
             workload embed x1 by default; pods x1 by default; engine nim; scaled as Deployment/embed
             scaler of own workload 1 1 by default..3; default 80% average CPU utilization",
        );
        pipeline("[{name: '{{ n }}', spec: {replicas: 2}}]", "workload - x2; pods x1 by default; engine nim");
        pipeline("x", "");
    }
}
