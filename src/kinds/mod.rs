//! Typed models: what each Kubernetes kind says. The only room that knows kind names and field paths.
//!
//! A kind is a line in [`KINDS`] and a function that reads one object into a [`Model`], the shared vocabulary that facts
//! and rules work with. A kind never imports another kind, only the vocabulary.

pub mod actuator;
pub mod constraints;
pub mod dashboard;
pub mod gang;
pub mod lifecycle;
pub mod meta;
pub mod node_labels;
pub mod placing;
pub mod pods;
pub mod pool;
pub mod quantity;
pub mod queue;
pub mod scaler;
pub mod series;

mod adapter;
mod adapter_rules;
mod aibrix;
mod charts;
mod configuration;
mod core;
mod dynamo;
mod grafana;
mod grafana_model;
mod grove;
mod hpa;
mod hpa_spec;
mod inner;
mod jobset;
mod kai;
mod kaito;
mod karpenter;
mod karpenter_api;
mod karpenter_dropped;
mod karpenter_words;
mod keda;
mod keda_spec;
mod knative;
mod knative_spec;
mod kserve;
mod kserve_llm;
mod kthena;
mod kubeai;
mod kubeflow;
mod kueue;
mod lws;
mod modelservice;
mod nim;
mod parts;
mod podgroups;
mod policy;
mod production_stack;
mod prometheus;
mod ray;
mod ray_cluster;
mod rbg;
mod rulefile;
mod settings;
#[cfg(test)]
pub(crate) mod testing;
mod values;
mod volcano;
mod words;

use crate::engine::{EnvSource, EnvValue};
use crate::known::Known;
use crate::source::{FileId, Span};
use crate::yaml::{Node, NodeId, Text, Tree};
use meta::Meta;
use std::sync::Arc;

/// The address of an object in the inventory of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(pub u32);

/// One Kubernetes object, with what its kind made of it.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its address.
    pub id: ObjectId,
    /// The file that it stands in.
    pub file: FileId,
    /// 0-based index of its document in the file.
    pub document: u32,
    /// The document.
    pub tree: Arc<Tree>,
    /// The object's node in the document: the root, or an item of a `List`.
    pub node: NodeId,
    /// The API group; empty for the core group.
    pub group: String,
    /// The version inside the group.
    pub version: String,
    /// The kind.
    pub kind: String,
    /// `metadata`.
    pub meta: Meta,
    /// The bytes of the value of `kind`: where a missing field is reported that has no nearer place.
    pub at: Span,
    /// True where the kind is in [`KINDS`]; false where its pods were read by the common shape.
    pub modelled: bool,
    /// False for values of a Helm chart, which templates out of sight complete: what is missing there may be elsewhere.
    pub complete: bool,
    /// What the kind says.
    pub model: Model,
}

impl Object {
    /// The object's node.
    pub fn root(&self) -> Node<'_> {
        self.tree.node(self.node)
    }

    /// `metadata.name`, where it can be told.
    pub fn name(&self) -> Option<&str> {
        self.meta.name.value().map(String::as_str)
    }

    /// `metadata.namespace`, where it is written.
    pub fn namespace(&self) -> Option<&str> {
        self.meta.namespace.value().map(String::as_str)
    }

    /// `apiVersion` as written.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The bytes of the name, or of the kind where there is none.
    pub fn name_span(&self) -> Span {
        self.meta.name.span().unwrap_or(self.at)
    }
}

