//! Workloads with what runs in them: engine, parallelism, role, memory reservation.

use super::scope::{may_share_namespace, nearest};
use crate::engine::{self, Engine, Lookup, Role};
use crate::inventory::Inventory;
use crate::kinds::Object;
use crate::kinds::gang::Evidence;
use crate::kinds::pods::{Coordinator, Workload};
use crate::known::Known;
use crate::source::Span;
use crate::yaml::Text;

/// The address of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitId(pub usize);

/// A workload, with what runs in it.
#[derive(Debug)]
pub struct Unit<'a> {
    /// Its address.
    pub id: UnitId,
    /// The object that makes it.
    pub object: &'a Object,
    /// What the object says of it.
    pub workload: &'a Workload,
    /// The engine in its pods.
    pub engine: Option<Engine>,
    /// The part that it plays in disaggregated serving.
    pub role: Known<Role>,
    /// Tensor parallelism, from fields and command lines.
    pub tensor_parallel: Known<u32>,
    /// Pipeline parallelism.
    pub pipeline_parallel: Known<u32>,
    /// GPUs of the pod that asks for most.
    pub gpus_per_pod: Known<u32>,
    /// What scales it together with its peers: a planner of its object, or a policy in another one.
    pub coordinator: Option<&'a Coordinator>,
    /// Gangs that a policy in another object asks for.
    pub policy_gangs: Vec<&'a Evidence>,
}

impl Unit<'_> {
    /// The name for people: `Deployment/llama`, `DynamoGraphDeployment/llama (decode)`.
    pub fn title(&self) -> String {
        let name = self.object.name().unwrap_or("?");
        match &self.workload.component {
            Some(component) => format!("{}/{name} ({component})", self.object.kind),
            None => format!("{}/{name}", self.object.kind),
        }
    }

    /// True where the pods ask for GPUs.
    pub fn uses_gpus(&self) -> bool {
        self.workload.asks_gpus() || self.gpus_per_pod.value().is_some_and(|n| *n > 0)
    }

    /// True where an engine serves a model here, on GPUs as far as is known.
    pub fn serves_model(&self) -> bool {
        self.engine.is_some() || self.workload.declared.engine.is_some()
    }

    /// Tensor parallelism times pipeline parallelism, where both are known. An unknown one counts as 1 where the other
    /// alone is above 1, since the product only grows.
    pub fn model_parallel(&self) -> Option<u32> {
        let (tp, pp) = (self.tensor_parallel.value().copied(), self.pipeline_parallel.value().copied());
        match (tp, pp) {
            (None, None) => None,
            (tp, pp) => Some(tp.unwrap_or(1).saturating_mul(pp.unwrap_or(1))),
        }
    }

    /// The share of GPU memory that the engine takes at start: the engine, the flag or field, and the share.
    pub fn memory(&self) -> Option<(&str, &str, &Known<f64>)> {
        let declared = &self.workload.declared;
        if let (Some((field, share)), Some((engine, _))) = (&declared.memory, &declared.engine) {
            return Some((engine, field, share));
        }
        let engine = self.engine.as_ref()?;
        Some((engine.family.name(), &engine.memory.flag, &engine.memory.fraction))
    }

    /// GPUs of one replica over all its pods, where all of them are known.
    pub fn gpus_per_replica(&self) -> Option<u32> {
        let mut total = 0u32;
        for set in &self.workload.sets {
            let gpus = match &set.template.gpus.count {
                Known::Absent => continue,
                count => *count.value()?,
            };
            total = total.saturating_add(gpus.saturating_mul(*set.pods.value()?));
        }
        Some(total)
    }

    /// The bytes that make the model parallel: the flag or field above 1, tensor parallelism first.
    pub fn parallel_span(&self) -> Option<Span> {
        let above_one = |known: &Known<u32>| known.value().filter(|n| **n > 1).and(known.span());
        above_one(&self.tensor_parallel).or_else(|| above_one(&self.pipeline_parallel))
    }

    /// True where bytes stand in the unit's own object, anchors of its document included.
    pub fn holds(&self, span: Span) -> bool {
        self.object.tree.root().span().contains(span)
    }
}

/// Every workload of the inputs.
pub fn build(inventory: &Inventory) -> Vec<Unit<'_>> {
    let mut units = Vec::new();
    for object in &inventory.objects {
        for workload in &object.model.workloads {
            let id = UnitId(units.len());
            units.push(unit(inventory, id, object, workload));
        }
    }
    fill_roles(&mut units);
    join_policies(inventory, &mut units);
    units
}

/// Hands the policies that tie roles of another object together to the workloads of those roles.
fn join_policies<'a>(inventory: &'a Inventory, units: &mut [Unit<'a>]) {
    for from in &inventory.objects {
        for policy in &from.model.role_policies {
            let target = &policy.target;
            let meant = |unit: &&mut Unit<'a>| {
                let object = unit.object;
                target.group.as_ref().is_none_or(|group| *group == object.group)
                    && target.kind.value().is_none_or(|kind| *kind == object.kind)
                    && target.name.value().is_some_and(|name| object.name() == Some(name))
                    && may_share_namespace(from, object)
            };
            for unit in units.iter_mut().filter(meant) {
                let Some(role) = unit.workload.component.as_deref() else { continue };
                if policy.roles.iter().any(|r| r == role) {
                    unit.coordinator = unit.coordinator.or(policy.coordinator.as_ref());
                }
                let gangs = policy.gangs.iter().filter(|(r, _)| r == role).map(|(_, gang)| gang);
                unit.policy_gangs.extend(gangs);
            }
        }
    }
}

