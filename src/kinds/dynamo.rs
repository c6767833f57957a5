//! DynamoGraphDeployment in its two shapes, and its scaling adapter (ai-dynamo/dynamo, deploy/operator).

use super::gang::{Hidden, HintKind, KaiGang};
use super::meta::Meta;
use super::parts::{items, join_meta, scale_name, scheduler_is_open, workload, written};
use super::pods::{
    Coordinator, Gpus, PodContainer, PodSet, PodTemplate, Purpose, Workload, config_volumes, env_var,
    gpu_count, gpus_of, is_gpu_resource,
};
use super::scaler::{Adapter, TargetRef};
use super::{Model, Problem, Reading, count};
use crate::engine::{EnvVar, Role, role_from_word};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Node;

const GRAPH: &str = "DynamoGraphDeployment";
const ADAPTER: &str = "DynamoGraphDeploymentScalingAdapter";

/// A service (v1alpha1) or component (v1beta1) of a graph.
struct Part<'t> {
    name: Known<String>,
    /// The key of the service or the name of the component.
    span: Span,
    node: Node<'t>,
    template: PodTemplate,
    /// Where the part stands in the object.
    path: String,
    /// The field of the pod spec, for the reader.
    pod_field: &'static str,
}

/// DynamoGraphDeployment: one workload for each service or component. Both shapes are read under either version, since
/// the operator converts one to the other.
pub(super) fn graph(object: &Reading<'_>) -> Model {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for entry in object.spec().get("services").map(|s| s.entries()).unwrap_or_default() {
        let span = entry.key_node.span();
        let name = Known::Set(entry.key.to_owned(), span);
        let template = service_pod(object.spec(), entry.value, span);
        let path = format!("spec.services.{}", entry.key);
        parts.push(Part { name, span, node: entry.value, template, path, pod_field: "extraPodSpec" });
    }
    for (index, node) in items(object.spec(), "components").into_iter().enumerate() {
        let name = node.field::<String>("name");
        let span = name.span().unwrap_or_else(|| node.first_key_span());
        let template = component_pod(object.spec(), node, span);
        let path = format!("spec.components[{index}]");
        parts.push(Part { name, span, node, template, path, pod_field: "podTemplate.spec" });
    }
    let planner = parts
        .iter()
        .find(|part| part.is("planner"))
        .map(|part| Coordinator { what: "the Dynamo planner".to_owned(), span: part.span });
    let problems = parts.iter().filter_map(ignored_autoscaling).collect();
    let workloads = parts.into_iter().map(|part| read(object, part, planner.as_ref())).collect();
    let scaled_through = Some("the DynamoGraphDeploymentScalingAdapter of the component");
    Model { workloads, problems, scaled_through, ..Model::default() }
}

/// DynamoGraphDeploymentScalingAdapter: `serviceName` in v1alpha1, `componentName` in v1beta1.
pub(super) fn adapter(object: &Reading<'_>) -> Model {
    let Some(entry) = written(object.spec(), "dgdRef") else { return Model::default() };
    let span = entry.key_node.span();
    let target = TargetRef {
        group: Some(object.group.to_owned()),
        kind: Known::Set(GRAPH.to_owned(), span),
        name: entry.value.field("name"),
        role: entry.value.field("componentName").or(|| entry.value.field("serviceName")),
        span,
    };
    Model { adapters: vec![Adapter { target }], ..Model::default() }
}

