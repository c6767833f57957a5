//! Pods: what every kind that makes pods says about them, read from the common PodSpec in one place.

use super::constraints::{NodeExpression, Spreading, Toleration, node_affinity, spreading, tolerations};
use super::gang::{Evidence, Gang, GangScheduler};
use super::lifecycle::Rollout;
use super::meta::{Meta, Pairs};
use super::placing::{Placing, Requests};
use super::quantity::Quantity;
use super::words::word;
use crate::engine::{Container, EnvFrom, EnvSource, EnvValue, EnvVar, Mount, Role};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Node, NodeId, Text};

/// One scalable unit: so many replicas, each made of one or more sets of pods.
#[derive(Debug, Clone)]
pub struct Workload {
    /// The role, service, component or clique inside the object; none where the object is the workload.
    pub component: Option<String>,
    /// Where the workload is reported: its name or the key of its block.
    pub span: Span,
    /// How many replicas. A replica is one copy of all `sets`.
    pub replicas: Known<u32>,
    /// The pods of one replica.
    pub sets: Vec<PodSet>,
    /// The part that it plays in disaggregated serving, as its structure or a label says.
    pub role: Known<Role>,
    /// Parallelism and memory as fields of the kind state them, beside any command line.
    pub declared: Declared,
    /// What the manifest says of its gang.
    pub gang: Gang,
    /// The KAI queue that it names.
    pub kai_queue: Known<String>,
    /// How autoscalers name it.
    pub scaled_as: Vec<ScaleName>,
    /// A planner or policy in the same object that scales it together with its peers.
    pub coordinator: Option<Coordinator>,
    /// Whether it serves, runs to an end, or may be either.
    pub purpose: Purpose,
    /// False where the kind's operator injects probes, volumes and other defaults into its pods.
    pub plain_pods: bool,
    /// The class that KAI Scheduler gives its pods where they name none.
    pub kai_class: KaiClass,
    /// What it says of the place and the rank of its pods.
    pub placing: Placing,
    /// How its pods are replaced, where the kind states that.
    pub rollout: Option<Rollout>,
    /// The operator that sets the replicas of the object which it generates to the number in this one, where that number
    /// is written: it undoes what an autoscaler of the generated object does.
    pub replicas_kept_by: Option<&'static str>,
}

/// The priority class that KAI Scheduler gives to pods that name none.
/// Source: kai-scheduler/KAI-Scheduler, pkg/podgrouper, defaults by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KaiClass {
    /// `train`, preemptible.
    #[default]
    Train,
    /// `inference`, not preemptible and bound to guaranteed quota.
    Inference,
}

/// Whether pods serve or run to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// Either.
    #[default]
    Any,
    /// Runs until stopped.
    Serving,
    /// Runs to an end: training, batch.
    Batch,
}

/// Something that scales several workloads of one object together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coordinator {
    /// What it is, for people: "the Dynamo planner".
    pub what: String,
    /// Where it stands.
    pub span: Span,
}

/// How an autoscaler names a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaleName {
    /// API group of the target.
    pub group: String,
    /// Kind of the target.
    pub kind: String,
    /// Name of the target.
    pub name: String,
    /// Role inside the target, where the reference has to pick one.
    pub role: Option<String>,
}

/// What fields of a kind say that otherwise stands on the engine's command line.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// Tensor parallelism.
    pub tensor_parallel: Known<u32>,
    /// Pipeline parallelism.
    pub pipeline_parallel: Known<u32>,
    /// Data parallelism.
    pub data_parallel: Known<u32>,
    /// The fraction of GPU memory that the engine reserves, with the field's name.
    pub memory: Option<(String, Known<f64>)>,
    /// The engine, by the name the kind uses (`vllm`, `sglang`, `nim`, …), where the kind implies one.
    pub engine: Option<(String, Span)>,
}

/// A set of identical pods inside a replica.
#[derive(Debug, Clone)]
pub struct PodSet {
    /// For people: `worker`, `leader`, `head`; empty where there is only one.
    pub name: String,
    /// How many of them one replica has.
    pub pods: Known<u32>,
    /// What they are.
    pub template: PodTemplate,
}