/// Everything one object says, in the shared vocabulary. Most kinds fill one field.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// Sets of pods that the object makes.
    pub workloads: Vec<pods::Workload>,
    /// Autoscalers that it is or holds.
    pub scalers: Vec<scaler::Scaler>,
    /// Names by which an autoscaler reaches a workload of another object.
    pub adapters: Vec<scaler::Adapter>,
    /// Policies that tie roles of another object together.
    pub role_policies: Vec<scaler::RolePolicy>,
    /// The Karpenter pool that it is.
    pub pool: Option<pool::Pool>,
    /// The Karpenter node class that it is.
    pub node_class: Option<pool::NodeClass>,
    /// True where it changes what Karpenter takes machines to offer.
    pub node_overlay: bool,
    /// The queue that it is.
    pub queue: Option<queue::Queue>,
    /// The priority class that it is.
    pub priority_class: Option<placing::PriorityClass>,
    /// The gang group that it declares.
    pub pod_group: Option<gang::PodGroup>,
    /// The topology that it declares.
    pub topology: Option<queue::Topology>,
    /// Metric names that it defines from others.
    pub renames: Vec<series::Rename>,
    /// Files that it holds, by key.
    pub data: Vec<(String, Text)>,
    /// Dashboards that it is or holds.
    pub dashboards: Vec<dashboard::Dashboard>,
    /// Where alerts are handed to a program, or say how an autoscaler is taken back.
    pub receivers: Vec<Span>,
    /// Switches that keep its autoscaler from scaling.
    pub pauses: Vec<dashboard::Pause>,
    /// Signs of how the cluster is set up.
    pub hints: Vec<gang::Hint>,
    /// What an autoscaler has to name in the place of this object, whose kind has no scale subresource.
    pub scaled_through: Option<&'static str>,
    /// Values that the API refuses, found while reading.
    pub problems: Vec<Problem>,
}

/// A field whose value its API refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The bytes of the value.
    pub span: Span,
    /// The field, as a path inside the object.
    pub field: String,
    /// What is wrong with the field, as what follows its name: "is refused for …".
    pub message: String,
    /// The way out.
    pub help: Option<String>,
    /// A scalar, by its path in the object, and the value that ends the problem, where that is all it takes.
    pub replacement: Option<(String, String)>,
}

/// The object that a kind reads.
pub struct Reading<'t> {
    /// The object's node.
    pub node: Node<'t>,
    /// The API group.
    pub group: &'t str,
    /// The version inside the group.
    pub version: &'t str,
    /// The kind.
    pub kind: &'t str,
    /// `metadata`.
    pub meta: Meta,
    /// The bytes of the value of `kind`.
    pub at: Span,
}

impl<'t> Reading<'t> {
    /// `spec`, or the object itself where it has none.
    pub fn spec(&self) -> Node<'t> {
        self.node.get("spec").unwrap_or(self.node)
    }

    /// The bytes of the name, or of the kind where there is none.
    pub fn name_span(&self) -> Span {
        self.meta.name.span().unwrap_or(self.at)
    }

    /// How autoscalers name an object that is its own target.
    pub fn own_name(&self) -> Vec<pods::ScaleName> {
        let name = self.meta.name.value().cloned().into_iter();
        name.map(|name| pods::ScaleName {
            group: self.group.to_owned(),
            kind: self.kind.to_owned(),
            name,
            role: None,
        })
        .collect()
    }
}

/// One kind: where it belongs and how it is read.
pub struct Kind {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The kinds of the group that `read` takes.
    pub kinds: &'static [&'static str],
    /// Reads one object.
    pub read: fn(&Reading<'_>) -> Model,
}

