//! Whether the pods of one model replica start together.

use super::units::Unit;
use crate::inventory::Inventory;
use crate::kinds::Object;
use crate::kinds::gang::{Evidence, GangScheduler, Hidden, Hint, HintKind, KaiGang, PodGroup};
use crate::known::Known;
use crate::source::Span;
use std::collections::BTreeSet;

/// The answer for one workload.
#[derive(Debug, Clone)]
pub struct GangFact {
    /// Whether there is a gang.
    pub verdict: Verdict,
    /// Pods of one model replica.
    pub pods: Option<u32>,
    /// GPUs of one model replica.
    pub gpus: Option<u32>,
}

/// Whether there is a gang.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The model is not parallel, or it is not known to be.
    NotNeeded,
    /// One pod holds all of it and is bound as a whole.
    SinglePod {
        /// What schedules it in the knowledge of gangs or queues, where something does.
        scheduled: Option<Mechanism>,
    },
    /// Something starts the pods together.
    Present(Mechanism),
    /// A gang is asked for that is smaller than the replica.
    Partial {
        /// What asks for it.
        by: Mechanism,
        /// How many members it waits for.
        min: u32,
        /// How many the replica has.
        need: u32,
    },
    /// Nothing starts them together.
    Absent {
        /// A scheduler that is named but makes no gang of this kind.
        named: Option<(GangScheduler, Span)>,
    },
    /// Something out of sight may.
    Hidden(Hidden),
    /// The inputs do not tell.
    Unknown,
}

/// What starts pods together, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mechanism {
    /// For people: "KAI Scheduler, one gang for each replica".
    pub what: String,
    /// Where it is said.
    pub span: Span,
}

/// Signs of the whole repository that a verdict rests on.
pub struct Setting<'a> {
    hints: Vec<&'a Hint>,
    named: BTreeSet<GangScheduler>,
    groups: Vec<(&'a str, Option<&'a str>, &'a PodGroup)>,
}

impl<'a> Setting<'a> {
    /// Gathers the signs.
    pub fn build(inventory: &'a Inventory) -> Setting<'a> {
        let hints = inventory.objects.iter().flat_map(|o| &o.model.hints).collect();
        let named = inventory.objects.iter().flat_map(|o| &o.model.workloads).flat_map(|w| &w.sets);
        let named = named
            .filter_map(|s| s.template.scheduler.value().and_then(|name| GangScheduler::of_name(name)))
            .collect();
        let groups = inventory
            .objects
            .iter()
            .filter_map(|o| Some((o.name()?, o.namespace(), o.model.pod_group.as_ref()?)))
            .collect();
        Setting { hints, named, groups }
    }

    /// True where the inputs hold the sign.
    pub fn has(&self, kind: &HintKind) -> bool {
        self.hints.iter().any(|h| h.kind == *kind)
    }

    /// The group object that a statement names, in the namespace of the object that makes it.
    pub fn group_of(&self, evidence: &Evidence, object: &Object) -> Option<&'a PodGroup> {
        let name = evidence.pod_group.as_deref()?;
        let here = object.namespace();
        let fits = |(n, ns, group): &&(&str, Option<&str>, &'a PodGroup)| {
            *n == name
                && group.scheduler == evidence.scheduler
                && (here.is_none() || ns.is_none() || here == *ns)
        };
        self.groups.iter().find(fits).map(|(_, _, group)| *group)
    }

    /// How many members a statement waits for: as it says itself, or as its group object says.
    pub fn minimum(&self, evidence: &Evidence, object: &Object) -> Known<u32> {
        match (&evidence.min, self.group_of(evidence, object)) {
            (Known::Absent, Some(group)) => group.min.clone(),
            (min, _) => min.clone(),
        }
    }

    /// The gang schedulers that the repository is seen to use.
    pub fn schedulers(&self) -> impl Iterator<Item = GangScheduler> {
        let hinted = self.hints.iter().filter_map(|h| match h.kind {
            HintKind::Uses(scheduler) => Some(scheduler),
            _ => None,
        });
        hinted.chain(self.named.iter().copied())
    }
}

