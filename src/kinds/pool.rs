//! Karpenter pools and node classes.

use super::Problem;
use super::quantity::Delay;
use crate::known::Known;
use crate::source::Span;
use crate::yaml::NodeId;

/// The three shapes that a Karpenter pool has had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolApi {
    /// `karpenter.sh/v1` NodePool.
    V1,
    /// `karpenter.sh/v1beta1` NodePool, gone in Karpenter 1.1.
    V1Beta1,
    /// `karpenter.sh/v1alpha5` Provisioner.
    V1Alpha5,
}

/// One Karpenter pool.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Its shape.
    pub api: PoolApi,
    /// The consolidation policy as written, or the API's default.
    pub policy: Known<Policy>,
    /// `consolidateAfter`.
    pub consolidate_after: Known<Delay>,
    /// The text of `consolidateAfter`, as written.
    pub consolidate_after_text: Known<String>,
    /// The scalar of a Provisioner's `ttlSecondsAfterEmpty`.
    pub after_empty_node: Option<NodeId>,
    /// Static pools (`spec.replicas`) are never consolidated.
    pub replicas: Known<u32>,
    /// What nodes must be like.
    pub requirements: Vec<Requirement>,
    /// True where `requirements` (or a template label that acts as one) is written at all. A patch that only changes a
    /// limit has none and is no pool by itself.
    pub has_requirements: bool,
    /// Labels of the nodes.
    pub labels: Vec<(String, Known<String>, Span)>,
    /// Taints of the nodes.
    pub taints: Vec<Taint>,
    /// Taints that something removes at start.
    pub startup_taints: Vec<Taint>,
    /// True where the limits are a template as a whole, or stand in one.
    pub limits_open: bool,
    /// True where the node template's spec is a template of a tool as a whole.
    pub template_open: bool,
    /// Limits by resource.
    pub limits: Vec<(String, Known<f64>, Span)>,
    /// `weight`.
    pub weight: Known<i64>,
    /// `expireAfter`.
    pub expire_after: Known<Delay>,
    /// `terminationGracePeriod` in seconds.
    pub termination_grace: Known<f64>,
    /// Disruption budgets; none where the key is not written (the API then allows 10 %).
    pub budgets: Option<Vec<Budget>>,
    /// The node class.
    pub node_class: NodeClassRef,
    /// Values and combinations that the API server or the controller refuses.
    pub rejected: Vec<Refusal>,
    /// Fields that the API server drops without a word, since the version has none there.
    pub dropped: Vec<Problem>,
    /// Places to point at and to edit.
    pub place: PoolPlace,
}

/// Something that the API refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What and where.
    pub problem: Problem,
    /// True where a later release takes it.
    pub lifted: bool,
}

/// Where the parts of a pool stand.
#[derive(Debug, Clone, Copy)]
pub struct PoolPlace {
    /// The key of `disruption` (or `consolidation`), or the nearest key above it that exists.
    pub disruption: Span,
    /// The mapping `disruption`, where it is written.
    pub disruption_node: Option<NodeId>,
    /// The mapping that `disruption` belongs in.
    pub spec_node: NodeId,
    /// The key of the node template's spec, or the nearest key above it.
    pub template: Span,
    /// The mapping of the node template's spec, where taints and requirements belong.
    pub template_node: Option<NodeId>,
    /// The key of `limits`, or the nearest key above it.
    pub limits: Span,
    /// The key of the template's labels, or the nearest key above it.
    pub labels: Span,
    /// The key of `budgets`, or the nearest key above it.
    pub budgets: Span,
    /// The key of `requirements`, or the nearest key above it.
    pub requirements: Span,
    /// The sequence `requirements`, where it is written.
    pub requirements_node: Option<NodeId>,
    /// A `disruption` block in a wrong place, which the API server drops silently.
    pub misplaced: Option<Span>,
}

/// When Karpenter may remove a node to save cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// Only nodes without pods.
    WhenEmpty,
    /// Nodes with running pods too, where their pods fit elsewhere for less.
    WhenUnderutilized(PolicyWord),
    /// Never (a Provisioner without any setting).
    Off,
    /// A word that no version of the API knows.
    Unknown(String),
}

/// The words for consolidation of busy nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyWord {
    /// `WhenEmptyOrUnderutilized` (v1).
    WhenEmptyOrUnderutilized,
    /// `WhenUnderutilized` (v1beta1).
    WhenUnderutilized,
    /// `Balanced` (v1 from 1.14).
    Balanced,
    /// `consolidation.enabled: true` (v1alpha5).
    ConsolidationEnabled,
}