/// Every kind that is modelled, matched on group and kind, never on the kind alone.
pub const KINDS: &[Kind] = &[
    Kind { group: "apps", kinds: core::APPS, read: core::controller },
    Kind { group: "batch", kinds: core::BATCH, read: core::batch },
    Kind { group: "autoscaling", kinds: &["HorizontalPodAutoscaler"], read: hpa::autoscaler },
    Kind { group: "keda.sh", kinds: &["ScaledObject", "ScaledJob"], read: keda::scaled },
    Kind { group: "karpenter.sh", kinds: &["NodePool", "Provisioner"], read: karpenter::pool },
    Kind { group: "karpenter.sh", kinds: &["NodeOverlay"], read: karpenter::overlay },
    Kind {
        group: "karpenter.k8s.aws",
        kinds: &["EC2NodeClass", "AWSNodeTemplate"],
        read: karpenter::node_class,
    },
    Kind { group: "eks.amazonaws.com", kinds: &["NodeClass"], read: karpenter::node_class },
    Kind { group: "karpenter.azure.com", kinds: &["AKSNodeClass"], read: karpenter::node_class },
    Kind { group: "karpenter.k8s.gcp", kinds: &["GCENodeClass"], read: karpenter::node_class },
    Kind { group: "scheduling.run.ai", kinds: &["Queue"], read: kai::queue },
    Kind { group: "scheduling.run.ai", kinds: &["PodGroup"], read: kai::pod_group },
    Kind { group: "kai.scheduler", kinds: &["Topology"], read: kai::topology },
    Kind { group: "kai.scheduler", kinds: &["SchedulingShard", "Config"], read: kai::settings },
    Kind { group: "", kinds: &["Pod"], read: core::pod },
    Kind { group: "", kinds: &["ConfigMap"], read: core::config_map },
    Kind { group: "leaderworkerset.x-k8s.io", kinds: &["LeaderWorkerSet"], read: lws::leader_worker_set },
    Kind { group: "disaggregatedset.x-k8s.io", kinds: &["DisaggregatedSet"], read: lws::disaggregated_set },
    Kind { group: "jobset.x-k8s.io", kinds: &["JobSet"], read: jobset::job_set },
    Kind { group: "kubeflow.org", kinds: kubeflow::JOBS, read: kubeflow::job },
    Kind { group: "trainer.kubeflow.org", kinds: &["TrainJob"], read: kubeflow::train_job },
    Kind { group: "ray.io", kinds: &["RayCluster"], read: ray::cluster },
    Kind { group: "ray.io", kinds: &["RayService"], read: ray::service },
    Kind { group: "ray.io", kinds: &["RayJob"], read: ray::job },
    Kind { group: "nvidia.com", kinds: &["DynamoGraphDeployment"], read: dynamo::graph },
    Kind { group: "nvidia.com", kinds: &["DynamoGraphDeploymentScalingAdapter"], read: dynamo::adapter },
    Kind { group: "grove.io", kinds: &["PodCliqueSet"], read: grove::pod_clique_set },
    Kind { group: "orchestration.aibrix.ai", kinds: &["StormService"], read: aibrix::storm_service },
    Kind { group: "orchestration.aibrix.ai", kinds: &["RoleSet"], read: aibrix::role_set },
    Kind { group: "orchestration.aibrix.ai", kinds: &["PodSet"], read: aibrix::pod_set },
    Kind { group: "orchestration.aibrix.ai", kinds: aibrix::FLEETS, read: aibrix::fleet },
    Kind { group: "autoscaling.aibrix.ai", kinds: &["PodAutoscaler"], read: aibrix::pod_autoscaler },
    Kind { group: kthena::GROUP, kinds: &["ModelServing"], read: kthena::model_serving },
    Kind { group: kthena::GROUP, kinds: &["ModelBooster"], read: kthena::model_booster },
    Kind { group: kthena::GROUP, kinds: &["ModelServingRoleReplica"], read: kthena::role_replica },
    Kind { group: kthena::GROUP, kinds: kthena::POLICIES, read: kthena::policy },
    Kind { group: "workloads.x-k8s.io", kinds: &["RoleBasedGroup"], read: rbg::group },
    Kind { group: "workloads.x-k8s.io", kinds: &["RoleBasedGroupSet"], read: rbg::group_set },
    Kind { group: "workloads.x-k8s.io", kinds: &["RoleBasedGroupScalingAdapter"], read: rbg::adapter },
    Kind { group: "workloads.x-k8s.io", kinds: &["CoordinatedPolicy"], read: rbg::coordinated_policy },
    Kind { group: "serving.kserve.io", kinds: &["InferenceService"], read: kserve::inference_service },
    Kind { group: "serving.kserve.io", kinds: &["LLMInferenceService"], read: kserve_llm::service },
    Kind { group: "serving.kserve.io", kinds: kserve::PRESETS, read: kserve::preset },
    Kind { group: "apps.nvidia.com", kinds: &["NIMService"], read: nim::service },
    Kind { group: "apps.nvidia.com", kinds: &["NIMPipeline"], read: nim::pipeline },
    Kind { group: "production-stack.vllm.ai", kinds: &["VLLMRuntime"], read: production_stack::runtime },
    Kind { group: "serving.knative.dev", kinds: knative::KINDS, read: knative::service },
    Kind { group: "kubeai.org", kinds: &["Model"], read: kubeai::model },
    Kind { group: "kaito.sh", kinds: &["Workspace"], read: kaito::workspace },
    Kind { group: "kaito.sh", kinds: &["InferenceSet"], read: kaito::inference_set },
    Kind { group: "monitoring.coreos.com", kinds: prometheus::OPERATOR_RULES, read: prometheus::rules },
    Kind { group: "monitoring.coreos.com", kinds: prometheus::OPERATOR_SCRAPES, read: prometheus::scrape },
    Kind { group: "monitoring.googleapis.com", kinds: prometheus::GOOGLE_RULES, read: prometheus::rules },
    Kind { group: "monitoring.googleapis.com", kinds: prometheus::GOOGLE_SCRAPES, read: prometheus::scrape },
    Kind {
        group: "operator.victoriametrics.com",
        kinds: prometheus::VICTORIA_RULES,
        read: prometheus::rules,
    },
    Kind {
        group: "operator.victoriametrics.com",
        kinds: prometheus::VICTORIA_SCRAPES,
        read: prometheus::scrape,
    },
    Kind { group: "monitoring.coreos.com", kinds: &["AlertmanagerConfig"], read: prometheus::alertmanager },
    Kind {
        group: "operator.victoriametrics.com",
        kinds: &["VMAlertmanagerConfig"],
        read: prometheus::alertmanager,
    },
    Kind {
        group: "grafana.integreatly.org",
        kinds: &["GrafanaDashboard"],
        read: grafana::operator_dashboard,
    },
    Kind { group: "integreatly.org", kinds: &["GrafanaDashboard"], read: grafana::operator_dashboard },
    Kind { group: "dashboard.grafana.app", kinds: &["Dashboard"], read: grafana::app_dashboard },
    Kind { group: "perses.dev", kinds: &["PersesDashboard"], read: charts::perses_dashboard },
    Kind {
        group: "monitoring.cnrm.cloud.google.com",
        kinds: &["MonitoringDashboard"],
        read: charts::connector_dashboard,
    },
    Kind { group: "datadoghq.com", kinds: &["DatadogMetric"], read: adapter::datadog_metric },
    Kind { group: "metrics.aws", kinds: &["ExternalMetric"], read: adapter::external_metric },
    Kind { group: "scheduling.volcano.sh", kinds: volcano::SCHEDULING, read: volcano::scheduling },
    Kind { group: "batch.volcano.sh", kinds: &["Job"], read: volcano::job },
    Kind { group: "kueue.x-k8s.io", kinds: kueue::KINDS, read: kueue::read },
    Kind { group: "config.kueue.x-k8s.io", kinds: &["Configuration"], read: kueue::read },
    Kind { group: "scheduling.x-k8s.io", kinds: &["PodGroup"], read: podgroups::coscheduling },
    Kind { group: "scheduling.sigs.k8s.io", kinds: &["PodGroup"], read: podgroups::coscheduling },
    Kind { group: "scheduling.k8s.io", kinds: podgroups::NATIVE, read: podgroups::native },
    Kind { group: "scheduling.k8s.io", kinds: &["PriorityClass"], read: placing::priority_class },
    Kind { group: "kyverno.io", kinds: policy::KYVERNO, read: policy::kyverno },
    Kind { group: "policies.kyverno.io", kinds: policy::MUTATING, read: policy::mutating },
    Kind { group: "admissionregistration.k8s.io", kinds: policy::MUTATING, read: policy::mutating },
    Kind { group: "mutations.gatekeeper.sh", kinds: policy::GATEKEEPER, read: policy::gatekeeper },
    Kind { group: "run.ai", kinds: &["Karta"], read: policy::karta },
    Kind { group: "config.lws.x-k8s.io", kinds: &["Configuration"], read: configuration::controller },
    Kind { group: "config.ray.io", kinds: &["Configuration"], read: configuration::controller },
    Kind {
        group: "operator.config.grove.io",
        kinds: &["OperatorConfiguration"],
        read: configuration::controller,
    },
];