fn read(object: &Reading<'_>, part: Part<'_>, planner: Option<&Coordinator>) -> Workload {
    let replicas = count(part.node, "replicas", Some(1), part.span);
    let (name, pods) = match written(part.node, "multinode") {
        Some(entry) => ("node", count(entry.value, "nodeCount", Some(2), entry.key_node.span())),
        None => ("", Known::Default(1, part.span)),
    };
    let works = part.works();
    let (part_name, role, pod_field) = (part.name.clone(), part.role(), part.pod_field);
    let set = PodSet { name: name.to_owned(), pods, template: part.template };
    let mut workload = workload(vec![set], replicas, part.span);
    workload.gang.kai = KaiGang::PerReplica;
    workload.gang.hidden = hidden(object, &workload.sets, pod_field);
    workload.purpose = Purpose::Serving;
    workload.plain_pods = false;
    workload.read_meta(&object.meta);
    // The role that a label states is the one that the operator copied from these fields.
    workload.role = role.or(|| workload.role.clone());
    // The operator turns the annotation into the label that KAI Scheduler reads.
    workload.kai_queue =
        workload.kai_queue.or(|| object.meta.annotations.get("nvidia.com/kai-scheduler-queue"));
    // Without either the operator fills in a queue of its own.
    if workload.kai_queue == Known::Absent {
        workload.kai_queue = Known::Unresolved(workload.span);
    }
    if works {
        workload.coordinator = planner.cloned();
        let engine = object.spec().field::<String>("backendFramework");
        workload.declared.engine = engine.set().cloned().zip(engine.span());
    }
    if let (Some(graph), Some(part)) = (object.meta.name.value(), part_name.value()) {
        let adapter = format!("{graph}-{}", part.to_lowercase());
        workload.scaled_as = vec![
            scale_name(object.group, ADAPTER, &adapter, None),
            scale_name(object.group, GRAPH, graph, Some(part)),
        ];
    }
    workload.component = part_name.value().cloned();
    workload
}

impl Part<'_> {
    /// The words that say what the part is, the finest first.
    fn words(&self) -> impl Iterator<Item = Known<String>> {
        ["subComponentType", "type", "componentType"].into_iter().map(|key| self.node.field::<String>(key))
    }

    fn is(&self, word: &str) -> bool {
        let mut words = self.words().filter_map(|w| w.value().map(|w| w.to_lowercase())).peekable();
        match words.peek() {
            Some(_) => words.any(|w| w == word),
            // Early manifests state no type; the planner was found by the name of its service.
            None => self.name.value().is_some_and(|name| name.to_lowercase().contains(word)),
        }
    }

    fn role(&self) -> Known<Role> {
        let named = self.words().filter_map(|w| Some((role_from_word(w.value()?)?, w.span()?)));
        named.map(|(role, span)| Known::Set(role, span)).next().unwrap_or_default()
    }

    /// True for a part that runs an engine: it says so, or it asks for GPUs.
    fn works(&self) -> bool {
        self.is("worker") || self.role() != Known::Absent || self.template.gpus.any()
    }
}

/// Grove is used where its API exists, and hands the pods to KAI Scheduler where both are enabled; an annotation turns
/// Grove off. Source: ai-dynamo/dynamo, deploy/operator, internal/dynamo/grove.go.
fn hidden(object: &Reading<'_>, sets: &[PodSet], pod_field: &str) -> Option<Hidden> {
    let grove = object.meta.annotations.get("nvidia.com/enable-grove");
    let off = grove.value().is_some_and(|value| value == "false");
    (!off && scheduler_is_open(sets)).then(|| Hidden {
        how: "the Dynamo operator makes one gang of each replica where Grove and KAI Scheduler are enabled".to_owned(),
        settle: format!(
            "set `schedulerName: kai-scheduler` in `{pod_field}`, or keep the Dynamo platform's Helm values beside \
             the manifests"
        ),
        hint: Some(HintKind::DynamoGangs),
        ends_with_scheduler: false,
    })
}