/// The answer for one workload.
pub fn judge(unit: &Unit<'_>, setting: &Setting<'_>) -> GangFact {
    let nothing = |verdict| GangFact { verdict, pods: None, gpus: None };
    let Some(parallel) = unit.model_parallel().filter(|n| *n > 1) else {
        return nothing(Verdict::NotNeeded);
    };
    let Some(pods) = group_size(unit, parallel).filter(|_| unit.object.complete) else {
        return nothing(Verdict::Unknown);
    };
    let gpus = gpus_of_replica(unit, pods);
    let verdict = if pods <= 1 {
        Verdict::SinglePod { scheduled: scheduled(unit) }
    } else {
        several_pods(unit, pods, setting)
    };
    GangFact { verdict, pods: Some(pods), gpus }
}

/// True where Kueue is all that knows of the group.
pub fn only_admitted(unit: &Unit<'_>) -> bool {
    let declared = &unit.workload.gang.declared;
    let named = unit
        .workload
        .sets
        .iter()
        .any(|s| s.template.scheduler.value().is_some_and(|name| GangScheduler::of_name(name).is_some()));
    !named && !declared.is_empty() && declared.iter().all(|e| e.scheduler == GangScheduler::Kueue)
}

/// How many pods hold one model replica; none where the inputs do not tell.
fn group_size(unit: &Unit<'_>, parallel: u32) -> Option<u32> {
    let pods = unit.workload.pods_per_replica();
    let nodes = unit.engine.as_ref().map(|e| e.nodes.clone()).unwrap_or_default();
    let pods = match pods.value() {
        Some(n) => *n,
        // The engine may know what the kind does not say.
        None => *nodes.value().filter(|n| **n > 1)?,
    };
    // A cluster of pods (Ray) may hold several replicas, each in one pod: then the cluster is no group of one model.
    let fits_one_pod = unit.gpus_per_pod.value().is_some_and(|gpus| parallel <= *gpus);
    if unit.workload.gang.kai == KaiGang::Whole && fits_one_pod && nodes.value().is_none_or(|n| *n <= 1) {
        return Some(1);
    }
    let spread = spread(unit, parallel).filter(|_| pods == 1).unwrap_or(1);
    Some(pods.max(nodes.value().copied().unwrap_or(1)).max(spread))
}

/// How many pods a model takes that is split over more GPUs than its pod has, and whose command names a leader or a Ray
/// cluster outside. Without such a sign the numbers contradict each other, and nothing tells which of them is meant.
fn spread(unit: &Unit<'_>, parallel: u32) -> Option<u32> {
    let gpus = unit.gpus_per_pod.value().copied().filter(|n| *n > 0 && *n < parallel)?;
    unit.engine.as_ref().is_some_and(|e| e.reaches_out()).then(|| parallel.div_ceil(gpus))
}

fn gpus_of_replica(unit: &Unit<'_>, pods: u32) -> Option<u32> {
    let mut total = 0u32;
    let mut counted = 0u32;
    for set in &unit.workload.sets {
        let gpus = match &set.template.gpus.count {
            Known::Set(n, _) | Known::Default(n, _) => *n,
            Known::Absent => 0,
            _ => return None,
        };
        let members = *set.pods.value()?;
        counted = counted.saturating_add(members);
        total = total.saturating_add(gpus.saturating_mul(members));
    }
    // Where each rank is an object of its own, the object shows one of them.
    let ranks = if counted > 0 && counted < pods { pods / counted } else { 1 };
    Some(total.saturating_mul(ranks)).filter(|n| *n > 0)
}

