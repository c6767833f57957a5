//! Autoscalers: what is scaled, by which signals, between which bounds.

use super::gang::Evidence;
use super::pods::Coordinator;
use crate::known::Known;
use crate::source::Span;
use crate::yaml::{NodeId, Text};

/// One autoscaler.
#[derive(Debug, Clone)]
pub struct Scaler {
    /// What it scales.
    pub target: Target,
    /// What drives it. Empty where nothing is stated; see [`Scaler::default_signal`].
    pub signals: Vec<Signal>,
    /// What the API falls back to where no signal is stated.
    pub default_signal: Option<DefaultSignal>,
    /// Least replicas.
    pub min: Known<u32>,
    /// Most replicas.
    pub max: Known<u32>,
    /// True where the controller can scale to nothing although `min` is above zero, or wakes by itself from zero.
    pub idle: Known<u32>,
    /// A formula over named signals, with the bytes of the expression (KEDA `scalingModifiers`).
    pub formula: Option<Formula>,
    /// Scaling behaviour.
    pub behavior: Option<Behavior>,
    /// Where the autoscaler as a whole is reported: its name, or the key of the block that it is embedded in.
    pub span: Span,
    /// The mapping that holds its fields, to add one.
    pub node: NodeId,
    /// The controller that acts on it.
    pub controller: Controller,
    /// The name of the [`Target::Policy`] of the same API group and namespace that holds further signals, where this
    /// autoscaler names one. Signals of the two that have the same [`Signal::name`] are one: the policy states the
    /// target, the autoscaler may state the query.
    pub policy_ref: Known<String>,
    /// What holds where the signals cannot be read.
    pub fallback: Option<Fallback>,
    /// The name of an autoscaler that this one replaces, so that the two are one (KEDA's
    /// `transfer-hpa-ownership`).
    pub takes_over: Known<String>,
}

impl Scaler {
    /// An autoscaler of which only the target and the place are known. Kinds fill in what they state.
    pub fn of(target: Target, controller: Controller, span: Span, node: NodeId) -> Scaler {
        Scaler {
            target,
            signals: vec![],
            default_signal: None,
            min: Known::Absent,
            max: Known::Absent,
            idle: Known::Absent,
            formula: None,
            behavior: None,
            span,
            node,
            controller,
            policy_ref: Known::Absent,
            fallback: None,
            takes_over: Known::Absent,
        }
    }
}

/// What an autoscaler does after so many failed readings (KEDA `fallback`).
#[derive(Debug, Clone)]
pub struct Fallback {
    /// The bytes of its key.
    pub span: Span,
    /// How many replicas hold then.
    pub replicas: Known<u32>,
}

/// What acts on an autoscaler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controller {
    /// The HorizontalPodAutoscaler controller.
    Hpa,
    /// KEDA, through an HPA that it makes.
    Keda,
    /// AIBrix' PodAutoscaler controller.
    Aibrix,
    /// KServe, through an HPA, KEDA or Knative.
    Kserve,
    /// Knative's autoscaler.
    Knative,
    /// Ray Serve's autoscaler.
    Ray,
    /// Any other operator.
    Operator,
}

/// A formula over the signals of an autoscaler.
#[derive(Debug, Clone)]
pub struct Formula {
    /// The expression.
    pub text: Known<Text>,
    /// What the result is compared with.
    pub target: Known<f64>,
    /// How.
    pub target_type: TargetType,
}

/// The signal used where none is stated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultSignal {
    /// For people: "80% average CPU utilization".
    pub what: &'static str,
    /// The document that says so.
    pub source: &'static str,
}

/// What an autoscaler scales.
#[derive(Debug, Clone)]
pub enum Target {
    /// Another object, by reference.
    Reference(TargetRef),
    /// A workload of the same object, by its index in the model.
    Own(usize),
    /// The target cannot be told.
    Unknown(Span),
    /// Nothing by itself: signals kept as an object of its own, under the object's name, for autoscalers that name it
    /// in [`Scaler::policy_ref`].
    Policy,
}

