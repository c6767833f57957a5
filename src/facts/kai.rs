//! What KAI Scheduler makes of a workload: its queue, its class, what it asks for.

use super::Facts;
use super::queue_tree::{Found, Resource, find};
use super::scope::nearest;
use super::units::Unit;
use crate::inventory::Inventory;
use crate::kinds::gang::{GangScheduler, KaiGang};
use crate::kinds::placing::{PriorityClass, Requests};
use crate::kinds::pods::{KaiClass, PodSet};
use crate::known::Known;
use crate::source::Span;

/// The scheduler name that KAI Scheduler's chart uses. The scheduler of the Run:ai platform reads other labels.
const SCHEDULER: &str = "kai-scheduler";

/// The bytes of the first `schedulerName` that hands pods of a workload to KAI Scheduler.
pub fn handed_over(unit: &Unit<'_>) -> Option<Span> {
    unit.workload.sets.iter().find_map(|set| match &set.template.scheduler {
        Known::Set(name, span) if name == SCHEDULER => Some(*span),
        _ => None,
    })
}

/// True where a pod template names a gang scheduler.
pub fn names(set: &PodSet, scheduler: GangScheduler) -> bool {
    set.template.scheduler.value().and_then(|name| GangScheduler::of_name(name)) == Some(scheduler)
}

/// The queue that a workload of KAI Scheduler names, with the bytes of the name.
pub fn queue_of<'u>(facts: &Facts<'_>, unit: &'u Unit<'_>) -> Option<(&'u str, Span, Found)> {
    handed_over(unit)?;
    let Known::Set(name, span) = &unit.workload.kai_queue else { return None };
    Some((name, *span, find(facts, unit.object, name)))
}

/// Classes that KAI Scheduler's chart makes, and those of Kubernetes.
/// Source: kai-scheduler/KAI-Scheduler, deployments/kai-scheduler/templates/priorityclasses; kubernetes,
/// pkg/apis/scheduling/types.go.
pub const CLASSES: &[(&str, i64)] = &[
    ("train", 50),
    ("build-preemptible", 75),
    ("build", 100),
    ("inference", 125),
    ("system-cluster-critical", 2_000_000_000),
    ("system-node-critical", 2_000_001_000),
];

/// From this value on KAI Scheduler takes pods as not preemptible.
/// Source: kai-scheduler/KAI-Scheduler, pkg/common/podgroup, preemptible.go.
pub const NOT_PREEMPTIBLE_FROM: i64 = 100;

/// The class of a workload in KAI Scheduler.
#[derive(Debug, Clone)]
pub struct Class {
    /// True where others may take its GPUs.
    pub preemptible: bool,
    /// What says so, for people: "class `train`, 50".
    pub why: String,
    /// Where it is said; none where the kind's default decides.
    pub span: Option<Span>,
}

/// The class of a workload in KAI Scheduler; none where the inputs do not tell.
pub fn class_of(inventory: &Inventory, unit: &Unit<'_>) -> Option<Class> {
    let placing = &unit.workload.placing;
    match &placing.preemptibility {
        Known::Set(word, span) if matches!(word.as_str(), "preemptible" | "non-preemptible") => {
            let preemptible = word == "preemptible";
            return Some(Class { preemptible, why: format!("label `{word}`"), span: Some(*span) });
        }
        // Versions differ in what they make of any other word.
        Known::Absent => {}
        _ => return None,
    }
    match class_name(unit) {
        Known::Set(name, span) => {
            let value = class_value(inventory, unit, &name)?;
            let preemptible = value < NOT_PREEMPTIBLE_FROM;
            Some(Class { preemptible, why: format!("class `{name}`, {value}"), span: Some(span) })
        }
        // Kubernetes gives the global default to pods that name no class, before KAI Scheduler looks at the kind.
        Known::Absent if !has_global_default(inventory) => {
            let (preemptible, name, value) = match unit.workload.kai_class {
                KaiClass::Train => (true, "train", 50),
                KaiClass::Inference => (false, "inference", 125),
            };
            let kind = &unit.object.kind;
            Some(Class {
                preemptible,
                why: format!("class `{name}`, {value}, the default of a {kind}"),
                span: None,
            })
        }
        _ => None,
    }
}

/// The class that a workload names: by label, else in its pods where they agree.
pub fn class_name(unit: &Unit<'_>) -> Known<String> {
    let label = &unit.workload.placing.class_label;
    if *label != Known::Absent {
        return label.clone();
    }
    let mut named = unit.workload.sets.iter().map(|s| &s.template.priority_class);
    let Some(first) = named.next() else { return Known::Absent };
    match named.find(|next| next.value() != first.value() || next.is_unresolved()) {
        Some(other) => Known::Unresolved(other.span().or(first.span()).unwrap_or(unit.workload.span)),
        None => first.clone(),
    }
}

