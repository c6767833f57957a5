//! Which objects the rules about manifests as such speak of.

use super::Context;
use crate::facts::units::Unit;
use crate::kinds::Object;
use crate::metrics::Class;

/// True for a pool, a serving or GPU workload, and an autoscaler of one: what an ordinary service gets wrong is for others
/// to say.
pub(super) fn is_about_gpus(context: &Context<'_>, object: &Object) -> bool {
    let facts = context.facts;
    let serves = |unit: &Unit<'_>| unit.uses_gpus() || unit.serves_model();
    let by_signal = |class: Class| !matches!(class, Class::Cpu | Class::HostMemory | Class::Other);
    let pool = facts.pools.iter().any(|pool| std::ptr::eq(pool.object, object) && pool.is_judged());
    let own = facts.units.iter().any(|unit| std::ptr::eq(unit.object, object) && serves(unit));
    pool || own
        || facts.drivers.iter().filter(|driver| std::ptr::eq(driver.object, object)).any(|driver| {
            facts.targets_of(driver).any(serves)
                || driver.signals.iter().flat_map(|(_, m)| &m.measures).any(|m| by_signal(m.class))
        })
}