/// A reference to the object that is scaled.
#[derive(Debug, Clone)]
pub struct TargetRef {
    /// The API group; none where the reference states no `apiVersion`.
    pub group: Option<String>,
    /// The kind.
    pub kind: Known<String>,
    /// The name.
    pub name: Known<String>,
    /// The role inside the object, where the reference picks one.
    pub role: Known<String>,
    /// The bytes of the reference.
    pub span: Span,
}

/// A name by which autoscalers reach a part of another object: a scaling adapter.
#[derive(Debug, Clone)]
pub struct Adapter {
    /// The object behind it.
    pub target: TargetRef,
}

/// A policy, kept as an object of its own, that ties roles of another object together.
#[derive(Debug, Clone)]
pub struct RolePolicy {
    /// The object whose roles it ties.
    pub target: TargetRef,
    /// The roles.
    pub roles: Vec<String>,
    /// What scales the roles together, where the policy does that.
    pub coordinator: Option<Coordinator>,
    /// For each role the gang that the policy asks for, where it asks for one.
    pub gangs: Vec<(String, Evidence)>,
}

/// How a metric is compared with its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TargetType {
    /// Divided by the number of replicas, then compared.
    AverageValue,
    /// Compared as it is; the current number of replicas is scaled by the ratio.
    Value,
    /// A percentage of the pods' requests.
    Utilization,
    /// Not stated, or not known.
    #[default]
    Unknown,
}

/// What the text of a signal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalKind {
    /// A resource of the pods: `cpu` or `memory`.
    Resource,
    /// A metric name, averaged over the pods.
    PodsMetric,
    /// A metric name of another object.
    ObjectMetric,
    /// A metric name of an external metrics API.
    ExternalMetric,
    /// A PromQL query.
    PromQl,
    /// A query or filter in another language: metric names are looked for in it as words.
    Query,
    /// A value of an external scaler's metadata, whose key is the signal's `key`.
    ScalerMetadata,
    /// Requests in flight or per second as the platform counts them (Knative, KServe, KubeAI, Ray Serve).
    PlatformRequests,
    /// The number of replicas that another controller has computed.
    DesiredReplicas,
    /// A schedule, a queue of messages or anything else outside the pods.
    Outside,
}

/// One thing that drives an autoscaler.
#[derive(Debug, Clone)]
pub struct Signal {
    /// What its text is.
    pub kind: SignalKind,
    /// The metadata key or trigger type that it comes from.
    pub key: String,
    /// The metric name or query.
    pub text: Known<Text>,
    /// What it is compared with.
    pub target: Known<f64>,
    /// How.
    pub target_type: TargetType,
    /// The bytes of the word that says how, where it is written apart from the target (KEDA `metricType`).
    pub type_span: Option<Span>,
    /// The name by which a formula calls it.
    pub name: Option<String>,
    /// Where the signal as a whole stands: the bytes of its text, else of its type.
    pub span: Span,
    /// The mapping that holds it.
    pub node: NodeId,
    /// True where missing data reads as zero (KEDA's `ignoreNullValues`, on by default).
    pub null_is_zero: Known<bool>,
    /// Label matchers beside the metric name (`metric.selector.matchLabels`).
    pub selector: Vec<(String, String)>,
}

impl Signal {
    /// A signal of which only the text is known. `at` is where it stands if it has none.
    pub fn of(kind: SignalKind, key: &str, text: Known<Text>, at: Span, node: NodeId) -> Signal {
        Signal {
            kind,
            key: key.to_owned(),
            span: text.span().unwrap_or(at),
            text,
            target: Known::Absent,
            target_type: TargetType::Unknown,
            type_span: None,
            name: None,
            node,
            null_is_zero: Known::Absent,
            selector: vec![],
        }
    }
}

/// Scaling behaviour of an HPA.
#[derive(Debug, Clone, Default)]
pub struct Behavior {
    /// Scaling up.
    pub up: Direction,
    /// Scaling down.
    pub down: Direction,
    /// The bytes of the key.
    pub span: Option<Span>,
}

/// One direction of a behaviour.
#[derive(Debug, Clone, Default)]
pub struct Direction {
    /// `stabilizationWindowSeconds`.
    pub window: Known<i64>,
    /// `selectPolicy`.
    pub select: Known<String>,
    /// `policies`: type, value, period in seconds.
    pub policies: Vec<(Known<String>, Known<i64>, Known<i64>)>,
}