/// The pod of a service: `extraPodSpec` is a pod spec whose main container stands apart, and GPUs stand at the service.
fn service_pod(spec: Node<'_>, service: Node<'_>, at: Span) -> PodTemplate {
    let outer = join_meta(&Meta::of(Some(service)), &Meta::of(Some(spec)));
    let extra = Meta::of(service.get("extraPodMetadata"));
    let meta = Meta { node: extra.node, ..join_meta(&extra, &outer) };
    let pod = service.get("extraPodSpec");
    let span = service.entry("extraPodSpec").map_or(at, |e| e.key_node.span());
    let mut template = PodTemplate::of_spec(pod, meta, span);
    let mut gpus = service_gpus(service);
    if let Some((pod, main)) = pod.and_then(|pod| Some((pod, pod.get("mainContainer")?))) {
        let labels = template.meta.labels.0.iter();
        let labels: Vec<_> = labels.filter_map(|p| Some((p.key.clone(), p.text.clone()?))).collect();
        let mut container = PodContainer::of(main, false, &config_volumes(pod), &labels);
        let own = std::mem::take(&mut container.container.env);
        container.container.env = [env(spec, "envs"), env(service, "envs"), own].concat();
        if gpus.count == Known::Absent {
            gpus = container.gpus.clone();
        } else {
            container.gpus = gpus.clone();
        }
        template.containers.insert(0, container);
    }
    if gpus.count != Known::Absent {
        template.gpus = gpus;
    }
    template.priority_class = template.priority_class.or(|| spec.field("priorityClassName"));
    template
}

/// `resources.limits.gpu`, or a full resource name under `custom`.
fn service_gpus(service: Node<'_>) -> Gpus {
    let plain = gpus_of(service.get("resources"));
    if plain.count != Known::Absent {
        return plain;
    }
    ["resources.limits.custom", "resources.requests.custom"]
        .into_iter()
        .filter_map(|path| service.at(path))
        .flat_map(|custom| custom.entries())
        .find(|entry| is_gpu_resource(entry.key))
        .map_or(plain, |entry| Gpus { count: gpu_count(entry.value), resource: entry.key.to_owned() })
}

/// The pod of a component: a pod template whose main container is called `main`.
fn component_pod(spec: Node<'_>, component: Node<'_>, at: Span) -> PodTemplate {
    let mut template = PodTemplate::of(component.get("podTemplate"), at);
    let common = Meta::of(Some(spec));
    template.meta = Meta { node: template.meta.node, ..join_meta(&template.meta, &common) };
    template.priority_class = template.priority_class.or(|| spec.field("priorityClassName"));
    for container in template.containers.iter_mut().filter(|c| !c.init) {
        let is_main = container.container.name.value().is_some_and(|name| name == "main");
        if is_main {
            let own = std::mem::take(&mut container.container.env);
            container.container.env = [env(spec, "env"), own].concat();
        }
    }
    template
}

/// Variables that a graph or service gives to its main containers. The container's own come later and win.
fn env(node: Node<'_>, key: &str) -> Vec<EnvVar> {
    items(node, key).into_iter().filter_map(env_var).collect()
}

