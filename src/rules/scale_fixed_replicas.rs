//! `scale-fixed-replicas`: a number of replicas in the manifest that each apply puts back.

use super::scaled::replicas;
use super::{Context, Finding};
use crate::facts::drives::Driver;
use crate::facts::units::Unit;
use crate::kinds::scaler::Target;
use crate::known::Known;

pub(super) fn check<'a>(context: &Context<'a>, unit: &'a Unit<'a>) -> Vec<Finding<'a>> {
    let Known::Set(count, at) = unit.workload.replicas else { return vec![] };
    // Operators keep the number that an autoscaler set, each in its own way.
    if !unit.workload.plain_pods
        || unit.workload.component.is_some()
        || !unit.object.complete
        || !unit.object.modelled
    {
        return vec![];
    }
    let moves = |driver: &&Driver<'_>| {
        let by_name = matches!(driver.scaler.target, Target::Reference(_));
        let (min, max) = (driver.scaler.min.value(), driver.scaler.max.value());
        by_name && min.is_none_or(|min| max.is_none_or(|max| min < max))
    };
    let Some(driver) = context.facts.drivers_of(unit.id).find(moves).filter(|_| unit.uses_gpus()) else {
        return vec![];
    };
    let message = format!(
        "{} states {} and {} scales it: each apply of this manifest puts the pool back to {count}, so replicas that took minutes to start are dropped under load",
        unit.title(),
        replicas(count),
        driver.title()
    );
    let finding = Finding::new(unit.object, "spec.replicas", at, "set again by each apply", message)
        .label(driver.scaler.span, "scales the same workload")
        .help("leave the replicas out, and let the tool that applies the manifest ignore the field");
    vec![finding]
}