/// The value of a class, from the inputs or from KAI Scheduler's chart.
pub fn class_value(inventory: &Inventory, unit: &Unit<'_>, name: &str) -> Option<i64> {
    let named: Vec<_> = inventory
        .objects
        .iter()
        .filter(|o| o.name() == Some(name))
        .filter_map(|o| Some((o, o.model.priority_class.as_ref()?)))
        .collect();
    if named.is_empty() {
        return CLASSES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    }
    let near = nearest(inventory, unit.object, named, |(o, _)| o);
    let mut values = near.iter().map(|(_, class)| class.value.value());
    let first = values.next()??;
    values.all(|value| value == Some(first)).then_some(*first)
}

/// The priority classes of the inputs with their names.
pub fn classes(inventory: &Inventory) -> impl Iterator<Item = (&str, &PriorityClass)> {
    inventory.objects.iter().filter_map(|o| Some((o.name()?, o.model.priority_class.as_ref()?)))
}

fn has_global_default(inventory: &Inventory) -> bool {
    inventory.objects.iter().filter_map(|o| o.model.priority_class.as_ref()).any(|c| c.global_default)
}

/// What the pods that KAI Scheduler binds together ask for, by resource.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// GPUs.
    pub gpu: f64,
    /// CPU in thousandths; 0 where nothing is stated.
    pub cpu: f64,
    /// Memory in units of 10^6 bytes; 0 where nothing is stated.
    pub memory: f64,
    /// How many pods.
    pub pods: u32,
}

impl Demand {
    /// The amount of a resource.
    pub fn of(&self, resource: Resource) -> f64 {
        match resource {
            Resource::Gpu => self.gpu,
            Resource::Cpu => self.cpu,
            Resource::Memory => self.memory,
        }
    }
}

/// What one replica asks for; none where the inputs do not tell. CPU and memory that a template leaves open count as
/// nothing, since the sum can only be larger.
pub fn replica(unit: &Unit<'_>) -> Option<Demand> {
    let mut demand = Demand { gpu: 0.0, cpu: 0.0, memory: 0.0, pods: 0 };
    for set in &unit.workload.sets {
        let pods = *set.pods.value()?;
        let gpus = match &set.template.gpus.count {
            Known::Absent => 0,
            known => *known.value()?,
        };
        let Requests { cpu, memory } = &set.template.requests;
        let times = f64::from(pods);
        demand.gpu += times * f64::from(gpus);
        demand.cpu += times * cpu.value().copied().unwrap_or(0.0);
        demand.memory += times * memory.value().copied().unwrap_or(0.0);
        demand.pods = demand.pods.saturating_add(pods);
    }
    // A part of a GPU is asked for by annotation, and its share is not counted here.
    unit.workload.placing.fraction.is_none().then_some(demand)
}

/// What KAI Scheduler binds as a whole: a replica where the kind is a gang, else the largest pod.
pub fn bound_together(unit: &Unit<'_>) -> Option<Demand> {
    let gang = matches!(unit.workload.gang.kai, KaiGang::PerReplica | KaiGang::Whole);
    // A minimum of its own makes the gang smaller.
    let smaller = unit.workload.gang.declared.iter().any(|e| e.min != Known::Absent);
    if gang && !smaller {
        return replica(unit);
    }
    let gpus = unit.workload.sets.iter().filter_map(|s| s.template.gpus.count.value()).max();
    let gpu = f64::from(*gpus?);
    replica(unit).map(|_| Demand { gpu, cpu: 0.0, memory: 0.0, pods: 1 })
}

/// The least and the most replicas of a workload, as its autoscalers or its own field say.
pub fn replicas(facts: &Facts<'_>, unit: &Unit<'_>) -> (Option<u32>, Option<u32>) {
    let own = unit.workload.replicas.value().copied();
    let mut drivers = facts.drivers_of(unit.id).peekable();
    if drivers.peek().is_none() {
        return (own, own);
    }
    let (mut least, mut most) = (Some(u32::MAX), Some(0));
    for driver in drivers {
        let bound = |known: &Known<u32>| known.value().copied();
        least = least.zip(bound(&driver.scaler.min)).map(|(a, b)| a.min(b));
        most = most.zip(bound(&driver.scaler.max)).map(|(a, b)| a.max(b));
    }
    (least, most)
}