/// One pod template.
#[derive(Debug, Clone)]
pub struct PodTemplate {
    /// The bytes of the key that holds the pod spec.
    pub span: Span,
    /// The mapping of the pod spec, to add a field.
    pub spec_node: Option<NodeId>,
    /// The template's metadata.
    pub meta: Meta,
    /// `schedulerName`.
    pub scheduler: Known<String>,
    /// `priorityClassName`.
    pub priority_class: Known<String>,
    /// Containers and init containers.
    pub containers: Vec<PodContainer>,
    /// GPUs of one pod, of any vendor.
    pub gpus: Gpus,
    /// CPU and memory of one pod.
    pub requests: Requests,
    /// `nodeSelector`.
    pub node_selector: Pairs,
    /// Required node affinity: one of these lists of expressions has to hold. Empty where there is none.
    pub node_affinity: Vec<Vec<NodeExpression>>,
    /// `tolerations`.
    pub tolerations: Vec<Toleration>,
    /// Gang statements in the pod spec itself (Kubernetes 1.35 and later).
    pub native_gang: Vec<Evidence>,
    /// Topology keys of required and preferred pod affinity, anti-affinity and spread.
    pub spreading: Vec<Spreading>,
    /// `terminationGracePeriodSeconds`.
    pub termination_grace: Known<i64>,
    /// `hostIPC`: the pod uses the host's shared memory.
    pub host_ipc: Known<bool>,
}

/// One container of a pod.
#[derive(Debug, Clone)]
pub struct PodContainer {
    /// What the engine reader takes.
    pub container: Container,
    /// GPUs that it asks for.
    pub gpus: Gpus,
    /// True for an init container.
    pub init: bool,
    /// The mapping, to add a field.
    pub node: NodeId,
    /// Probes and life cycle, by key: `startupProbe`, `readinessProbe`, `livenessProbe`, `lifecycle`.
    pub hooks: Vec<(String, NodeId, Span)>,
}

/// GPUs that something asks for.
#[derive(Debug, Clone, Default)]
pub struct Gpus {
    /// How many.
    pub count: Known<u32>,
    /// The resource or field that says so.
    pub resource: String,
}

impl Gpus {
    /// True where at least one GPU is asked for, or an unknown number of them.
    pub fn any(&self) -> bool {
        match &self.count {
            Known::Set(n, _) | Known::Default(n, _) => *n > 0,
            Known::Unresolved(_) => true,
            _ => false,
        }
    }
}

/// True for a resource name that stands for a GPU or a like accelerator of a serving engine.
///
/// Source: the device plugins of NVIDIA, AMD, Intel, Habana, Huawei and Moore Threads.
pub fn is_gpu_resource(name: &str) -> bool {
    const EXACT: &[&str] = &[
        "nvidia.com/gpu",
        "nvidia.com/gpu.shared",
        "amd.com/gpu",
        "habana.ai/gaudi",
        "gpu",
        "aliyun.com/gpu",
        "aliyun.com/gpu-count",
        "mthreads.com/gpu",
        "metax-tech.com/gpu",
        "iluvatar.ai/gpu",
        "cambricon.com/mlu",
        "enflame.com/gcu",
        "hygon.com/dcunum",
    ];
    const FAMILIES: &[&str] =
        &["nvidia.com/mig-", "gpu.intel.com/", "huawei.com/Ascend", "huawei.com/ascend"];
    EXACT.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family))
}

/// Reads the GPUs of a `resources` mapping: the larger of limits and requests.
pub fn gpus_of(resources: Option<Node<'_>>) -> Gpus {
    let mut found = Gpus::default();
    let Some(resources) = resources else { return found };
    for block in ["limits", "requests"] {
        for entry in resources.get(block).map(|b| b.entries()).unwrap_or_default() {
            if !is_gpu_resource(entry.key) {
                continue;
            }
            let count = gpu_count(entry.value);
            if found.count.value().is_none_or(|have| count.value().is_some_and(|n| n > have)) {
                found = Gpus { count, resource: entry.key.to_owned() };
            }
        }
    }
    found
}

/// A number of GPUs as the value of a resource: `8`, `"8"`; a template is unresolved.
pub fn gpu_count(node: Node<'_>) -> Known<u32> {
    node.read::<Quantity>()
        .try_map("a whole number", |q| (q.0 >= 0.0 && q.0 <= 1e6).then(|| q.0.ceil() as u32))
}