/// Source: ai-dynamo/dynamo, docs on the autoscaling of the Kubernetes operator.
fn ignored_autoscaling(part: &Part<'_>) -> Option<Problem> {
    let entry = part.node.entry("autoscaling").filter(|entry| entry.value.is_mapping())?;
    if entry.value.field::<bool>("enabled").value() == Some(&false) {
        return None;
    }
    Some(Problem {
        span: entry.key_node.span(),
        field: format!("{}.autoscaling", part.path),
        message: "is deprecated and ignored by the Dynamo operator: nothing scales this service".to_owned(),
        help: Some(format!("enable `scalingAdapter`, and scale the {ADAPTER} with an autoscaler")),
        replacement: None,
    })
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::check;

    #[test]
    fn graphs_of_services() {
        check(
            "apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata: {name: g, annotations: {nvidia.com/kai-scheduler-queue: q}}
spec:
  backendFramework: vllm
  services:
    Frontend: {componentType: frontend, replicas: 2, extraPodSpec: {mainContainer: {image: x}}}
    Planner: {componentType: planner, extraPodSpec: {schedulerName: default-scheduler}}
    VllmPrefillWorker:
      componentType: worker
      subComponentType: prefill
      replicas: 3
      multinode: {nodeCount: 2}
      resources: {limits: {gpu: '8'}}
      extraPodSpec: {schedulerName: kai-scheduler, mainContainer: {command: [python3]}}
",
            "workload Frontend x2; pods x1 by default; kai PerReplica; gang may be hidden; queue \"q\"; scaled as DynamoGraphDeploymentScalingAdapter/g-frontend; scaled as DynamoGraphDeployment/g role Frontend

             workload Planner x1 by default; pods x1 by default by default-scheduler; kai PerReplica; queue \"q\"; scaled as DynamoGraphDeploymentScalingAdapter/g-planner; scaled as DynamoGraphDeployment/g role Planner

             workload VllmPrefillWorker x3; node x2 8 gpu by kai-scheduler; engine vllm; role Prefill; kai PerReplica; queue \"q\"; scaled as DynamoGraphDeploymentScalingAdapter/g-vllmprefillworker; scaled as DynamoGraphDeployment/g role VllmPrefillWorker; coordinated by the Dynamo planner",
        );
        // A name alone is no role, and without a type the GPUs tell a worker. Without Grove nothing hides a gang.
        check(
            "apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata: {name: g, annotations: {nvidia.com/enable-grove: 'false'}}
spec:
  services:
    MyPlanner: {}
    PrefillWorker:
      replicas: '{{ .n }}'
      multinode: {}
      resources: {requests: {custom: {nvidia.com/gpu: 4}}}
      autoscaling: {enabled: true, minReplicas: 1, maxReplicas: 4}
    Decode: {autoscaling: {enabled: false}, extraPodSpec: {mainContainer: {resources: {limits: {nvidia.com/gpu: 2}}}}}
",
            "workload MyPlanner x1 by default; pods x1 by default; kai PerReplica; queue unresolved; scaled as DynamoGraphDeploymentScalingAdapter/g-myplanner; scaled as DynamoGraphDeployment/g role MyPlanner

             workload PrefillWorker xunresolved; node x2 by default 4 nvidia.com/gpu; kai PerReplica; queue unresolved; scaled as DynamoGraphDeploymentScalingAdapter/g-prefillworker; scaled as DynamoGraphDeployment/g role PrefillWorker; coordinated by the Dynamo planner

             workload Decode x1 by default; pods x1 by default 2 nvidia.com/gpu; kai PerReplica; queue unresolved; scaled as DynamoGraphDeploymentScalingAdapter/g-decode; scaled as DynamoGraphDeployment/g role Decode; coordinated by the Dynamo planner

             problem spec.services.PrefillWorker.autoscaling: is deprecated and ignored by the Dynamo operator: nothing scales this service",
        );
        check(
            "apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata: {name: '{{ .Release.Name }}'}
spec:
  services:
    A: &a {subComponentType: decode, resources: {limits: {gpu: {{ .gpus }}}}}
    B: *a
",
            "workload A x1 by default; pods x1 by default unresolved gpu; role Decode; kai PerReplica; gang may be hidden; queue unresolved

             workload B x1 by default; pods x1 by default unresolved gpu; role Decode; kai PerReplica; gang may be hidden; queue unresolved",
        );
        check("apiVersion: nvidia.com/v1alpha1\nkind: DynamoGraphDeployment\nspec: {services: [a]}\n", "");
    }

    #[test]
    fn graphs_of_components() {
        check(
            "apiVersion: nvidia.com/v1beta1
kind: DynamoGraphDeployment
metadata: {name: g}
spec:
  backendFramework: sglang
  components:
  - {name: Frontend, type: frontend}
  - name: decode
    type: decode
    multinode: {nodeCount: 4}
    podTemplate: {spec: {containers: [{name: main, resources: {limits: {nvidia.com/gpu: 8}}}]}}
",
            "workload Frontend x1 by default; pods x1 by default; kai PerReplica; gang may be hidden; queue unresolved; scaled as DynamoGraphDeploymentScalingAdapter/g-frontend; scaled as DynamoGraphDeployment/g role Frontend

             workload decode x1 by default; node x4 8 nvidia.com/gpu; engine sglang; role Decode; kai PerReplica; gang may be hidden; queue unresolved; scaled as DynamoGraphDeploymentScalingAdapter/g-decode; scaled as DynamoGraphDeployment/g role decode",
        );
        check(
            "apiVersion: nvidia.com/v1beta1
kind: DynamoGraphDeployment
metadata: {name: g}
spec:
  components:
  - {name: '{{ .name }}', type: '{{ .type }}', replicas: -1}
  - just a string
",
            "workload - xinvalid; pods x1 by default; kai PerReplica; gang may be hidden; queue unresolved

             workload - x1 by default; pods x1 by default; kai PerReplica; gang may be hidden; queue unresolved",
        );
        check(
            "apiVersion: nvidia.com/v1beta1\nkind: DynamoGraphDeployment\nspec: {components: {a: {}}}\n",
            "",
        );
    }

    #[test]
    fn adapters() {
        let adapter = |version: &str, reference: &str| {
            format!(
                "apiVersion: nvidia.com/{version}\nkind: DynamoGraphDeploymentScalingAdapter\nspec: {reference}\n"
            )
        };
        check(
            &adapter("v1alpha1", "{dgdRef: {name: g, serviceName: Decode}}"),
            "adapter of DynamoGraphDeployment/g role Decode",
        );
        check(
            &adapter("v1beta1", "{dgdRef: {name: g, componentName: decode}}"),
            "adapter of DynamoGraphDeployment/g role decode",
        );
        check(
            &adapter("v1beta1", "{dgdRef: {name: '{{ x }}'}}"),
            "adapter of DynamoGraphDeployment/unresolved",
        );
        check(&adapter("v1beta1", "{replicas: 1}"), "");
    }

    /// What stands at the service or the graph reaches the main container, and each workload points at its own name.
    #[test]
    fn main_containers() {
        let containers = |version: &str, spec: &str| {
            let text =
                format!("apiVersion: nvidia.com/{version}\nkind: DynamoGraphDeployment\nspec:\n{spec}");
            let tree =
                crate::yaml::parse(crate::source::FileId(0), &text.as_str().into(), 0..text.len()).unwrap();
            let objects = crate::kinds::classify(&std::sync::Arc::new(tree), crate::source::FileId(0), 0);
            let mut out = vec![];
            for workload in &objects[0].model.workloads {
                out.push(text.get(workload.span.range()).unwrap().to_owned());
                for container in &workload.sets[0].template.containers {
                    let container = &container.container;
                    let image = container.image.value().map(|t| t.value.as_str()).unwrap_or("-");
                    let env: Vec<_> = container.env.iter().map(|e| e.name.as_str()).collect();
                    let mounts: Vec<_> =
                        container.mounts.iter().filter_map(|m| m.config_map.as_deref()).collect();
                    out.push(format!("{image} {} {}", env.join(","), mounts.join(",")));
                }
            }
            out.join("; ")
        };
        let services = "  envs: [{name: A}]
  services:
    Worker:
      envs: [{name: B}]
      extraPodSpec:
        mainContainer: {image: x, env: [{name: C}], volumeMounts: [{name: v, mountPath: /c}]}
        containers: [{image: side}]
        volumes: [{name: v, configMap: {name: m}}]
";
        assert_eq!(containers("v1alpha1", services), "Worker; x A,B,C m; side  ");
        let components = "  env: [{name: A}]
  components:
  - name: w
    podTemplate: {spec: {containers: [{name: main, image: x, env: [{name: B}]}, {name: side, image: y}]}}
";
        assert_eq!(containers("v1beta1", components), "w; x A,B ; y  ");
    }
}