impl NodeClassRef {
    /// True where the class can taint GPU nodes by itself, which only the class tells: GCENodeClass, `autoGPUTaint`.
    /// Source: cloudpilot-ai/karpenter-provider-gcp, docs/gpu-nodes.md.
    pub fn may_taint(&self) -> bool {
        self.group.value().is_some_and(|group| group == "karpenter.k8s.gcp")
    }
}

impl PolicyWord {
    /// As the manifest writes it.
    pub fn word(self) -> &'static str {
        match self {
            PolicyWord::WhenEmptyOrUnderutilized => "WhenEmptyOrUnderutilized",
            PolicyWord::WhenUnderutilized => "WhenUnderutilized",
            PolicyWord::Balanced => "Balanced",
            PolicyWord::ConsolidationEnabled => "consolidation.enabled: true",
        }
    }
}

/// One node requirement.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// The label key.
    pub key: String,
    /// The operator.
    pub operator: Known<String>,
    /// The values.
    pub values: Vec<Known<String>>,
    /// True where `values` is a template as a whole.
    pub unresolved: bool,
    /// The bytes of the key's value.
    pub span: Span,
    /// True for a template label, which acts as `In` with one value.
    pub from_label: bool,
}

/// One taint.
#[derive(Debug, Clone)]
pub struct Taint {
    /// The key.
    pub key: Known<String>,
    /// The value.
    pub value: Known<String>,
    /// The effect.
    pub effect: Known<String>,
    /// The scalar of the effect.
    pub effect_node: Option<NodeId>,
    /// The bytes of the entry's key.
    pub span: Span,
}

/// One disruption budget.
#[derive(Debug, Clone)]
pub struct Budget {
    /// `nodes`, as written.
    pub nodes: Known<String>,
    /// `reasons`; empty for all.
    pub reasons: Vec<Known<String>>,
    /// `schedule`.
    pub schedule: Known<String>,
    /// `duration`.
    pub duration: Known<String>,
    /// The bytes of the entry.
    pub span: Span,
}

/// A reference to a node class.
#[derive(Debug, Clone, Default)]
pub struct NodeClassRef {
    /// The group.
    pub group: Known<String>,
    /// The kind.
    pub kind: Known<String>,
    /// The name.
    pub name: Known<String>,
    /// The bytes of the reference's key.
    pub span: Option<Span>,
}

impl NodeClassRef {
    /// True for a node class of EKS Auto Mode, whose defaults differ and which brings a class `default`.
    /// Source: awsdocs/amazon-eks-user-guide, automode/create-node-pool.adoc.
    pub fn is_auto_mode(&self) -> bool {
        self.group.value().is_some_and(|group| group == "eks.amazonaws.com")
    }

    /// The kind that node classes of the group have. Source: the CRDs of the providers.
    pub fn expected_kind(&self) -> Option<&'static str> {
        match self.group.value()?.as_str() {
            "karpenter.k8s.aws" => Some("EC2NodeClass"),
            "eks.amazonaws.com" => Some("NodeClass"),
            "karpenter.azure.com" => Some("AKSNodeClass"),
            "karpenter.k8s.gcp" => Some("GCENodeClass"),
            _ => None,
        }
    }
}

/// One node class.
#[derive(Debug, Clone)]
pub struct NodeClass {
    /// The AMI terms' aliases and names.
    pub ami: Vec<(String, Known<String>)>,
    /// `amiFamily` or `imageFamily`.
    pub ami_family: Known<String>,
    /// Size of each disk in bytes, by device name.
    pub disks: Vec<(Known<String>, Known<f64>)>,
    /// `instanceStorePolicy`.
    pub instance_store_policy: Known<String>,
    /// Adds a GPU taint to nodes by itself (GCENodeClass `autoGPUTaint`).
    pub adds_gpu_taint: bool,
    /// True where capacity reservations are selected.
    pub reservations: bool,
    /// True where the class says that its nodes carry a GPU driver (AKSNodeClass `gpu.mode`).
    pub gpu_mode: bool,
    /// The bytes of `spec`.
    pub span: Span,
}

impl NodeClass {
    /// True where the class takes its images from this family, by alias or by name, in any case.
    pub fn has_image(&self, family: &str) -> bool {
        let alias = self.ami.iter().filter(|(key, _)| key == "alias").filter_map(|(_, value)| value.value());
        let mut alias = alias.filter_map(|value| value.split('@').next());
        self.ami_family.value().is_some_and(|f| f.eq_ignore_ascii_case(family))
            || alias.any(|name| name.eq_ignore_ascii_case(family))
    }
}