/// The objects of a document. A `List` is unwrapped; a document that is no Kubernetes object gives none.
pub fn classify(tree: &Arc<Tree>, file: FileId, document: u32) -> Vec<Object> {
    let mut found = Vec::new();
    unwrap(tree, tree.root(), file, document, 0, &mut found);
    found
}

fn unwrap(
    tree: &Arc<Tree>,
    node: Node<'_>,
    file: FileId,
    document: u32,
    depth: usize,
    found: &mut Vec<Object>,
) {
    const DEEPEST_LIST: usize = 4;
    let (kind, api) = (node.get("kind"), node.get("apiVersion"));
    // A Perses dashboard outside of Kubernetes has a kind and no `apiVersion`.
    if depth == 0 && api.is_none() {
        found.extend(shaped_file(tree, node, file, document));
    }
    let (Some(kind), Some(api)) = (kind, api) else { return };
    let (Some(kind_name), Some(api)) = (kind.raw_str(), api.raw_str()) else { return };
    if kind_name == "List"
        || (kind_name.ends_with("List") && node.get("items").is_some_and(|i| i.is_sequence()))
    {
        if depth < DEEPEST_LIST {
            for item in node.get("items").into_iter().flat_map(|items| items.items()) {
                unwrap(tree, item, file, document, depth + 1, found);
            }
        }
        return;
    }
    let (group, version) = api.split_once('/').unwrap_or(("", api));
    let reading = Reading {
        node,
        group,
        version,
        kind: kind_name,
        meta: Meta::of(node.get("metadata")),
        at: kind.span(),
    };
    let known = KINDS.iter().find(|k| k.group == group && k.kinds.contains(&kind_name));
    let mut model = known.map_or_else(|| core::unknown(&reading), |kind| (kind.read)(&reading));
    if !model.workloads.is_empty()
        && let Some(request) = placing::in_fields(reading.spec())
    {
        for workload in &mut model.workloads {
            workload.placing.topologies.push(request.clone());
        }
    }
    found.push(Object {
        // Addresses are given when all objects are known.
        id: ObjectId(0),
        file,
        document,
        tree: tree.clone(),
        node: node.id(),
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind_name.to_owned(),
        meta: reading.meta,
        at: reading.at,
        modelled: known.is_some(),
        complete: true,
        model,
    });
}

