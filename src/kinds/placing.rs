//! What a workload says of the place and the rank of its pods: topology, order of start, class, shard, parts of GPUs.

use super::meta::{Meta, Pairs};
use super::pods::PodTemplate;
use super::quantity::Quantity;
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{Node, NodeId};

/// What a workload says of the place and the rank of its pods.
#[derive(Debug, Clone, Default)]
pub struct Placing {
    /// Constraints on the topology.
    pub topologies: Vec<TopologyRequest>,
    /// Which metadata KAI Scheduler reads the constraint from.
    pub kai_reads: KaiReads,
    /// In which order the pods of a group are made.
    pub order: StartOrder,
    /// The mapping that a field with the order is added to.
    pub order_node: Option<NodeId>,
    /// The class that KAI Scheduler is told by label, on the owner or the pods.
    pub class_label: Known<String>,
    /// `preemptible` or `non-preemptible`, by KAI Scheduler's label on the owner or the pods.
    pub preemptibility: Known<String>,
    /// The shard of KAI Scheduler, by label on the owner or the pods.
    pub shard: Known<String>,
    /// True where KAI Scheduler is told to leave the grouping to the manifest.
    pub grouped_by_hand: bool,
    /// The part of a GPU that the pods ask KAI Scheduler for.
    pub fraction: Option<Fraction>,
}

/// A constraint on the topology, by one of the schedulers or controllers.
#[derive(Debug, Clone)]
pub struct TopologyRequest {
    /// Who acts on it.
    pub system: TopologySystem,
    /// The name of the topology, where the spelling has one.
    pub topology: Known<String>,
    /// The level that has to hold all pods of a group.
    pub required: Known<String>,
    /// The level that should hold them.
    pub preferred: Known<String>,
    /// Where it stands.
    pub span: Span,
    /// On which object.
    pub place: TopologyPlace,
}

/// Who acts on a constraint on the topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopologySystem {
    /// KAI Scheduler.
    Kai,
    /// Kueue's topology-aware scheduling.
    Kueue,
    /// A controller that turns it into pod affinity, or a scheduler with a vocabulary of its own.
    Other,
}

/// On which object a constraint on the topology stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopologyPlace {
    /// The object that makes the pods.
    Owner,
    /// A pod template.
    Template,
}

/// Which metadata KAI Scheduler reads a constraint on the topology from.
/// Source: kai-scheduler/KAI-Scheduler, pkg/podgrouper/podgrouper/plugins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KaiReads {
    /// The object's own metadata, and never a pod template's.
    Owner,
    /// Pod templates too, or an object that an operator makes.
    #[default]
    Templates,
}

/// In which order the pods of a group are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartOrder {
    /// All at once.
    #[default]
    Together,
    /// The first part has to be ready before the others are made; the bytes say so.
    LeaderFirst(Span),
    /// Each pod has to be ready before the next is made; the bytes say so, or the kind does by default.
    OneByOne(Span),
}

/// A part of a GPU.
#[derive(Debug, Clone)]
pub struct Fraction {
    /// The annotation or resource that asks for it.
    pub key: String,
    /// Where it stands.
    pub span: Span,
    /// On how many devices.
    pub devices: Known<u32>,
    /// True for a slice of the hardware (MIG), false for a share in time.
    pub slice: bool,
}

const TOPOLOGY: &str = "kai.scheduler/topology";
const REQUIRED: &str = "kai.scheduler/topology-required-placement";
const PREFERRED: &str = "kai.scheduler/topology-preferred-placement";

impl Placing {
    /// Reads what labels and annotations say.
    pub(super) fn read(&mut self, owner: &Meta, templates: &[&PodTemplate]) {
        let metas: Vec<&Meta> = std::iter::once(owner).chain(templates.iter().map(|t| &t.meta)).collect();
        let label = |key: &str| {
            metas
                .iter()
                .map(|m| m.labels.get(key))
                .fold(Known::Absent, |known: Known<String>, next| known.or(|| next))
        };
        self.class_label = label("priorityClassName");
        self.preemptibility = label("kai.scheduler/preemptibility");
        self.shard = label("kai.scheduler/node-pool");
        self.grouped_by_hand = metas.iter().any(|meta| {
            let skip = meta.annotations.get("kai.scheduler/skip-podgrouper");
            // A template may turn the grouping off.
            skip.is_unresolved() || skip.value().is_some_and(|value| value == "true")
        });
        self.fraction = templates.iter().find_map(|t| fraction(t));
        self.topologies.extend(on_owner(owner));
        self.topologies.extend(kai(&owner.annotations, TopologyPlace::Owner));
        for template in templates {
            self.topologies.extend(kai(&template.meta.annotations, TopologyPlace::Template));
            self.topologies.extend(kueue(&template.meta.annotations));
        }
    }
}