impl PodTemplate {
    /// Reads a pod template: a mapping with `metadata` and `spec`. `at` is where it is reported if it has no `spec`.
    pub fn of(template: Option<Node<'_>>, at: Span) -> PodTemplate {
        let meta = Meta::of(template.and_then(|t| t.get("metadata")));
        let span = template.map_or(at, |t| t.entry("spec").map_or(at, |e| e.key_node.span()));
        PodTemplate::of_spec(template.and_then(|t| t.get("spec")), meta, span)
    }

    /// Reads a pod spec that stands without a template around it.
    pub fn of_spec(spec: Option<Node<'_>>, meta: Meta, span: Span) -> PodTemplate {
        let Some(spec) = spec else {
            return PodTemplate {
                span,
                spec_node: None,
                meta,
                scheduler: Known::Absent,
                priority_class: Known::Absent,
                containers: vec![],
                gpus: Gpus::default(),
                requests: Requests::default(),
                node_selector: Pairs::default(),
                node_affinity: vec![],
                tolerations: vec![],
                native_gang: vec![],
                spreading: vec![],
                termination_grace: Known::Absent,
                host_ipc: Known::Absent,
            };
        };
        let volumes = config_volumes(spec);
        let labels: Vec<(String, Text)> =
            meta.labels.0.iter().filter_map(|p| Some((p.key.clone(), p.text.clone()?))).collect();
        let mut containers = Vec::new();
        for (key, init) in [("initContainers", true), ("containers", false)] {
            for node in spec.get(key).into_iter().flat_map(|list| list.items()) {
                containers.push(PodContainer::of(node, init, &volumes, &labels));
            }
        }
        let gpus = pod_gpus(&containers, spec);
        PodTemplate {
            span,
            spec_node: Some(spec.id()),
            scheduler: spec.field("schedulerName"),
            priority_class: spec.field("priorityClassName"),
            containers,
            gpus,
            requests: Requests::of(spec),
            node_selector: Pairs::of(spec.get("nodeSelector")),
            node_affinity: node_affinity(spec),
            tolerations: tolerations(spec.get("tolerations")),
            native_gang: native_gang(spec),
            spreading: spreading(spec),
            termination_grace: spec.field("terminationGracePeriodSeconds"),
            host_ipc: spec.field("hostIPC"),
            meta,
        }
    }

    /// Adds a container that the kind writes outside of `containers`, and counts its GPUs.
    pub fn add(&mut self, container: PodContainer) {
        self.gpus = match (&self.gpus.count, &container.gpus.count) {
            (_, Known::Absent) => self.gpus.clone(),
            (Known::Set(have, span), Known::Set(more, _)) if !container.init => {
                let count = Known::Set(have.saturating_add(*more), *span);
                Gpus { count, resource: container.gpus.resource.clone() }
            }
            _ => container.gpus.clone(),
        };
        self.containers.push(container);
    }

    /// The containers that run beside each other.
    pub fn main_containers(&self) -> impl Iterator<Item = &PodContainer> {
        self.containers.iter().filter(|c| !c.init)
    }
}

impl PodContainer {
    /// Reads one container. `volumes` are the pod's ConfigMap volumes: volume name, ConfigMap name, items.
    pub fn of(
        node: Node<'_>,
        init: bool,
        volumes: &[ConfigVolume],
        labels: &[(String, Text)],
    ) -> PodContainer {
        let words = |key: &str| -> Vec<Known<Text>> {
            match node.get(key) {
                Some(list) if list.is_sequence() => list.items().map(word).collect(),
                Some(one) => vec![word(one)],
                None => vec![],
            }
        };
        let gpus = gpus_of(node.get("resources"));
        let container = Container {
            name: node.field("name"),
            image: node.text_at("image"),
            command: words("command"),
            args: words("args"),
            env: node.get("env").into_iter().flat_map(|e| e.items()).filter_map(env_var).collect(),
            env_from: node.get("envFrom").into_iter().flat_map(|e| e.items()).map(env_from).collect(),
            mounts: node
                .get("volumeMounts")
                .into_iter()
                .flat_map(|m| m.items())
                .filter_map(|m| mount(m, volumes))
                .collect(),
            labels: labels.to_vec(),
            working_dir: node.field::<String>("workingDir").value().cloned(),
            accelerators: gpus.any(),
            completed: false,
        };
        let hooks = ["startupProbe", "readinessProbe", "livenessProbe", "lifecycle"]
            .iter()
            .filter_map(|key| {
                let entry = node.entry(key)?;
                Some(((*key).to_owned(), entry.value.id(), entry.key_node.span()))
            })
            .collect();
        let init_only = init && node.field::<String>("restartPolicy").value().is_none_or(|p| p != "Always");
        PodContainer { container, gpus, init: init_only, node: node.id(), hooks }
    }
}

