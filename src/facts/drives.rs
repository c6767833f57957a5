//! Which autoscaler drives which pods, and by what.

use super::query::QueryFact;
use super::renames::{Aliases, Measured};
use super::scope::{may_share_namespace, nearest};
use super::units::{Unit, UnitId};
use crate::inventory::Inventory;
use crate::kinds::Object;
use crate::kinds::scaler::{Scaler, Signal, Target, TargetRef};
use crate::known::Known;

/// An autoscaler with what it drives.
#[derive(Debug)]
pub struct Driver<'a> {
    /// The object that it is or stands in.
    pub object: &'a Object,
    /// What the object says of it.
    pub scaler: &'a Scaler,
    /// The workloads that it scales; empty where its target is not in the inputs.
    pub targets: Vec<UnitId>,
    /// Its signals with what they measure.
    pub signals: Vec<(&'a Signal, Measured)>,
    /// The queries of the signals, by the same index.
    pub queries: Vec<Option<QueryFact>>,
}

impl<'a> Driver<'a> {
    /// The signals that are queries, with what they measure and give.
    pub fn queried(&self) -> impl Iterator<Item = (&'a Signal, &Measured, &QueryFact)> {
        let pairs = self.signals.iter().zip(&self.queries);
        pairs.filter_map(|((signal, measured), query)| Some((*signal, measured, query.as_ref()?)))
    }

    /// The name for people.
    pub fn title(&self) -> String {
        format!("{}/{}", self.object.kind, self.object.name().unwrap_or("?"))
    }
}

/// Every autoscaler of the inputs.
pub fn build<'a>(inventory: &'a Inventory, units: &[Unit<'a>], aliases: &Aliases<'a>) -> Vec<Driver<'a>> {
    let mut drivers = Vec::new();
    for object in &inventory.objects {
        for scaler in object.model.scalers.iter().filter(|s| !matches!(s.target, Target::Policy)) {
            let targets = match &scaler.target {
                Target::Own(index) => own(units, object, *index),
                Target::Reference(reference) => resolve(inventory, units, object, reference, 0),
                Target::Unknown(_) | Target::Policy => vec![],
            };
            let policy = policy_of(inventory, object, scaler);
            let (signals, queries) = joined_signals(object, scaler, policy)
                .map(|(from, signal)| {
                    let measured = aliases.measure(inventory, from, signal);
                    ((signal, measured), QueryFact::of(inventory, aliases, from, signal))
                })
                .unzip();
            drivers.push(Driver { object, scaler, targets, signals, queries });
        }
    }
    drivers
}

/// The policy object that an autoscaler names, which holds its signals.
fn policy_of<'a>(
    inventory: &'a Inventory,
    object: &Object,
    scaler: &Scaler,
) -> Option<(&'a Object, &'a Scaler)> {
    let name = scaler.policy_ref.value()?;
    let candidates: Vec<(&Object, &Scaler)> = inventory
        .objects
        .iter()
        .filter(|o| o.group == object.group && o.name() == Some(name) && may_share_namespace(object, o))
        .filter_map(|o| Some((o, o.model.scalers.iter().find(|s| matches!(s.target, Target::Policy))?)))
        .collect();
    nearest(inventory, object, candidates, |(o, _)| o).into_iter().next()
}

/// The signals of an autoscaler and of its policy. Of two with one name the autoscaler's has the query.
fn joined_signals<'a>(
    object: &'a Object,
    scaler: &'a Scaler,
    policy: Option<(&'a Object, &'a Scaler)>,
) -> impl Iterator<Item = (&'a Object, &'a Signal)> {
    let own = scaler.signals.iter().map(move |signal| (object, signal));
    let named =
        |signal: &Signal| signal.name.is_some() && scaler.signals.iter().any(|own| own.name == signal.name);
    let other =
        policy.into_iter().flat_map(|(from, policy)| policy.signals.iter().map(move |signal| (from, signal)));
    own.chain(other.filter(move |(_, signal)| !named(signal)))
}

fn own(units: &[Unit<'_>], object: &Object, index: usize) -> Vec<UnitId> {
    let workload = object.model.workloads.get(index);
    units.iter().filter(|u| workload.is_some_and(|w| std::ptr::eq(u.workload, w))).map(|u| u.id).collect()
}

/// Leaves out patches where what they patch is there too: a patch lies nearer in an overlay, and says only what changes.
fn whole<'u, 'a>(units: Vec<&'u Unit<'a>>) -> Vec<&'u Unit<'a>> {
    let is_patch = |unit: &&Unit<'_>| {
        let containers = || unit.workload.sets.iter().flat_map(|s| s.template.main_containers());
        unit.workload.plain_pods && containers().all(|c| c.container.image == Known::Absent)
    };
    let complete: Vec<&Unit<'a>> = units.iter().copied().filter(|unit| !is_patch(unit)).collect();
    if complete.is_empty() { units } else { complete }
}

/// The workloads behind a reference: those that bear the name themselves, or those behind an adapter of that name.
fn resolve(
    inventory: &Inventory,
    units: &[Unit<'_>],
    from: &Object,
    reference: &TargetRef,
    depth: usize,
) -> Vec<UnitId> {
    const MOST_ADAPTERS: usize = 3;
    let (Some(kind), Some(name)) = (reference.kind.value(), reference.name.value()) else { return vec![] };
    if reference.role.is_unresolved() {
        return vec![];
    }
    let role = reference.role.value();
    let named: Vec<&Unit<'_>> = units
        .iter()
        .filter(|unit| {
            unit.workload.scaled_as.iter().any(|own| {
                own.kind == *kind
                    && own.name == *name
                    && reference.group.as_ref().is_none_or(|group| *group == own.group)
                    && own.role.as_ref() == role
            }) && may_share_namespace(from, unit.object)
        })
        .collect();
    let near = nearest(inventory, from, whole(named), |unit| unit.object);
    if !near.is_empty() {
        return near.into_iter().map(|u| u.id).collect();
    }
    if depth >= MOST_ADAPTERS {
        return vec![];
    }
    let adapters: Vec<&Object> = inventory
        .objects
        .iter()
        .filter(|o| {
            o.kind == *kind
                && o.name() == Some(name)
                && !o.model.adapters.is_empty()
                && may_share_namespace(from, o)
        })
        .collect();
    let near = nearest(inventory, from, adapters, |o| o);
    near.into_iter()
        .flat_map(|o| o.model.adapters.iter().map(move |a| (o, a)))
        .flat_map(|(o, adapter)| resolve(inventory, units, o, &adapter.target, depth + 1))
        .collect()
}
