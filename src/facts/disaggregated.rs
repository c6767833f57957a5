//! Prefill and decode pools that serve one model together.

use super::drives::Driver;
use super::scope::{distance, may_share_namespace};
use super::units::{Unit, UnitId};
use crate::engine::Role;
use crate::inventory::Inventory;
use crate::kinds::scaler::Target;
use crate::source::Span;

/// The prefill and decode pools of one model.
#[derive(Debug, Clone)]
pub struct Pair {
    /// Prefill pools.
    pub prefill: Vec<UnitId>,
    /// Decode pools.
    pub decode: Vec<UnitId>,
}

impl Pair {
    /// Both pools with the role of each.
    pub fn members(&self) -> impl Iterator<Item = (Role, UnitId)> + '_ {
        let prefill = self.prefill.iter().map(|id| (Role::Prefill, *id));
        prefill.chain(self.decode.iter().map(|id| (Role::Decode, *id)))
    }

    /// The pools of the other role.
    pub fn peers(&self, role: Role) -> &[UnitId] {
        if role == Role::Prefill { &self.decode } else { &self.prefill }
    }
}

/// Every pair of the inputs. Pools of one object belong together; pools of different objects where their names differ
/// only in the role, or where a file holds just one of each.
pub fn build(inventory: &Inventory, units: &[Unit<'_>]) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    let roles: Vec<Option<Role>> = units.iter().map(|u| role_of(u, units)).collect();
    let has = |unit: &Unit<'_>, role: Role| roles.get(unit.id.0).copied().flatten() == Some(role);
    let mut alone: Vec<(&Unit<'_>, Role)> = Vec::new();
    for role in [Role::Prefill, Role::Decode] {
        for unit in units.iter().filter(|u| has(u, role) && is_pool(u)) {
            let other = if role == Role::Prefill { Role::Decode } else { Role::Prefill };
            let at_home =
                units.iter().any(|u| std::ptr::eq(u.object, unit.object) && has(u, other) && is_pool(u));
            if !at_home {
                alone.push((unit, role));
                continue;
            }
            let known = pairs.iter_mut().find(|p| {
                p.members()
                    .any(|(_, id)| units.get(id.0).is_some_and(|u| std::ptr::eq(u.object, unit.object)))
            });
            match known {
                Some(pair) => pair.side(role).push(unit.id),
                None => {
                    let mut pair = Pair { prefill: vec![], decode: vec![] };
                    pair.side(role).push(unit.id);
                    pairs.push(pair);
                }
            }
        }
    }
    pairs.extend(across_objects(inventory, &alone));
    pairs
}

impl Pair {
    fn side(&mut self, role: Role) -> &mut Vec<UnitId> {
        if role == Role::Prefill { &mut self.prefill } else { &mut self.decode }
    }
}

fn across_objects(inventory: &Inventory, alone: &[(&Unit<'_>, Role)]) -> Vec<Pair> {
    let of = |role: Role| alone.iter().filter(move |(_, r)| *r == role).map(|(u, _)| *u);
    let mut pairs = Vec::new();
    for prefill in of(Role::Prefill) {
        let fits = |decode: &&Unit<'_>| may_share_namespace(prefill.object, decode.object);
        let named: Vec<&Unit<'_>> =
            of(Role::Decode).filter(fits).filter(|d| stem(prefill) == stem(d)).collect();
        let same_file = |u: &&Unit<'_>| u.object.file == prefill.object.file;
        let in_file: Vec<&Unit<'_>> = of(Role::Decode).filter(fits).filter(same_file).collect();
        let only = of(Role::Prefill).filter(same_file).count() == 1 && in_file.len() == 1;
        let candidates = if named.is_empty() && only { in_file } else { named };
        let nearest =
            candidates.into_iter().min_by_key(|d| (distance(inventory, prefill.object, d.object), d.id));
        if let Some(decode) = nearest {
            pairs.push(Pair { prefill: vec![prefill.id], decode: vec![decode.id] });
        }
    }
    pairs
}

/// True for pods that hold a model: routers and schedulers of disaggregated serving carry role names too.
fn is_pool(unit: &Unit<'_>) -> bool {
    unit.uses_gpus() || unit.serves_model()
}

/// The role of a unit. The name counts only where a sibling has the same name but for the other role: one worker that is
/// merely named after a role is no pair.
fn role_of(unit: &Unit<'_>, units: &[Unit<'_>]) -> Option<Role> {
    if let Some(role) = unit.role.value() {
        return Some(*role);
    }
    if unit.role.is_unresolved() {
        return None;
    }
    let role = role_in_name(unit)?;
    let sibling = |other: &&Unit<'_>| {
        let opposite =
            role_in_name(other).is_some_and(|r| r != role) || other.role.value().is_some_and(|r| *r != role);
        opposite
            && stem(unit) == stem(other)
            && may_share_namespace(unit.object, other.object)
            && is_pool(other)
    };
    units.iter().find(sibling).map(|_| role)
}

fn full_name(unit: &Unit<'_>) -> String {
    let name = unit.object.name().unwrap_or("");
    match &unit.workload.component {
        Some(component) => format!("{name}-{component}"),
        None => name.to_owned(),
    }
    .to_ascii_lowercase()
}

fn role_in_name(unit: &Unit<'_>) -> Option<Role> {
    let name = full_name(unit);
    match (name.contains("prefill"), name.contains("decode")) {
        (true, false) => Some(Role::Prefill),
        (false, true) => Some(Role::Decode),
        _ => None,
    }
}

fn stem(unit: &Unit<'_>) -> String {
    full_name(unit).replace("prefill", "*").replace("decode", "*")
}

/// The autoscalers of a unit.
pub fn drivers_of<'d, 'a>(drivers: &'d [Driver<'a>], unit: UnitId) -> impl Iterator<Item = &'d Driver<'a>> {
    drivers.iter().filter(move |d| d.targets.contains(&unit))
}

/// True where an autoscaler near the unit has a target that cannot be told, so that it may be this one, or where a chart
/// may add one.
pub fn may_be_driven(inventory: &Inventory, drivers: &[Driver<'_>], unit: &Unit<'_>) -> bool {
    let open_target = drivers.iter().any(|driver| {
        let open = match &driver.scaler.target {
            Target::Reference(r) => {
                r.name.is_unresolved() || r.kind.is_unresolved() || r.role.is_unresolved()
            }
            _ => false,
        };
        open && may_share_namespace(driver.object, unit.object)
            && distance(inventory, unit.object, driver.object).0 <= 2
    });
    open_target || !unit.object.complete
}

/// Where a pool says which role it plays, if its own object does; else where the pool is named.
pub fn role_place(unit: &Unit<'_>) -> Span {
    let stated = unit.workload.role.set().and(unit.workload.role.span());
    stated.filter(|span| unit.object.root().span().contains(*span)).unwrap_or(unit.workload.span)
}