/// A volume of a pod that shows a ConfigMap.
#[derive(Debug, Clone)]
pub struct ConfigVolume {
    name: String,
    config_map: String,
    items: Vec<(String, String)>,
}

/// The volumes of a pod spec that show a ConfigMap.
pub fn config_volumes(spec: Node<'_>) -> Vec<ConfigVolume> {
    let volumes = spec.get("volumes").into_iter().flat_map(|v| v.items());
    volumes
        .filter_map(|volume| {
            let map = volume.get("configMap")?;
            let items = map.get("items").into_iter().flat_map(|i| i.items());
            Some(ConfigVolume {
                name: volume.get("name")?.raw_str()?.to_owned(),
                config_map: map.get("name")?.raw_str()?.to_owned(),
                items: items
                    .filter_map(|i| {
                        Some((i.get("key")?.raw_str()?.to_owned(), i.get("path")?.raw_str()?.to_owned()))
                    })
                    .collect(),
            })
        })
        .collect()
}

fn mount(node: Node<'_>, volumes: &[ConfigVolume]) -> Option<Mount> {
    let name = node.get("name")?.raw_str()?;
    let volume = volumes.iter().find(|v| v.name == name);
    Some(Mount {
        path: node.get("mountPath")?.raw_str()?.to_owned(),
        config_map: volume.map(|v| v.config_map.clone()),
        sub_path: node.get("subPath").and_then(|s| s.raw_str()).map(str::to_owned),
        items: volume.map(|v| v.items.clone()).unwrap_or_default(),
        span: node.first_key_span(),
    })
}

/// Reads one entry of `env`.
pub(super) fn env_var(node: Node<'_>) -> Option<EnvVar> {
    let name = node.get("name")?;
    let span = name.span();
    let reference = node.at("valueFrom.configMapKeyRef");
    let value = match (node.entry("value"), reference) {
        (Some(entry), _) => match entry.value.text() {
            Some(text) => EnvValue::Literal(text),
            None => EnvValue::Elsewhere(entry.value.span()),
        },
        (None, Some(reference)) => {
            match (reference.field::<String>("name"), reference.field::<String>("key")) {
                (Known::Set(name, _), Known::Set(key, _)) => {
                    EnvValue::ConfigMapKey { name, key, span: reference.first_key_span() }
                }
                _ => EnvValue::Elsewhere(reference.span()),
            }
        }
        (None, None) => EnvValue::Elsewhere(node.get("valueFrom").map_or(span, |v| v.span())),
    };
    Some(EnvVar { name: name.raw_str()?.to_owned(), span, value })
}

fn env_from(node: Node<'_>) -> EnvFrom {
    let source = match node.field::<String>("configMapRef.name") {
        Known::Set(name, _) => EnvSource::ConfigMap(name),
        Known::Absent if node.get("secretRef").is_some() => EnvSource::Secret,
        _ => EnvSource::Unknown,
    };
    EnvFrom {
        source,
        prefix: node.field::<String>("prefix").value().cloned().unwrap_or_default(),
        span: node.first_key_span(),
    }
}

/// GPUs of one pod: the sum over the containers that run together, or one init container if that asks for more, or the
/// devices of a claim template that the pod names inline.
fn pod_gpus(containers: &[PodContainer], spec: Node<'_>) -> Gpus {
    let mut total: Option<(u32, Span)> = None;
    let mut resource = String::new();
    for container in containers.iter().filter(|c| !c.init) {
        match &container.gpus.count {
            Known::Set(n, span) => {
                total =
                    Some((total.map_or(0, |(t, _)| t).saturating_add(*n), total.map_or(*span, |(_, s)| s)));
                resource.clone_from(&container.gpus.resource);
            }
            Known::Absent => {}
            other => return Gpus { count: other.clone(), resource: container.gpus.resource.clone() },
        }
    }
    for container in containers.iter().filter(|c| c.init) {
        if let Known::Set(n, span) = container.gpus.count
            && total.is_none_or(|(t, _)| n > t)
        {
            total = Some((n, span));
            resource.clone_from(&container.gpus.resource);
        }
    }
    match total {
        Some((count, span)) => Gpus { count: Known::Set(count, span), resource },
        // Devices of a claim are counted by the claim, which is an object of its own: asked for, number unknown.
        None => match spec.entry("resourceClaims").filter(|c| c.value.items().next().is_some()) {
            Some(claims) => Gpus {
                count: Known::Unresolved(claims.key_node.span()),
                resource: "resourceClaims".to_owned(),
            },
            None => Gpus::default(),
        },
    }
}