fn kai(annotations: &Pairs, place: TopologyPlace) -> Option<TopologyRequest> {
    let first = [TOPOLOGY, REQUIRED, PREFERRED].into_iter().find_map(|key| annotations.pair(key))?;
    let required = annotations.pair(REQUIRED).or(annotations.pair(PREFERRED));
    Some(TopologyRequest {
        system: TopologySystem::Kai,
        topology: annotations.get(TOPOLOGY),
        required: annotations.get(REQUIRED),
        preferred: annotations.get(PREFERRED),
        span: required.unwrap_or(first).key_span,
        place,
    })
}

/// Source: kubernetes-sigs/kueue, apis/kueue/v1beta1/topology_types.go.
fn kueue(annotations: &Pairs) -> Option<TopologyRequest> {
    const KEYS: [&str; 4] = [
        "kueue.x-k8s.io/podset-required-topology",
        "kueue.x-k8s.io/podset-preferred-topology",
        "kueue.x-k8s.io/podset-unconstrained-topology",
        "kueue.x-k8s.io/podset-slice-required-topology",
    ];
    let pair = KEYS.into_iter().find_map(|key| annotations.pair(key))?;
    Some(TopologyRequest {
        system: TopologySystem::Kueue,
        topology: Known::Absent,
        required: annotations.get(KEYS[0]),
        preferred: annotations.get(KEYS[1]),
        span: pair.key_span,
        place: TopologyPlace::Template,
    })
}

/// Annotations of an owner that its controller turns into affinity, or that Volcano reads.
/// Source: kubernetes-sigs/lws, api/leaderworkerset/v1; kubernetes-sigs/jobset, api/jobset/v1alpha2; volcano-sh/volcano,
/// docs/design/network-topology-aware-scheduling.
fn on_owner(owner: &Meta) -> Option<TopologyRequest> {
    const LEVELS: [&str; 2] =
        ["leaderworkerset.sigs.k8s.io/exclusive-topology", "alpha.jobset.sigs.k8s.io/exclusive-topology"];
    const OTHERS: [&str; 3] = [
        "leaderworkerset.sigs.k8s.io/subgroup-exclusive-topology",
        "volcano.sh/network-topology-mode",
        "volcano.sh/network-topology-highest-tier",
    ];
    let find = |keys: &[&str]| keys.iter().find_map(|key| owner.annotations.pair(key));
    let (pair, required) = match (find(&LEVELS), find(&OTHERS)) {
        (Some(pair), _) => (pair, pair.value.clone()),
        (None, Some(pair)) => (pair, Known::Absent),
        (None, None) => return None,
    };
    Some(other(pair.key_span, required))
}

fn other(span: Span, required: Known<String>) -> TopologyRequest {
    TopologyRequest {
        system: TopologySystem::Other,
        topology: Known::Absent,
        required,
        preferred: Known::Absent,
        span,
        place: TopologyPlace::Owner,
    }
}

/// Constraints that stand in fields of their own: Grove and Dynamo, AIBrix, DisaggregatedSet, Volcano, KAI Scheduler's
/// and Kubernetes' own group objects. Pod specs are not entered.
pub(super) fn in_fields(spec: Node<'_>) -> Option<TopologyRequest> {
    find_field(spec, 0)
}

fn find_field(node: Node<'_>, depth: usize) -> Option<TopologyRequest> {
    const FIELDS: [&str; 5] =
        ["topologyConstraint", "topologyPolicy", "placementPolicy", "networkTopology", "topologyRequest"];
    const DEEPEST: usize = 8;
    if depth > DEEPEST || node.get("containers").is_some() {
        return None;
    }
    let own = node.own_entries().find(|e| FIELDS.contains(&e.key) && !e.value.is_null());
    if let Some(entry) = own {
        return Some(other(entry.key_node.span(), Known::Absent));
    }
    let inside = node.own_entries().find_map(|entry| find_field(entry.value, depth + 1));
    inside.or_else(|| node.items().find_map(|item| find_field(item, depth + 1)))
}