/// Helm values, a rule file or a dashboard of a known shape, as an object of a kind that no API has.
fn shaped_file(tree: &Arc<Tree>, node: Node<'_>, file: FileId, document: u32) -> Option<Object> {
    let dashboard = grafana_model::read(node).or_else(|| charts::read(node));
    let (kind, model) = match dashboard {
        Some(dashboard) => ("Dashboard", Model { dashboards: vec![dashboard], ..Model::default() }),
        None => values::read(node).filter(|_| node.get("kind").is_none())?,
    };
    Some(Object {
        id: ObjectId(0),
        file,
        document,
        tree: tree.clone(),
        node: node.id(),
        group: String::new(),
        version: String::new(),
        kind: kind.to_owned(),
        meta: Meta::default(),
        at: node.first_key_span(),
        modelled: true,
        complete: false,
        model,
    })
}

/// The items of the list at a path of keys; none where there is no list.
pub(crate) fn items<'t>(node: Node<'t>, path: &str) -> impl Iterator<Item = Node<'t>> + use<'t> {
    node.at(path).into_iter().flat_map(|list| list.items())
}

/// The value of a field as a known count, with a default where the API has one.
pub(crate) fn count(node: Node<'_>, path: &str, default: Option<u32>, at: Span) -> Known<u32> {
    let known = node.field::<u32>(path);
    match default {
        Some(default) => known.or_default(default, at),
        None => known,
    }
}

/// The names of objects that an object refers to and that may stand in documents of no interest by themselves: the
/// targets of autoscalers, ConfigMaps, priority classes, parents of queues.
pub fn named_by(object: &Object) -> Vec<String> {
    let mut names = Vec::new();
    let model = &object.model;
    let references = model.scalers.iter().filter_map(|s| match &s.target {
        scaler::Target::Reference(reference) => Some(reference),
        _ => None,
    });
    let references = references.chain(model.adapters.iter().map(|a| &a.target));
    names.extend(references.filter_map(|r| r.name.value().cloned()));
    for template in model.workloads.iter().flat_map(|w| &w.sets).map(|s| &s.template) {
        names.extend(template.priority_class.value().cloned());
        for container in template.containers.iter().map(|c| &c.container) {
            names.extend(container.mounts.iter().filter_map(|m| m.config_map.clone()));
            names.extend(container.env_from.iter().filter_map(|e| match &e.source {
                EnvSource::ConfigMap(name) => Some(name.clone()),
                _ => None,
            }));
            names.extend(container.env.iter().filter_map(|e| match &e.value {
                EnvValue::ConfigMapKey { name, .. } => Some(name.clone()),
                _ => None,
            }));
        }
    }
    names
}