/// What schedules a single pod in the knowledge of gangs or queues.
fn scheduled(unit: &Unit<'_>) -> Option<Mechanism> {
    let declared = unit.workload.gang.declared.first().or(unit.policy_gangs.first().copied());
    let by_name = || named_schedulers(unit).next();
    declared
        .map(|e| Mechanism { what: format!("{} of {}", e.what, e.scheduler.name()), span: e.span })
        .or_else(|| by_name().map(|(s, span)| Mechanism { what: s.name().to_owned(), span }))
}

fn named_schedulers<'u>(unit: &'u Unit<'_>) -> impl Iterator<Item = (GangScheduler, Span)> + use<'u> {
    unit.workload.sets.iter().filter_map(|s| match &s.template.scheduler {
        Known::Set(name, span) | Known::Default(name, span) => {
            GangScheduler::of_name(name).map(|scheduler| (scheduler, *span))
        }
        _ => None,
    })
}

fn several_pods(unit: &Unit<'_>, need: u32, setting: &Setting<'_>) -> Verdict {
    if unit.workload.sets.iter().any(|s| s.template.scheduler.is_unresolved()) {
        return Verdict::Unknown;
    }
    let mut doubtful = false;
    for evidence in unit.workload.gang.declared.iter().chain(unit.policy_gangs.iter().copied()) {
        match weigh(evidence, unit, need, setting) {
            Some(Verdict::Unknown) | None => doubtful = true,
            Some(verdict) => return verdict,
        }
    }
    let named: Vec<(GangScheduler, Span)> = named_schedulers(unit).collect();
    let all_named = named.len() == unit.workload.sets.len();
    if let Some((scheduler, span)) = named.first().copied() {
        match (scheduler, unit.workload.gang.kai) {
            (GangScheduler::Kai, KaiGang::None) if !doubtful && !setting.has(&HintKind::KaiExtended) => {
                return Verdict::Absent { named: Some((scheduler, span)) };
            }
            (GangScheduler::Kai, kai) if kai != KaiGang::None && all_named => {
                let each = if kai == KaiGang::Whole {
                    "one gang for the object"
                } else {
                    "one gang for each replica"
                };
                return Verdict::Present(Mechanism { what: format!("KAI Scheduler, {each}"), span });
            }
            // Which gangs the other schedulers make is said outside the workload.
            _ => {
                let hint = unit.workload.gang.hidden.as_ref().and_then(|h| h.hint.as_ref());
                return match setting.hints.iter().find(|h| Some(&h.kind) == hint) {
                    Some(hint) => {
                        Verdict::Present(Mechanism { what: scheduler.name().to_owned(), span: hint.span })
                    }
                    None => Verdict::Unknown,
                };
            }
        }
    }
    if doubtful || setting.has(&HintKind::RewritesScheduler) {
        return Verdict::Unknown;
    }
    match &unit.workload.gang.hidden {
        Some(hidden) => match setting.hints.iter().find(|h| hidden.hint.as_ref() == Some(&h.kind)) {
            Some(hint) => Verdict::Present(Mechanism { what: hidden.how.clone(), span: hint.span }),
            None if hidden.ends_with_scheduler && setting.schedulers().next().is_some() => {
                Verdict::Absent { named: None }
            }
            None => Verdict::Hidden(hidden.clone()),
        },
        None => Verdict::Absent { named: None },
    }
}

/// What one statement proves. None: it needs something that the inputs do not hold.
fn weigh(evidence: &Evidence, unit: &Unit<'_>, need: u32, setting: &Setting<'_>) -> Option<Verdict> {
    let by = Mechanism {
        what: format!("{} of {}", evidence.what, evidence.scheduler.name()),
        span: evidence.span,
    };
    let group = setting.group_of(evidence, unit.object);
    if group.is_none() && evidence.min == Known::Absent && evidence.pod_group.is_some() {
        return None;
    }
    let min = setting.minimum(evidence, unit.object);
    Some(match min {
        Known::Set(min, _) | Known::Default(min, _) if min < need => Verdict::Partial { by, min, need },
        Known::Unresolved(_) | Known::Invalid(..) => Verdict::Unknown,
        _ => Verdict::Present(by),
    })
}