/// Gang scheduling of kube-scheduler: `spec.workloadRef` in 1.35, `spec.schedulingGroup` from 1.36.
/// Source: kubernetes.io, blog posts on workload-aware scheduling of 1.35 and 1.36.
fn native_gang(spec: Node<'_>) -> Vec<Evidence> {
    let fields = [("workloadRef", "name"), ("schedulingGroup", "podGroupName")];
    fields
        .iter()
        .filter_map(|(key, name)| {
            let entry = spec.entry(key)?;
            Some(Evidence {
                scheduler: GangScheduler::Native,
                what: format!("`{key}`"),
                span: entry.key_node.span(),
                min: Known::Absent,
                pod_group: entry.value.field::<String>(name).value().cloned(),
            })
        })
        .collect()
}

impl Workload {
    /// A workload of one set of pods, one pod a replica. Kinds change what is different for them.
    pub fn single(template: PodTemplate, replicas: Known<u32>, span: Span) -> Workload {
        let pods = Known::Default(1, span);
        Workload {
            component: None,
            span,
            replicas,
            sets: vec![PodSet { name: String::new(), pods, template }],
            role: Known::Absent,
            declared: Declared::default(),
            gang: Gang::default(),
            kai_queue: Known::Absent,
            scaled_as: vec![],
            coordinator: None,
            purpose: Purpose::Any,
            plain_pods: true,
            kai_class: KaiClass::default(),
            placing: Placing::default(),
            rollout: None,
            replicas_kept_by: None,
        }
    }

    /// Reads what labels and annotations of the owner and the pods say: role, queue, gang.
    pub fn read_meta(&mut self, owner: &Meta) {
        let templates: Vec<&PodTemplate> = self.sets.iter().map(|s| &s.template).collect();
        let found = super::gang::evidence(owner, &templates);
        let label = |key: &str| {
            templates
                .iter()
                .map(|t| t.meta.labels.get(key))
                .fold(owner.labels.get(key), |known, next| known.or(|| next))
        };
        let queue = label("kai.scheduler/queue");
        let role =
            ["llm-d.ai/role", "disaggregatedset.x-k8s.io/role", "nvidia.com/dynamo-sub-component-type"]
                .iter()
                .map(|key| label(key))
                .fold(Known::Absent, |known: Known<String>, next| known.or(|| next));
        if self.kai_queue == Known::Absent {
            self.kai_queue = queue;
        }
        if self.role == Known::Absent
            && let Known::Set(word, span) = &role
            && let Some(role) = crate::engine::role_from_word(word)
        {
            self.role = Known::Set(role, *span);
        }
        self.gang.declared.extend(found);
        let templates: Vec<&PodTemplate> = self.sets.iter().map(|s| &s.template).collect();
        self.placing.read(owner, &templates);
    }

    /// How many pods one replica has.
    pub fn pods_per_replica(&self) -> Known<u32> {
        let mut total = 0u32;
        let mut at = None;
        for set in &self.sets {
            match &set.pods {
                Known::Set(n, span) => {
                    (total, at) = (total.saturating_add(*n), at.or(Some(Known::Set((), *span))))
                }
                Known::Default(n, span) => {
                    (total, at) = (total.saturating_add(*n), at.or(Some(Known::Default((), *span))))
                }
                other => return other.clone(),
            }
        }
        at.map(|known: Known<()>| known.map(|()| total)).unwrap_or_default()
    }

    /// True where any pod asks for a GPU.
    pub fn asks_gpus(&self) -> bool {
        self.sets.iter().any(|s| s.template.gpus.any())
    }
}