/// Source: kai-scheduler/KAI-Scheduler, docs/gpu-sharing; NVIDIA's device plugin for the names of slices.
fn fraction(template: &PodTemplate) -> Option<Fraction> {
    const SLICE: &str = "nvidia.com/mig-";
    let annotations = &template.meta.annotations;
    let number = |text: String| text.trim().parse().ok();
    if let Some(pair) = ["gpu-fraction", "gpu-memory"].into_iter().find_map(|key| annotations.pair(key)) {
        let devices = annotations.get("gpu-fraction-num-devices").try_map("a whole number", number);
        let devices = devices.or_default(1, pair.key_span);
        return Some(Fraction { key: pair.key.clone(), span: pair.key_span, devices, slice: false });
    }
    let count = &template.gpus.count;
    let span = count.span().filter(|_| template.gpus.resource.starts_with(SLICE))?;
    Some(Fraction { key: template.gpus.resource.clone(), span, devices: count.clone(), slice: true })
}

/// What the containers of a pod ask for beside GPUs.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    /// CPU, in thousandths.
    pub cpu: Known<f64>,
    /// Memory, in units of 10^6 bytes.
    pub memory: Known<f64>,
}

impl Requests {
    /// Sums over the containers of a pod spec; a limit without a request is a request.
    pub(super) fn of(spec: Node<'_>) -> Requests {
        let sum = |resource: &str, unit: f64| {
            let containers = spec.get("containers").into_iter().flat_map(|list| list.items());
            let each = containers.filter_map(|c| c.get("resources")).map(|resources| {
                let amount = |block: &str| match resources.get(block).and_then(|b| b.get(resource)) {
                    Some(node) => node.read::<Quantity>().map(|q| q.0 * unit),
                    None => Known::Absent,
                };
                amount("requests").or(|| amount("limits"))
            });
            each.fold(Known::Absent, |total: Known<f64>, next| match (total, next) {
                (Known::Set(a, span), Known::Set(b, _)) => Known::Set(a + b, span),
                (Known::Set(a, span), Known::Absent) => Known::Set(a, span),
                (Known::Absent, next) => next,
                (Known::Set(..), unknown) => unknown,
                (unknown, _) => unknown,
            })
        };
        Requests { cpu: sum("cpu", 1e3), memory: sum("memory", 1e-6) }
    }
}

/// A PriorityClass.
#[derive(Debug, Clone)]
pub struct PriorityClass {
    /// `value`.
    pub value: Known<i64>,
    /// True where pods that name no class get this one.
    pub global_default: bool,
}

/// PriorityClass of `scheduling.k8s.io`.
pub(super) fn priority_class(object: &super::Reading<'_>) -> super::Model {
    let class = PriorityClass {
        value: object.node.field("value"),
        global_default: object.node.field::<bool>("globalDefault").value() == Some(&true),
    };
    super::Model { priority_class: Some(class), ..super::Model::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;
    use crate::yaml::{Tree, parse, split};
    use std::sync::Arc;

    fn tree(text: &str) -> Tree {
        let source: Arc<str> = text.into();
        let part = split(text).into_iter().next().expect("a document");
        parse(FileId(0), &source, part.range).expect("valid YAML")
    }

    #[test]
    fn what_pods_ask_for() {
        for (spec, cpu, memory) in [
            ("{containers: [{resources: {requests: {cpu: 500m, memory: 2G}}}]}", Some(500.0), Some(2000.0)),
            (
                "{containers: [{resources: {limits: {cpu: 2}}}, {resources: {requests: {cpu: 1}}}]}",
                Some(3000.0),
                None,
            ),
            (
                "{containers: [{resources: {requests: {cpu: '{{ n }}'}}}, {resources: {requests: {cpu: 1}}}]}",
                None,
                None,
            ),
            ("{containers: [{}]}", None, None),
        ] {
            let tree = tree(spec);
            let requests = Requests::of(tree.root());
            assert_eq!(requests.cpu.value().copied(), cpu, "{spec}");
            assert_eq!(requests.memory.value().copied(), memory, "{spec}");
        }
    }

    #[test]
    fn constraints_in_fields() {
        for (spec, expect) in [
            ("{template: {cliques: [{topologyConstraint: {packDomain: rack}}]}}", true),
            ("{networkTopology: {mode: hard}}", true),
            ("{networkTopology: null}", false),
            ("{template: {spec: {containers: [{name: c}], topologyPolicy: {}}}}", false),
        ] {
            assert_eq!(in_fields(tree(spec).root()).is_some(), expect, "{spec}");
        }
    }
}