fn unit<'a>(inventory: &'a Inventory, id: UnitId, object: &'a Object, workload: &'a Workload) -> Unit<'a> {
    let lookup = Configs { inventory, from: object };
    let engine = best_engine(workload, &lookup);
    let declared = &workload.declared;
    let from_engine =
        |pick: fn(&Engine) -> &Known<u32>| engine.as_ref().map(|e| pick(e).clone()).unwrap_or_default();
    let either = |field: &Known<u32>, flag: Known<u32>| match (field, flag) {
        // A field that the kind passes on to the engine is stronger than a default of the engine.
        (Known::Absent, flag) => flag,
        (Known::Default(..), flag @ Known::Set(..)) => flag,
        (field, _) => field.clone(),
    };
    let role = match &workload.role {
        Known::Absent => engine.as_ref().map(|e| e.role.clone()).unwrap_or_default(),
        role => role.clone(),
    };
    let gpus = workload.sets.iter().map(|s| &s.template.gpus.count).fold(Known::Absent, larger);
    Unit {
        id,
        object,
        workload,
        tensor_parallel: either(&declared.tensor_parallel, from_engine(|e| &e.tensor_parallel)),
        pipeline_parallel: either(&declared.pipeline_parallel, from_engine(|e| &e.pipeline_parallel)),
        role,
        engine,
        gpus_per_pod: gpus,
        coordinator: workload.coordinator.as_ref(),
        policy_gangs: vec![],
    }
}

fn larger(a: Known<u32>, b: &Known<u32>) -> Known<u32> {
    match (a.value(), b.value()) {
        (Some(x), Some(y)) if x >= y => a,
        (Some(_), None) => a,
        (None, None) if a.is_written() => a,
        _ => b.clone(),
    }
}

/// The engine of a workload: of several containers with one, that which states parallelism (the leader of a group says
/// it, its workers only join).
fn best_engine(workload: &Workload, lookup: &dyn Lookup) -> Option<Engine> {
    let mut best: Option<(u8, Engine)> = None;
    for set in &workload.sets {
        for container in set.template.main_containers() {
            let Some(found) = engine::read(&container.container, lookup) else { continue };
            let rank = match (&found.tensor_parallel, &found.pipeline_parallel) {
                (Known::Set(n, _), _) | (_, Known::Set(n, _)) if *n > 1 => 4,
                (Known::Set(..), _) | (_, Known::Set(..)) => 3,
                (Known::Unresolved(_), _) | (_, Known::Unresolved(_)) => 2,
                (Known::Default(..), _) => 1,
                _ => 0,
            };
            if best.as_ref().is_none_or(|(have, _)| rank > *have) {
                best = Some((rank, found));
            }
        }
    }
    best.map(|(_, engine)| engine)
}

/// Roles that only the neighbours tell. Beside a prefill pool in the same object, the one other engine is decode: it may
/// carry no flag at all.
fn fill_roles(units: &mut [Unit<'_>]) {
    let mut at = 0;
    while at < units.len() {
        let object: *const Object = units.get(at).map_or(std::ptr::null(), |u| std::ptr::from_ref(u.object));
        let end = units
            .iter()
            .skip(at)
            .position(|u| !std::ptr::eq(u.object, object))
            .map_or(units.len(), |n| at + n);
        let Some(group) = units.get_mut(at..end) else { break };
        let has = |role: Role| group.iter().any(|u| u.role.value() == Some(&role));
        let (prefill, decode) = (has(Role::Prefill), has(Role::Decode));
        if prefill != decode {
            let missing = if prefill { Role::Decode } else { Role::Prefill };
            let mut open: Vec<&mut Unit<'_>> =
                group.iter_mut().filter(|u| u.role == Known::Absent && u.engine.is_some()).collect();
            if let [only] = open.as_mut_slice() {
                only.role = Known::Default(missing, only.workload.span);
            }
        }
        at = end;
    }
}

/// ConfigMaps as the engine reader looks them up: the nearest of that name.
struct Configs<'a> {
    inventory: &'a Inventory,
    from: &'a Object,
}

impl Configs<'_> {
    fn find(&self, name: &str) -> Option<&Object> {
        let all: Vec<&Object> = self
            .inventory
            .objects
            .iter()
            .filter(|o| {
                !o.model.data.is_empty() && o.name() == Some(name) && may_share_namespace(self.from, o)
            })
            .collect();
        let mut near = nearest(self.inventory, self.from, all, |o| o);
        // Two that are equally near may disagree: then nothing is known.
        if near.len() == 1 { near.pop() } else { None }
    }
}

impl Lookup for Configs<'_> {
    fn config_map_key(&self, name: &str, key: &str) -> Known<Text> {
        let text = self.find(name).and_then(|o| o.model.data.iter().find(|(k, _)| k == key));
        match text {
            Some((_, text)) => Known::Set(text.clone(), text.span()),
            None => Known::Absent,
        }
    }

    fn config_map_keys(&self, name: &str) -> Option<Vec<(String, Text)>> {
        self.find(name).map(|o| o.model.data.clone())
    }
}
